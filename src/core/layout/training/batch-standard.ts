/**
 * @file Batch normalisation in training, in as few walks over memory as it takes: y = (x - mean) r s + b with r = 1 / sqrt(var + eps). The centred values
 * are kept for the way back.
 */
import type { Surrogate } from '../../autodiff/substitutes.ts';
import { float, type GraphBuilder } from '../../onnx/builder.ts';
import { floatOf, intsOf, type Node } from '../../onnx/graph.ts';
import { internal } from './internal.ts';
import { sumOfRows } from './rows.ts';

const op = 'BatchStandard';

/** Axis 1 holds the channels. */
const othersOf = (rank: number): number[] => Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1);

/** Writes the normalisation of x (where it is rows: of a `map` per sample); `outputs` are y and the biased mean and variance of the batch, one value per channel. */
export function batchStandard(
  g: GraphBuilder,
  [x, scale, shift]: readonly [string, string, string],
  outputs: readonly [string, string, string],
  { rank, eps, map }: { rank: number; eps: number; map?: readonly [positions: number, channels: number] },
): void {
  internal(g, op, [x, scale, shift], [...outputs, g.fresh('centred'), g.fresh('inverse')], { rank, eps: float(eps), map });
}

const rankOf = (node: Node): number => {
  const rank = node.attributes.get('rank');
  if (rank?.type !== 'int') throw new Error(`${op} without a rank`);
  return rank.value;
};

/** Sums over all axes but the channels'. */
function total(g: GraphBuilder, value: string, node: Node): string {
  const map = intsOf(node, 'map');
  if (map !== undefined) return sumOfRows(g, value, map[0]!, map[1]!);
  return g.op('ReduceSum', [value, g.ints(othersOf(rankOf(node)))], { keepdims: 0 });
}

/** How many values a channel has. */
const placesOf = (g: GraphBuilder, { inputs: [x, scale] }: Node): string => {
  const count = (value: string): string => g.op('Cast', [g.op('Size', [value])], { to: 1 });
  return g.op('Div', [count(x!), count(scale!)]);
};

/** One value per channel against x. */
const along = (g: GraphBuilder, value: string, rank: number): string =>
  rank === 2 ? value : g.op('Reshape', [value, g.ints([-1, ...Array.from({ length: rank - 2 }, () => 1)])]);

/** The ordinary nodes. */
export function lowerBatchStandard(g: GraphBuilder, node: Node): void {
  const [x, scale, shift] = node.inputs as [string, string, string];
  const [y, mean, variance, centred, inverse] = node.outputs as [string, string, string, string, string];
  const rank = rankOf(node);
  const places = placesOf(g, node);
  g.op('Div', [total(g, x, node), places], {}, mean);
  g.op('Sub', [x, along(g, mean, rank)], {}, centred);
  g.op('Div', [total(g, g.op('Mul', [centred, centred]), node), places], {}, variance);
  g.op('Reciprocal', [g.op('Sqrt', [g.op('Add', [variance, g.number(floatOf(node, 'eps', 1e-5))])])], {}, inverse);
  const gain = along(g, g.op('Mul', [inverse, scale]), rank);
  g.op('Add', [g.op('Mul', [centred, gain]), along(g, shift, rank)], {}, y);
}

/**
 * With S = sum dy and T = sum dy (x - mean) over the n values of a channel: ds = T r, db = S, dx = s r (dy - S / n - (x - mean) r^2 T / n).
 * Cotangents of mean and variance add dmean / n and 2 dvar (x - mean) / n.
 */
export const batchStandardRule: Surrogate = {
  match: { op },
  label: 'batch standard',
  rule: ([dy, dmean, dvar], node, { g, active }) => {
    const [x, scale] = node.inputs as [string, string];
    const [, , , centred, inverse] = node.outputs as [string, string, string, string, string];
    const rank = rankOf(node);
    const places = placesOf(g, node);
    const each = (value: string): string => g.op('Div', [value, places]);
    const shares: string[] = [];
    const [sum, moment] =
      dy === undefined ? [undefined, undefined] : [total(g, dy, node), total(g, g.op('Mul', [dy, centred]), node)];
    if (active(0) && dy !== undefined) {
      const gain = g.op('Mul', [inverse, scale]);
      const slope = g.op('Mul', [gain, each(g.op('Mul', [g.op('Mul', [inverse, inverse]), moment!]))]);
      const offset = each(g.op('Mul', [gain, sum!]));
      const main = g.op('Sub', [g.op('Mul', [dy, along(g, gain, rank)]), g.op('Mul', [centred, along(g, slope, rank)])]);
      shares.push(g.op('Sub', [main, along(g, offset, rank)]));
    }
    if (active(0) && dvar !== undefined)
      shares.push(g.op('Mul', [centred, along(g, each(g.op('Mul', [dvar, g.number(2)])), rank)]));
    if (active(0) && dmean !== undefined) shares.push(g.op('Expand', [along(g, each(dmean), rank), g.op('Shape', [x])]));
    return [
      shares.length === 0 ? undefined : shares.reduce((a, b) => g.op('Add', [a, b])),
      moment !== undefined && active(1) ? g.op('Mul', [moment, inverse]) : undefined,
      active(2) ? sum : undefined,
    ];
  },
};
