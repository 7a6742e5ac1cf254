/** @file What a forward pass in slices of time consists of, and whose passes may be cut at all. */
import type { TimeSlice } from '../../../core/onnx/passes/time/slices.ts';
import type { Session } from '../../../core/runtime/runtime.ts';
import { fedSpecs, type InputSpec, type Model, sampleAxis } from '../model.ts';
import type { Scratch } from './rows.ts';

export interface SliceSession {
  readonly slice: TimeSlice;
  readonly session: Session;
  /** Whether a batch of 1 must be padded to 2. */
  readonly pairs: boolean;
}

export interface SlicedForward {
  readonly slices: readonly SliceSession[];
  readonly logits: string;
  readonly scratch: Scratch;
}

export interface NotSliced {
  readonly reason: string;
}

/** The one input whose steps can be told apart, where a model has no other. */
export interface TimeInput {
  readonly name: string;
  readonly spec: InputSpec;
  /** The axis of time in a sample. */
  readonly axis: number;
  readonly steps: number;
}

/**
 * Most slices a forward pass is cut into: more share more, and copy more of what is handed on. Measured with 64 clips that differ from one in an event at one
 * of 10 steps (2x64x64, spiking-cnn of width 16): 2 slices take 0.82 of the time of whole passes, 3 0.76, 4 0.73, 5 0.71, 10 0.80.
 */
export const mostSlices = 5;

/** Steps at which the slices of so many steps begin: as even as they can be, the first ones longer. */
export function sliceStarts(steps: number, most = mostSlices): number[] {
  const count = Math.min(steps, most);
  return Array.from({ length: count }, (_, s) => Math.ceil((s * steps) / count));
}

/** The input of a model whose steps forward passes may share, or why there is none. */
export function timeInput(model: Pick<Model, 'inputs' | 'randoms' | 'coupling' | 'fixedBatch'>): TimeInput | NotSliced {
  const [first, ...others] = Object.entries(fedSpecs(model));
  const timed = Object.entries(model.inputs).filter(([, spec]) => spec.layout.includes('T'));
  if (timed.length === 0) return { reason: 'no input has a time axis' };
  const [name, spec] = first as [string, InputSpec];
  if (others.length > 0) return { reason: `the model has ${others.length + 1} inputs` };
  if (!spec.layout.includes('N')) return { reason: `the layout ${spec.layout} has no batch` };
  if (model.coupling === 'batch') return { reason: 'the batch is coupled' };
  if (model.fixedBatch !== undefined) return { reason: `the batch is fixed at ${model.fixedBatch}` };
  if (spec.dtype !== 'float32') return { reason: `"${name}" holds ${spec.dtype}` };
  const axis = sampleAxis(spec, 'T');
  return { name, spec, axis, steps: spec.shape[axis]! };
}
