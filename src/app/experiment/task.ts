/** @file What a worker process can be asked once it has opened the experiment. */
import type { Problem } from '../../kit/data/source.ts';
import type { Sample } from '../../kit/model/model.ts';
import type { GradientSession } from '../../kit/model/sessions.ts';
import type { Unit } from './plan.ts';

export type Task =
  | { readonly kind: 'unit'; readonly unit: Unit }
  | { readonly kind: 'names'; readonly unit: Unit }
  | { readonly kind: 'gradient' };

/** The samples of a unit by name, without their values, and what could not be read. */
export interface Names {
  readonly samples: readonly Pick<Sample, 'id' | 'group' | 'label'>[];
  readonly problems: readonly Problem[];
}

/** Where the model's gradient ends, and what stands in. */
export type GradientFacts = Pick<GradientSession, 'cuts' | 'substitutes'>;
