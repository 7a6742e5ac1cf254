/** @file Graphs of several opsets brought to one: what `upgrade` leaves alone, from opset 18 on, rewritten where a later opset gave it another meaning. */
import { i64 } from '../../tensor/tensor.ts';
import { type Attribute, type Graph, intOf, opsetOf, stringOf } from '../graph.ts';
import { constantsToInitializers } from './constants.ts';
import { attributesWithout, inputsTo, rewrite } from './rewrite.ts';
import type { Convert } from './upgrade/conversion.ts';
import { opsetRange, upgrade } from './upgrade.ts';

/** The opset that graphs of these opsets can all be brought to. */
export const commonOpset = (versions: readonly number[]): number => Math.max(opsetRange.target, ...versions);

/** The same computation in a newer opset (18 or above). Throws a UserError for constructs it has no equivalent of. */
export function raiseOpset(graph: Graph, to: number): Graph {
  const from = opsetOf(graph);
  if (from === to) return graph;
  const upgraded = from < opsetRange.target ? upgrade(constantsToInitializers(graph)) : graph;
  const isDue = ([since]: readonly [number, Convert]): boolean => since > opsetOf(upgraded) && since <= to;
  const none = { from, dims: () => undefined, constant: () => undefined, isUsed: () => true };
  const raised = rewrite(upgraded, (node, g) => {
    const change = node.domain === '' && Object.hasOwn(changes, node.op) ? changes[node.op] : undefined;
    return change !== undefined && isDue(change) && change[1](node, { ...none, g });
  });
  return { ...raised, opsets: new Map([...upgraded.opsets, ['', to]]) };
}

/** Opset 20 reads the axis as an input, counted from the end by default. */
const transform: Convert = (node, { g }) => {
  const [x, length] = inputsTo(node, 2) as [string, string];
  const axis = g.constant(i64([intOf(node, 'axis', 1)], []));
  g.add({ ...node, inputs: [x, length, axis], attributes: attributesWithout(node, 'axis') });
  return true;
};

/** Opset 20 calls the ways to interpolate by other names. */
const gridSample: Convert = (node, { g }) => {
  const names: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' };
  const mode = stringOf(node, 'mode', 'bilinear');
  const attributes = new Map(node.attributes).set('mode', { type: 'string', value: names[mode] ?? mode } satisfies Attribute);
  g.add({ ...node, attributes });
  return true;
};

/** Opset 21 reads scale and bias per channel instead of per group. */
const groupNormalization: Convert = (node, { g }) => {
  const [x, scale, bias] = inputsTo(node, 3) as [string, string, string];
  const groups = intOf(node, 'num_groups', 1);
  const members = g.op('Div', [g.op('Shape', [x], { start: 1, end: 2 }), g.ints([groups])]);
  const shape = g.op('Concat', [g.ints([groups]), members], { axis: 0 });
  const perChannel = (v: string): string =>
    g.op('Reshape', [g.op('Expand', [g.op('Reshape', [v, g.ints([groups, 1])]), shape]), g.ints([-1])]);
  g.add({ ...node, inputs: [x, perChannel(scale), perChannel(bias)] });
  return true;
};

/** Since which opset an op means something else, and how it is said then. */
const changes: Readonly<Record<string, readonly [since: number, Convert]>> = {
  DFT: [20, transform],
  GridSample: [20, gridSample],
  GroupNormalization: [21, groupNormalization],
};
