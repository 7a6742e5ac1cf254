/** @file NumPy's array files (.npy, format versions 1 to 3) and archives of them (.npz), on bytes. Format: NEP 1 and numpy.lib.format. */
import { unzipSync, type Zippable, zipSync } from 'fflate';
import { UserError } from '../errors.ts';
import { bytesOf, bytesPerElement, type NumericDType, sizeOf, type Tensor, viewOf } from './tensor.ts';

const codes = {
  float32: 'f4',
  float64: 'f8',
  float16: 'f2',
  int64: 'i8',
  uint64: 'u8',
  int32: 'i4',
  uint32: 'u4',
  int16: 'i2',
  uint16: 'u2',
  int8: 'i1',
  uint8: 'u1',
  bool: 'b1',
} as const satisfies Record<NumericDType, string>;

const dtypes = new Map<string, NumericDType>(Object.entries(codes).map(([dtype, code]) => [code, dtype as NumericDType]));

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

export interface NpzWriteOptions {
  /** Deflate the arrays; otherwise they are stored as they are. */
  compress?: boolean;
}

export const npzDefaults = { compress: true } as const;

/**
 * Reads an array in C or Fortran order and either byte order; a view of `bytes` where alignment and order allow.
 * Text becomes a string tensor. Throws a UserError naming `source` for anything else.
 */
export function readNpy(bytes: Uint8Array, source = 'the array'): Tensor {
  const refuse = refusal(source);
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) refuse('it does not start like a .npy file');
  const version = bytes[6]!;
  if (version < 1 || version > 3) refuse(`format version ${version} is not 1, 2 or 3`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = version === 1 ? 10 : 12;
  if (bytes.length < start) refuse('it is cut short inside its header');
  const end = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (end > bytes.length) refuse('it is cut short inside its header');
  const { code, order, fortran, dims } = parseHeader(new TextDecoder().decode(bytes.subarray(start, end)), refuse);
  const body = bytes.subarray(end);
  const width = code.startsWith('U') ? 4 * Number(code.slice(1)) : bytesPerElement(dtypes.get(code)!);
  const need = sizeOf(dims) * width;
  if (body.length !== need) refuse(`an array [${dims}] of ${code} takes ${need} bytes and ${body.length} are there`);
  const numeric = dtypes.get(code);
  const data =
    numeric === undefined
      ? texts(body, sizeOf(dims), order === '>', refuse)
      : viewOf(numeric, native(body, width, order === '>'));
  const tensor = { dtype: numeric ?? 'string', dims, data } as unknown as Tensor;
  return fortran && dims.length > 1 ? fromFortran(tensor) : tensor;
}

/** Writes an array as .npy, little-endian and in C order; strings as fixed-width unicode. */
export function writeNpy(t: Tensor): Uint8Array {
  const [code, body] =
    t.dtype === 'string' ? encodeTexts(t.data) : ([codes[t.dtype], bytesOf(t as Tensor<NumericDType>)] as const);
  const order = t.dtype !== 'string' && bytesPerElement(t.dtype) === 1 ? '|' : '<';
  const shape = t.dims.length === 1 ? `(${t.dims[0]},)` : `(${t.dims.join(', ')})`;
  const text = `{'descr': '${order}${code}', 'fortran_order': False, 'shape': ${shape}, }`;
  // the data start at a multiple of 64, so that a reader can map them
  const total = Math.ceil((10 + text.length + 1) / 64) * 64;
  const out = new Uint8Array(total + body.length);
  out.set([...magic, 1, 0, (total - 10) & 255, (total - 10) >> 8]);
  out.set(new TextEncoder().encode(`${text.padEnd(total - 11)}\n`), 10);
  out.set(body, total);
  return out;
}

/** Reads an archive of arrays by name. Throws a UserError for bytes that are not a zip file and for members that are not arrays. */
export function readNpz(bytes: Uint8Array, source = 'the archive'): Map<string, Tensor> {
  let members: Record<string, Uint8Array>;
  try {
    members = unzipSync(bytes);
  } catch (cause) {
    throw new UserError(`${source} is not a readable .npz archive: ${(cause as Error).message}`, 'write it with numpy.savez', {
      cause,
    });
  }
  const entries = Object.entries(members);
  return new Map(entries.map(([name, member]) => [name.replace(/\.npy$/, ''), readNpy(member, `${source}, member ${name}`)]));
}

/** Writes named arrays as .npz; equal arrays give equal bytes, whenever and wherever they are written. */
export function writeNpz(arrays: Readonly<Record<string, Tensor>>, options: NpzWriteOptions = {}): Uint8Array {
  const compress = options.compress ?? npzDefaults.compress;
  const files: Zippable = Object.fromEntries(Object.entries(arrays).map(([name, t]) => [`${name}.npy`, writeNpy(t)]));
  return zipSync(files, { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) });
}

type Refuse = (why: string) => never;

const refusal =
  (source: string): Refuse =>
  (why) => {
    throw new UserError(`${source} is not a readable NumPy array: ${why}`, 'write it with numpy.save as a plain numeric array');
  };

interface Header {
  readonly code: string;
  readonly order: string;
  readonly fortran: boolean;
  readonly dims: readonly number[];
}

/** The header is a Python literal with three known keys; a structured dtype is a list and does not match. */
function parseHeader(text: string, refuse: Refuse): Header {
  const descr = /'descr':\s*'([<>|=]?)([a-zA-Z]\d*)'/.exec(text);
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\d,\sL]*)\)/.exec(text)?.[1];
  if (descr === null || fortran === undefined || shape === undefined)
    return refuse(`its header is not understood: ${text.trim()}`);
  const [, order = '', code = ''] = descr;
  if (!dtypes.has(code) && !/^U\d+$/.test(code)) return refuse(`its elements are "${order}${code}", not numbers or text`);
  const dims = shape.split(',').map((s) => s.replace('L', '').trim());
  return { code, order, fortran: fortran === 'True', dims: dims.filter((s) => s !== '').map(Number) };
}

function native(bytes: Uint8Array, width: number, swap: boolean): Uint8Array {
  if (!swap || width === 1) return bytes;
  const swapped = bytes.slice();
  for (let i = 0; i < swapped.length; i += width) swapped.subarray(i, i + width).reverse();
  return swapped;
}

/** Fixed-width UTF-32 with trailing zeros, as NumPy keeps text. */
function texts(bytes: Uint8Array, count: number, big: boolean, refuse: Refuse): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const letters = count === 0 ? 0 : bytes.length / 4 / count;
  return Array.from({ length: count }, (_, i) => {
    const points = Array.from({ length: letters }, (_, k) => view.getUint32(4 * (i * letters + k), !big));
    if (points.some((p) => p > 0x10ffff)) return refuse('it holds text that is not Unicode');
    return String.fromCodePoint(...points).replace(/\0+$/, '');
  });
}

function encodeTexts(values: readonly string[]): readonly [string, Uint8Array] {
  const points = values.map((value) => Array.from(value, (c) => c.codePointAt(0)!));
  const width = Math.max(1, ...points.map((p) => p.length));
  const out = new Uint32Array(values.length * width);
  for (const [i, p] of points.entries()) out.set(p, i * width);
  return [`U${width}`, new Uint8Array(out.buffer)];
}

/** Column-major values brought into row-major order. */
function fromFortran(t: Tensor): Tensor {
  const { dims } = t;
  const data = t.data.slice() as (number | bigint | string)[];
  const at = dims.map(() => 0);
  const strides = dims.map((_, axis) => sizeOf(dims.slice(0, axis)));
  for (let i = 0; i < data.length; i++) {
    data[i] = t.data[at.reduce((sum, index, axis) => sum + index * strides[axis]!, 0)]!;
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      at[axis] = at[axis]! + 1;
      if (at[axis]! < dims[axis]!) break;
      at[axis] = 0;
    }
  }
  return { ...t, data } as unknown as Tensor;
}
