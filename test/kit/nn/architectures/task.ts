import type { InputSpec } from '../../../../src/kit/model/model.ts';

/** An attacked input in 0..1. */
export const inputSpec = (shape: readonly number[], layout: string): InputSpec => ({
  shape,
  layout,
  dtype: 'float32',
  modality: 'features',
  unit: '',
  role: 'attacked',
  domain: 'continuous',
  bounds: { lower: 0, upper: 1 },
  storage: 'float32',
});
