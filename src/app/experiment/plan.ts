/** @file An experiment resolved into work units: what will run, in which order, under which content-addressed key. */
import { suggestion, UserError } from '../../core/errors.ts';
import { stream } from '../../core/tensor/random.ts';
import { sizeOf } from '../../core/tensor/tensor.ts';
import { attackedInputs, type InputSpec, type ModelFacts } from '../../kit/model/model.ts';
import type { SpikesReference } from '../../kit/spiking/choose.ts';
import { boxValues } from '../../kit/threat/elements.ts';
import { gridOf, isBinary } from '../../kit/threat/grid.ts';
import { parseEps } from '../../kit/threat/parse-eps.ts';
import type { Norm } from '../../kit/threat/threat.ts';
import { type Attack, type Facts, flips, type OptionValue, onlyFlips } from '../../methods/attacks/attack.ts';
import { attacks } from '../../methods/attacks/registry.ts';
import { sha256 } from '../host/files.ts';
import { formatVersion } from './format-version.ts';
import type { ExperimentFile } from './schema.ts';

/** One budget, by attacked input; a run walks them in ascending order. */
export interface Budget {
  readonly norm: Readonly<Record<string, Norm>>;
  readonly eps: Readonly<Record<string, number>>;
}

export interface PlannedAttack {
  /** Its name in tables. */
  readonly label: string;
  readonly attack: Attack;
  readonly options: Readonly<Record<string, OptionValue>>;
  /** sha256 of the file, where the attack is a user's own. */
  readonly sha256?: string;
  /** What stands in for the derivative of spikes under this attack, where it is not what the model says. */
  readonly spikes?: SpikesReference;
  /** Whether that makes the samples of a pass depend on each other. */
  readonly coupled?: boolean;
}

export type GoalPlan =
  | { readonly kind: 'untargeted' | 'least-likely' | 'random' }
  | { readonly kind: 'targeted'; readonly target: number };

/** A slice of the samples under one attack, all budgets: runs whole, in this process or in a child, and is one file when finished. */
export interface Unit {
  readonly key: string;
  readonly attack: number;
  /** Positions in `Plan.items`, end exclusive. */
  readonly from: number;
  readonly to: number;
}

export interface Plan {
  readonly budgets: readonly Budget[];
  readonly attacks: readonly PlannedAttack[];
  readonly goal: GoalPlan;
  readonly seed: number;
  /** Most queries of an attack on a sample at a budget. */
  readonly queries?: number;
  /** Indices into the data source, ascending. */
  readonly items: readonly number[];
  readonly units: readonly Unit[];
  /** Identifies the experiment: model, data, attacks, budgets, goal, seed. */
  readonly sha256: string;
}

/** Samples per unit: small enough to resume and to share out, the same for every worker count so that keys do not depend on it. */
export const unitSize = 16;

export interface PlanInput {
  readonly experiment: ExperimentFile;
  readonly model: ModelFacts;
  readonly data: { readonly count: number; readonly sha256: string };
  readonly attacks: readonly PlannedAttack[];
  readonly version: string;
}

/** Plans an experiment. Throws a UserError where model, threat, goal and attacks do not go together. */
export function makePlan({ experiment, model, data, attacks, version }: PlanInput): Plan {
  const budgets = planBudgets(experiment.threat, model);
  const goal = planGoal(experiment.goal, model);
  for (const planned of attacks) checkAttack(planned, budgets, goal, model);
  const items = chooseItems(data.count, experiment.data.limit, experiment.seed);
  const identity = [
    version,
    formatVersion,
    model.sha256,
    model.inputs,
    model.classes,
    model.output,
    data.sha256,
    experiment.model,
    experiment.data,
    budgets,
    goal,
    experiment.seed,
    experiment.queries,
  ] as const;
  const units = attacks.flatMap(({ label, options, sha256: code, spikes }, attack) =>
    Array.from({ length: Math.ceil(items.length / unitSize) }, (_, slice): Unit => {
      const from = slice * unitSize;
      const to = Math.min(items.length, from + unitSize);
      return {
        key: sha256(
          JSON.stringify([
            identity,
            label,
            attacks[attack]!.attack.name,
            code,
            options,
            items.slice(from, to),
            ...(spikes === undefined ? [] : [spikes]),
          ]),
        ).slice(0, 32),
        attack,
        from,
        to,
      };
    }),
  );
  return {
    budgets,
    attacks,
    goal,
    seed: experiment.seed,
    ...(experiment.queries === undefined ? {} : { queries: experiment.queries }),
    items,
    units,
    sha256: sha256(JSON.stringify(units.map((u) => u.key))),
  };
}

function planBudgets(threat: ExperimentFile['threat'], model: ModelFacts): Budget[] {
  const attacked = attackedInputs(model);
  const byInput: Record<string, { norm: Norm; eps: number[] }> = {};
  const one = isBudget(threat);
  if (one && attacked.length > 1) {
    throw new UserError(
      `the model has ${attacked.length} attacked inputs and threat gives one budget`,
      `give each its own: threat: { ${attacked.map((n) => `${n}: { norm: linf, eps: ... }`).join(', ')} }`,
    );
  }
  for (const [name, budget] of one ? [[attacked[0]!, threat] as const] : Object.entries(threat)) {
    if (!attacked.includes(name))
      throw new UserError(`threat: the model has no attacked input "${name}"`, suggestion(name, attacked));
    const list = Array.isArray(budget.eps) ? budget.eps : [budget.eps];
    byInput[name] = { norm: budget.norm, eps: list.map((e, i) => parseEps(e, `threat.eps[${i}]`)).sort((a, b) => a - b) };
  }
  const lengths = new Set(Object.values(byInput).map((b) => b.eps.length));
  if (lengths.size > 1)
    throw new UserError(
      'threat: every input needs the same number of budgets',
      'they are paired in ascending order: give lists of one length',
    );
  const names = Object.keys(byInput);
  const budgets = Array.from({ length: [...lengths][0] ?? 0 }, (_, i) => ({
    norm: Object.fromEntries(names.map((n) => [n, byInput[n]!.norm])),
    eps: Object.fromEntries(names.map((n) => [n, byInput[n]!.eps[i]!])),
  }));
  for (const [i, { eps }] of budgets.entries()) {
    if (i > 0 && names.every((n) => budgets[i - 1]!.eps[n] === eps[n]))
      throw new UserError(
        `threat.eps names the budget ${names.map((n) => eps[n]).join(', ')} twice`,
        'name each once: every sample would be counted twice at it',
      );
  }
  return budgets;
}

type OneBudget = { norm: Norm; eps: number | string | (number | string)[] };
const isBudget = (threat: ExperimentFile['threat']): threat is OneBudget =>
  'eps' in threat && (typeof threat.eps !== 'object' || Array.isArray(threat.eps));

function planGoal(goal: ExperimentFile['goal'], model: ModelFacts): GoalPlan {
  if (typeof goal === 'string') return { kind: goal };
  const target = model.classes.indexOf(goal.targeted);
  if (target < 0)
    throw new UserError(`goal: the model has no class "${goal.targeted}"`, suggestion(goal.targeted, model.classes));
  return { kind: 'targeted', target };
}

/** Throws a UserError where an attack cannot be run on this model, under these budgets, towards this goal. */
export function checkAttack(
  planned: PlannedAttack,
  budgets: readonly Budget[],
  goal: GoalPlan,
  model: Pick<ModelFacts, 'inputs' | 'classes' | 'randoms'>,
): void {
  const { label, attack, options } = planned;
  for (const [input, norm] of Object.entries(budgets[0]?.norm ?? {})) {
    if (!attack.norms.includes(norm))
      throw new UserError(
        `attack ${label} works under ${attack.norms.join(', ')}, not ${norm}`,
        'choose another norm or another attack',
      );
    const { modality } = model.inputs[input]!;
    if (attack.modalities !== 'any' && !attack.modalities.includes(modality)) {
      throw new UserError(
        `attack ${label} is for ${attack.modalities.join(', ')}; input "${input}" is ${modality}`,
        'choose another attack: provoke list attacks',
      );
    }
    checkFlips(planned, input, budgets, model.inputs[input]!);
  }
  const names = Object.keys(budgets[0]?.norm ?? {});
  if (onlyFlips(attack) && !names.some((input) => isBinary(model.inputs[input]!)))
    throw new UserError(
      `attack ${label} does nothing but flip values, and ${holding(names)} more than two`,
      'choose another attack, or declare the input with domain: binary if it holds two values only',
    );
  const [first, ...others] = Object.entries(budgets[0]?.norm ?? {});
  const other = others.find(([, norm]) => norm !== first![1]);
  if (attack.kind === 'minimal' && other !== undefined)
    throw new UserError(
      `attack ${label} looks for the smallest change over all inputs, which needs one norm: "${first![0]}" has ${first![1]}, "${other[0]}" has ${other[1]}`,
      'give all inputs one norm, or choose a bounded attack: provoke list attacks',
    );
  if (goal.kind !== 'untargeted' && !attack.targeted)
    throw new UserError(`attack ${label} cannot aim at a class`, 'use goal: untargeted, or another attack');
  attack.admit?.(options, factsOf(budgets, model));
}

const holding = (names: readonly string[]): string =>
  names.length === 1 ? `input "${names[0]}" holds` : `inputs ${names.map((name) => `"${name}"`).join(' and ')} hold`;

/** Refuses what rounding to the two values of a binary input would turn into nothing. */
function checkFlips({ label, attack }: PlannedAttack, input: string, budgets: readonly Budget[], spec: InputSpec): void {
  if (!isBinary(spec)) return;
  const { norm, eps } = budgets.at(-1)!;
  const [budget, kind] = [eps[input]!, norm[input]!];
  const { step } = gridOf(spec)!;
  const cheapest =
    kind === 'l0' ? 1 : Array.from({ length: sizeOf(spec.shape) }, (_, i) => step(i)).reduce((a, b) => Math.min(a, b));
  if (budget < cheapest)
    throw new UserError(
      `threat: eps ${budget} does not pay for one flip of "${input}", which holds only two values: that takes ${cheapest} in ${kind}`,
      'count flips: norm l0 with eps 1 or more',
    );
  if (attack.kind === 'minimal' || flips(attack, kind)) return;
  const flipping = Object.values(attacks).filter((a) => flips(a, kind) && a.norms.includes(kind) && a.needs !== 'none');
  throw new UserError(
    `attack ${label} proposes values in between, but "${input}" holds only two: rounding would decide what it finds`,
    flipping.length === 0
      ? 'count flips: norm l0'
      : `choose one that flips values (in ${kind}: ${flipping.map(({ name }) => name).join(', ')}), or one for smallest changes, whose examples are lengthened until rounding spares them`,
  );
}

/** What an attack's cost, parts and admission depend on. */
export function factsOf(
  budgets: readonly Budget[],
  { inputs, classes, randoms }: Pick<ModelFacts, 'inputs' | 'classes' | 'randoms'>,
): Facts {
  const { norm } = budgets[0]!;
  const endless = (name: string): boolean => {
    const { lower, upper } = boxValues(inputs[name]!);
    return !(lower.every(Number.isFinite) && upper.every(Number.isFinite));
  };
  return {
    classes: classes.length,
    norms: [...new Set(Object.values(norm))],
    binary: Object.keys(norm).some((name) => isBinary(inputs[name]!)),
    random: randoms !== undefined,
    unbounded: Object.keys(norm).some(endless),
    elements: Object.keys(norm).reduce((sum, name) => sum + sizeOf(inputs[name]!.shape), 0),
  };
}

/** All items, or `limit` of them drawn with the seed (data are often sorted by class: the first ones would be one class only). */
export function chooseItems(count: number, limit: number | undefined, seed: number): number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  if (limit === undefined || limit >= count) return all;
  const random = stream(seed, 'choose samples');
  for (let i = 0; i < limit; i++) {
    const j = i + random.integer(count - i);
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all.slice(0, limit).sort((a, b) => a - b);
}
