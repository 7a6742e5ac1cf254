/** @file A tensor is a dtype, dimensions and a row-major typed array: nothing more, so it crosses into the runtime without a copy. */

interface Arrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Uint16Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int8: Int8Array;
  uint8: Uint8Array;
  bool: Uint8Array;
  string: string[];
}

export type DType = keyof Arrays;
export type NumericDType = Exclude<DType, 'string'>;
export type TensorData = Arrays[DType];

/** Row-major values of `dims`; float16 is carried as its 16 bits, bool as bytes 0 and 1. */
export type Tensor<D extends DType = DType> = {
  [K in D]: { readonly dtype: K; readonly dims: readonly number[]; readonly data: Arrays[K] };
}[D];

/** Number of elements of `dims` (1 for a scalar). */
export const sizeOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);

/** A tensor of any dtype; throws when the data do not fill `dims`. */
export function tensor<D extends DType>(dtype: D, dims: readonly number[], data: Arrays[D]): Tensor<D> {
  if (data.length !== sizeOf(dims))
    throw new Error(`a ${dtype} tensor [${dims}] needs ${sizeOf(dims)} values, got ${data.length}`);
  return { dtype, dims, data } as unknown as Tensor<D>;
}

/** float32 tensor; `dims` defaults to one axis. */
export const f32 = (values: ArrayLike<number>, dims: readonly number[] = [values.length]): Tensor<'float32'> =>
  tensor('float32', dims, values instanceof Float32Array ? values : Float32Array.from(values));

/** int64 tensor; `dims` defaults to one axis. The double 2^63, which INT64_MAX has become on its way through a number, is taken as INT64_MAX. */
export const i64 = (values: readonly (number | bigint)[], dims: readonly number[] = [values.length]): Tensor<'int64'> =>
  tensor(
    'int64',
    dims,
    BigInt64Array.from(values, (v) => (v === 2 ** 63 ? 2n ** 63n - 1n : BigInt(v))),
  );

/** float32 scalar (rank 0). */
export const scalar = (value: number): Tensor<'float32'> => f32([value], []);

const arrayOf = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** Bytes of one element. */
export const bytesPerElement = (dtype: NumericDType): number => arrayOf[dtype].BYTES_PER_ELEMENT;

/** A zero-filled tensor. */
export const zeros = <D extends NumericDType>(dtype: D, dims: readonly number[]): Tensor<D> =>
  tensor(dtype, dims, new arrayOf[dtype](sizeOf(dims)) as Arrays[D]);

/** The typed array of `dtype` over `bytes`: a view where the alignment allows, otherwise a copy. Little-endian, as every platform of the runtime. */
export function viewOf<D extends NumericDType>(dtype: D, bytes: Uint8Array): Arrays[D] {
  const Type = arrayOf[dtype];
  const width = Type.BYTES_PER_ELEMENT;
  if (bytes.byteLength % width !== 0) throw new Error(`${bytes.byteLength} bytes are not whole ${dtype} elements`);
  // not slice(): that of a Node Buffer is a view
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new Type(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / width) as Arrays[D];
}

/** The bytes of a numeric tensor, as a view. */
export function bytesOf(t: Tensor<NumericDType>): Uint8Array {
  return new Uint8Array(t.data.buffer, t.data.byteOffset, t.data.byteLength);
}

/** The values as JavaScript numbers; integers beyond 2^53 lose precision, strings are refused. float16 is decoded. */
export function numbersOf(t: Tensor): number[] {
  if (t.dtype === 'string') throw new Error('a string tensor has no numbers');
  if (t.dtype === 'float16') return Array.from(t.data, halfToNumber);
  return Array.from(t.data as ArrayLike<number | bigint>, Number);
}

/** IEEE 754 binary16 bits to a number. */
export function halfToNumber(bits: number): number {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
