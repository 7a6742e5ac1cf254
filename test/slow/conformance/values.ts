/** @file Stored tensors, and when two are the same in the sense of ONNX's own backend tests. */
import { fromBinary } from '@bufbuild/protobuf';
import { dtypeOf } from '../../../src/core/onnx/dtypes.ts';
import { TensorProtoSchema, type ValueInfoProto } from '../../../src/core/onnx/generated/onnx-ml_pb.ts';
import { decodeModel } from '../../../src/core/onnx/reader.ts';
import { readTensor } from '../../../src/core/onnx/tensors.ts';
import { numbersOf, type Tensor } from '../../../src/core/tensor/tensor.ts';
import type { StoredCase } from './data.ts';

/** As onnx.backend.test.runner has them. */
export const tolerance = { relative: 1e-3, absolute: 1e-7 } as const;

/** A file input_0.pb or output_0.pb. */
export const storedTensor = (bytes: Uint8Array, source: string): Tensor =>
  readTensor(fromBinary(TensorProtoSchema, bytes), { source, external: new Map() });

/** Why a model's inputs or outputs cannot be passed to the runtime from JavaScript, or undefined when they can. */
export function impassable({ model, name }: StoredCase): string | undefined {
  const { graph } = decodeModel(model, name);
  const reasons = [...graph!.input, ...graph!.output].map(reasonOf);
  return reasons.find((r) => r !== undefined);
}

function reasonOf({ type }: ValueInfoProto): string | undefined {
  if (type?.value.case !== 'tensorType') return 'feed or fetch a sequence or an optional';
  if (dtypeOf(type.value.value.elemType) === undefined) return 'feed or fetch an element type the JavaScript binding has not';
  return undefined;
}

/** Why `actual` is not `expected`, or undefined when it is. */
export function difference(
  actual: Tensor,
  expected: Tensor,
  allowed: { relative: number; absolute: number } = tolerance,
): string | undefined {
  if (actual.dtype !== expected.dtype) return `${actual.dtype} instead of ${expected.dtype}`;
  if (`${actual.dims}` !== `${expected.dims}`) return `[${actual.dims}] instead of [${expected.dims}]`;
  if (expected.dtype === 'string') return expected.data.every((s, i) => s === actual.data[i]) ? undefined : 'other strings';
  return numbersDiffer(numbersOf(actual), numbersOf(expected), allowed);
}

/** The same for numbers; the largest difference is told. */
export function numbersDiffer(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  allowed: { relative: number; absolute: number } = tolerance,
): string | undefined {
  let worst = 0;
  let at = -1;
  for (let i = 0; i < expected.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Object.is(a, e) || a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    const excess = Math.abs(a - e) - allowed.absolute - allowed.relative * Math.abs(e);
    if (!(excess <= 0) && !(excess <= worst)) {
      worst = excess;
      at = i;
    }
  }
  return at < 0 ? undefined : `element ${at} is ${actual[at]} instead of ${expected[at]}`;
}
