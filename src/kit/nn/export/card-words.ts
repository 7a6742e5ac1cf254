/** @file Phrases several sections of a card share. */
import type { DataRecord, Provenance, RecipeObject } from './provenance.ts';

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A part of a recipe on one line: `adamw (lr 0.001, weightDecay 0.05)`; '' where there is none. */
export function inline(part: unknown): string {
  if (part === undefined || part === null) return '';
  if (Array.isArray(part)) return part.map(inline).join(', ');
  if (typeof part !== 'object') return String(part);
  const { use, ...options } = part as Record<string, unknown>;
  const said = Object.entries(options).map(([name, value]) => `${name} ${inline(value)}`);
  if (use === undefined) return said.join(', ');
  return said.length === 0 ? inline(use) : `${inline(use)} (${said.join(', ')})`;
}

export const syntheticSets = ({ data }: Pick<Provenance, 'data'>): DataRecord[] => data.filter((d) => d.synthetic !== undefined);

/** " (synthetic: how)", or ''. Sources say the word themselves or leave it out. */
export const syntheticTag = (how: string | undefined): string =>
  how === undefined ? '' : /\bsynthetic\b/i.test(how) ? ` (${how})` : ` (synthetic: ${how})`;

export const defenceLine = ({ defence, threat }: RecipeObject): string =>
  defence === undefined
    ? 'none, standard training'
    : `${inline(defence)} against ${inline(threat) || 'a threat the recipe does not name'}`;

/** Whether robust accuracy was measured, and where. */
export function describeRobustness({ defence, threat }: RecipeObject, { robustness }: Provenance): string {
  if (robustness !== undefined && robustness.length > 0)
    return `Robust accuracy was measured, against ${[...new Set(robustness.map((r) => r.attack))].join(', ')}: see the quantitative analyses.`;
  return defence === undefined
    ? 'Robust accuracy was not measured.'
    : `Robust accuracy was **not measured**: that the model was trained with ${inline(defence)} against ${inline(threat)} is no evidence of robustness.`;
}
