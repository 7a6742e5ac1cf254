import type { InputSpec } from '../../../../src/kit/model/model.ts';
import { specOf } from '../../threat/spec.ts';

/** An attacked input in 0..1. */
export const inputSpec = (shape: readonly number[], layout: string): InputSpec => specOf(shape, { layout });
