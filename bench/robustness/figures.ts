/** @file From attacked models to figures: of each model, and what each recipe gains over the first. */
import { type Gain, trainingGain } from '../../src/kit/metrics/gain.ts';
import type { Row } from '../../src/kit/record/row.ts';
import type { Made, Plan } from './made.ts';

export interface ModelFigures {
  readonly recipe: string;
  readonly seed: number;
  readonly clean: number;
  /** Mean cross-entropy of clean samples. */
  readonly loss: number;
  readonly robust: number;
  readonly n: number;
  /** sha256 of the exported model. */
  readonly model: string;
}

export interface Comparison {
  readonly recipe: string;
  readonly over: string;
  readonly robust: Gain;
  readonly clean: Gain;
  readonly loss: Gain;
  /** Gain of robust accuracy where whole groups are drawn instead of samples. */
  readonly robustByGroup: Gain;
}

export interface Figures {
  readonly data: string;
  readonly synthetic: string | null;
  readonly dataSha256: string;
  readonly threat: unknown;
  readonly attack: string;
  readonly seeds: readonly number[];
  readonly n: number;
  /** Groups (people, photos) the samples are of. */
  readonly groups: number;
  readonly epochs: Readonly<Record<string, number>>;
  readonly defences: Readonly<Record<string, unknown>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly threads: number;
  readonly models: readonly ModelFigures[];
  readonly comparisons: readonly Comparison[];
}

/** A number per sample of an attacked model. */
const perSample = {
  robust: (row: Row) => (row.status === 'failure' ? 1 : 0),
  clean: (row: Row) => (row.cleanPrediction === row.label ? 1 : 0),
  loss: (row: Row) => -Math.log(row.cleanProbabilities[row.label]!),
} as const;

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Throws when the models were not attacked on the same samples with the same budget, or a sample could not be judged. */
export function figuresOf(plan: Plan, made: readonly (readonly Made[])[]): Figures {
  const [standard, ...others] = made;
  const first = standard![0]!;
  for (const one of made.flat()) assertAlike(first, one);
  const values = (one: Made, what: keyof typeof perSample): number[] => one.rows.map(perSample[what]);
  const groups = first.rows.map((row) => row.group);
  const name = (ones: readonly Made[]): string => ones[0]!.training.name;
  return {
    data: first.training.provenance.data.find(({ split }) => split === 'test')!.name,
    synthetic: first.run.data.synthetic,
    dataSha256: first.run.data.sha256,
    threat: first.run.experiment.threat,
    attack: `pgd, ${plan.steps} steps, ${plan.restarts} ${plan.restarts === 1 ? 'start' : 'starts'}`,
    seeds: plan.seeds,
    n: first.rows.length,
    groups: new Set(groups).size,
    epochs: Object.fromEntries(made.map((ones) => [name(ones), ones[0]!.training.recipe.epochs])),
    defences: Object.fromEntries(made.map((ones) => [name(ones), ones[0]!.training.recipe.defence ?? null])),
    versions: first.run.versions,
    threads: plan.threads,
    models: made.flatMap((ones) =>
      ones.map((one, i) => ({
        recipe: name(ones),
        seed: plan.seeds[i]!,
        clean: mean(values(one, 'clean')),
        loss: mean(values(one, 'loss')),
        robust: mean(values(one, 'robust')),
        n: one.rows.length,
        model: one.run.model.sha256,
      })),
    ),
    comparisons: others.map((ones) => {
      const gain = (what: keyof typeof perSample, options = {}): Gain =>
        trainingGain(
          ones.map((one, i) => ({ treated: values(one, what), control: values(standard![i]!, what) })),
          options,
        );
      return {
        recipe: name(ones),
        over: name(standard!),
        robust: gain('robust'),
        clean: gain('clean'),
        loss: gain('loss'),
        robustByGroup: gain('robust', { groups }),
      };
    }),
  };
}

function assertAlike(first: Made, one: Made): void {
  const of = one.training.name;
  const samples = ({ rows }: Made): string => rows.map(({ sample, label }) => `${sample} ${label}`).join('\n');
  const budget = ({ run }: Made): string => JSON.stringify(run.experiment.threat);
  if (samples(one) !== samples(first))
    throw new Error(`${of} was attacked on other samples than ${first.training.name}: give all recipes one test set`);
  if (budget(one) !== budget(first))
    throw new Error(`${of} was attacked with another budget than ${first.training.name}: give all recipes one threat`);
  const invalid = one.rows.find(({ status }) => status === 'invalid');
  if (invalid !== undefined) throw new Error(`${of}: sample ${invalid.sample} could not be judged: ${invalid.reason}`);
  const versions = ({ run, training }: Made): string => JSON.stringify([run.versions, training.provenance.versions]);
  if (versions(one) !== versions(first))
    throw new Error(`${of} was made by other versions than ${first.training.name}: remove the older trainings and runs`);
}
