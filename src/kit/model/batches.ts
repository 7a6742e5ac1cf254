/** @file Samples to tensors and back: packed at each input's batch axis, cut into chunks, padded where the model or the runtime wants it. */
import type { Feeds } from '../../core/runtime/runtime.ts';
import { type DType, sizeOf, type Tensor, tensor } from '../../core/tensor/tensor.ts';
import { batchAxis, fedSpecs, type InputSpec, type Inputs, type Model } from './model.ts';

/** A run of the runtime: the first `count` of its `size` samples are asked for, the rest repeat the last one. */
export interface Chunk {
  readonly start: number;
  readonly count: number;
  readonly size: number;
}

export interface ChunkOptions {
  readonly maxBatch: number;
  /** Pad a batch of 1 to 2. */
  readonly pairs: boolean;
}

/**
 * Cuts samples into runs. A fixed batch runs in groups of its size; a model that couples its batch runs whole;
 * samples that differ in an input all samples of a run share (no N in its layout) run apart.
 */
export function chunks(
  model: Pick<Model, 'inputs' | 'randoms' | 'fixedBatch' | 'coupling'>,
  samples: readonly Inputs[],
  { maxBatch, pairs }: ChunkOptions,
): Chunk[] {
  const limit = model.fixedBatch ?? (model.coupling === 'batch' ? samples.length : Math.max(1, Math.floor(maxBatch)));
  const shared = Object.entries(fedSpecs(model)).flatMap(([name, spec]) => (batchAxis(spec) === undefined ? [name] : []));
  const fits = (a: Inputs, b: Inputs): boolean => shared.every((name) => equal(a[name]!, b[name]!));
  const made: Chunk[] = [];
  let start = 0;
  while (start < samples.length) {
    let count = 1;
    while (start + count < samples.length && count < limit && fits(samples[start]!, samples[start + count]!)) count++;
    made.push({ start, count, size: model.fixedBatch ?? (pairs && count === 1 ? 2 : count) });
    start += count;
  }
  return made;
}

const equal = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

/** The model's inputs for one chunk. Throws where a sample lacks an input or has the wrong number of values. */
export function packChunk(model: Pick<Model, 'name' | 'inputs' | 'randoms'>, samples: readonly Inputs[], chunk: Chunk): Feeds {
  const members = Array.from({ length: chunk.size }, (_, i) => samples[chunk.start + Math.min(i, chunk.count - 1)]!);
  return Object.fromEntries(
    Object.entries(fedSpecs(model)).map(([name, spec]) => {
      const values = members.map((inputs) => {
        const value = inputs[name];
        if (value?.length !== sizeOf(spec.shape))
          throw new Error(
            `${model.name}: input "${name}" of a sample has ${value?.length ?? 'no'} values, its shape [${spec.shape}] holds ${sizeOf(spec.shape)}`,
          );
        return value;
      });
      return [name, pack(values, spec)];
    }),
  );
}

/** One input of several samples as a tensor. */
export function pack(values: readonly Float32Array[], spec: Pick<InputSpec, 'shape' | 'layout' | 'dtype'>): Tensor {
  const axis = batchAxis(spec);
  if (axis === undefined) return numbersTo(spec.dtype, spec.shape, values[0]!);
  const dims = [...spec.shape.slice(0, axis), values.length, ...spec.shape.slice(axis)];
  const inner = sizeOf(spec.shape.slice(axis));
  const outer = sizeOf(spec.shape.slice(0, axis));
  if (outer === 1 && sideBySide(values)) return numbersTo(spec.dtype, dims, joined(values));
  const data = new Float32Array(sizeOf(dims));
  for (const [n, value] of values.entries())
    for (let o = 0; o < outer; o++) data.set(value.subarray(o * inner, (o + 1) * inner), (o * values.length + n) * inner);
  return numbersTo(spec.dtype, dims, data);
}

/** Whether each array begins in memory where the one before it ends. */
const sideBySide = (values: readonly Float32Array[]): boolean =>
  values.every((v, n) => {
    const before = values[n - 1];
    return before === undefined || (v.buffer === before.buffer && v.byteOffset === before.byteOffset + before.byteLength);
  });

const joined = ([first, ...others]: readonly Float32Array[]): Float32Array =>
  new Float32Array(first!.buffer, first!.byteOffset, first!.length * (1 + others.length));

/** The values of sample `n` of a tensor laid out like the input `spec`; a view of it where they lie side by side. */
export function unpack(packed: Tensor, spec: Pick<InputSpec, 'shape' | 'layout'>, n: number): Float32Array {
  const data = packed.data as Float32Array;
  const axis = batchAxis(spec);
  if (axis === undefined) return data.slice();
  const size = packed.dims[axis]!;
  const inner = sizeOf(spec.shape.slice(axis));
  const outer = sizeOf(spec.shape.slice(0, axis));
  if (outer === 1) return data.subarray(n * inner, (n + 1) * inner);
  const value = new Float32Array(outer * inner);
  for (let o = 0; o < outer; o++) value.set(data.subarray((o * size + n) * inner, (o * size + n + 1) * inner), o * inner);
  return value;
}

function numbersTo(dtype: DType, dims: readonly number[], data: Float32Array): Tensor {
  switch (dtype) {
    case 'float32':
      return tensor('float32', dims, data);
    case 'float64':
      return tensor('float64', dims, Float64Array.from(data));
    case 'int64':
      return tensor('int64', dims, BigInt64Array.from(data, whole));
    case 'uint64':
      return tensor('uint64', dims, BigUint64Array.from(data, whole));
    case 'int32':
      return tensor('int32', dims, Int32Array.from(data));
    case 'uint32':
      return tensor('uint32', dims, Uint32Array.from(data));
    case 'int16':
      return tensor('int16', dims, Int16Array.from(data));
    case 'uint16':
      return tensor('uint16', dims, Uint16Array.from(data));
    case 'int8':
      return tensor('int8', dims, Int8Array.from(data));
    case 'uint8':
      return tensor('uint8', dims, Uint8Array.from(data));
    case 'bool':
      return tensor(
        'bool',
        dims,
        Uint8Array.from(data, (v) => (v === 0 ? 0 : 1)),
      );
    case 'float16':
    case 'string':
      throw new Error(`an input of type ${dtype} cannot be fed with numbers`);
  }
}

const whole = (value: number): bigint => BigInt(Math.trunc(value));
