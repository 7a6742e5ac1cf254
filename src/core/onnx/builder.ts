import { type DType, i64, scalar, type Tensor } from '../tensor/tensor.ts';
import { type Attribute, bodiesOf, type Dim, type Graph, type Node, type Value } from './graph.ts';

/** What a caller may write for an attribute: a number is an int (use `float()` for a float), an array of numbers is ints. */
export type AttributeInput = number | string | readonly number[] | readonly string[] | Tensor | Attribute | undefined;

/** A float attribute. */
export const float = (value: number): Attribute => ({ type: 'float', value });
/** A list-of-floats attribute. */
export const floats = (value: readonly number[]): Attribute => ({ type: 'floats', value });

/** The attribute map of plain JavaScript values; undefined entries are left out. */
export function attributes(from: Readonly<Record<string, AttributeInput>>): Map<string, Attribute> {
  const map = new Map<string, Attribute>();
  for (const [name, value] of Object.entries(from)) if (value !== undefined) map.set(name, attribute(value));
  return map;
}

function attribute(value: Exclude<AttributeInput, undefined>): Attribute {
  if (typeof value === 'number') {
    if (!Number.isInteger(value)) throw new Error(`${value} is not an integer: wrap it in float()`);
    return { type: 'int', value };
  }
  if (typeof value === 'string') return { type: 'string', value };
  if (Array.isArray(value)) {
    return typeof value[0] === 'string'
      ? { type: 'strings', value: value as string[] }
      : { type: 'ints', value: value as number[] };
  }
  return 'dtype' in value ? { type: 'tensor', value } : (value as Attribute);
}

/** Grows a graph node by node; every method returns the name of the value it made. */
export interface GraphBuilder {
  input(name: string, dims: readonly Dim[], dtype?: DType): string;
  output(name: string, dims?: readonly Dim[], dtype?: DType): string;
  /** An output whose type the runtime is left to infer. */
  untypedOutput(name: string): string;
  /** States the type of a value inside the graph, which the runtime cannot always infer. */
  declare(value: Value): void;
  constant(value: Tensor, name?: string): string;
  /** A constant float32 scalar, shared between equal values. */
  number(value: number): string;
  /** A constant int64 list, shared between equal lists. */
  ints(values: readonly number[]): string;
  /** Adds a node with one output. */
  op(op: string, inputs: readonly string[], attrs?: Readonly<Record<string, AttributeInput>>, output?: string): string;
  /** Adds a node with several outputs: their number, or their names. */
  ops(
    op: string,
    inputs: readonly string[],
    outputs: number | readonly string[],
    attrs?: Readonly<Record<string, AttributeInput>>,
  ): string[];
  add(node: Node): void;
  /** Puts a node in the place of another one. */
  replace(node: Node, by: Node): void;
  fresh(hint: string): string;
  /** A builder of a body inside this graph (If, Loop, Scan), which may read the values around it; no name is made twice. */
  body(name: string): GraphBuilder;
  /** Whether a node of this graph computes the value (it is neither an input nor a constant). */
  isComputed(name: string): boolean;
  build(): Graph;
}

export interface BuilderOptions {
  name?: string;
  opset?: number;
  irVersion?: number;
  metadata?: ReadonlyMap<string, string>;
  /** Graph to continue: its nodes, inputs, outputs and initializers come first. */
  from?: Graph;
  /** Names in use elsewhere (around or inside the graph); the names made here are added to it. */
  taken?: Set<string>;
}

/** Names that a graph and the bodies inside it give. */
function* madeIn(graph: Graph): Generator<string> {
  yield* graph.initializers.keys();
  for (const { name } of graph.inputs) yield name;
  for (const node of graph.nodes) {
    yield node.name;
    yield* node.outputs;
    for (const body of bodiesOf(node)) yield* madeIn(body);
  }
}

export const builderDefaults = { name: 'graph', opset: 18, irVersion: 8 } as const;

/** A builder, empty or continuing a graph; names it makes never collide with names in use. */
export function graphBuilder(options: BuilderOptions = {}): GraphBuilder {
  const { from } = options;
  const nodes: Node[] = [...(from?.nodes ?? [])];
  const inputs: Value[] = [...(from?.inputs ?? [])];
  const outputs: Value[] = [...(from?.outputs ?? [])];
  const initializers = new Map(from?.initializers);
  const values = new Map(from?.values);
  const taken = options.taken ?? new Set<string>();
  const computed = new Set(nodes.flatMap((n) => n.outputs));
  if (from !== undefined) for (const name of madeIn(from)) taken.add(name);
  const shared = new Map<string, string>();
  const counts = new Map<string, number>();

  const fresh = (hint: string): string => {
    let count = counts.get(hint) ?? 0;
    let name = `${hint}_${count}`;
    while (taken.has(name)) name = `${hint}_${++count}`;
    counts.set(hint, count + 1);
    taken.add(name);
    return name;
  };
  const constant = (value: Tensor, name = fresh('const')): string => {
    taken.add(name);
    initializers.set(name, value);
    return name;
  };
  const share = (key: string, make: () => string): string => {
    const known = shared.get(key);
    if (known !== undefined) return known;
    const name = make();
    shared.set(key, name);
    return name;
  };
  const add = (node: Node): void => {
    for (const output of node.outputs) {
      taken.add(output);
      computed.add(output);
    }
    nodes.push(node);
  };
  const ops: GraphBuilder['ops'] = (op, ins, outs, attrs = {}) => {
    const names = typeof outs === 'number' ? Array.from({ length: outs }, () => fresh(op)) : [...outs];
    const name = names.find((n) => n !== '') ?? '';
    add({ op, domain: '', name, inputs: [...ins], outputs: names, attributes: attributes(attrs) });
    return names;
  };
  return {
    fresh,
    body: (name) => graphBuilder({ name, from: emptyBody(name), taken }),
    isComputed: (name) => computed.has(name),
    constant,
    ops,
    input(name, dims, dtype = 'float32') {
      taken.add(name);
      inputs.push({ name, dtype, dims });
      return name;
    },
    output(name, dims, dtype = 'float32') {
      outputs.push({ name, dtype, dims });
      return name;
    },
    untypedOutput(name) {
      outputs.push({ name, dtype: undefined, dims: undefined });
      return name;
    },
    declare(value) {
      values.set(value.name, value);
    },
    number: (value) => share(`f${Object.is(value, -0) ? '-0' : value}`, () => constant(scalar(value))),
    ints: (values) => share(`i${values.join()}`, () => constant(i64(values))),
    op: (op, ins, attrs = {}, output = fresh(op)) => ops(op, ins, [output], attrs)[0]!,
    add,
    replace(node, by) {
      const at = nodes.indexOf(node);
      if (at < 0) throw new Error(`${node.op} "${node.name}" is not in the graph`);
      for (const name of by.outputs) taken.add(name);
      nodes[at] = by;
    },
    build: () => ({
      name: options.name ?? from?.name ?? builderDefaults.name,
      nodes,
      inputs,
      outputs,
      initializers,
      values,
      opsets: from?.opsets ?? new Map([['', options.opset ?? builderDefaults.opset]]),
      irVersion: options.irVersion ?? from?.irVersion ?? builderDefaults.irVersion,
      producer: from?.producer ?? 'provoke',
      metadata: options.metadata ?? from?.metadata ?? new Map(),
      ...(from?.rest === undefined ? {} : { rest: from.rest }),
    }),
  };
}

/** A graph without anything: bodies use the opsets of the model around them. */
const emptyBody = (name: string): Graph => ({
  name,
  nodes: [],
  inputs: [],
  outputs: [],
  initializers: new Map(),
  values: new Map(),
  opsets: new Map(),
  irVersion: builderDefaults.irVersion,
  producer: '',
  metadata: new Map(),
});
