/** @file ONNX element types and the dtypes of the IR. */
import type { DType } from '../tensor/tensor.ts';
import { TensorProto_DataType as T } from './generated/onnx-ml_pb.ts';

const dtypes = {
  float32: T.FLOAT,
  float64: T.DOUBLE,
  float16: T.FLOAT16,
  int64: T.INT64,
  uint64: T.UINT64,
  int32: T.INT32,
  uint32: T.UINT32,
  int16: T.INT16,
  uint16: T.UINT16,
  int8: T.INT8,
  uint8: T.UINT8,
  bool: T.BOOL,
  string: T.STRING,
} as const satisfies Record<DType, T>;

const byNumber = new Map<number, DType>(Object.entries(dtypes).map(([name, value]) => [value, name as DType]));

/** The number ONNX uses for a dtype (also the `to` attribute of Cast). */
export const elementType = (dtype: DType): number => dtypes[dtype];

/** The dtype of an ONNX element type, or undefined for those the IR does not carry (bfloat16, float8, 4-bit ...). */
export const dtypeOf = (number: number): DType | undefined => byNumber.get(number);

/** ONNX's own name of an element type, for messages. */
export const elementTypeName = (number: number): string => T[number] ?? `element type ${number}`;
