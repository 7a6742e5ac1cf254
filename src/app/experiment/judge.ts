/** @file The last word on what an attack proposes: rounded to storage, saved, read back, predicted again and measured. Only that counts. */
import { reached } from '../../kit/losses/loss.ts';
import { norms } from '../../kit/metrics/norms.ts';
import type { Inputs, Model } from '../../kit/model/model.ts';
import { argmax, type Counts, type Probe } from '../../kit/model/oracle.ts';
import { softmax } from '../../kit/model/predict.ts';
import type { Outcome } from '../../kit/record/outcome.ts';
import type { Row } from '../../kit/record/row.ts';
import { toStorage } from '../../kit/threat/storage.ts';
import type { Norm } from '../../kit/threat/threat.ts';
import { sha256 } from '../host/files.ts';
import { breachOf } from './breach.ts';
import { eventFactsOf, type Reread } from './event-facts.ts';
import { fits, jointSize, lengthened, lengthenings, sizesOf } from './lengthen.ts';
import type { Budget } from './plan.ts';
import type { Subject } from './rows.ts';
import { drawsFor, recordedOf, type UnitContext } from './unit-context.ts';

/** What an attack said of one sample, and what that cost. */
export interface Said {
  readonly subject: Subject;
  readonly outcome: Outcome;
  readonly counts: Counts;
  readonly seconds: number;
}

/** The same with the example completed by the inputs the attack does not touch, and predicted again as it is. */
export interface Proposal extends Said {
  readonly inputs?: Inputs;
  /** Whether the example fools the model before it is rounded. */
  readonly fools: boolean;
  /** Of a minimum-norm attack's example that fools the model: its size over all inputs. */
  readonly distance: number | null;
}

/** Predicts what was proposed, unrounded. `budget` is the one the attack was given. */
export async function examine(
  { oracle, planned, seed }: UnitContext,
  budget: Budget,
  said: readonly Said[],
): Promise<Proposal[]> {
  const complete = said.map((one) => ({
    ...one,
    ...(one.outcome.inputs === undefined ? {} : { inputs: { ...one.subject.sample.inputs, ...one.outcome.inputs } }),
  }));
  const probes = complete.flatMap(({ inputs }, of) => (inputs === undefined ? [] : [{ of, inputs }]));
  const logits = await oracle(undefined, verdictDraws(seed, said)).logits(probes);
  const at = new Map(probes.map(({ of }, k) => [of, logits[k]!]));
  return complete.map((one, of) => {
    const z = at.get(of);
    const fools = z?.every(Number.isFinite) === true && reached(one.subject.goal, argmax(z));
    const measured = fools && planned.attack.kind === 'minimal';
    return {
      ...one,
      fools,
      distance: measured ? jointSize(budget, sizesOf(budget, one.subject.sample.inputs, one.inputs!)) : null,
    };
  });
}

export type Judgement = Pick<Row, 'status' | 'prediction' | 'floatSuccess' | 'probabilities' | 'norms'> & {
  reason?: string;
  example?: string;
  events?: NonNullable<Row['events']>;
};

/**
 * Judges proposals at a budget. A bounded attack's is rounded as it is. A minimum-norm attack's is a success at every budget it fits into; where rounding
 * undoes it and budget is left it is lengthened, and the first length that survives saving and reading back is kept.
 */
export async function judge(context: UnitContext, budget: Budget, proposals: readonly Proposal[]): Promise<Judgement[]> {
  const { model, planned } = context;
  const minimal = planned.attack.kind === 'minimal';
  const trials = proposals.map(({ subject, inputs, fools }): number[] => {
    if (inputs === undefined) return [];
    if (!minimal) return [1];
    const sizes = sizesOf(budget, subject.sample.inputs, inputs);
    if (!fits(budget, sizes)) return [];
    return [1, ...(fools ? lengthenings(model, budget, sizes) : [])];
  });
  const judged = proposals.map(({ subject, outcome, fools }, i): Judgement => {
    const stands = { prediction: subject.cleanPrediction, probabilities: softmax(subject.cleanLogits), norms: {} };
    if (outcome.status === 'invalid')
      return {
        ...stands,
        floatSuccess: false,
        status: 'invalid',
        reason: outcome.reason ?? 'the attack could not judge this sample',
      };
    return { ...stands, floatSuccess: fools && trials[i]!.length > 0, status: 'failure' };
  });
  const most = Math.max(0, ...trials.map((t) => t.length));
  for (let t = 0; t < most; t++) {
    const open = judged.flatMap(({ status }, of) => (status === 'failure' && t < trials[of]!.length ? [of] : []));
    const rounded = open.map((of): Probe => {
      const { subject, inputs } = proposals[of]!;
      const x0 = subject.sample.inputs;
      const factor = trials[of]![t]!;
      return {
        of,
        inputs: roundInputs(model, budget, x0, factor === 1 ? inputs! : lengthened(model, budget, x0, inputs!, factor)),
      };
    });
    for (const [of, verdict] of await surviving(context, budget, proposals, rounded)) judged[of] = { ...judged[of]!, ...verdict };
  }
  return judged;
}

const verdictDraws = (seed: number, proposals: readonly Pick<Proposal, 'subject'>[]) =>
  drawsFor(
    seed,
    'verdict',
    proposals.map(({ subject }) => subject.sample),
  );

type Verdict = Partial<Judgement> & Pick<Judgement, 'status'>;

/** Of rounded examples those that settle something: they fool the model when read back, or cannot be judged. */
async function surviving(
  context: UnitContext,
  budget: Budget,
  proposals: readonly Proposal[],
  rounded: readonly Probe[],
): Promise<Map<number, Verdict>> {
  const { model, oracle, examples, planned, seed } = context;
  const verdicts = new Map<number, Verdict>();
  const random = verdictDraws(seed, proposals);
  const roundedLogits = await oracle(undefined, random).logits(rounded);
  const saved: (Probe & { path: string })[] = [];
  for (const [k, { of, inputs }] of rounded.entries()) {
    const { subject } = proposals[of]!;
    if (!roundedLogits[k]!.every(Number.isFinite))
      verdicts.set(of, { status: 'invalid', reason: 'the model gives NaN or infinite scores on the example' });
    else if (reached(subject.goal, argmax(roundedLogits[k]!))) {
      const path = await examples.save(
        exampleName(subject.sample.id, planned.label, budget),
        inputs,
        recordedOf(subject.sample, seed),
      );
      saved.push({ of, path, inputs: await examples.load(path) });
    }
  }
  const savedLogits = await oracle(undefined, random).logits(saved);
  const fooling: Reread[] = [];
  for (const [k, { of, inputs, path }] of saved.entries()) {
    const { subject } = proposals[of]!;
    const { sample, goal } = subject;
    const logits = savedLogits[k]!;
    if (!reached(goal, argmax(logits))) continue;
    const breach = breachOf(model, budget, sample, inputs);
    if (breach !== undefined) verdicts.set(of, { status: 'invalid', reason: breach });
    else {
      fooling.push({ of, subject, path, inputs });
      verdicts.set(of, {
        status: 'success',
        prediction: argmax(logits),
        probabilities: softmax(logits),
        norms: allSizes(budget, sample.inputs, inputs),
        example: path,
      });
    }
  }
  for (const [of, events] of await eventFactsOf(context, fooling, random)) verdicts.set(of, { ...verdicts.get(of)!, events });
  return verdicts;
}

const roundInputs = (model: Model, budget: Budget, x0: Inputs, x: Inputs): Inputs =>
  Object.fromEntries(
    Object.entries(x).map(([name, values]) => {
      const eps = budget.eps[name];
      return [
        name,
        eps === undefined ? values : toStorage(model.inputs[name]!, x0[name]!, values, { norm: budget.norm[name]!, eps }),
      ];
    }),
  );

const allSizes = (budget: Budget, x0: Inputs, x: Inputs): Record<string, Record<Norm, number>> =>
  Object.fromEntries(Object.keys(budget.eps).map((name) => [name, norms(x0[name]!, x[name]!)]));

const exampleName = (sample: string, label: string, budget: Budget): string =>
  fileName(sample, label, ...Object.entries(budget.eps).map(([name, e]) => `${budget.norm[name]}-${e.toPrecision(4)}`));

/** A file name that no two lists of parts share, readable in a listing; file systems take 255 bytes, so long ones end in a hash. */
export function fileName(...parts: string[]): string {
  const name = parts.map((part) => encodeURIComponent(part).replaceAll('%', '~').replaceAll('_', '~5F')).join('__');
  return name.length <= 200 ? name : `${name.slice(0, 160)}__${sha256(name).slice(0, 32)}`;
}
