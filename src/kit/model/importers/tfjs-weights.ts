/** @file TensorFlow.js weights: a manifest (JSON) and the bytes of its shards, to tensors. Format: tfjs-core io/types.ts, WeightsManifestEntry. */
import { z } from 'zod';
import { UserError } from '../../../core/errors.ts';
import { halfToNumber, sizeOf, type Tensor, tensor } from '../../../core/tensor/tensor.ts';
import { fileOf } from './json.ts';

const quantization = z.object({
  dtype: z.enum(['uint8', 'uint16', 'float16']),
  scale: z.number().optional(),
  min: z.number().optional(),
});
const weight = z.object({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  dtype: z.string(),
  quantization: quantization.optional(),
});
const manifestSchema = z.array(z.object({ paths: z.array(z.string()), weights: z.array(weight) }));

export type WeightsManifest = z.infer<typeof manifestSchema>;
type Weight = z.infer<typeof weight>;

/** Checks the structure of a weights manifest; throws a UserError that names the field that is wrong. */
export function parseManifest(json: unknown, source: string): WeightsManifest {
  const parsed = manifestSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new UserError(
    `${source} is not a TensorFlow.js weights manifest: ${issue?.path.join('.') || 'top level'}: ${issue?.message ?? ''}`,
    'give the manifest the TensorFlow.js converter wrote beside the .bin files',
  );
}

/** How one stored element is read: its width in bytes and its number. Little-endian. */
interface Encoding {
  readonly width: number;
  read(view: DataView, offset: number): number;
}

/**
 * Tensors of all weights, by name: float32, int32 or bool; float16, uint8 and uint16 quantisation are undone
 * (byte x scale + min, rounded for int32). `files` are the shards by the path the manifest gives them.
 */
export function readWeights(
  manifest: WeightsManifest,
  files: Readonly<Record<string, Uint8Array>>,
  source: string,
): Map<string, Tensor> {
  const weights = new Map<string, Tensor>();
  for (const group of manifest) {
    const bytes = concatenate(group.paths.map((path) => fileOf(files, path, source)));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const shards = `${group.paths.join(', ')} (${bytes.length} bytes)`;
    let offset = 0;
    for (const entry of group.weights) {
      const encoding = encodingOf(entry, source);
      const end = offset + encoding.width * sizeOf(entry.shape);
      if (end > bytes.length) {
        throw new UserError(
          `${source}: weight "${entry.name}" lies at bytes ${offset}..${end}, beyond the end of ${shards}`,
          'the weight file is cut short: download or export it again',
        );
      }
      weights.set(entry.name, decode(entry, encoding, view, offset));
      offset = end;
    }
    if (offset !== bytes.length) {
      throw new UserError(
        `${source}: ${bytes.length - offset} bytes are left over at the end of ${shards}`,
        'the weight file does not belong to this manifest: download or export both again',
      );
    }
  }
  return weights;
}

function encodingOf({ name, dtype, quantization: q }: Weight, source: string): Encoding {
  const refuse = (what: string): never => {
    throw new UserError(`${source}: weight "${name}" is ${what}`, 'export the model with float32, int32 or bool weights');
  };
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') return refuse(`of type ${dtype}, which is not supported`);
  if (q !== undefined) {
    if (dtype === 'bool') return refuse('a quantised bool, which TensorFlow.js does not define');
    if (q.dtype === 'float16') {
      if (dtype !== 'float32') return refuse(`${dtype} stored as float16, which TensorFlow.js does not define`);
      return { width: 2, read: (view, at) => halfToNumber(view.getUint16(at, true)) };
    }
    const { scale, min } = q;
    if (scale === undefined || min === undefined) return refuse(`quantised to ${q.dtype} without scale and min`);
    const undo = (stored: number) => (dtype === 'int32' ? Math.round(stored * scale + min) : stored * scale + min);
    return q.dtype === 'uint8'
      ? { width: 1, read: (view, at) => undo(view.getUint8(at)) }
      : { width: 2, read: (view, at) => undo(view.getUint16(at, true)) };
  }
  if (dtype === 'bool') return { width: 1, read: (view, at) => view.getUint8(at) };
  if (dtype === 'int32') return { width: 4, read: (view, at) => view.getInt32(at, true) };
  return { width: 4, read: (view, at) => view.getFloat32(at, true) };
}

function decode({ dtype, shape }: Weight, { width, read }: Encoding, view: DataView, offset: number): Tensor {
  const size = sizeOf(shape);
  const data = dtype === 'int32' ? new Int32Array(size) : dtype === 'bool' ? new Uint8Array(size) : new Float32Array(size);
  for (let i = 0; i < size; i++) data[i] = read(view, offset + width * i);
  if (data instanceof Int32Array) return tensor('int32', shape, data);
  return data instanceof Uint8Array ? tensor('bool', shape, data) : tensor('float32', shape, data);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
