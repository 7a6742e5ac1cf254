/** @file TensorProto to Tensor and back: raw bytes as views, the typed fields, and data kept in files beside the model. */
import { create } from '@bufbuild/protobuf';
import { UserError } from '../errors.ts';
import { bytesOf, bytesPerElement, type DType, type NumericDType, sizeOf, type Tensor, viewOf } from '../tensor/tensor.ts';
import { dtypeOf, elementType, elementTypeName } from './dtypes.ts';
import {
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from './generated/onnx-ml_pb.ts';
import { cameFrom, originOf } from './provenance.ts';

/** External data files by the `location` the model gives them. */
export type ExternalData = ReadonlyMap<string, Uint8Array>;

interface Context {
  readonly source: string;
  readonly external: ExternalData;
}

/** Decodes a tensor; raw data stay views into the file. */
export function readTensor(proto: TensorProto, context: Context): Tensor {
  const dtype = dtypeOf(proto.dataType);
  if (dtype === undefined) {
    throw new UserError(
      `${context.source}: tensor "${proto.name}" is ${elementTypeName(proto.dataType)}, which onnxruntime's JavaScript binding cannot hold`,
      'export the model in float32 (or float16, float64)',
    );
  }
  const dims = proto.dims.map(Number);
  if (dims.some((d) => !(d >= 0 && Number.isSafeInteger(d))))
    throw new UserError(
      `${context.source}: tensor "${proto.name}" has the sizes [${proto.dims}], which no tensor has`,
      'the file is damaged: export the model again',
    );
  const data = dataOf(proto, dtype, dims, context);
  if (data.length !== sizeOf(dims)) {
    throw new UserError(
      `${context.source}: tensor "${proto.name}" [${dims}] needs ${sizeOf(dims)} values and holds ${data.length}`,
      'the file is damaged: export the model again',
    );
  }
  return cameFrom({ dtype, dims, data } as unknown as Tensor, proto);
}

const text = new TextDecoder();

function dataOf(proto: TensorProto, dtype: DType, dims: readonly number[], context: Context): Tensor['data'] {
  if (dtype === 'string') return proto.stringData.map((s) => text.decode(s));
  const bytes =
    proto.dataLocation === TensorProto_DataLocation.EXTERNAL ? externalBytes(proto, dtype, dims, context) : proto.rawData;
  if (bytes.length > 0) {
    try {
      return viewOf(dtype, bytes);
    } catch (cause) {
      throw new UserError(
        `${context.source}: tensor "${proto.name}": ${(cause as Error).message}`,
        'the file is damaged: export the model again',
      );
    }
  }
  if (sizeOf(dims) === 0) return viewOf(dtype, new Uint8Array(0));
  switch (dtype) {
    case 'float32':
      return Float32Array.from(proto.floatData);
    case 'float64':
      return Float64Array.from(proto.doubleData);
    case 'int64':
      return BigInt64Array.from(proto.int64Data);
    case 'uint64':
      return BigUint64Array.from(proto.uint64Data);
    case 'uint32':
      return Uint32Array.from(proto.uint64Data, Number);
    case 'int32':
      return Int32Array.from(proto.int32Data);
    case 'int16':
      return Int16Array.from(proto.int32Data);
    case 'uint16':
    case 'float16':
      return Uint16Array.from(proto.int32Data);
    case 'int8':
      return Int8Array.from(proto.int32Data);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(proto.int32Data);
  }
}

/** The entry of an external tensor's description, e.g. its `location`. */
export const externalEntry = (proto: TensorProto, key: string): string | undefined =>
  proto.externalData.find((e) => e.key === key)?.value;

/** Throws a UserError unless `location` stays inside the model's own folder: a model may not name any file of the machine. */
export function checkLocation(location: string, name: string, source: string): string {
  const steps = location.split(/[\\/]/);
  const device = steps.some((step) => /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(step));
  if (location === '' || steps[0] === '' || steps.includes('..') || /^[a-z]:|\0/i.test(location) || device) {
    throw new UserError(
      `${source}: the weights of "${name}" are said to lie in "${location.replaceAll('\0', '\\0')}", which is not a path inside the model's folder`,
      'put the data file beside the model and name it without "..", drive or leading slash',
    );
  }
  return location;
}

function externalBytes(
  proto: TensorProto,
  dtype: NumericDType,
  dims: readonly number[],
  { source, external }: Context,
): Uint8Array {
  const location = checkLocation(externalEntry(proto, 'location') ?? '', proto.name, source);
  const file = external.get(location);
  if (file === undefined)
    throw new UserError(
      `${source}: the weights of "${proto.name}" lie in the file "${location}", which is not there`,
      'put the data file beside the model',
    );
  const [at, span] = [externalEntry(proto, 'offset') ?? '0', externalEntry(proto, 'length')];
  const start = Number(at);
  const length = Number(span ?? sizeOf(dims) * bytesPerElement(dtype));
  const plain = [at, span ?? '0'].every((text) => /^\d+$/.test(text));
  if (!(plain && Number.isSafeInteger(start) && Number.isSafeInteger(length) && start + length <= file.length)) {
    throw new UserError(
      `${source}: the weights of "${proto.name}" lie at bytes ${start}..${start + length} of "${location}", which has ${file.length}`,
      'the data file does not belong to this model, or is cut short',
    );
  }
  return file.subarray(start, start + length);
}

const encoder = new TextEncoder();

/**
 * The message of a tensor: the one it was read from if it has the same name, otherwise a new one with raw data.
 * Data in another file are brought in unless `keepExternal` is set.
 */
export function writeTensor(value: Tensor, name: string, keepExternal = false): TensorProto {
  const origin = originOf<TensorProto>(value);
  const external = origin?.dataLocation === TensorProto_DataLocation.EXTERNAL;
  if (origin !== undefined && origin.name === name && (keepExternal || !external)) return origin;
  const head = { name, dims: value.dims.map(BigInt), dataType: elementType(value.dtype) };
  return value.dtype === 'string'
    ? create(TensorProtoSchema, { ...head, stringData: value.data.map((s) => encoder.encode(s)) })
    : create(TensorProtoSchema, { ...head, rawData: bytesOf(value as Tensor<NumericDType>) });
}

/** The message of a tensor whose bytes lie in the file `location`, all of it. */
export const externalTensor = ({ name, dims, dataType }: TensorProto, location: string): TensorProto =>
  create(TensorProtoSchema, {
    name,
    dims,
    dataType,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [create(StringStringEntryProtoSchema, { key: 'location', value: location })],
  });
