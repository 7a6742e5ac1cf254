/** @file What a stage says about a model, and how the answers are counted. */

/** The stage held; the model is outside it by a stated rule; or the two sides disagree. */
export type Outcome =
  | { readonly is: 'right' }
  | { readonly is: 'excluded'; readonly rule: string }
  | { readonly is: 'wrong'; readonly why: string };

export const right: Outcome = { is: 'right' };
export const excluded = (rule: string): Outcome => ({ is: 'excluded', rule });
export const wrong = (why: string): Outcome => ({ is: 'wrong', why });

/** One line: how many models a stage held for, and how many each rule kept out of it. */
export function countsOf(stage: string, outcomes: Iterable<Outcome>): string {
  const all = [...outcomes];
  const rules = new Map<string, number>();
  for (const o of all) if (o.is === 'excluded') rules.set(o.rule, (rules.get(o.rule) ?? 0) + 1);
  const kept = all.filter((o) => o.is === 'right').length;
  const faults = all.filter((o) => o.is === 'wrong').length;
  const outside = [...rules].sort((a, b) => b[1] - a[1]).map(([rule, n]) => `${n} ${rule}`);
  return `${stage}: ${kept} of ${all.length} agree, ${faults} do not${outside.length === 0 ? '' : `; not asked: ${outside.join(', ')}`}`;
}
