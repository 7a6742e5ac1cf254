/** @file The numbers PyTorch gave (test/oracles/torch/net_gradients.py), and the run of ours they are compared with. */
import { readFileSync } from 'node:fs';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { prepare } from '../../../src/core/onnx/passes/prepare.ts';
import type { Runtime } from '../../../src/core/runtime/runtime.ts';
import { f32, sizeOf, type Tensor } from '../../../src/core/tensor/tensor.ts';
import { cotangentOf, fileOf, inputSample, type Net, sizesOf } from './nets.ts';

/** Fields as net_gradients.py describes them. */
export interface RecordedGradient {
  readonly gradient: string;
  readonly norm: number;
  readonly float32Error: number;
}

export interface RecordedNet extends RecordedGradient {
  readonly name: string;
  readonly sha256: string;
  readonly kinks: { readonly margin: number; readonly units: number; readonly moved: number };
  readonly moved: { readonly positions: string; readonly values: string };
  readonly ce?: RecordedGradient;
}

export interface RecordedNets {
  readonly versions: Readonly<Record<string, string>>;
  readonly nets: readonly RecordedNet[];
}

export const recordedNets = JSON.parse(
  readFileSync(new URL('../../fixtures/gradients/nets.json', import.meta.url), 'utf8'),
) as RecordedNets;

const again =
  'run npx tsx test/oracles/write-nets.ts FOLDER, then python test/oracles/torch/net_gradients.py FOLDER, and look at what changed';

/** The record of a net; throws where the net is not the one the numbers were made for. */
export function recordOf(net: Net, graph: Graph, recorded: RecordedNets = recordedNets): RecordedNet {
  const record = recorded.nets.find((r) => r.name === net.name);
  if (record === undefined) throw new Error(`no gradient is recorded for ${net.name}: ${again}`);
  const { sha256 } = fileOf(graph);
  if (sha256 !== record.sha256)
    throw new Error(
      `${net.name} is written as a file with sha256 ${sha256}, its gradient was recorded for ${record.sha256}: the net, or the way it is read, folded or written, has changed; ${again}`,
    );
  return record;
}

const decode = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text, 'base64')).buffer;

export const gradientOf = (record: RecordedGradient): Float64Array => new Float64Array(decode(record.gradient));

/** The batch of samples 0, 1, ... of a net, with the elements PyTorch moved off kinks. */
export function inputOf(net: Net, graph: Graph, record: RecordedNet): Tensor<'float32'> {
  const dims = sizesOf(graph.inputs[0]!.dims!, net.batch);
  const sample = dims.slice(1);
  const data = new Float32Array(sizeOf(dims));
  for (let i = 0; i < net.batch; i++) data.set(inputSample(net, i, sample), i * sizeOf(sample));
  const values = new Float32Array(decode(record.moved.values));
  for (const [i, position] of new Int32Array(decode(record.moved.positions)).entries()) data[position] = values[i]!;
  return f32(data, dims);
}

/** Our gradient of the weighted outputs, and the outputs, by onnxruntime. */
export async function ourGradient(
  net: Net,
  graph: Graph,
  x: Tensor<'float32'>,
  runtime: Runtime,
): Promise<{ gradient: Tensor; output: Tensor; cotangent: Tensor }> {
  const prepared = await prepare(graph, runtime.execute);
  const [input, output] = [prepared.inputs[0]!.name, prepared.outputs[0]!.name];
  const made = await gradient(prepared, runtime.execute, { of: [output], wrt: [input], cotangents: true });
  const session = await runtime.open(made.graph);
  try {
    const dims = (await runtime.execute(prepared, { [input]: x }))[output]!.dims;
    const cotangent = cotangentOf(net, dims);
    const results = await session.run({ [input]: x, [`cotangent_${output}`]: cotangent });
    return { gradient: results[made.gradients[input]!]!, output: results[output]!, cotangent };
  } finally {
    await session.release();
  }
}
