/** @file The table of derivative rules, by family. Adding an op: its name in a family's type, its rule in the family's file; the compiler lists what is missing. */
import type { Entry } from '../rule.ts';
import { activations } from './activations.ts';
import { arithmetic } from './arithmetic.ts';
import { attention } from './attention.ts';
import { controlFlow } from './control-flow/index.ts';
import { convolution } from './convolution/index.ts';
import { deformable } from './deformable.ts';
import { determinant } from './determinant.ts';
import { fourier } from './fourier.ts';
import { indexing } from './indexing/index.ts';
import { layout } from './layout.ts';
import { losses } from './losses.ts';
import { matrix } from './matrix.ts';
import { normalisation } from './normalisation.ts';
import { patches } from './patches.ts';
import { pooling } from './pooling.ts';
import { recurrent } from './recurrent/index.ts';
import { reductions } from './reductions.ts';
import { regions } from './regions.ts';
import { resampling } from './resampling.ts';
import { sampling } from './sampling.ts';
import { selection } from './selection.ts';
import { sequences } from './sequences.ts';
import { softmax } from './softmax.ts';
import { steps } from './steps.ts';

export const rules = {
  ...activations,
  ...arithmetic,
  ...attention,
  ...controlFlow,
  ...convolution,
  ...fourier,
  ...indexing,
  ...layout,
  ...losses,
  ...matrix,
  ...normalisation,
  ...patches,
  ...pooling,
  ...recurrent,
  ...reductions,
  ...resampling,
  ...sampling,
  ...determinant,
  ...selection,
  ...sequences,
  ...regions,
  ...deformable,
  ...softmax,
  ...steps,
} as const satisfies Readonly<Record<string, Entry>>;

export type RuledOp = keyof typeof rules;

export const isRuled = (op: string): op is RuledOp => Object.hasOwn(rules, op);
