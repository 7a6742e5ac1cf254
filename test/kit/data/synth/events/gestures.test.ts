import { describe, expect, test } from 'vitest';
import { writeAedat3 } from '../../../../../src/kit/data/events/aedat3.ts';
import { readEvents } from '../../../../../src/kit/data/events/formats.ts';
import type { EventStream } from '../../../../../src/kit/data/events/stream.ts';
import { gestureLabels } from '../../../../../src/kit/data/gesture-labels.ts';
import { elbowOf } from '../../../../../src/kit/data/synth/events/gestures/figure.ts';
import {
  gestureClasses,
  gestureSettings,
  makeGesture,
  recordingOf,
  recordings,
} from '../../../../../src/kit/data/synth/events/gestures/gesture.ts';
import { type Manner, movements } from '../../../../../src/kit/data/synth/events/gestures/movements.ts';
import { people, personOf } from '../../../../../src/kit/data/synth/events/gestures/people.ts';
import { makeRecordings, type Recording, wholeRecordings } from '../../../../../src/kit/data/synth/events/gestures/recording.ts';
import { bytesOf, complaint } from '../../samples.ts';

const settings = gestureSettings({ size: 32, duration: 0.5 });
const made = (count: number, seed = 0): Recording[] => [...makeRecordings(count, { ...settings, seed })];

/** How far the middle of the events turns around the middle of all of them, in turns, clockwise in the picture. */
function turning({ x, y, t }: EventStream): number {
  const parts = 30;
  const sums = Array.from({ length: parts }, () => [0, 0, 0] as [number, number, number]);
  for (let i = 0; i < t.length; i++) {
    const sum = sums[Math.min(parts - 1, Math.floor((parts * t[i]!) / (t.at(-1)! + 1)))]!;
    sum[0] += x[i]!;
    sum[1] += y[i]!;
    sum[2]++;
  }
  const middles = sums.map(([a, b, n]) => [a / n, b / n] as const);
  const [cx, cy] = [0, 1].map((k) => middles.reduce((sum, m) => sum + m[k]!, 0) / parts);
  const angles = middles.map(([a, b]) => Math.atan2(b - cy!, a - cx!));
  return angles.slice(1).reduce((sum, angle, i) => {
    const step = (angle - angles[i]!) / (2 * Math.PI);
    return sum + step - Math.round(step);
  }, 0);
}

describe('synthetic gestures', () => {
  test('eleven classes, named and in the order of the codes as DVS128 Gesture has them', () => {
    expect(gestureClasses).toEqual([...gestureLabels]);
  });

  test('circling arms turn the way their class says', () => {
    const small = gestureSettings({ size: 32 });
    for (const [label, way] of [
      [3, 1],
      [4, -1],
      [5, 1],
      [6, -1],
    ] as const) {
      const turns = Array.from({ length: 4 }, (_, r) => turning(makeGesture(11 * r + label, small).events));
      const mean = turns.reduce((a, b) => a + b, 0) / turns.length;
      expect(way * mean).toBeGreaterThan(0.5);
    }
  });

  test('right is the left half of the picture: where the arm that waves is', () => {
    for (const [label, side] of [
      [1, -1],
      [2, 1],
    ] as const) {
      const manner: Manner = { reach: 1, drop: 0, oval: 1, mirrored: false, whim: [0, 0, 0, 0] };
      const poses = [0, 0.25, 0.5].map((turns) => movements[label]!.pose(turns, manner));
      const moving = (arm: 'right' | 'left') => new Set(poses.map((pose) => pose[arm][0])).size > 1;
      expect([moving('right'), moving('left')]).toEqual([side === -1, side === 1]);
      const { events } = makeGesture(label, gestureSettings({ size: 64 }));
      const mean = events.x.reduce((a, b) => a + b, 0) / events.x.length;
      expect(Math.sign(mean - 32)).toBe(side);
    }
  });

  test('an arm keeps its lengths whatever is asked of it', () => {
    for (const hand of [
      [0.5, 0.5],
      [3, -1],
      [0, 0],
      [0.01, 0],
    ] as const) {
      const { elbow, hand: reached } = elbowOf(hand, 0.9, 1);
      expect(Math.hypot(...elbow)).toBeCloseTo(1, 10);
      expect(Math.hypot(reached[0] - elbow[0], reached[1] - elbow[1])).toBeCloseTo(0.9, 10);
    }
  });

  test('recordings are of all people in all lights; the first 23 people train, the others test', () => {
    const all = Array.from({ length: recordings }, (_, i) => recordingOf(i));
    expect(new Set(all.map(({ person, lighting }) => `${person} ${lighting.name}`)).size).toBe(recordings);
    for (const { person, split } of all) expect(split).toBe(person <= 23 ? 'train' : 'test');
    const firstTen = new Set(all.slice(0, 10).map(({ split }) => split));
    expect(firstTen.size).toBe(2);
    expect(new Set(Array.from({ length: people }, (_, i) => personOf(0, i + 1).scale)).size).toBe(people);
  });

  test('the same seed gives the same recordings, another seed others; a larger corpus adds to the smaller one', () => {
    const files = (count: number, seed = 0) =>
      made(count, seed).map(({ name, events, table }) => [name, table, writeAedat3(events)] as const);
    const [a, b, c] = [files(77), files(66), files(66, 1)];
    for (const [i, [name, table, bytes]] of b.entries()) {
      expect(a[i]!.slice(0, 2)).toEqual([name, table]);
      expect(Buffer.compare(a[i]![2], bytes)).toBe(0);
      expect(Buffer.compare(c[i]![2], bytes)).not.toBe(0);
    }
  });

  test('each recording holds every class once, its table saying when; nothing lies outside', () => {
    for (const { table, events } of made(66)) {
      const [head, ...lines] = table.trimEnd().split('\n');
      expect(head).toBe('class,startTime_usec,endTime_usec');
      const rows = lines.map((line) => line.split(',').map(Number) as [number, number, number]);
      expect(rows.map(([label]) => label)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      const inside = Array.from(events.t).filter((t) => rows.some(([, from, to]) => from <= t && t < to));
      expect(inside.length).toBe(events.t.length);
      expect(rows.every(([, from], i) => i === 0 || from > rows[i - 1]![2])).toBe(true);
    }
  });

  test('counts are rounded up to whole recordings; without people for testing there is no corpus', async () => {
    expect([wholeRecordings(66), wholeRecordings(67), wholeRecordings(1595), wholeRecordings(1596)]).toEqual([
      66, 77, 1595, 1606,
    ]);
    expect(await complaint(() => wholeRecordings(11))).toMatch(
      /^11 gestures are too few for people who train and people who test -> ask for \d+ or more/,
    );
    expect(await complaint(() => gestureSettings({ size: 129 }))).toMatch(/^a gesture is 32 to 128 pixels wide, not 129/);
  });

  test('a second round of everybody is appended to the same files', () => {
    const tiny = gestureSettings({ size: 32, duration: 0.05 });
    const one = [...makeRecordings(recordings * 11, tiny)];
    const more = [...makeRecordings(recordings * 11 + 11, tiny)];
    expect([one.length, more.length]).toEqual([recordings, recordings]);
    expect(more[0]!.table.startsWith(one[0]!.table)).toBe(true);
    expect(more[0]!.table.split('\n')).toHaveLength(24);
    expect(new Set(one.map(({ name }) => name)).size).toBe(recordings);
  });

  test('written as AEDAT 3.1 and read again, a recording is the same', async () => {
    const [{ events }] = made(66) as [Recording];
    expect(await readEvents(bytesOf(writeAedat3(events)), 'user01.aedat')).toEqual(events);
  });
});
