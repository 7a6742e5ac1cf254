/** @file Einsum's ellipsis, which must stand for as many axes in every operand: over one that does not, the runtime can end the process (1.30). */
import { describeNode, type Graph, type Node, stringOf } from '../graph.ts';
import { type Place, subgraphsOf } from './finding.ts';

type Ranks = ReadonlyMap<string, number>;

/** Checks the Einsums of a graph and its subgraphs as far as the file states the ranks of what they read. */
export function checkEllipses(graph: Graph, place: Place, around: Ranks = new Map()): void {
  const ranks = new Map([...around, ...ranksOf(graph)]);
  for (const node of graph.nodes) {
    if (node.op === 'Einsum' && node.domain === '') checkEinsum(node, ranks, place);
    for (const subgraph of subgraphsOf(node)) checkEllipses(subgraph, place, ranks);
  }
}

function* ranksOf({ inputs, values, initializers }: Graph): Generator<[string, number]> {
  for (const { name, dims } of [...inputs, ...values.values()]) if (dims !== undefined) yield [name, dims.length];
  for (const [name, { dims }] of initializers) yield [name, dims.length];
}

function checkEinsum(node: Node, ranks: Ranks, place: Place): void {
  if (node.attributes.get('equation')?.type !== 'string') return;
  const terms = stringOf(node, 'equation', '').replaceAll(' ', '').split('->')[0]!.split(',');
  const covered = terms.flatMap((term, i) => {
    const rank = ranks.get(node.inputs[i] ?? '');
    return term.includes('...') && rank !== undefined ? [rank - (term.length - '...'.length)] : [];
  });
  const other = covered.find((count) => count !== covered[0]);
  if (other === undefined) return;
  place.report(
    'attribute',
    describeNode(node),
    `${describeNode(node)}: the ellipsis of its equation "${stringOf(node, 'equation', '')}" stands for ${covered[0]} axes in one operand and ${other} in another`,
    'give the operands as many axes as each other (Unsqueeze), or name the axes in the equation',
  );
}
