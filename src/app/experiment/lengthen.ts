/**
 * @file A smallest change lies on the decision boundary, and rounding it to what a file can hold often undoes it. Where budget is left it is made longer,
 * in the direction the attack found, until it survives.
 */
import { jointNorm, norms } from '../../kit/metrics/norms.ts';
import type { Inputs, Model } from '../../kit/model/model.ts';
import { boxValues } from '../../kit/threat/elements.ts';
import { gridOf } from '../../kit/threat/grid.ts';
import type { Budget } from './plan.ts';

/** How long a change is made, in units of what was found; doubled from there on, up to the budget, which is tried last. */
const factors = [1.02, 1.05, 1.1, 1.2, 1.5, 2, 3, 4, 6, 8, 12, 16];
const longest = 1024;

/** Most lengths tried at one budget: what was found, the factors, their doubles, and the whole budget. */
export const mostTrials = 2 + factors.length + Math.ceil(Math.log2(longest / factors.at(-1)!));

/** Size of the change of every attacked input in its own norm. */
export function sizesOf({ norm, eps }: Budget, x0: Inputs, x: Inputs): Record<string, number> {
  return Object.fromEntries(Object.keys(eps).map((name) => [name, norms(x0[name]!, x[name]!)[norm[name]!]]));
}

/** Whether a float32 example keeps to the budget, up to the rounding of float32. */
export const fits = ({ eps }: Budget, sizes: Readonly<Record<string, number>>): boolean =>
  Object.entries(eps).every(([name, most]) => sizes[name]! <= most * (1 + 1e-6));

/**
 * The size of a change over all inputs, as the first input's: the budgets weigh the inputs against each other, as they do for the attack (frame/joint.ts).
 * All inputs have one norm.
 */
export function jointSize({ norm, eps }: Budget, sizes: Readonly<Record<string, number>>): number {
  const names = Object.keys(eps);
  const [first] = names;
  const common = norm[first!]!;
  const weight = (name: string): number => (common === 'l0' || eps[first!] === 0 ? 1 : eps[name]! / eps[first!]!);
  return jointNorm(
    common,
    names.map((name) => (sizes[name] === 0 ? 0 : sizes[name]! / weight(name))),
  );
}

/** The factors by which the change may be lengthened at this budget, ascending. None where nothing is rounded. */
export function lengthenings(
  model: Pick<Model, 'inputs'>,
  { norm, eps }: Budget,
  sizes: Readonly<Record<string, number>>,
): number[] {
  const names = Object.keys(eps);
  if (names.every((name) => gridOf(model.inputs[name]!) === undefined)) return [];
  // how many values change is the same for every length
  const room = names.map((name) =>
    norm[name] === 'l0' || sizes[name] === 0 ? Number.POSITIVE_INFINITY : eps[name]! / sizes[name]!,
  );
  const most = Math.min(...room);
  const list = factors.filter((factor) => factor < most);
  for (let factor = 2 * factors.at(-1)!; factor < Math.min(most, longest); factor *= 2) list.push(factor);
  return most > 1 && Number.isFinite(most) ? [...list, most] : list;
}

/** The example whose change is `factor` times as long, inside the model's bounds (an original outside of them may stay where it is). */
export function lengthened(model: Pick<Model, 'inputs'>, { eps }: Budget, x0: Inputs, x: Inputs, factor: number): Inputs {
  return Object.fromEntries(
    Object.entries(x).map(([name, values]) => {
      if (eps[name] === undefined) return [name, values];
      const { lower, upper } = boxValues(model.inputs[name]!);
      const from = x0[name]!;
      const moved = values.map((value, i) => {
        const wanted = Math.fround(from[i]! + factor * (value - from[i]!));
        return Math.min(Math.max(upper[i]!, from[i]!), Math.max(Math.min(lower[i]!, from[i]!), wanted));
      });
      return [name, moved];
    }),
  );
}
