/** @file Models of opset 7 to 17 rewritten to opset 18; the conversions lie in upgrade/, by what they move. */
import { UserError } from '../../errors.ts';
import { numbersOf } from '../../tensor/tensor.ts';
import { type Dim, describeNode, type Graph, opsetOf } from '../graph.ts';
import { rewrite } from './rewrite.ts';
import { attributeInputs } from './upgrade/attribute-inputs.ts';
import { changedMeanings } from './upgrade/changed-meanings.ts';
import type { Conversions } from './upgrade/conversion.ts';
import { resizing } from './upgrade/resizing.ts';

/** Versions of the default domain that can be read, and the one older models are brought to. */
export const opsetRange = { lowest: 7, highest: 26, target: 18 } as const;

const conversions: Conversions = { ...attributeInputs, ...changedMeanings, ...resizing };

/** Sizes of a value, undefined where they are not known. */
export type DimsOf = (name: string) => readonly Dim[] | undefined;

/**
 * The same computation in opset 18; a model of opset 18 or newer is returned as it is.
 * `dims` tells more sizes than the file states: with it a Softmax of opset < 13 needs no reshaping at run time where its axis is the last.
 * Throws a UserError for opsets outside 7..26 and for constructs opset 18 has no equivalent of.
 */
export function upgrade(graph: Graph, dims?: DimsOf): Graph {
  const usesDefault = graph.opsets.has('') || graph.opsets.has('ai.onnx') || graph.nodes.some((n) => n.domain === '');
  const from = usesDefault ? opsetOf(graph) : opsetRange.target;
  refuseOpset(from);
  if (usesDefault && from >= opsetRange.target) return graph;
  const stated = statedDims(graph);
  const dimsOf: DimsOf = (name) => dims?.(name) ?? stated.get(name);
  const used = usedNames(graph);
  const isUsed = (name: string): boolean => used.has(name);
  const converted = rewrite(graph, (node, g, around) => {
    if (node.domain !== '') return false;
    refuseLegacyBroadcast(node.attributes.has('broadcast') ? describeNode(node) : undefined);
    const constant = (name: string): number[] | undefined => {
      const value = around.initializers.get(name) ?? graph.initializers.get(name);
      return value === undefined ? undefined : numbersOf(value);
    };
    const convert = Object.hasOwn(conversions, node.op) ? conversions[node.op] : undefined;
    return convert?.(node, { g, from, dims: dimsOf, isUsed, constant }) ?? false;
  });
  const others = [...graph.opsets].filter(([domain]) => domain !== '' && domain !== 'ai.onnx');
  return { ...converted, opsets: new Map([['', opsetRange.target], ...others]) };
}

function refuseOpset(version: number): void {
  const { lowest, highest, target } = opsetRange;
  if (version >= lowest && version <= highest) return;
  throw new UserError(
    `the model is written for opset ${version}; opsets ${lowest} to ${highest} can be read`,
    version < lowest
      ? `export it again with opset ${target}, or convert it (Python: onnx.version_converter.convert_version(model, ${target}))`
      : `export it again with opset ${target} to ${highest}`,
  );
}

function refuseLegacyBroadcast(where: string | undefined): void {
  if (where === undefined) return;
  throw new UserError(
    `${where} has the attribute "broadcast", which belongs to opset 6 and older`,
    `the file states a newer opset than it was written for: export it again with opset ${opsetRange.target}`,
  );
}

/** Sizes the file states of any value, those inside bodies included. */
function statedDims(graph: Graph, into = new Map<string, readonly Dim[]>()): Map<string, readonly Dim[]> {
  for (const { name, dims } of [...graph.inputs, ...graph.outputs, ...graph.values.values()])
    if (dims !== undefined) into.set(name, dims);
  for (const [name, value] of graph.initializers) into.set(name, value.dims);
  for (const node of graph.nodes) for (const a of node.attributes.values()) if (a.type === 'graph') statedDims(a.value, into);
  return into;
}

/** Names that a node, an output or a body reads. */
function usedNames(graph: Graph, into = new Set<string>()): Set<string> {
  for (const { name } of graph.outputs) into.add(name);
  for (const node of graph.nodes) {
    for (const input of node.inputs) into.add(input);
    for (const a of node.attributes.values()) if (a.type === 'graph') usedNames(a.value, into);
  }
  return into;
}
