/** @file Sequences of tensors whose members are known, resolved: who reads a member reads the tensor. Exporters write tensor_split, unbind and lists with them. */
import { i64, numbersOf } from '../../tensor/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import { type Graph, intOf, type Node } from '../graph.ts';
import { dropDead } from './drop-dead.ts';
import { rewrite, someNode } from './rewrite.ts';

const makers = new Set([
  'SplitToSequence',
  'SequenceConstruct',
  'SequenceEmpty',
  'SequenceInsert',
  'SequenceErase',
  'SequenceMap',
  'Optional',
]);

/** Values of a graph that hold a sequence or an optional: they have no shape. */
export function sequencesOf(graph: Graph): ReadonlySet<string> {
  const found = new Set<string>();
  for (const node of graph.nodes) {
    if (node.domain !== '' || node.outputs[0] === undefined) continue;
    if (makers.has(node.op) || (node.op === 'Identity' && found.has(node.inputs[0] ?? '')))
      for (const o of node.outputs) found.add(o);
  }
  return found;
}

/** The size of an axis of a value, undefined where it is not fixed. */
export type SizeOf = (name: string, axis: number) => number | undefined;

const readers = new Set(['SequenceAt', 'SequenceLength', 'ConcatFromSequence']);

/** Whether anything reads a sequence. */
export const readsSequences = (graph: Graph): boolean => someNode(graph, (n) => n.domain === '' && readers.has(n.op));

/** Whether splitting into a sequence depends on a size that only the runtime knows. */
export const splitsBySize = (graph: Graph): boolean => someNode(graph, (n) => n.domain === '' && n.op === 'SplitToSequence');

/** The graph with what is read of known sequences taken from their members; the very same graph where no sequence is read. */
export function plainSequences(graph: Graph, sizeOf: SizeOf): Graph {
  if (!readsSequences(graph)) return graph;
  const members = new Map<string, readonly string[]>();
  let changed = false;
  const made = rewrite(graph, (node, g, within) => {
    if (node.domain !== '') return false;
    const constant = (index: number): number[] | undefined => {
      const value = within.initializers.get(node.inputs[index] ?? '') ?? graph.initializers.get(node.inputs[index] ?? '');
      return value === undefined ? undefined : numbersOf(value);
    };
    const sequence = sequenceOf(node, g, { members, constant, sizeOf });
    if (sequence !== undefined) {
      members.set(node.outputs[0]!, sequence);
      return false;
    }
    const known = members.get(node.inputs[0] ?? '');
    if (known === undefined || !readers.has(node.op)) return false;
    const done = read(node, g, known, constant(1)?.[0]);
    changed ||= done;
    return done;
  });
  return changed ? dropDead(made) : graph;
}

interface Knowledge {
  readonly members: ReadonlyMap<string, readonly string[]>;
  constant(index: number): number[] | undefined;
  readonly sizeOf: SizeOf;
}

/** The members of the sequence a node makes, where they are known. */
function sequenceOf(node: Node, g: GraphBuilder, { members, constant, sizeOf }: Knowledge): readonly string[] | undefined {
  const given = members.get(node.inputs[0] ?? '');
  const position = (index: number, count: number): number | undefined => {
    if ((node.inputs[index] ?? '') === '') return count;
    const at = constant(index)?.[0];
    return at === undefined || at >= 0 ? at : at + count;
  };
  switch (node.op) {
    case 'SequenceEmpty':
      return [];
    case 'SequenceConstruct':
      return node.inputs;
    case 'Identity':
      return given;
    case 'SequenceInsert': {
      const at = given === undefined ? undefined : position(2, given.length);
      return at === undefined ? undefined : [...given!.slice(0, at), node.inputs[1]!, ...given!.slice(at)];
    }
    case 'SequenceErase': {
      const at = given === undefined ? undefined : (node.inputs[1] ?? '') === '' ? given.length - 1 : position(1, given.length);
      return at === undefined ? undefined : given!.filter((_, i) => i !== at);
    }
    case 'SplitToSequence':
      return parts(node, g, constant(1), sizeOf);
    default:
      return undefined;
  }
}

/** The parts of a split: of the sizes given, of one size given, or of size 1, then without the axis where `keepdims` is 0. */
function parts(node: Node, g: GraphBuilder, split: number[] | undefined, sizeOf: SizeOf): string[] | undefined {
  const stated = (node.inputs[1] ?? '') !== '';
  const axis = intOf(node, 'axis', 0);
  const size = sizeOf(node.inputs[0]!, axis);
  if ((stated && split === undefined) || (size === undefined && (split?.length ?? 1) <= 1)) return undefined;
  const chunk = split?.[0] ?? 1;
  const sizes =
    split !== undefined && (split.length > 1 || size === undefined)
      ? split
      : Array.from({ length: Math.ceil(size! / chunk) }, (_, i) => Math.min(chunk, size! - i * chunk));
  const names = sizes.map(() => g.fresh('part'));
  g.ops('Split', [node.inputs[0]!, g.ints(sizes)], names, { axis });
  return stated || intOf(node, 'keepdims', 1) === 1 ? names : names.map((name) => g.op('Squeeze', [name, g.ints([axis])]));
}

function read(node: Node, g: GraphBuilder, members: readonly string[], position: number | undefined): boolean {
  const [output] = node.outputs as readonly [string];
  switch (node.op) {
    case 'SequenceAt': {
      const member = position === undefined ? undefined : members.at(position);
      if (member === undefined) return false;
      g.ops('Identity', [member], [output]);
      return true;
    }
    case 'SequenceLength':
      g.constant(i64([members.length], []), output);
      return true;
    default: {
      if (members.length === 0) return false;
      const axis = intOf(node, 'axis', 0);
      const fresh = intOf(node, 'new_axis', 0) === 1;
      const joined = fresh ? members.map((m) => g.op('Unsqueeze', [m, g.ints([axis])])) : members;
      g.ops('Concat', joined, [output], { axis });
      return true;
    }
  }
}
