import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { matrix } from './matrix.ts';
import type { Converter } from './node.ts';
import { pooling } from './pooling.ts';
import { reduction } from './reduction.ts';
import { resampling } from './resampling.ts';
import { shapes } from './shape.ts';

/** What is converted, by TensorFlow op. Placeholder, Const and NoOp belong to the importer itself. */
export const converters: ReadonlyMap<string, Converter> = new Map(
  [convolution, elementwise, matrix, pooling, reduction, resampling, shapes].flatMap((family) => Object.entries(family)),
);
