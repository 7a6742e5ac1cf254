/** @file The two declared stand-ins for what has no useful derivative: surrogates (of one node) and twins (of a subgraph). */
import type { Graph, Node } from '../onnx/graph.ts';
import type { Broadcasting, Rule } from './rule.ts';

/** Chooses nodes by op, by exact name, or by a pattern on the name; all given conditions must hold. */
export interface Match {
  readonly op?: string;
  readonly name?: string;
  readonly pattern?: RegExp;
}

/** The derivative that stands in for that of the matching nodes. */
export interface Surrogate {
  readonly match: Match;
  /** What reports print, e.g. "straight-through". */
  readonly label: string;
  readonly rule: Rule | Broadcasting;
}

/** Forward runs as it is; backward goes through `graph`, fed with the same inputs and standing for the same outputs, in order. */
export interface Twin {
  readonly label: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Differentiable; as many inputs and outputs as above, in the same order and shapes. */
  readonly graph: Graph;
}

/** The derivative of the identity, for operations whose first input and output have one shape (Bengio et al. 2013, arXiv 1308.3432). */
export const straightThrough = (match: Match): Surrogate => ({ match, label: 'straight-through', rule: ([dy]) => [dy] });

/** Whether a node is meant; one of a twin also answers to the name it has in the twin's own graph. */
export const matches = (match: Match, node: Node): boolean => {
  if (match.op !== undefined && match.op !== node.op) return false;
  if (match.name !== undefined && !node.name.endsWith(match.name)) return false;
  return [node.name, nameInTwin(node.name)].some(
    (name) => (match.name === undefined || match.name === name) && (match.pattern === undefined || match.pattern.test(name)),
  );
};

/** What a value or node of twin number `twin` is called in the graph both are part of. */
export const nameBesides = (twin: number, name: string): string => `twin${twin}/${name}`;

/** The name in the twin's own graph, where it is one of a twin. */
export const nameInTwin = (name: string): string => name.replace(/^twin\d+\//, '');
