/** @file Rules where sizes, bounds or repetitions are known only when the gradient runs, checked by finite differences of the float64 interpreter. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import type { Provider } from '../../../src/core/autodiff/rule.ts';
import { type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { type Stream, stream } from '../../../src/core/tensor/random.ts';
import { f32, numbersOf, sizeOf, type Tensor } from '../../../src/core/tensor/tensor.ts';
import { interpret } from '../../oracles/interpreter/index.ts';
import { fromTensor } from '../../oracles/interpreter/types.ts';
import { directionalDisagreement } from './agreement.ts';

const runtime = createRuntime(ort);

/** Distinct values, so that no maximum is tied. */
const randomly = (dims: readonly number[], random: Stream): Tensor =>
  f32(
    Array.from({ length: sizeOf(dims) }, () => random.normal()),
    dims,
  );

/** Why the gradient of "y" with respect to "x" is wrong at inputs of the given shapes; one gradient graph serves them all. */
async function wrongAt(graph: Graph, shapes: readonly (readonly number[])[], provider: Provider = 'cpu'): Promise<string[]> {
  const made = await gradient(graph, runtime.execute, { of: ['y'], wrt: ['x'], cotangents: true, provider });
  const session = await runtime.open(made.graph);
  const wrong: string[] = [];
  for (const dims of shapes) {
    const random = stream('shapes', dims.join());
    const x = randomly(dims, random);
    const y = interpret(graph, { x: fromTensor(x) }).get('y')!;
    const cotangent = randomly(y.dims, random);
    const dx = (await session.run({ x, cotangent_y: cotangent }))[made.gradients.x!]!;
    expect(dx.dims).toEqual(dims);
    const claim = {
      graph,
      feeds: { x: fromTensor(x) },
      cotangents: { y: numbersOf(cotangent) },
      gradients: { x: numbersOf(dx) },
    };
    const why = directionalDisagreement(claim, random);
    if (why !== undefined) wrong.push(`[${dims}]: ${why}`);
  }
  await session.release();
  return wrong;
}

type Body = (g: GraphBuilder, x: string) => string;

function graphOf(dims: readonly (number | string)[], body: Body): Graph {
  const g = graphBuilder();
  const y = body(g, g.input('x', dims));
  g.op('Identity', [y], {}, 'y');
  g.untypedOutput('y');
  return g.build();
}

const weights = (g: GraphBuilder, ...dims: number[]): string => g.constant(randomly(dims, stream('weights', dims.join())));
const size = (g: GraphBuilder, x: string, axis: number): string => g.op('Shape', [x], { start: axis, end: axis + 1 });

describe('a length that is not fixed', () => {
  const conv = { kernel_shape: [3], strides: [2], pads: [1, 1] };
  const bodies: [string, Body][] = [
    ['Conv', (g, x) => g.op('Conv', [x, weights(g, 3, 2, 3)], { pads: [1, 1] })],
    ['strided Conv', (g, x) => g.op('Conv', [x, weights(g, 3, 2, 3)], { strides: [2], pads: [1, 1] })],
    ['Conv whose stride is beyond its kernel', (g, x) => g.op('Conv', [x, weights(g, 3, 2, 1)], { strides: [3], pads: [1, 0] })],
    ['ConvTranspose', (g, x) => g.op('ConvTranspose', [x, weights(g, 2, 3, 3)], { strides: [2], output_padding: [1] })],
    ['MaxPool', (g, x) => g.op('MaxPool', [x], conv)],
    ['MaxPool without overlap', (g, x) => g.op('MaxPool', [x], { kernel_shape: [2], strides: [2], pads: [1, 0] })],
    ['GlobalAveragePool', (g, x) => g.op('GlobalAveragePool', [x])],
    ['GlobalMaxPool', (g, x) => g.op('GlobalMaxPool', [x])],
    ['Pad', (g, x) => g.op('Pad', [x, g.ints([0, 0, 2, 0, 0, 1])])],
    ['Slice', (g, x) => g.op('Slice', [x, g.ints([-1]), g.ints([-(2 ** 31)]), g.ints([2]), g.ints([-2])])],
    ['Gather', (g, x) => g.op('Gather', [x, g.ints([-1, 0, 0])], { axis: 2 })],
    ['Reshape', (g, x) => g.op('Reshape', [x, g.ints([0, -1])])],
    ['Concat', (g, x) => g.op('Concat', [x, g.op('Slice', [x, g.ints([0]), g.ints([1]), g.ints([2])]), x], { axis: 2 })],
    ['Tile', (g, x) => g.op('Tile', [x, g.ints([1, 1, 2])])],
    ['MatMul with itself', (g, x) => g.op('MatMul', [g.op('Transpose', [x], { perm: [0, 2, 1] }), x])],
    ['Einsum', (g, x) => g.op('Einsum', [x, weights(g, 2, 4)], { equation: 'nct,cd->nd' })],
  ];
  it.each(bodies)('%s', async (_, body) => {
    expect(
      await wrongAt(graphOf(['N', 2, 'T'], body), [
        [2, 2, 5],
        [1, 2, 6],
        [3, 2, 7],
      ]),
    ).toEqual([]);
  });
});

describe('bounds, pads and repetitions computed from the shape', () => {
  const bodies: [string, Body][] = [
    ['Slice the last', (g, x) => g.op('Slice', [x, g.op('Sub', [size(g, x, 0), g.ints([1])]), size(g, x, 0), g.ints([0])])],
    ['Slice the first, backwards', (g, x) => g.op('Slice', [x, size(g, x, 1), g.ints([-100]), g.ints([1]), g.ints([-1])])],
    ['Pad', (g, x) => g.op('Pad', [x, g.op('Concat', [size(g, x, 0), g.ints([0, -1, 2])], { axis: 0 })])],
    ['Tile', (g, x) => g.op('Tile', [x, g.op('Concat', [size(g, x, 0), g.ints([2])], { axis: 0 })])],
    [
      'Expand',
      (g, x) =>
        g.op('Expand', [
          g.op('Unsqueeze', [x, g.ints([1])]),
          g.op('Concat', [g.ints([1]), size(g, x, 0), g.ints([1])], { axis: 0 }),
        ]),
    ],
    ['Reshape', (g, x) => g.op('Reshape', [x, g.op('Concat', [g.ints([2, -1]), size(g, x, 0)], { axis: 0 })])],
  ];
  it.each(bodies)('%s', async (_, body) => {
    expect(
      await wrongAt(graphOf(['N', 4], body), [
        [2, 4],
        [5, 4],
      ]),
    ).toEqual([]);
  });
});

describe('the forms for providers without MaxPool indices and three-dimensional ConvTranspose', () => {
  const bodies: [string, (number | string)[], Body][] = [
    ['MaxPool', ['N', 2, 7, 6], (g, x) => g.op('MaxPool', [x], { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] })],
    [
      'MaxPool, dilated, rounding up',
      ['N', 2, 8, 7],
      (g, x) => g.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [3, 2], dilations: [2, 1], ceil_mode: 1 }),
    ],
    [
      'Conv 3-D',
      ['N', 2, 5, 4, 5],
      (g, x) => g.op('Conv', [x, weights(g, 3, 2, 2, 3, 2)], { strides: [2, 2, 3], pads: [1, 1, 0, 0, 1, 1] }),
    ],
  ];
  it.each(bodies)('%s', async (_, dims, body) => {
    const graph = graphOf(dims, body);
    expect(await wrongAt(graph, [[2, ...(dims.slice(1) as number[])]], 'webgpu')).toEqual([]);
    const made = await gradient(graph, runtime.execute, { of: ['y'], wrt: ['x'], provider: 'webgpu' });
    const ops = made.graph.nodes.filter((n) => n.outputs.length > 1 || n.op === 'ConvTranspose');
    expect(ops).toEqual([]);
  });
});

describe('lengths whose interpolation matrix would be too large', () => {
  const bodies: [string, string, Body][] = [
    ['AveragePool', 'ConvTranspose', (g, x) => g.op('AveragePool', [x], { kernel_shape: [3], pads: [1, 1] })],
    [
      'AveragePool, strided, padded, rounding up',
      'ConvTranspose',
      (g, x) => g.op('AveragePool', [x], { kernel_shape: [4], strides: [3], pads: [2, 1], ceil_mode: 1 }),
    ],
    ['AveragePool side by side', 'ConvTranspose', (g, x) => g.op('AveragePool', [x], { kernel_shape: [2], strides: [2] })],
    ['LpPool', 'ConvTranspose', (g, x) => g.op('LpPool', [x], { kernel_shape: [2], strides: [2], pads: [1, 0], p: 2 })],
    ['Resize', 'ScatterElements', (g, x) => g.op('Resize', [x, '', g.constant(f32([1, 1, 0.75]))], { mode: 'linear' })],
  ];
  it.each(bodies)('%s as %s', async (_, op, body) => {
    const graph = graphOf(['N', 1, 1801], body);
    const made = await gradient(graph, runtime.execute, { of: ['y'], wrt: ['x'] });
    expect(made.graph.nodes.map((n) => n.op)).toContain(op);
    expect(await wrongAt(graph, [[2, 1, 1801]])).toEqual([]);
  });
});
