/** @file What a region is in every modality, where regions lie, and what moves in them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../../src/core/tensor/random.ts';
import { sizeOf } from '../../../../src/core/tensor/tensor.ts';
import type { InputSpec, Modality } from '../../../../src/kit/model/model.ts';
import { lpThreat } from '../../../../src/kit/threat/lp.ts';
import type { Norm } from '../../../../src/kit/threat/threat.ts';
import { partsOf } from '../../../../src/methods/attacks/frame/space.ts';
import { endsOf } from '../../../../src/methods/attacks/regions/ends.ts';
import { fieldOf, sums } from '../../../../src/methods/attacks/regions/field.ts';
import { flipper } from '../../../../src/methods/attacks/regions/flips.ts';
import { bump, massMover } from '../../../../src/methods/attacks/regions/mass.ts';
import { canvasOf } from '../../../../src/methods/attacks/regions/painter.ts';
import { pusher } from '../../../../src/methods/attacks/regions/push.ts';
import { allColumns, type DrawOptions, drawRegion, tiles } from '../../../../src/methods/attacks/regions/region.ts';
import { specOf } from '../../../kit/threat/spec.ts';
import { sampleOf } from '../linear.ts';

const plain: DrawOptions = { least: 1, odd: false, short: false };
const spec = (modality: Modality, layout: string, shape: readonly number[], changes: Partial<InputSpec> = {}) =>
  specOf(shape, { modality, layout, ...changes });

/** The indices of an input that a region holds, along each letter of its layout. */
function along(input: InputSpec, elements: Iterable<number>): Record<string, number[]> {
  const found = input.shape.map(() => new Set<number>());
  for (let i of elements) {
    for (let axis = input.shape.length - 1; axis >= 0; axis--) {
      found[axis]!.add(i % input.shape[axis]!);
      i = Math.floor(i / input.shape[axis]!);
    }
  }
  const letters = [...input.layout.replace('N', '')];
  return Object.fromEntries(letters.map((letter, axis) => [letter, [...found[axis]!].sort((a, b) => a - b)]));
}

const elementsOf = (input: InputSpec, share: number, key: number, options = plain): number[] => {
  const { columns, cells } = drawRegion(fieldOf(input), share, stream('region', key), options);
  return Array.from(columns).flatMap((column) => Array.from(cells, (cell) => column + cell));
};

const isRun = (indices: readonly number[]): boolean => indices.at(-1)! - indices[0]! === indices.length - 1;
const keys = Array.from({ length: 60 }, (_, k) => k);
const length = (region: Record<string, number[]>, letter: string): number => region[letter]!.length;

describe('a region', () => {
  it.each(keys.slice(0, 5))('of anything is a product of indices along its axes, without repetition (%i)', (key) => {
    const inputs = [
      spec('image', 'NCHW', [3, 9, 6]),
      spec('image', 'NHWC', [9, 6, 3]),
      spec('video', 'NCTHW', [2, 5, 7, 6]),
      spec('audio', 'NT', [40]),
      spec('physiology', 'NTC', [20, 6]),
      spec('skeleton', 'NCTVM', [3, 8, 7, 2]),
      spec('skeleton', 'NTC', [10, 24]),
      spec('events', 'NTPHW', [4, 2, 6, 6]),
      spec('features', 'NF', [12]),
    ];
    for (const input of inputs) {
      const elements = elementsOf(input, 0.3, key);
      expect(new Set(elements).size).toBe(elements.length);
      expect(Math.max(...elements)).toBeLessThan(sizeOf(input.shape));
      const region = along(input, elements);
      expect(Object.values(region).reduce((product, indices) => product * indices.length, 1)).toBe(elements.length);
    }
  });

  it.each(keys.slice(0, 5))('of a picture is a square over all channels, wherever the channels are (%i)', (key) => {
    for (const layout of ['NCHW', 'NHWC', 'NWHC']) {
      const shape = [...layout.slice(1)].map((letter) => ({ C: 3, H: 20, W: 12 })[letter]!);
      const region = along(spec('image', layout, shape), elementsOf(spec('image', layout, shape), 0.1, key));
      expect(length(region, 'C')).toBe(3);
      expect(length(region, 'H')).toBe(5); // round(sqrt(.1 x 240))
      expect(length(region, 'W')).toBe(5);
      expect(isRun(region.H!) && isRun(region.W!)).toBe(true);
    }
  });

  it.each(keys.slice(0, 5))('of a clip is a box in space and time (%i)', (key) => {
    const input = spec('video', 'NCTHW', [3, 10, 20, 20]);
    const region = along(input, elementsOf(input, 1 / 8, key));
    expect(['C', 'T', 'H', 'W'].map((letter) => length(region, letter))).toEqual([3, 5, 10, 10]);
    expect(isRun(region.T!) && isRun(region.H!) && isRun(region.W!)).toBe(true);
  });

  it.each([
    ['NCT', [8, 100]],
    ['NTC', [100, 8]],
  ] as const)('of a signal %s is a stretch of time, of all channels or of some', (layout, shape) => {
    const input = spec('physiology', layout, shape);
    const regions = keys.map((key) => along(input, elementsOf(input, 0.16, key)));
    for (const region of regions) {
      expect(isRun(region.T!)).toBe(true);
      expect([16, 40]).toContain(length(region, 'T'));
      expect(length(region, 'C')).toBe(length(region, 'T') === 16 ? 8 : 3);
    }
    const all = regions.filter((region) => length(region, 'C') === 8).length;
    expect(all).toBeGreaterThan(15);
    expect(all).toBeLessThan(45);
    expect(regions.some(({ C }) => !isRun(C!))).toBe(true);
  });

  it('of a skeleton is a stretch of time of some joints, with all their coordinates', () => {
    const input = spec('skeleton', 'NCTV', [3, 50, 25]);
    const regions = keys.map((key) => along(input, elementsOf(input, 0.04, key)));
    for (const region of regions) {
      expect(length(region, 'C')).toBe(3);
      expect(length(region, 'T')).toBe(10);
      expect(isRun(region.T!)).toBe(true);
      expect(length(region, 'V')).toBe(5);
    }
    expect(regions.some(({ V }) => !isRun(V!))).toBe(true);
  });

  it('of a skeleton whose coordinates share one axis takes whole joints: three of them together, or two', () => {
    for (const [coordinates, joint] of [
      [75, 3],
      [34, 2],
    ] as const) {
      const input = spec('skeleton', 'NTC', [20, coordinates]);
      for (const key of keys) {
        const { C } = along(input, elementsOf(input, 0.05, key));
        expect(C!.length % joint).toBe(0);
        C!.forEach((c, k) => {
          if (k % joint !== 0) expect(c).toBe(C![k - 1]! + 1);
          else expect(c % joint).toBe(0);
        });
      }
    }
  });

  it('of events holds both polarities; of features, or of a layout without meaning, it is a block', () => {
    const events = spec('events', 'NTPHW', [8, 2, 16, 16]);
    const block = spec('features', 'NCD', [4, 6]);
    for (const key of keys) {
      const region = along(events, elementsOf(events, 1 / 64, key));
      expect(['T', 'P', 'H', 'W'].map((letter) => length(region, letter))).toEqual([2, 2, 4, 4]);
      const elements = elementsOf(block, 0.25, key);
      expect(elements.length).toBe(6);
      expect(isRun(elements)).toBe(true);
    }
  });

  it('reaches the last row and column, unless asked to leave them out as the original does', () => {
    const input = spec('image', 'NCHW', [1, 8, 8]);
    for (const [short, last] of [
      [false, 7],
      [true, 6],
    ] as const) {
      const all = Array.from({ length: 400 }, (_, key) => along(input, elementsOf(input, 0.05, key, { ...plain, short })));
      expect(Math.max(...all.flatMap(({ H }) => H!))).toBe(last);
      expect(Math.max(...all.flatMap(({ W }) => W!))).toBe(last);
    }
  });

  it('lies at every place equally often', () => {
    const input = spec('features', 'NF', [6]);
    const counts = new Array<number>(6).fill(0);
    for (let key = 0; key < 1200; key++) counts[elementsOf(input, 0.01, key)[0]!]!++;
    for (const count of counts) expect(Math.abs(count - 200)).toBeLessThan(4 * Math.sqrt(200));
  });
});

describe('tiles', () => {
  it.each([
    [28, 28, 5, 25],
    [8, 8, 1, 64],
    [4, 4, 1, 16],
    [3, 11, 1, 33],
    [20, 10, 2, 50],
  ])('of %i x %i have sides of %i and are %i, none over another, as in the original where it can run', (h, w, side, count) => {
    const { boxes, sides } = tiles(fieldOf(spec('image', 'NCHW', [1, h, w])));
    expect(sides).toEqual([side, side]);
    expect(boxes).toHaveLength(count);
    const covered = boxes.flatMap((box) => Array.from(box));
    expect(new Set(covered).size).toBe(covered.length);
    expect(Math.max(...covered)).toBeLessThan(h * w);
  });
});

describe('a bump', () => {
  /** The original's construction: boxes that grow around the middle, each adding 1 / k^2. */
  const grown = (rows: number, columns: number): number[] => {
    const height = new Array<number>(rows * columns).fill(0);
    const most = Math.max(Math.floor(rows / 2), Math.floor(columns / 2)) + 1;
    for (let k = 0; k < most; k++) {
      for (let i = 0; i < rows; i++) {
        for (let j = 0; j < columns; j++) {
          if (Math.abs(i - Math.floor(rows / 2)) <= k && Math.abs(j - Math.floor(columns / 2)) <= k)
            height[i * columns + j]! += 1 / (k + 1) ** 2;
        }
      }
    }
    const size = Math.hypot(...height);
    return height.map((v) => v / size);
  };

  it.each([2, 3, 4, 5, 7])('of side %i is two such hills of opposite sign, along either axis', (side) => {
    const half = Math.floor(side / 2);
    const upright = [...grown(half, side), ...grown(side - half, side).map((v) => -v)].map((v) => v / Math.SQRT2);
    const across = upright.map((_, i) => upright[(i % side) * side + Math.floor(i / side)]!);
    [upright, across].forEach((expected, axis) => {
      bump([side, side], axis).forEach((v, i) => {
        expect(v).toBeCloseTo(expected[i]!, 12);
      });
    });
  });

  it('has length 1 and two signs in any number of dimensions', () => {
    for (const sides of [[6], [1, 5], [3, 4, 5], [2, 3, 2, 3]]) {
      const found = bump(sides, sides.length - 1);
      expect(found).toHaveLength(sizeOf(sides));
      expect(Math.hypot(...found)).toBeCloseTo(1, 12);
      expect(Math.min(...found)).toBeLessThan(0);
      expect(Math.max(...found)).toBeGreaterThan(0);
    }
    expect(Array.from(bump([], 0))).toEqual([-1]);
    expect(Array.from(bump([1, 1], 0))).toEqual([-1]);
  });
});

describe('painters', () => {
  const makers = { linf: pusher, l2: massMover, flips: flipper } as const;
  type Kind = keyof typeof makers;

  const painted = (kind: Kind, input: InputSpec, eps: number, { mask, key = 0 }: { mask?: Float32Array; key?: number } = {}) => {
    const random = stream('painted', key);
    const binary = input.domain === 'binary';
    const x = Float32Array.from({ length: sizeOf(input.shape) }, () =>
      binary ? Math.round(random.uniform()) : Math.min(1, Math.max(0, 2 * random.uniform() - 0.5)),
    );
    const norm: Norm = kind === 'linf' ? 'linf' : 'l2';
    const threat = lpThreat(input, { norm, eps, ...(mask === undefined ? {} : { mask }) });
    const u = new Float32Array(x.length);
    const canvas = canvasOf(partsOf(sampleOf('a', { x }), { x: threat })[0]!, u, false);
    return { x, u, threat, random, canvas, painter: makers[kind](canvas) };
  };

  const inputs = [
    spec('image', 'NCHW', [3, 7, 5]),
    spec('video', 'NTHWC', [3, 6, 5, 2]),
    spec('physiology', 'NCT', [4, 30]),
    spec('skeleton', 'NCTV', [2, 6, 5]),
    spec('features', 'NF', [17]),
  ];

  it.each(Object.keys(makers) as Kind[])(
    '%s: every point is inside ball, bounds and mask, and what is taken back is as it was',
    (kind) => {
      fc.assert(
        fc.property(
          fc.nat(),
          fc.constantFrom(...inputs),
          fc.boolean(),
          fc.double({ min: 0.1, max: 2, noNaN: true }),
          (key, plainInput, masked, eps) => {
            const input: InputSpec = kind === 'flips' ? { ...plainInput, domain: 'binary', storage: 'binary' } : plainInput;
            const chance = stream('mask', key);
            const mask = Float32Array.from({ length: sizeOf(input.shape) }, () => Number(chance.uniform() < 0.6));
            const { x, u, threat, random, painter } = painted(kind, input, eps, masked ? { mask, key } : { key });
            const inside = (): void => {
              const astray = u.findIndex((change, i) => {
                const moved = Math.fround(x[i]! + change);
                if (masked && mask[i] === 0) return change !== 0;
                return !(moved >= 0 && moved <= 1) || (kind === 'flips' && moved !== 0 && moved !== 1);
              });
              expect(astray).toBe(-1);
              expect(threat.size(u)).toBeLessThanOrEqual(eps * (1 + 1e-6));
            };
            painter.begin(random);
            inside();
            for (let k = 0; k < 30; k++) {
              const before = u.slice();
              const changed = painter.propose([0.8, 0.2, 0.03][k % 3]!, random);
              inside();
              expect(changed || u.every((change, i) => change === before[i])).toBe(true);
              const keep = random.uniform() < 0.5;
              painter.settle(keep);
              if (!keep) expect(u).toEqual(before);
            }
          },
        ),
        { numRuns: 10 },
      );
    },
  );

  it('linf: stripes one pixel wide, each channel for itself, the same in every row; every element at an end of its budget', () => {
    const { u, x, painter, random } = painted('linf', spec('image', 'NCHW', [3, 6, 7]), 0.05);
    painter.begin(random);
    const signs = u.map(Math.sign);
    for (let c = 0; c < 3; c++) {
      for (let row = 1; row < 6; row++) {
        for (let w = 0; w < 7; w++) {
          const at = (r: number) => c * 42 + r * 7 + w;
          if (signs[at(0)] !== 0 && signs[at(row)] !== 0) expect(signs[at(row)]).toBe(signs[at(0)]);
        }
      }
    }
    u.forEach((change, i) => {
      const room = change > 0 ? 1 - x[i]! : x[i]!;
      if (change !== 0) expect(Math.abs(change)).toBeCloseTo(Math.min(0.05, room), 6);
    });
    expect(new Set(signs.filter((s) => s !== 0)).size).toBe(2);
  });

  it('linf: the stripes of a signal are stretches of time of 1/32 of it', () => {
    const { u, painter, random } = painted('linf', spec('audio', 'NT', [320], { bounds: 'unbounded' }), 0.05);
    painter.begin(random);
    for (let t = 0; t < 320; t++) expect(u[t]).toBe(u[10 * Math.floor(t / 10)]);
    expect(new Set(u).size).toBe(2);
  });

  it('linf: a proposal changes one square of a picture and nothing else, each channel to one end', () => {
    const input = spec('image', 'NCHW', [3, 12, 12], { bounds: 'unbounded' });
    const { u, painter, random } = painted('linf', input, 0.05);
    painter.begin(random);
    for (let k = 0; k < 40; k++) {
      const before = u.slice();
      painter.propose(0.1, random);
      const moved = Array.from(u.keys()).filter((i) => u[i] !== before[i]);
      const { H, W } = along(input, moved);
      for (const indices of [H, W]) if (indices!.length > 0) expect(indices!.at(-1)! - indices![0]!).toBeLessThan(4);
      for (let c = 0; c < 3; c++)
        expect(new Set(moved.filter((i) => Math.floor(i / 144) === c).map((i) => u[i])).size).toBeLessThanOrEqual(1);
      painter.settle(true);
    }
  });

  it('l2: without bounds the whole budget is spent at every point', () => {
    for (const input of inputs) {
      const { u, threat, painter, random } = painted('l2', { ...input, bounds: 'unbounded' }, 0.7);
      painter.begin(random);
      expect(threat.size(u)).toBeCloseTo(0.7, 6);
      for (let k = 0; k < 60; k++) {
        painter.propose(0.3, random);
        expect(threat.size(u)).toBeCloseTo(0.7, 5);
        painter.settle(k % 3 === 0);
      }
    }
  });

  it('l2 works below 5 rows and where height and width differ, for which the original divides by zero or fails', () => {
    for (const shape of [
      [1, 3, 3],
      [3, 2, 9],
      [1, 1, 1],
      [2, 16, 5],
    ]) {
      const { u, threat, painter, random } = painted('l2', spec('image', 'NCHW', shape, { bounds: 'unbounded' }), 0.5);
      painter.begin(random);
      for (let k = 0; k < 20; k++) {
        painter.propose(0.5, random);
        painter.settle(true);
        expect(threat.size(u)).toBeCloseTo(0.5, 5);
      }
    }
  });

  it('flips: sqrt(k) buys exactly k flips, and each proposal has as many', () => {
    const input = spec('events', 'NTPHW', [3, 2, 5, 5], { domain: 'binary', storage: 'binary' });
    for (const k of [1, 3, 7, 12]) {
      const { u, painter, random } = painted('flips', input, Math.sqrt(k));
      painter.begin(random);
      expect(u.filter((v) => v !== 0)).toHaveLength(k);
      for (let step = 0; step < 50; step++) {
        painter.propose(0.5, random);
        expect(u.filter((v) => v !== 0)).toHaveLength(k);
        painter.settle(step % 2 === 0);
      }
    }
  });

  it('binary inputs flip or stay: in linf only where eps reaches the other value', () => {
    const input = spec('events', 'NPHW', [2, 4, 4], { domain: 'binary', storage: 'binary' });
    const { u, x, painter, random } = painted('linf', input, 1);
    painter.begin(random);
    expect(x.every((value, i) => value + u[i]! === 0 || value + u[i]! === 1)).toBe(true);
    expect(u.some((change) => change !== 0)).toBe(true);
    expect(painted('linf', input, 0.9).painter.free).toBe(0);
  });

  it('ends are the float32 numbers furthest away within budget, bounds and mask', () => {
    const mask = Float32Array.of(1, 0, 1, 1);
    const x = Float32Array.of(0.02, 0.5, 0.97, 0.5);
    const [part] = partsOf(sampleOf('a', { x }), { x: lpThreat(specOf([4]), { norm: 'linf', eps: 0.1, mask }) });
    const { low, high, free } = endsOf(part!);
    [0, 0.5, 0.87, 0.4].forEach((end, i) => {
      expect(x[i]! + low[i]!).toBeCloseTo(end, 6);
    });
    [0.12, 0.5, 1, 0.6].forEach((end, i) => {
      expect(x[i]! + high[i]!).toBeCloseTo(end, 6);
    });
    expect([Math.fround(x[0]! + low[0]!), Math.fround(x[2]! + high[2]!)]).toEqual([0, 1]);
    expect(free).toBe(3);
  });
});

it('sums are all sums of one number from each list, in row-major order', () => {
  expect(
    Array.from(
      sums([
        [0, 10, 20],
        [0, 1],
        [0, 100],
      ]),
    ),
  ).toEqual([0, 100, 1, 101, 10, 110, 11, 111, 20, 120, 21, 121]);
  expect(Array.from(sums([]))).toEqual([0]);
  expect(Array.from(allColumns(fieldOf(spec('skeleton', 'NCTV', [2, 3, 2]))))).toEqual([0, 6, 1, 7]);
});
