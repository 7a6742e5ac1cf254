/** What the tests of recognition look with: graphs written by hand, prepared and recognised as openModel does it. */
import * as ort from 'onnxruntime-node';
import { type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { feedsOf } from '../../../src/core/onnx/graph.ts';
import { prepare } from '../../../src/core/onnx/passes/prepare.ts';
import { inferShapes } from '../../../src/core/onnx/passes/shapes.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { findFirings } from '../../../src/core/spikes/candidates.ts';
import { type Recognised, recognise } from '../../../src/core/spikes/recognise.ts';
import { sceneOf } from '../../../src/core/spikes/scene.ts';
import type { StatedSpikes } from '../../../src/core/spikes/stated.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, numbersOf, sizeOf, type Tensor } from '../../../src/core/tensor/tensor.ts';

export const runtime = createRuntime(ort);

/** What a net writes with: its input [N, features], and layers with weights drawn from a stream. */
export interface Writer {
  readonly g: GraphBuilder;
  readonly x: string;
  linear(input: string, into: number, from: number): string;
  /** Three channels to three, same size. */
  conv(input: string): string;
  /** A constant of the graph. */
  c(value: number): string;
  /** Greater and the like, cast to floats. */
  fires(a: string, op: 'Greater' | 'GreaterOrEqual' | 'Less' | 'LessOrEqual', b: string): string;
}

export const features = 6;

/** A graph from [N, 6] (or `dims`) to the value `write` returns. */
export function net(write: (w: Writer) => string, dims: readonly number[] = [features]): Graph {
  const g = graphBuilder({ name: 'net' });
  const x = g.input('x', ['N', ...dims]);
  const random = stream('test', 'spikes');
  const weights = (shape: number[], size: number): string =>
    g.constant(
      f32(
        Float32Array.from({ length: sizeOf(shape) }, () => random.normal() * size),
        shape,
      ),
    );
  g.output(
    g.op('Identity', [
      write({
        g,
        x,
        linear: (input, into, from) => g.op('Add', [g.op('MatMul', [input, weights([from, into], 1)]), weights([into], 0.3)]),
        conv: (input) => g.op('Conv', [input, weights([3, 3, 3, 3], 0.3)], { pads: [1, 1, 1, 1] }),
        c: (value) => g.number(value),
        fires: (a, op, b) => g.op('Cast', [g.op(op, [a, b])], { to: 1 }),
      }),
    ]),
    ['N', null],
  );
  g.untypedOutput('unused');
  const built = g.build();
  return { ...built, outputs: built.outputs.slice(0, 1).map((o) => ({ ...o, dims: undefined })) };
}

export interface Look {
  readonly prepared: Graph;
  /** How many comparisons become numbers at all, before links are asked for. */
  readonly candidates: number;
  readonly found: Recognised | undefined;
}

/** Prepares and recognises a graph; four samples between -1 and 2 are the probes. */
export async function look(graph: Graph, stated?: StatedSpikes, randoms: readonly string[] = []): Promise<Look> {
  const prepared = await prepare(graph, runtime.execute);
  const shapes = await inferShapes(prepared, runtime.execute);
  const found = await recognise(prepared, {
    shapes,
    execute: runtime.execute,
    probes: () => feeds(prepared, 4),
    randoms,
    ...(stated === undefined ? {} : { stated }),
  });
  return { prepared, candidates: findFirings(sceneOf(prepared, shapes, randoms)).length, found };
}

export function feeds(graph: Graph, batch: number): Record<string, Tensor> {
  const random = stream('test', 'feeds');
  return Object.fromEntries(
    feedsOf(graph).map(({ name, dims }) => {
      const sizes = dims!.map((d) => (typeof d === 'number' ? d : batch));
      return [
        name,
        f32(
          Float32Array.from({ length: sizeOf(sizes) }, () => 3 * random.uniform() - 1),
          sizes,
        ),
      ];
    }),
  );
}

/** The first output for the probes. */
export async function outputOf(graph: Graph): Promise<number[]> {
  const results = await runtime.execute(graph, feeds(graph, 4));
  return numbersOf(results[graph.outputs[0]!.name]!);
}
