/**
 * @file The graph that passes, importers and the gradient are written on: plain data, never mutated after it is built.
 * Whatever the reader met and the IR has no field for stays attached to the object it came from (see provenance.ts).
 */
import type { DType, Tensor } from '../tensor/tensor.ts';
import type { Rest } from './rest.ts';

/** A number, a symbolic name such as "N", or null where the file says nothing. */
export type Dim = number | string | null;

export interface Value {
  readonly name: string;
  /** undefined where the file gives no tensor type (sequences, maps, or nothing at all). */
  readonly dtype: DType | undefined;
  /** undefined where even the rank is unknown. */
  readonly dims: readonly Dim[] | undefined;
}

export type Attribute =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'ints'; readonly value: readonly number[] }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensor'; readonly value: Tensor }
  | { readonly type: 'graph'; readonly value: Graph }
  /** Anything else (sparse tensors, type protos, references inside functions): carried along untouched. */
  | { readonly type: 'opaque' };

export type Attributes = ReadonlyMap<string, Attribute>;

export interface Node {
  readonly op: string;
  /** Which of several local functions of one name is called; absent otherwise. */
  readonly overload?: string;
  /** '' is the default domain, ai.onnx. */
  readonly domain: string;
  readonly name: string;
  /** '' stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** Types the file states for values inside the graph. */
  readonly values: ReadonlyMap<string, Value>;
  /** Domain to version; '' is the default domain. Empty in subgraphs, which use those of the model around them. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly irVersion: number;
  readonly producer: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** What the file says beyond this: local functions, doc strings, annotations (rest.ts). Spreading a graph keeps it. */
  readonly rest?: Rest;
}

/** Version of the default domain. */
export const opsetOf = (graph: Graph): number => graph.opsets.get('') ?? graph.opsets.get('ai.onnx') ?? 1;

/** Inputs that a caller has to feed: old files list the initializers among the inputs too. */
export const feedsOf = (graph: Graph): readonly Value[] => graph.inputs.filter((v) => !graph.initializers.has(v.name));

/** Node that produces each value. */
export function producersOf(graph: Graph): Map<string, Node> {
  const producers = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) if (output !== '') producers.set(output, node);
  return producers;
}

/** The graphs a node carries: branches of If, bodies of Loop and Scan. */
export const bodiesOf = (node: Node): Graph[] =>
  [...node.attributes.values()].flatMap((a) => (a.type === 'graph' ? [a.value] : []));

/** Names a body takes from around it. */
export function freeIn(body: Graph): Set<string> {
  const own = new Set([
    ...body.inputs.map((v) => v.name),
    ...body.initializers.keys(),
    ...body.nodes.flatMap((n) => n.outputs),
    ...(body.rest?.graph.sparseInitializer ?? []).flatMap((s) => s.values?.name ?? []),
  ]);
  const read = [...body.nodes.flatMap(readsOf), ...body.outputs.map((v) => v.name)];
  return new Set(read.filter((name) => name !== '' && !own.has(name)));
}

/** Values a node depends on: its inputs, and what its bodies take from around it. */
export const readsOf = (node: Node): string[] => [...node.inputs, ...bodiesOf(node).flatMap((body) => [...freeIn(body)])];

/** Nodes that read each value, in one of their bodies too. */
export function consumersOf(graph: Graph): Map<string, Node[]> {
  const consumers = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(readsOf(node))) {
      if (input === '') continue;
      const list = consumers.get(input);
      if (list) list.push(node);
      else consumers.set(input, [node]);
    }
  }
  return consumers;
}

/** The name of a node, or of its first output where it has none. */
export const nodeName = (node: Node): string => (node.name === '' ? (node.outputs.find((o) => o !== '') ?? '') : node.name);

/** How errors name a node: its op, its own name where it has one, and its first output. */
export const describeNode = (node: Node): string =>
  `${node.domain === '' ? '' : `${node.domain}::`}${node.op}${node.name === '' ? '' : ` "${node.name}"`} (output "${node.outputs[0] ?? ''}")`;

const wrongType = (node: Node, name: string, want: string, got: string): never => {
  throw new Error(`${describeNode(node)}: attribute "${name}" is ${got}, expected ${want}`);
};

function read<T extends Attribute['type']>(node: Node, name: string, type: T): Extract<Attribute, { type: T }> | undefined {
  const attribute = node.attributes.get(name);
  if (attribute === undefined) return undefined;
  return attribute.type === type ? (attribute as Extract<Attribute, { type: T }>) : wrongType(node, name, type, attribute.type);
}

/** Attribute readers: the value, or the given default (undefined where none is given). */
export function intOf(node: Node, name: string): number | undefined;
export function intOf(node: Node, name: string, otherwise: number): number;
export function intOf(node: Node, name: string, otherwise?: number): number | undefined {
  return read(node, name, 'int')?.value ?? otherwise;
}
export function floatOf(node: Node, name: string): number | undefined;
export function floatOf(node: Node, name: string, otherwise: number): number;
export function floatOf(node: Node, name: string, otherwise?: number): number | undefined {
  return read(node, name, 'float')?.value ?? otherwise;
}
export function stringOf(node: Node, name: string): string | undefined;
export function stringOf(node: Node, name: string, otherwise: string): string;
export function stringOf(node: Node, name: string, otherwise?: string): string | undefined {
  return read(node, name, 'string')?.value ?? otherwise;
}
export function intsOf(node: Node, name: string): readonly number[] | undefined;
export function intsOf(node: Node, name: string, otherwise: readonly number[]): readonly number[];
export function intsOf(node: Node, name: string, otherwise?: readonly number[]): readonly number[] | undefined {
  return read(node, name, 'ints')?.value ?? otherwise;
}
export const floatsOf = (node: Node, name: string): readonly number[] | undefined => read(node, name, 'floats')?.value;
