/** @file Calls of a model's local functions replaced by what they stand for, so that every later pass sees operators only. */
import { UserError } from '../../errors.ts';
import type { GraphBuilder } from '../builder.ts';
import { functionsOf, type LocalFunction, referenceOf, withoutFunctions } from '../functions.ts';
import { type Attribute, type Attributes, describeNode, type Graph, type Node, opsetOf, type Value } from '../graph.ts';
import { functionKey } from '../validation/finding.ts';
import { commonOpset, raiseOpset } from './raise-opset.ts';
import { rewrite } from './rewrite.ts';

/**
 * The same model without local functions. Where functions are written for other versions of the standard operators than the model, everything is
 * brought to one. Throws a UserError for functions that call themselves, and for constructs that newer opsets have no equivalent of.
 */
export function inlineFunctions(graph: Graph): Graph {
  const functions = functionsOf(graph);
  if (functions.length === 0) return graph;
  const versions = [opsetOf(graph), ...functions.flatMap((f) => f.opsets.get('') ?? [])];
  const opset = versions.every((v) => v === versions[0]) ? versions[0]! : commonOpset(versions);
  const byKey = new Map(functions.map((f) => [functionKey(f.domain, f.name, f.overload), f]));
  let current = raiseOpset(graph, opset);
  // each round opens one level of calls; deeper than there are functions only recursion goes
  for (let round = 0; round <= functions.length; round++) {
    let last: Node | undefined;
    current = rewrite(current, (node, g) => {
      const called = byKey.get(functionKey(node.domain, node.op, node.overload));
      if (called === undefined) return false;
      last = node;
      inline(node, called, opset, g);
      return true;
    });
    if (last === undefined) return { ...withoutFunctions(current), opsets: opsetsAfter(current, functions) };
    if (round === functions.length)
      throw new UserError(`${describeNode(last)} calls itself`, 'write recurrence with Loop or Scan');
  }
  return current;
}

/** Domains of the functions themselves are no longer needed; those their bodies use are. */
function opsetsAfter(graph: Graph, functions: readonly LocalFunction[]): ReadonlyMap<string, number> {
  const own = new Set(functions.map((f) => f.domain));
  const all = new Map([...functions.flatMap((f) => [...f.opsets]), ...graph.opsets]);
  return new Map([...all].filter(([domain]) => domain === '' || !own.has(domain)));
}

type Rename = (name: string) => string;

/** Writes the body of a function in place of a call. A body sees no names but its own, so all others are new. */
function inline(call: Node, f: LocalFunction, opset: number, g: GraphBuilder): void {
  const names = new Map<string, string>();
  const passed: [from: string, to: string][] = [];
  for (const [i, input] of f.inputs.entries()) names.set(input, call.inputs[i] ?? '');
  for (const [i, output] of f.outputs.entries()) {
    const target = call.outputs[i] ?? '';
    if (target === '') continue;
    const known = names.get(output);
    if (known === undefined) names.set(output, target);
    else passed.push([known, target]);
  }
  const rename: Rename = (name) => {
    if (name === '') return '';
    const made = names.get(name) ?? g.fresh(`${f.name}/${name}`);
    names.set(name, made);
    return made;
  };
  const body = bodyOf(call, f, opset);
  for (const [name, value] of body.initializers) g.constant(value, rename(name));
  for (const node of body.nodes) {
    const name = node.name === '' ? '' : g.fresh(`${call.name === '' ? f.name : call.name}/${node.name}`);
    g.add(copy(node, rename, new Map(), name));
  }
  for (const [from, to] of passed) g.op('Identity', [from], {}, to);
}

/** What a call stands for, in the names of the function and the opset of the model. */
function bodyOf(call: Node, f: LocalFunction, opset: number): Graph {
  const given: Attributes = new Map([...f.defaults, ...call.attributes]);
  const untyped = (name: string): Value => ({ name, dtype: undefined, dims: undefined });
  const body: Graph = {
    name: f.name,
    nodes: f.nodes.map((node) => copy(node, (name) => name, given, node.name)),
    inputs: f.inputs.map(untyped),
    outputs: f.outputs.map(untyped),
    initializers: new Map(),
    values: new Map(),
    opsets: new Map([['', f.opsets.get('') ?? opset]]),
    irVersion: 0,
    producer: '',
    metadata: new Map(),
  };
  return raiseOpset(body, opset);
}

function copy(node: Node, rename: Rename, given: Attributes, name: string): Node {
  return {
    ...node,
    name,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    attributes: new Map([...node.attributes].flatMap(([key, a]) => resolve(key, a, rename, given))),
  };
}

/** An attribute with what it refers to put in; one that refers to nothing given is left out, as the standard says. */
function resolve(key: string, attribute: Attribute, rename: Rename, given: Attributes): [string, Attribute][] {
  const reference = referenceOf(attribute);
  if (reference !== undefined) {
    const value = given.get(reference);
    return value === undefined ? [] : [[key, value]];
  }
  if (attribute.type !== 'graph') return [[key, attribute]];
  const { value } = attribute;
  const renamed = (v: Value): Value => ({ name: rename(v.name), dtype: v.dtype, dims: v.dims });
  const body: Graph = {
    ...value,
    nodes: value.nodes.map((n) => copy(n, rename, given, n.name)),
    inputs: value.inputs.map(renamed),
    outputs: value.outputs.map(renamed),
    initializers: new Map([...value.initializers].map(([name, t]) => [rename(name), t])),
    values: new Map(),
  };
  return [[key, { type: 'graph', value: body }]];
}
