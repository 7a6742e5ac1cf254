/** @file A graph as text a person reads: one line per value, `name: dims = Op(inputs) {attributes}`. */
import { bytesOf, type NumericDType, numbersOf, sizeOf, type Tensor } from '../tensor/tensor.ts';
import { functionsOf, referenceOf } from './functions.ts';
import type { Attribute, Dim, Graph, Node, Value } from './graph.ts';

/** Constants of at most so many elements are written out. */
export const printDefaults = { elements: 8 } as const;

/**
 * The whole graph, subgraphs and local functions indented; big constants by type and size only, `@name` for an attribute of the function around.
 * Throws a UserError where a function holds a tensor the IR cannot.
 */
export function printGraph(graph: Graph): string {
  const opsets = [...graph.opsets].map(([domain, version]) => `${domain === '' ? 'opset' : domain} ${version}`);
  const head = [
    `graph "${graph.name}"`,
    ...opsets,
    `IR ${graph.irVersion}`,
    ...(graph.producer === '' ? [] : [`by ${graph.producer}`]),
  ];
  const functions = functionsOf(graph).flatMap((f) => {
    const attributes = [...f.required, ...[...f.defaults].map(([name, a]) => `${name}: ${attributeText(a)}`)];
    return [
      `function ${f.domain}::${f.name}${f.overload === '' ? '' : `:${f.overload}`}(${f.inputs.join(', ')})${attributes.length === 0 ? '' : ` {${attributes.join(', ')}}`} -> ${f.outputs.join(', ')}`,
      ...indent(f.nodes.flatMap((n) => nodeLines(n, new Map()))),
    ];
  });
  return [head.join(', '), ...bodyLines(graph), ...functions].join('\n');
}

function bodyLines(graph: Graph): string[] {
  const known = new Map([...graph.values.values(), ...graph.outputs].map((v) => [v.name, v]));
  const nodes = graph.nodes.flatMap((n) => nodeLines(n, known));
  return [
    ...section('inputs', graph.inputs.filter((v) => !graph.initializers.has(v.name)).map(valueLine)),
    ...section(
      constantsTitle(graph),
      [...graph.initializers].map(([name, value]) => `${name}: ${describeTensor(value)}`),
    ),
    ...section(`nodes (${graph.nodes.length})`, nodes),
    ...section('outputs', graph.outputs.map(valueLine)),
  ];
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

const section = (title: string, lines: readonly string[]): string[] => (lines.length === 0 ? [] : [title, ...indent(lines)]);

function constantsTitle({ initializers }: Graph): string {
  const elements = [...initializers.values()].reduce((sum, t) => sum + sizeOf(t.dims), 0);
  const bytes = [...initializers.values()].reduce((sum, t) => sum + byteLength(t), 0);
  return `initializers (${initializers.size}, ${elements} elements, ${size(bytes)})`;
}

const byteLength = (t: Tensor): number => (t.dtype === 'string' ? 0 : bytesOf(t as Tensor<NumericDType>).byteLength);

const size = (bytes: number): string =>
  bytes < 1e3 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

const dimsText = (dims: readonly Dim[]): string => `[${dims.map((d) => d ?? '?').join(', ')}]`;

const typeText = ({ dtype, dims }: Value): string =>
  `${dtype ?? 'unknown type'} ${dims === undefined ? '[...]' : dimsText(dims)}`;

const valueLine = (value: Value): string => `${value.name}: ${typeText(value)}`;

function nodeLines(node: Node, known: ReadonlyMap<string, Value>): string[] {
  const results = node.outputs.map((name) => {
    const dims = known.get(name)?.dims;
    return `${name === '' ? '_' : name}${dims === undefined ? '' : `: ${dimsText(dims)}`}`;
  });
  const inputs = node.inputs.map((name) => (name === '' ? '_' : name));
  const plain = [...node.attributes].filter(([, a]) => a.type !== 'graph').map(([name, a]) => `${name}: ${attributeText(a)}`);
  const line = `${results.join(', ')} = ${node.domain === '' ? '' : `${node.domain}::`}${node.op}(${inputs.join(', ')})${plain.length === 0 ? '' : ` {${plain.join(', ')}}`}`;
  const subgraphs = [...node.attributes].flatMap(([name, a]) =>
    a.type === 'graph' ? indent([`${name}: subgraph "${a.value.name}"`, ...indent(bodyLines(a.value))]) : [],
  );
  return [line, ...subgraphs];
}

function attributeText(attribute: Attribute): string {
  switch (attribute.type) {
    case 'int':
    case 'float':
      return number(attribute.value);
    case 'string':
      return JSON.stringify(attribute.value);
    case 'ints':
    case 'floats':
      return list(attribute.value.map(number));
    case 'strings':
      return list(attribute.value.map((s) => JSON.stringify(s)));
    case 'tensor':
      return describeTensor(attribute.value);
    case 'graph':
      return '...';
    case 'opaque': {
      const reference = referenceOf(attribute);
      return reference === undefined ? '...' : `@${reference}`;
    }
  }
}

const list = (items: readonly string[]): string =>
  items.length <= 2 * printDefaults.elements ? `[${items.join(', ')}]` : `[${items.length} items]`;

/** Enough digits to tell float32 values apart, without the noise of their double form. */
const number = (value: number): string => (Number.isInteger(value) ? `${value}` : `${Number(value.toPrecision(7))}`);

function describeTensor(t: Tensor): string {
  const type = `${t.dtype} ${dimsText(t.dims)}`;
  if (sizeOf(t.dims) > printDefaults.elements) return `${type} ${size(byteLength(t))}`;
  const values = t.dtype === 'string' ? t.data.map((s) => JSON.stringify(s)) : numbersOf(t).map(number);
  return `${type} = ${t.dims.length === 0 ? (values[0] ?? '') : `[${values.join(', ')}]`}`;
}
