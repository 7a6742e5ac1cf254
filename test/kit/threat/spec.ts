import type { InputSpec } from '../../../src/kit/model/model.ts';

const layouts = ['N', 'NF', 'NTF', 'NCHW', 'NTCHW', 'NTCHWD'];

/** An input of the shape given: float32 between 0 and 1 unless told otherwise. */
export const specOf = (shape: readonly number[], changes: Partial<InputSpec> = {}): InputSpec => ({
  shape,
  layout: layouts[shape.length]!,
  dtype: 'float32',
  modality: 'features',
  unit: 'one',
  role: 'attacked',
  domain: 'continuous',
  bounds: { lower: 0, upper: 1 },
  storage: 'float32',
  ...changes,
});
