/** @file A graph as recognition looks at it: who makes and reads what, which values are constant, which are equal, which depend on what is fed. */
import { consumersOf, feedsOf, floatOf, type Graph, type Node, producersOf } from '../onnx/graph.ts';
import type { ShapeEntry, ShapeTable } from '../onnx/passes/shapes.ts';
import { numbersOf, type Tensor } from '../tensor/tensor.ts';

export interface Scene {
  readonly graph: Graph;
  readonly shapes: ShapeTable;
  /** Position of each node in the graph. */
  readonly position: ReadonlyMap<Node, number>;
  producer(name: string): Node | undefined;
  consumers(name: string): readonly Node[];
  shape(name: string): ShapeEntry | undefined;
  /** The number a constant is filled with throughout; undefined where it is no constant, or holds different numbers. */
  fill(name: string): number | undefined;
  /** The numbers of a constant, whatever it has been broadcast to; undefined where the value is not constant. */
  constant(name: string): readonly number[] | undefined;
  /** Whether the numbers of a value (not just its size) depend on what the graph is fed with. */
  live(name: string): boolean;
  /** Whether a value depends on random numbers and on nothing else that is fed. */
  drawn(name: string): boolean;
  /** The same string for values that are computed in the same way from the same values. */
  same(name: string): string;
}

/** Nodes whose result says nothing of the numbers they are given. */
const sizeOps = new Set(['Shape', 'Size', 'ConstantOfShape']);

/** Nodes that make numbers up by themselves. */
const drawOps = new Set(['RandomNormal', 'RandomNormalLike', 'RandomUniform', 'RandomUniformLike', 'Bernoulli', 'Multinomial']);

/** Nodes that hand on their first input in another shape. */
const reshaping = new Set(['Identity', 'Reshape', 'Expand', 'Unsqueeze', 'Squeeze', 'Flatten', 'Tile', 'Cast', 'Transpose']);

/** The longest constant that is compared number by number. */
const longest = 1 << 16;

/** `graph` is prepared, `shapes` are those of its values, `randoms` its inputs that are fed with random numbers. */
export function sceneOf(graph: Graph, shapes: ShapeTable, randoms: Iterable<string> = []): Scene {
  const producers = producersOf(graph);
  const consumers = consumersOf(graph);
  const live = liveValues(graph);
  const drawn = drawnValues(graph, live, randoms);
  const numbers = new Map<string, readonly number[] | undefined>();
  const ids = new Map<string, string>();

  const constant = (name: string): readonly number[] | undefined => {
    if (numbers.has(name)) return numbers.get(name);
    const value = readConstant(name);
    numbers.set(name, value);
    return value;
  };
  const readConstant = (name: string): readonly number[] | undefined => {
    const held = graph.initializers.get(name);
    if (held !== undefined) return asNumbers(held);
    const node = producers.get(name);
    if (node === undefined || node.domain !== '') return undefined;
    if (node.op === 'ConstantOfShape') {
      const value = node.attributes.get('value');
      return value?.type === 'tensor' ? asNumbers(value.value) : value === undefined ? [0] : undefined;
    }
    return reshaping.has(node.op) ? constant(node.inputs[0]!) : undefined;
  };
  const same = (name: string): string => {
    const known = ids.get(name);
    if (known !== undefined) return known;
    const id = numbered(name);
    ids.set(name, id);
    return id;
  };
  const numbered = (name: string): string => {
    const held = graph.initializers.get(name);
    if (held !== undefined) {
      const values = asNumbers(held);
      return values === undefined || values.length > 64 ? name : `${held.dtype}[${held.dims}]${values.join()}`;
    }
    const node = producers.get(name);
    if (
      node === undefined ||
      drawOps.has(node.op) ||
      [...node.attributes.values()].some((a) => a.type === 'graph' || a.type === 'opaque')
    )
      return name;
    if (node.op === 'Identity') return same(node.inputs[0]!);
    const attributes = [...node.attributes].map(([key, a]) => `${key}=${'value' in a ? attributeText(a.value) : ''}`).sort();
    const text = `${node.domain}:${node.op}#${node.outputs.indexOf(name)}(${node.inputs.map((i) => (i === '' ? '' : same(i))).join(';')})${attributes.join()}`;
    return short(text);
  };
  // whole expressions as keys would grow with the square of the graph: each distinct one gets a number
  const shorts = new Map<string, string>();
  const short = (text: string): string => {
    const known = shorts.get(text) ?? `=${shorts.size}`;
    shorts.set(text, known);
    return known;
  };
  // from the front, so that no recursion is deeper than one node
  for (const node of graph.nodes) for (const output of node.outputs) if (output !== '') same(output);

  return {
    graph,
    shapes,
    position: new Map(graph.nodes.map((node, i) => [node, i])),
    producer: (name) => producers.get(name),
    consumers: (name) => consumers.get(name) ?? [],
    shape: (name) => shapes.get(name),
    constant,
    fill: (name) => {
      const values = constant(name);
      return values !== undefined && values.length > 0 && values.every((v) => v === values[0]) ? values[0] : undefined;
    },
    live: (name) => live.has(name),
    drawn: (name) => drawn.has(name),
    same,
  };
}

const asNumbers = (value: Tensor): readonly number[] | undefined =>
  value.dtype === 'string' || value.data.length > longest ? undefined : numbersOf(value);

const attributeText = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'data' in value
    ? `${(value as Tensor).dims}:${(value as Tensor).data}`
    : `${value}`;

function liveValues(graph: Graph): Set<string> {
  const live = new Set(feedsOf(graph).map((v) => v.name));
  for (const node of graph.nodes) {
    const drawn = drawOps.has(node.op);
    const fed = !sizeOps.has(node.op) && node.inputs.some((i) => live.has(i));
    const carries = [...node.attributes.values()].some((a) => a.type === 'graph');
    if (drawn || fed || carries) for (const output of node.outputs) live.add(output);
  }
  return live;
}

function drawnValues(graph: Graph, live: ReadonlySet<string>, randoms: Iterable<string>): Set<string> {
  const drawn = new Set(randoms);
  for (const node of graph.nodes) {
    const read = node.inputs.filter((i) => live.has(i));
    // Bernoulli and Multinomial are given what they draw by; the others only a shape
    const free = drawOps.has(node.op) && node.op !== 'Bernoulli' && node.op !== 'Multinomial';
    if (free || (read.length > 0 && read.every((i) => drawn.has(i)))) for (const output of node.outputs) drawn.add(output);
  }
  return drawn;
}

/** Nodes that act on every element by itself, or only hand elements on in their places. */
const elementwise = new Set(
  'Add Sub Mul Div Neg Identity Clip Cast Expand Reshape Squeeze Unsqueeze Flatten Where Min Max Relu Exp Sum Sigmoid Tanh Abs Sqrt Reciprocal Pow Softplus'.split(
    ' ',
  ),
);

/**
 * Inputs through which an element of the node's result comes from the element in the same place; empty for every node that moves or mixes elements.
 * A bool that only selects (the condition of Where) is not among them.
 */
export function throughElements(scene: Scene, node: Node): readonly string[] {
  if (node.domain !== '' || !elementwise.has(node.op)) return [];
  switch (node.op) {
    case 'Where':
      return node.inputs.slice(1);
    case 'Clip':
    case 'Cast':
    case 'Expand':
      return node.inputs.slice(0, 1);
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Flatten':
      return keepsPlaces(scene, node) ? node.inputs.slice(0, 1) : [];
    default:
      return node.inputs;
  }
}

/** Whether a change of shape only adds or drops axes of size 1. */
function keepsPlaces(scene: Scene, node: Node): boolean {
  const [from, to] = [scene.shape(node.inputs[0]!), scene.shape(node.outputs[0]!)].map((s) =>
    s?.dims.filter((d) => d !== 1).join(),
  );
  return from !== undefined && from === to;
}

/** The bounds of a Clip; undefined where one is not constant. */
export function clipBounds(scene: Scene, node: Node): { low: number; high: number } | undefined {
  const end = (at: number, name: string, otherwise: number): number | undefined => {
    const input = node.inputs[at];
    return input === undefined || input === '' ? floatOf(node, name, otherwise) : scene.fill(input);
  };
  const [low, high] = [end(1, 'min', Number.NEGATIVE_INFINITY), end(2, 'max', Number.POSITIVE_INFINITY)];
  return low === undefined || high === undefined ? undefined : { low, high };
}
