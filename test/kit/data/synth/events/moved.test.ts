import { describe, expect, test } from 'vitest';
import { writeAedat2 } from '../../../../../src/kit/data/events/aedat2.ts';
import { writeAtis } from '../../../../../src/kit/data/events/atis.ts';
import { downsample } from '../../../../../src/kit/data/events/downsample.ts';
import { readEvents } from '../../../../../src/kit/data/events/formats.ts';
import { blankStill, drifting } from '../../../../../src/kit/data/synth/events/drifting.ts';
import { makeObject, objectSettings } from '../../../../../src/kit/data/synth/events/objects/drift.ts';
import { shapes } from '../../../../../src/kit/data/synth/events/objects/shapes.ts';
import { makeSaccade, saccadeSettings, saccadeTime } from '../../../../../src/kit/data/synth/events/saccades/saccade.ts';
import { spread } from '../../../../../src/kit/data/synth/events/spread.ts';
import { bytesOf, complaint } from '../../samples.ts';

describe('a still moved before the camera', () => {
  test('whole pixels move it exactly, parts of a pixel interpolate', () => {
    const still = blankStill(4, 2, 1, 0);
    const { values, width } = still.canvas;
    for (let i = 0; i < values.length; i++) values[i] = i % width;
    const course = { size: 4, margin: 2, duration: 1, rate: 2, shift: (time: number) => [-time, 0] as const };
    const rows = Array.from(drifting(still, course), ({ time, intensity }) => [time, ...intensity.slice(0, 4)]);
    expect(rows).toEqual([
      [0, 2.5, 3.5, 4.5, 5.5],
      [500_000, 3, 4, 5, 6],
      [1_000_000, 3.5, 4.5, 5.5, 6.5],
    ]);
  });
});

describe('synthetic saccades', () => {
  const settings = saccadeSettings();

  test('digits take turns, one round of six is for testing, recordings are pure functions of their number', () => {
    const made = Array.from({ length: 70 }, (_, i) => makeSaccade(i, settings));
    expect(made.map(({ label }) => label)).toEqual(made.map((_, i) => i % 10));
    expect(made.filter(({ split }) => split === 'test').map((_, i) => i)).toHaveLength(10);
    expect(made[61]!.split).toBe('train');
    expect(made[52]!.split).toBe('test');
    expect(makeSaccade(37, settings)).toEqual(made[37]);
    expect(makeSaccade(37, saccadeSettings({ seed: 1 })).events).not.toEqual(made[37]!.events);
  });

  test('there are events in each of the three movements, few at their ends, where nothing moves', () => {
    const { events } = makeSaccade(8, saccadeSettings({ noise: 0 }));
    expect([events.width, events.height]).toEqual([34, 34]);
    const within = (from: number, to: number) => events.t.filter((t) => t >= from && t < to).length;
    for (const leg of [0, 1, 2]) {
      const [middle, end] = [(leg + 0.5) * saccadeTime, (leg + 1) * saccadeTime];
      expect(within(middle - 10_000, middle + 10_000)).toBeGreaterThan(10 * within(end - 5000, end + 5000));
    }
    expect(events.t.at(-1)).toBeLessThanOrEqual(3 * saccadeTime);
  });

  test('written as ATIS and read again, a recording is the same', async () => {
    const { events } = makeSaccade(3, settings);
    expect(await readEvents(bytesOf(writeAtis(events)), '00004.bin')).toEqual(events);
    expect(await complaint(() => saccadeSettings({ size: 8 }))).toMatch(/^saccades are 16 to 128 pixels wide, not 8/);
  });
});

describe('synthetic objects', () => {
  test('the area of every shape is a fair part of its square, and its corners are outside', () => {
    for (const { distance } of shapes) {
      const grid = Array.from(
        { length: 1600 },
        (_, i) => [((i % 40) + 0.5) / 20 - 1, (Math.floor(i / 40) + 0.5) / 20 - 1] as const,
      );
      const share = grid.filter(([x, y]) => distance(x, y) < 0).length / grid.length;
      expect(share).toBeGreaterThan(0.2);
      expect(share).toBeLessThan(0.75);
      for (const corner of [-1, 1]) expect(distance(corner, corner)).toBeGreaterThan(0);
    }
  });

  test('what is filmed at 64 pixels is what a loader gets that merges blocks of 2 x 2 of the format’s 128', async () => {
    const { events, label } = makeObject(13, objectSettings({ size: 64 }));
    expect([label, events.width]).toEqual([3, 64]);
    const read = await readEvents(bytesOf(writeAedat2(spread(events, 2))), 'cifar10_disc_1.aedat');
    expect([read.width, read.height]).toEqual([128, 128]);
    expect(downsample(read, 2)).toEqual(events);
  });

  test('a recording is a pure function of its number; sizes the format has no place for are refused', async () => {
    const settings = objectSettings({ size: 32 });
    expect(makeObject(5, settings)).toEqual(makeObject(5, settings));
    expect(makeObject(5, settings).events).not.toEqual(makeObject(15, settings).events);
    expect(await complaint(() => objectSettings({ size: 48 }))).toBe(
      'objects are 32, 64, 128 pixels wide, not 48 -> choose --size 32, --size 64 or --size 128',
    );
  });
});
