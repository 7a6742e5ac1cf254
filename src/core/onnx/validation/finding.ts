/** @file What the validator says, and how its parts hand it over. */

import type { LocalFunction } from '../functions.ts';
import type { Graph } from '../graph.ts';

export interface Finding {
  /** An error is refused or would end the process; a warning is something that cannot be told without running. */
  readonly severity: 'error' | 'warning';
  readonly check:
    | 'version'
    | 'operator'
    | 'arity'
    | 'attribute'
    | 'kernel'
    | 'names'
    | 'order'
    | 'cycle'
    | 'type'
    | 'size'
    | 'function'
    | 'unchecked';
  /** The node, value or tensor concerned. */
  readonly where: string;
  /** A sentence that needs no other: it names `where`. */
  readonly message: string;
  readonly remedy: string;
}

/** Where nodes stand: versions, functions they may call, and the function whose body they are. */
export interface Place {
  readonly opsets: ReadonlyMap<string, number>;
  /** By functionKey. */
  readonly functions: ReadonlyMap<string, LocalFunction>;
  readonly inside: LocalFunction | undefined;
  report(check: Finding['check'], where: string, message: string, remedy: string, severity?: Finding['severity']): void;
}

export const functionKey = (domain: string, name: string, overload = ''): string => `${domain}::${name}::${overload}`;

/** How messages name a function. */
export const describeFunction = (f: LocalFunction): string => `function "${f.domain === '' ? '' : `${f.domain}::`}${f.name}"`;

/** Subgraphs held by the attributes of a node (branches of If, bodies of Loop and Scan). */
export const subgraphsOf = (node: Graph['nodes'][number]): Graph[] =>
  [...node.attributes.values()].flatMap((a) => (a.type === 'graph' ? [a.value] : []));
