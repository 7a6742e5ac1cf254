/** @file Where a trained model comes from: what its card and its file record, so that the same weights can be trained again. */
import { z } from 'zod';
import { UserError } from '../../../core/errors.ts';
import type { RuntimeOptions } from '../../../core/runtime/runtime.ts';
import type { LabelledSet } from './evaluate.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a sha256 is 64 hexadecimal digits');
const count = z.int().nonnegative();
const split = z.enum(['train', 'validation', 'test']);

const dataSchema = z.object({
  split,
  name: z.string(),
  sha256,
  count,
  /** Share of each batch, where several sets are mixed. */
  share: z.number().positive().optional(),
  /** How the samples were made, where they are not recordings. */
  synthetic: z.string().optional(),
});

const evaluationSchema = z.object({
  split,
  data: z.string(),
  synthetic: z.string().optional(),
  n: count,
  groups: count,
  loss: z.number(),
  confusion: z.array(z.array(count)),
});

const robustnessSchema = z.object({
  split,
  data: z.string(),
  synthetic: z.string().optional(),
  attack: z.string(),
  norm: z.string(),
  eps: z.union([z.number(), z.record(z.string(), z.number())]),
  n: count,
  /** Samples recognised before the attack. */
  clean: count.optional(),
  /** Samples still recognised under it. */
  right: count,
});

export const provenanceSchema = z.object({
  name: z.string(),
  classes: z.array(z.string()).min(1),
  seed: z.number(),
  data: z.array(dataSchema),
  /** provoke, onnxruntime, node: what computed. */
  versions: z.record(z.string(), z.string()),
  /** The same bits come out at the same optimisation level and number of threads only. */
  runtime: z.object({ threads: z.int().positive(), optimization: z.string(), providers: z.array(z.string()) }),
  training: z.object({
    epochs: count,
    steps: count,
    /** The epoch the weights are from, counted from 1, where that is not the last. */
    bestEpoch: count.optional(),
    stoppedEarly: z.boolean().optional(),
    seconds: z.number().nonnegative().optional(),
  }),
  weights: z.object({
    sha256,
    /** Numbers that were trained; running statistics are not among them. */
    parameters: count,
    statistics: count,
    /** Averages over the steps (EMA) rather than the values of one step. */
    averaged: z.boolean(),
  }),
  surrogates: z.array(z.string()).optional(),
  /** Largest relative difference between the exported and the trained network's logits. */
  exported: z.object({
    sha256,
    difference: z.number(),
    samples: count,
    drawn: z.boolean(),
    /** Whether there was normalisation by running statistics, and it is folded into the weights. */
    folded: z.boolean(),
    /** Of a network that compares: samples that answer differently once the runtime has optimised the graph. */
    moved: count.optional(),
  }),
  evaluations: z.array(evaluationSchema),
  /** Absent: never measured. */
  robustness: z.array(robustnessSchema).optional(),
});

/** What a card says besides the recipe. */
export type Provenance = z.infer<typeof provenanceSchema>;
export type DataRecord = z.infer<typeof dataSchema>;
export type RobustnessRecord = z.infer<typeof robustnessSchema>;

/** A recipe as its file has it, defaults written out: plain data. */
export type RecipeObject = Readonly<Record<string, unknown>>;

/** Refuses to train again on other data than those of a card: throws a UserError that names the split and both digests. */
export function assertSameData(
  { name, data }: Pick<Provenance, 'name' | 'data'>,
  given: readonly (Pick<LabelledSet, 'name' | 'count' | 'sha256'> & { readonly split: DataRecord['split'] })[],
): void {
  for (const use of split.options) {
    const before = data.filter((d) => d.split === use);
    const now = given.filter((d) => d.split === use);
    for (const [i, record] of before.entries()) {
      const found = now[i];
      if (found === undefined) continue;
      if (found.sha256 === record.sha256 && found.count === record.count) continue;
      throw new UserError(
        `${use} data "${found.name}" are not those of ${name}: ${found.count} samples with sha256 ${found.sha256.slice(0, 12)}..., ` +
          `the card has ${record.count} with ${record.sha256.slice(0, 12)}...`,
        'give the data the card names, or train from a recipe of your own',
      );
    }
    if (before.length !== now.length)
      throw new UserError(
        `the card of ${name} names ${before.length} ${use} sets, ${now.length} are given`,
        'give the data the card names, or train from a recipe of your own',
      );
  }
}

/** What is not as it was when a card was written, one sentence each: with any of it, weights trained again may differ in their last bits. */
export function changedSince(
  before: Pick<Provenance, 'versions' | 'runtime'>,
  now: { readonly versions: Provenance['versions']; readonly runtime: Required<RuntimeOptions> },
): string[] {
  const names = new Set([...Object.keys(before.versions), ...Object.keys(now.versions)]);
  const versions = [...names].flatMap((name) => {
    const [then, here] = [before.versions[name] ?? 'none', now.versions[name] ?? 'none'];
    return then === here ? [] : [`${name}: ${here} here, ${then} in the card`];
  });
  const settings = (['threads', 'optimization', 'providers'] as const).flatMap((name) => {
    const [then, here] = [String(before.runtime[name]), String(now.runtime[name])];
    return then === here ? [] : [`${name}: ${here} here, ${then} in the card`];
  });
  return [...versions, ...settings];
}
