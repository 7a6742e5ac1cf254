/** @file auto_pad (SAME_UPPER, SAME_LOWER, VALID) and ConvTranspose's output_shape as explicit pads, so that rules know one form only. */
import { type Graph, intsOf, type Node, stringOf } from '../graph.ts';
import { attributesWithout, rewrite } from './rewrite.ts';
import type { KnownDim, ShapeTable } from './shapes.ts';

const sliding = new Set(['Conv', 'ConvTranspose', 'MaxPool', 'AveragePool', 'LpPool', 'ConvInteger', 'QLinearConv']);

/** Nodes that state their padding by a rule. */
export const hasAutoPad = (node: Node): boolean =>
  node.domain === '' &&
  sliding.has(node.op) &&
  (stringOf(node, 'auto_pad', 'NOTSET') !== 'NOTSET' || (node.op === 'ConvTranspose' && node.attributes.has('output_shape')));

/** The graph with explicit pads; a node whose padding depends on sizes that vary, or that `shapes` does not have, is left as it is. */
export function explicitPads(graph: Graph, shapes: ShapeTable): Graph {
  return rewrite(graph, (node, g) => {
    if (!hasAutoPad(node)) return false;
    const { pads, beyond } = (node.op === 'ConvTranspose' ? transposedPads(node, shapes) : windowPads(node, shapes)) ?? {};
    if (pads === undefined) return false;
    const attributes = attributesWithout(node, 'auto_pad', 'output_shape').set('pads', { type: 'ints', value: pads });
    if (beyond?.some((b) => b > 0)) {
      const stated = intsOf(node, 'output_padding');
      attributes.set('output_padding', { type: 'ints', value: beyond.map((b, axis) => b + (stated?.[axis] ?? 0)) });
    }
    // SAME has ceil(size / stride) results by itself: rounding up once more could add one
    if (attributes.has('ceil_mode') && stringOf(node, 'auto_pad', 'NOTSET') !== 'VALID')
      attributes.set('ceil_mode', { type: 'int', value: 0 });
    g.add({ ...node, attributes });
    return true;
  });
}

/** Shapes of the constants alone: enough for the padding of stride 1, which depends on the kernel only. */
export const constantShapes = (graph: Graph): ShapeTable =>
  new Map([...graph.initializers].map(([name, value]) => [name, { dtype: value.dtype, dims: value.dims }]));

interface Window {
  readonly input: readonly KnownDim[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
}

function windowOf(node: Node, shapes: ShapeTable): Window | undefined {
  const weights = shapes.get(node.inputs[node.op === 'QLinearConv' ? 3 : 1] ?? '')?.dims.slice(2);
  const kernel = intsOf(node, 'kernel_shape') ?? weights;
  if (kernel === undefined || kernel.some((k) => k === null)) return undefined;
  const input = shapes.get(node.inputs[0]!)?.dims.slice(2) ?? kernel.map(() => null);
  const ones = kernel.map(() => 1);
  return {
    input,
    kernel: kernel as readonly number[],
    strides: intsOf(node, 'strides', ones),
    dilations: intsOf(node, 'dilations', ones),
  };
}

const reach = ({ kernel, dilations }: Window, axis: number): number => (kernel[axis]! - 1) * dilations[axis]! + 1;

/** Begins of all axes, then ends; the odd element goes to the end for SAME_UPPER and to the begin for SAME_LOWER. */
function share(totals: readonly number[], upper: boolean): number[] {
  const less = totals.map((t) => Math.floor(t / 2));
  const more = totals.map((t, i) => t - less[i]!);
  return upper ? [...less, ...more] : [...more, ...less];
}

interface Padding {
  readonly pads: readonly number[];
  /** Elements a result has beyond its last window, per axis: more output padding than the node states. */
  readonly beyond?: readonly number[];
}

const unpadded = ({ kernel }: Window): Padding => ({ pads: new Array<number>(2 * kernel.length).fill(0) });

function windowPads(node: Node, shapes: ShapeTable): Padding | undefined {
  const w = windowOf(node, shapes);
  if (w === undefined) return undefined;
  const rule = stringOf(node, 'auto_pad', 'NOTSET');
  if (rule === 'VALID') return unpadded(w);
  const totals = w.strides.map((stride, axis) => {
    if (stride === 1) return reach(w, axis) - 1;
    const size = w.input[axis] ?? null;
    return size === null ? undefined : Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach(w, axis) - size);
  });
  return totals.every((t) => t !== undefined) ? { pads: share(totals, rule === 'SAME_UPPER') } : undefined;
}

/** ConvTranspose: the padding that makes the result size * stride, or what output_shape says; what that has more than all windows cover is 0, at the end. */
function transposedPads(node: Node, shapes: ShapeTable): Padding | undefined {
  const w = windowOf(node, shapes);
  if (w === undefined) return undefined;
  const rule = stringOf(node, 'auto_pad', 'NOTSET');
  const wanted = intsOf(node, 'output_shape')?.slice(-w.kernel.length);
  if (wanted === undefined && rule === 'VALID') return unpadded(w);
  const outputPadding = intsOf(
    node,
    'output_padding',
    w.kernel.map(() => 0),
  );
  const totals = w.strides.map((stride, axis) => {
    const size = w.input[axis] ?? null;
    if (size === null) return wanted === undefined ? Math.max(0, outputPadding[axis]! + reach(w, axis) - stride) : undefined;
    const full = stride * (size - 1) + outputPadding[axis]! + reach(w, axis);
    return full - (wanted?.[axis] ?? size * stride);
  });
  if (!totals.every((t) => t !== undefined)) return undefined;
  const within = totals.map((t) => Math.max(0, t));
  return { pads: share(within, rule === 'SAME_UPPER'), beyond: totals.map((t) => (wanted === undefined ? 0 : Math.max(0, -t))) };
}
