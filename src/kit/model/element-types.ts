/** @file In which numbers a model computes, and what stands in for its derivative, in words. */
import { logitsName, type Model } from './model.ts';
import type { GradientSession } from './sessions.ts';

/** Sizes, indices and conditions: no numbers a model is said to compute in. */
const auxiliary = new Set(['int64', 'bool', 'string', 'int32']);

/** Element types of the values the model computes, the most frequent first, e.g. float16, float32; those that are not known are left out. */
export function elementTypes({ graph, shapes, output }: Pick<Model, 'graph' | 'shapes' | 'output'>): string[] {
  const counts = new Map<string, number>();
  for (const name of [...graph.nodes.flatMap((n) => n.outputs), logitsName({ output })]) {
    const type = shapes?.get(name)?.dtype;
    if (type !== undefined && !auxiliary.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([type]) => type);
}

/** Places named of each stand-in. */
const most = 3;

/** One line per kind of stand-in: "straight-through at a, b, c and 12 more". */
export function describeSubstitutes(substitutes: GradientSession['substitutes']): string[] {
  const places = new Map<string, string[]>();
  for (const { label, at } of substitutes) places.set(label, [...(places.get(label) ?? []), at]);
  return [...places].map(([label, at]) => {
    const rest = at.length - most;
    return `${label} at ${at.slice(0, most).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  });
}
