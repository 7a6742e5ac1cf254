import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import { trainingGradient } from '../../../src/core/layout/training/index.ts';
import { overRows } from '../../../src/core/layout/training/over-rows.ts';
import { placesOf, tapsOf, windowsOver } from '../../../src/core/layout/training/windows.ts';
import { float, type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, sizeOf, type Tensor } from '../../../src/core/tensor/tensor.ts';
import { transpose } from '../../../src/core/tensor/transpose.ts';

const runtime = createRuntime(ort);
const batch = 3;

const drawn = (name: string, dims: readonly number[]): Tensor<'float32'> => {
  const random = stream(11, name);
  return f32(
    Float32Array.from({ length: sizeOf(dims) }, () => random.normal()),
    dims,
  );
};

/** Sizes by input; the batch of `x` is symbolic in the graph. */
type Sizes = Readonly<Record<string, readonly number[]>>;

/** Loss and gradients by every input: of the graph as it is, and over rows. */
async function both(sizes: Sizes, write: (g: GraphBuilder) => string, hold: readonly string[] = []) {
  const g = graphBuilder();
  for (const [name, dims] of Object.entries(sizes)) g.input(name, name === 'x' ? ['N', ...dims] : dims);
  const y = write(g);
  g.op('ReduceSum', [g.op('Mul', [y, y])], { keepdims: 0 }, 'loss');
  g.output('loss', []);
  const graph = g.build();
  const feeds = Object.fromEntries(
    Object.entries(sizes).map(([name, dims]) => [name, drawn(name, name === 'x' ? [batch, ...dims] : dims)]),
  );
  // the running statistics of a normalisation take no part in training
  const wrt = Object.keys(sizes).filter((name) => !/^[mq]/.test(name));
  const options = { of: ['loss'], wrt };
  const plain = await gradient(graph, runtime.execute, options);
  const rows = await trainingGradient(graph, runtime.execute, { ...options, hold });
  const held = Object.fromEntries(
    Object.entries(feeds).map(([name, value]) => [name, rows.held.has(name) ? transpose(value, rows.held.get(name)!) : value]),
  );
  const [a, b] = [await runtime.execute(plain.graph, feeds), await runtime.execute(rows.graph, held)];
  for (const name of wrt) {
    const expected = a[plain.gradients[name]!] as Tensor<'float32'>;
    const order = rows.held.get(name);
    expectClose(name, b[rows.gradients[name]!] as Tensor<'float32'>, order === undefined ? expected : transpose(expected, order));
  }
  expectClose('loss', b.loss as Tensor<'float32'>, a.loss as Tensor<'float32'>);
  return rows;
}

function expectClose(name: string, made: Tensor<'float32'>, expected: Tensor<'float32'>): void {
  expect(made.dims, name).toEqual(expected.dims);
  const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
  const difference = norm(made.data.map((v, i) => v - expected.data[i]!));
  expect(difference / Math.max(1e-3, norm(expected.data)), name).toBeLessThan(3e-6);
}

const convolution =
  (axes: number, attrs: Readonly<Record<string, number>>) => (g: GraphBuilder, x: string, w: string, b?: string) => {
    const all = (value = 0): number[] => Array.from({ length: axes }, () => value);
    return g.op('Conv', b === undefined ? [x, w] : [x, w, b], {
      strides: all(attrs.stride ?? 1),
      dilations: all(attrs.dilation ?? 1),
      pads: [...all(attrs.before ?? 0), ...all(attrs.after ?? attrs.before ?? 0)],
    });
  };

describe('a training step over rows has the gradients of the plain one', () => {
  const map: Readonly<Record<number, readonly number[]>> = { 1: [11], 2: [7, 6], 3: [5, 4, 5] };
  for (const axes of [1, 2, 3])
    for (const attrs of [
      { before: 1 },
      { stride: 2, before: 1 },
      { stride: 2 },
      { dilation: 2, before: 2 },
      { before: 1, after: 0 },
    ])
      it(`convolution over ${axes} axes, ${JSON.stringify(attrs)}`, async () => {
        const kernel = Array.from({ length: axes }, () => 3);
        const sizes = { x: [8, ...map[axes]!], w: [9, 8, ...kernel], b: [9] };
        const made = await both(sizes, (g) => convolution(axes, attrs)(g, 'x', 'w', 'b'), ['w', 'b']);
        expect(made.graph.nodes.some((n) => n.op === 'Conv')).toBe(false);
        expect([...made.held.keys()]).toEqual(['w']);
      });

  it('1 x 1 at stride 2, and many channels on a small map', async () => {
    await both({ x: [8, 5, 5], w: [16, 8, 1, 1] }, (g) => convolution(2, { stride: 2 })(g, 'x', 'w'), ['w']);
    await both({ x: [200, 2, 2], w: [200, 200, 3, 3] }, (g) => convolution(2, { before: 1 })(g, 'x', 'w'), ['w']);
    const point = await both({ x: [200, 3, 3], w: [200, 200, 1, 1] }, (g) => g.op('Conv', ['x', 'w']), ['w']);
    expect(point.graph.nodes.some((n) => n.op === 'Gather')).toBe(false);
  });

  it('normalisation by the batch, of rows and of pictures, and what stands between', async () => {
    const sizes = {
      x: [8, 6, 6],
      w: [12, 8, 3, 3],
      s: [12],
      t: [12],
      s0: [8],
      t0: [8],
      m: [12],
      q: [12],
      m0: [8],
      q0: [8],
      v: [10, 12, 3, 3],
    };
    await both(sizes, (g) => {
      const norm = (x: string, given: readonly string[]) =>
        g.ops('BatchNormalization', [x, ...given], 3, { training_mode: 1, momentum: float(0), epsilon: float(1e-5) });
      const [first] = norm('x', ['s0', 't0', 'm0', 'q0']);
      const conv = convolution(2, { before: 1 });
      const [second, mean] = norm(conv(g, first!, 'w'), ['s', 't', 'm', 'q']);
      const hidden = g.op('Relu', [second!]);
      const pooled = g.op('MaxPool', [hidden], { kernel_shape: [2, 2], strides: [2, 2] });
      const wide = conv(g, g.op('Add', [pooled, g.op('Mul', [pooled, g.number(0.5)])]), 'v');
      const flat = g.op('ReduceMean', [g.op('Tanh', [wide]), g.ints([2, 3])], { keepdims: 0 });
      return g.op('Add', [flat, g.op('ReduceSum', [g.op('Mul', [mean!, mean!])], { keepdims: 0 })]);
    });
  });

  it('what is joined to a map: positions that are the same for all samples, and numbers of many axes', async () => {
    const conv = convolution(2, { before: 1 });
    await both({ x: [8, 4, 4], w: [8, 8, 3, 3], p: [1, 8, 4, 4] }, (g) => g.op('Add', [conv(g, 'x', 'w'), 'p']));
    await both({ x: [8, 3, 3], w: [8, 8, 3, 3], s: [8], t: [8], m: [8], q: [8] }, (g) => {
      const one = g.op('Add', [g.op('Conv', ['x', 'w']), g.constant(f32([0.5], [1, 1, 1, 1]))]);
      const attributes = { training_mode: 1, momentum: float(0), epsilon: float(1) };
      const [normal] = g.ops('BatchNormalization', [one, 's', 't', 'm', 'q'], 3, attributes);
      return g.op('Sigmoid', [normal!]);
    });
  });

  it('weights read twice are held, weights that something else reads are not', async () => {
    const conv = convolution(2, { before: 1 });
    const twice = await both({ x: [8, 4, 4], w: [8, 8, 3, 3] }, (g) => conv(g, g.op('Relu', [conv(g, 'x', 'w')]), 'w'), ['w']);
    expect([...twice.held.keys()]).toEqual(['w']);
    const decayed = await both(
      { x: [8, 4, 4], w: [8, 8, 3, 3] },
      (g) => g.op('Add', [conv(g, 'x', 'w'), g.op('ReduceMean', ['w'], { keepdims: 0 })]),
      ['w'],
    );
    expect([...decayed.held.keys()]).toEqual([]);
  });

  it('pictures of few channels, groups and constant weights stay convolutions', async () => {
    const few = await both({ x: [1, 6, 6], w: [8, 1, 3, 3] }, (g) => convolution(2, { before: 1 })(g, 'x', 'w'), ['w']);
    expect(few.graph.nodes.some((n) => n.op === 'Conv')).toBe(true);
    const grouped = await both({ x: [16, 6, 6], w: [16, 8, 3, 3] }, (g) => g.op('Conv', ['x', 'w'], { group: 2 }), ['w']);
    expect(grouped.graph.nodes.some((n) => n.op === 'Conv')).toBe(true);
    const constant = await both({ x: [8, 6, 6] }, (g) => g.op('Conv', ['x', g.constant(drawn('w', [8, 8, 3, 3]))]));
    expect(constant.graph.nodes.some((n) => n.op === 'Conv')).toBe(true);
  });
});

it('convolutions whose patches are too many together stay convolutions, the largest first', () => {
  const dims: Record<string, readonly (number | null)[]> = { x: [null, 8, 8, 8], p: [null, 8, 4, 4], w: [8, 8, 3, 3] };
  const g = graphBuilder();
  for (const name of ['x', 'p', 'w']) g.input(name, dims[name]!);
  for (const [x, y] of [
    ['x', 'large'],
    ['p', 'small'],
  ] as const) {
    g.op('Conv', [x, 'w'], { pads: [1, 1, 1, 1] }, y);
    dims[y] = dims[x]!;
    g.output(y, dims[y]);
  }
  const graph = g.build();
  const left = (together: number): string[] =>
    overRows(graph, (name) => dims[name], { together }).graph.nodes.flatMap((n) => (n.op === 'Conv' ? n.outputs : []));
  const [small, large] = [4 * 4 * 9 * 8, 8 * 8 * 9 * 8];
  expect(left(small + large)).toEqual([]);
  expect(left(small + large - 1)).toEqual(['large']);
  expect(left(small - 1)).toEqual(['large', 'small']);
});

describe('windows', () => {
  const windows = fc.integer({ min: 1, max: 3 }).chain((axes) => {
    const list = (min: number, max: number) => fc.array(fc.integer({ min, max }), { minLength: axes, maxLength: axes });
    return fc.record({
      map: list(3, 6),
      kernel: list(1, 3),
      strides: list(1, 3),
      dilations: list(1, 2),
      before: list(0, 2),
      after: list(0, 2),
    });
  });
  const indices = (flat: number, sizes: readonly number[]): number[] =>
    sizes.map((n, i) => Math.floor(flat / sizeOf(sizes.slice(i + 1))) % n);

  it('every tap is at corner + tap times dilation, or outside', () => {
    fc.assert(
      fc.property(windows, ({ map, ...w }) => {
        const out = windowsOver(w, map);
        fc.pre(out.every((n) => n > 0));
        const taps = sizeOf(w.kernel);
        tapsOf(w, map).forEach((position, i) => {
          const [corner, tap] = [indices(Math.floor(i / taps), out), indices(i % taps, w.kernel)];
          const place = map.map((_, a) => corner[a]! * w.strides[a]! + tap[a]! * w.dilations[a]! - w.before[a]!);
          const inside = place.every((p, a) => p >= 0 && p < map[a]!);
          expect(position).toBe(inside ? place.reduce((flat, p, a) => flat * map[a]! + p, 0) : -1);
        });
      }),
    );
  });

  it('places are where the list names each position, each once', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: 9 })), (numbers) => {
        const { places, most } = placesOf(Int32Array.from(numbers), 10);
        for (let p = 0; p < 10; p++) {
          const own = [...places.subarray(p * most, (p + 1) * most)].filter((i) => i >= 0);
          expect(own).toEqual(numbers.flatMap((n, i) => (n === p ? [i] : [])));
        }
      }),
    );
  });
});
