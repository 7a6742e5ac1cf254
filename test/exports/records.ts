/** @file What the suites of real exports recorded (test/oracles/exports/common.py): which files there are, what they are fed, what they must give. */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { sizeOf, type Tensor, tensor } from '../../src/core/tensor/tensor.ts';

export interface ExportInput {
  readonly name: string;
  /** Of one sample, without the batch. */
  readonly shape: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly dtype: 'float32' | 'int64' | 'int32' | 'uint8' | 'bool';
  /** Position of the batch. */
  readonly axis: number;
}

export interface ExportFile {
  readonly file: string;
  readonly exporter: string;
  readonly opset: number;
  readonly batch: 'dynamic' | number;
}

/** Fields as common.py describes them. */
export interface ExportedNet {
  readonly name: string;
  readonly inputs: readonly ExportInput[];
  readonly seeds: readonly number[];
  readonly cotangent: number;
  readonly outputAxis: number;
  readonly outputShape: readonly number[];
  readonly outputs: string;
  readonly gradients: Readonly<
    Record<
      string,
      { readonly values: string; readonly positionSeed: number; readonly norm: number; readonly float32Error: number }
    >
  >;
  readonly files: readonly ExportFile[];
  /** As a user would write it beside the model, where inference would not do. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Whether the unit suite runs it too. */
  readonly unit?: boolean;
  /** Nodes at which the gradient ends in PyTorch too (by op): a straight-through or surrogate derivative was recorded for none of them. */
  readonly cuts?: readonly string[];
  /** The derivative PyTorch was given for its spikes, which is in no file (spikes.ts). */
  readonly surrogate?: 'atan';
}

const folder = new URL('../fixtures/exports/', import.meta.url);

/** Every net of every suite, by the name of the suite. */
export const suites: readonly { readonly suite: string; readonly nets: readonly ExportedNet[] }[] = readdirSync(folder)
  .filter((f) => f.endsWith('.json'))
  .map((f) => ({
    suite: f.replace(/\.json$/, ''),
    nets: (JSON.parse(readFileSync(new URL(f, folder), 'utf8')) as { nets: ExportedNet[] }).nets,
  }));

export const bytesOf = (file: ExportFile): Uint8Array => gunzipSync(readFileSync(new URL(file.file, folder)));

export const float64sOf = (text: string): Float64Array => new Float64Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);

/** `count` numbers in [0, 1) with 24 bits each: a counter through MurmurHash3's finalizer, keyed by the seed (common.py: hashed). */
export function hashed(seed: number, count: number): Float64Array {
  const start = Math.imul(seed, 0x9e3779b9);
  return Float64Array.from({ length: count }, (_, i) => {
    let z = (i + start) | 0;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return ((z ^ (z >>> 16)) >>> 8) / 2 ** 24;
  });
}

/** One position in each of `count` equal stretches of `elements`; all of them where there are no more. */
export function positions(count: number, elements: number, seed: number): number[] {
  if (elements <= count) return Array.from({ length: elements }, (_, i) => i);
  return Array.from(hashed(seed, count), (u, i) => Math.floor(((i + u) * elements) / count));
}

/** Values of input number `index` of the sample with this seed. */
function drawn(input: ExportInput, seed: number, index: number): number[] {
  const values = Array.from(hashed(seed * 16 + index, sizeOf(input.shape)), (u) => input.low + (input.high - input.low) * u);
  return input.dtype === 'float32' ? values : values.map(Math.floor);
}

/** The inputs of a batch by name, one sample per seed. */
export function feedsOf(net: ExportedNet, seeds: readonly number[]): Record<string, Tensor> {
  return Object.fromEntries(
    net.inputs.map((input, index) => {
      const { axis, shape } = input;
      const inner = sizeOf(shape.slice(axis));
      const rows = seeds.map((seed) => drawn(input, seed, index));
      const outer = Array.from({ length: sizeOf(shape.slice(0, axis)) }, (_, o) => o);
      const values = outer.flatMap((o) => rows.flatMap((row) => row.slice(o * inner, (o + 1) * inner)));
      return [input.name, typed(input, [...shape.slice(0, axis), seeds.length, ...shape.slice(axis)], values)];
    }),
  );
}

function typed({ dtype }: ExportInput, dims: readonly number[], values: readonly number[]): Tensor {
  switch (dtype) {
    case 'float32':
      return tensor('float32', dims, Float32Array.from(values));
    case 'int64':
      return tensor('int64', dims, BigInt64Array.from(values, BigInt));
    case 'int32':
      return tensor('int32', dims, Int32Array.from(values));
    case 'uint8':
    case 'bool':
      return tensor(dtype, dims, Uint8Array.from(values));
  }
}

/** The weights of the outputs of `count` samples, the same for each. */
export function cotangentOf(net: ExportedNet, count: number): Tensor {
  const { outputAxis: axis, outputShape } = net;
  const one = outputShape.filter((_, i) => i !== axis);
  const weights = Array.from(hashed(net.cotangent, sizeOf(one)), (u) => 2 * u - 1);
  const inner = sizeOf(one.slice(axis));
  const outer = Array.from({ length: sizeOf(one.slice(0, axis)) }, (_, o) => o);
  const values = outer.flatMap((o) => Array.from({ length: count }, () => weights.slice(o * inner, (o + 1) * inner)).flat());
  return tensor(
    'float32',
    outputShape.map((d, i) => (i === axis ? count : d)),
    Float32Array.from(values),
  );
}
