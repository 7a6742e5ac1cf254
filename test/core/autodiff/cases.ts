/** @file Derivative cases recorded from PyTorch (test/oracles/torch), as single-node graphs and the numbers they must give. */
import { readdirSync, readFileSync } from 'node:fs';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import { type AttributeInput, float, floats, graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { plainRecurrent } from '../../../src/core/onnx/passes/plain-recurrent.ts';
import type { Runtime } from '../../../src/core/runtime/runtime.ts';
import { f32, i64, type NumericDType, type Tensor, tensor } from '../../../src/core/tensor/tensor.ts';

interface Recorded {
  readonly dims: readonly number[];
  readonly data: readonly number[];
}

interface RecordedInput extends Recorded {
  readonly dtype?: 'bool' | 'int64' | 'int32' | 'uint8' | 'int8';
  readonly constant?: boolean;
}

type RecordedAttribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { float: number }
  | { floats: readonly number[] };

/** See test/oracles/torch/casefile.py for the fields. */
export interface Case {
  readonly name: string;
  readonly op: string;
  readonly opset: number;
  readonly attrs: Readonly<Record<string, RecordedAttribute>>;
  readonly inputs: readonly (RecordedInput | null)[];
  readonly wrt: readonly number[];
  readonly outputs: readonly (Recorded | null)[];
  readonly cotangents: readonly (Recorded | null)[];
  readonly grads: Readonly<Record<string, Recorded>>;
  readonly float32Error: Readonly<Record<string, number>>;
  readonly batch?: true | readonly number[];
  readonly kink?: boolean;
}

const folder = new URL('../../fixtures/rules/', import.meta.url);

/** All recorded cases by family. */
export function recordedCases(): [family: string, cases: Case[]][] {
  const files = readdirSync(folder).filter((f) => f.endsWith('.json'));
  return files.map((f) => [
    f.replace('.json', ''),
    (JSON.parse(readFileSync(new URL(f, folder), 'utf8')) as { cases: Case[] }).cases,
  ]);
}

export const inputName = (index: number): string => `x${index}`;
export const outputName = (index: number): string => `y${index}`;

/** The tensor an input is fed as; the shortest decimals in the file stand for exact float32 values. */
export function tensorOfInput({ dims, data, dtype }: RecordedInput): Tensor {
  if (dtype === undefined) return f32(data, dims);
  if (dtype === 'int64') return i64(data, dims);
  const arrays = { bool: Uint8Array, uint8: Uint8Array, int8: Int8Array, int32: Int32Array };
  return tensor(dtype as NumericDType, dims, arrays[dtype].from(data) as never);
}

/** The single-node graph of a case, with symbolic batch axes where it asks for them. */
export function graphOf(c: Case): Graph {
  const g = graphBuilder({ name: c.op, opset: c.opset, irVersion: 10 });
  const batched = c.batch === true ? [0] : (c.batch ?? []);
  const inputs = c.inputs.map((input, i) => {
    if (input === null) return '';
    const value = tensorOfInput(input);
    if (input.constant) return g.constant(value, inputName(i));
    return g.input(inputName(i), batched.includes(i) ? ['N', ...input.dims.slice(1)] : input.dims, value.dtype);
  });
  const outputs = c.outputs.map((output, i) => (output === null ? '' : outputName(i)));
  g.ops(c.op, inputs, outputs, Object.fromEntries(Object.entries(c.attrs).map(([name, value]) => [name, attribute(value)])));
  for (const name of outputs) if (name !== '') g.untypedOutput(name);
  return g.build();
}

function attribute(value: RecordedAttribute): AttributeInput {
  if (typeof value !== 'object' || Array.isArray(value)) return value as AttributeInput;
  return 'float' in value ? float(value.float) : floats((value as { floats: readonly number[] }).floats);
}

/** What the runtime is fed: the inputs that are no constants and, on request, the cotangents. */
export function feedsOfCase(c: Case, withCotangents: boolean): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const [i, input] of c.inputs.entries()) if (input !== null && !input.constant) feeds[inputName(i)] = tensorOfInput(input);
  if (withCotangents)
    for (const [i, cotangent] of c.cotangents.entries())
      if (cotangent !== null) feeds[`cotangent_${outputName(i)}`] = f32(cotangent.data, cotangent.dims);
  return feeds;
}

/** Our gradients of a case, by input name: of its own graph and feeds, or of a variant of them. */
export async function gradientsOf(
  runtime: Runtime,
  c: Case,
  graph: Graph = graphOf(c),
  feeds: Readonly<Record<string, Tensor>> = feedsOfCase(c, true),
): Promise<Record<string, Tensor>> {
  const of = c.cotangents.flatMap((cotangent, i) => (cotangent === null ? [] : [outputName(i)]));
  const made = await gradient(plainRecurrent(graph), runtime.execute, { of, wrt: c.wrt.map(inputName), cotangents: true });
  const session = await runtime.open(made.graph);
  try {
    const results = await session.run(feeds);
    return Object.fromEntries(c.wrt.map((i) => [inputName(i), results[made.gradients[inputName(i)]!]!]));
  } finally {
    await session.release();
  }
}
