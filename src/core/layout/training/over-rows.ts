/** @file The maps of a network in training as rows [batch * position, channel], where its convolutions are matrix products and its statistics sums of columns. */
import { windowsOf } from '../../autodiff/rules/window.ts';
import { graphBuilder } from '../../onnx/builder.ts';
import { consumersOf, floatOf, type Graph, intOf, type Node, readsOf, stringOf } from '../../onnx/graph.ts';
import { namesOf } from '../../onnx/passes/rewrite.ts';
import { numbersOf, sizeOf } from '../../tensor/tensor.ts';
import { permuted } from '../../tensor/transpose.ts';
import type { DimsOf } from '../sizes.ts';
import { batchStandard } from './batch-standard.ts';
import { type Convolution, patchProduct } from './patch-product.ts';
import { threeAxes, twoAxes } from './rows.ts';
import { type Windows, windowsOver } from './windows.ts';

/**
 * Measured at two threads, batch 32 and 64, channels from 16 at 24 x 24 to 512 at 2 x 2: forward and both gradients together take 0.3 to 0.5 of the time of
 * convolutions of pictures. Fewer channels make the gathering of single rows the larger part; the patches of large maps would not fit into memory.
 * `patches` (numbers per sample) is the most one convolution may gather, `together` all of them: they are kept from the way there to the way back, and at
 * 2 ** 22 take 1 GB at a batch of 64.
 */
export const overRowsDefaults = {
  channels: 8,
  patches: 2 ** 19,
  together: 2 ** 22,
  positions: Number.POSITIVE_INFINITY,
  hold: [] as readonly string[],
};

export interface OverRows {
  readonly graph: Graph;
  /** Weights whose input now has another order of axes: [...kernel, in, out], the rows of a matrix. */
  readonly held: ReadonlyMap<string, readonly number[]>;
}

const elementwise = new Set(
  'Relu LeakyRelu Elu Selu Gelu Sigmoid Tanh HardSigmoid HardSwish Softplus Softsign Mish Clip Neg Exp Sqrt Abs Identity Add Sub Mul Div Sum'.split(
    ' ',
  ),
);

/** A map: how many there are (undefined: as many as the batch), channels, and its sizes. */
interface Picture {
  readonly count: number | undefined;
  readonly channels: number;
  readonly map: readonly number[];
}

/** The graph with its trainable convolutions, and what stands between them, over rows. Values that are outputs keep their names and shapes. */
export function overRows(graph: Graph, dimsOf: DimsOf, options: Partial<typeof overRowsDefaults> = {}): OverRows {
  const limits = { ...overRowsDefaults, ...options };
  const picture = (name: string): Picture | undefined => pictureOf(dimsOf(name));
  const plans = plansOf(graph, (node) => convolutionOf(node, dimsOf, picture), limits);
  const planOf = (node: Node): Convolution | undefined => plans.get(node);
  const held = heldWeights(graph, limits.hold, planOf);
  const inputs = graph.inputs.map((v) =>
    held.has(v.name) ? { ...v, dims: permuted(v.dims as number[], held.get(v.name)!) } : v,
  );
  const g = graphBuilder({ from: { ...graph, inputs, nodes: [], outputs: [] }, taken: namesOf(graph) });
  /** Rows of values, [batch * positions, channels]. */
  const rows = new Map<string, string>();
  /** Values that exist as rows only, so far. */
  const pending = new Set<string>();
  const asPicture = (name: string): void => {
    if (!pending.delete(name)) return;
    const { channels, map } = picture(name)!;
    const turned = g.op('Transpose', [threeAxes(g, rows.get(name)!, sizeOf(map), channels)], { perm: [0, 2, 1] });
    g.op('Reshape', [turned, g.ints([-1, channels, ...map])], {}, name);
  };
  const asRows = (name: string): string => {
    const known = rows.get(name);
    if (known !== undefined) return known;
    const { channels, map } = picture(name)!;
    const flat = g.op('Reshape', [name, g.ints([-1, channels, sizeOf(map)])]);
    const made = twoAxes(g, g.op('Transpose', [flat], { perm: [0, 2, 1] }), channels);
    rows.set(name, made);
    return made;
  };
  const give = (name: string): string => {
    const made = g.fresh(`${name}_rows`);
    rows.set(name, made);
    pending.add(name);
    return made;
  };
  for (const node of graph.nodes) {
    const plan = planOf(node);
    if (plan !== undefined) {
      const { map, channels } = plan;
      const given = threeAxes(g, asRows(node.inputs[0]!), sizeOf(map), channels[0]);
      const [weights, bias] = node.inputs.slice(1) as [string, string?];
      const ordered = held.has(weights)
        ? weights
        : g.op('Transpose', [weights], { perm: matrixOrder(plan.windows.kernel.length) });
      patchProduct(g, given, bias === undefined ? [ordered] : [ordered, bias], plan, give(node.outputs[0]!));
      continue;
    }
    if (isStatistics(node)) {
      const [x, scale, shift] = node.inputs as [string, string, string];
      const over = rows.has(x);
      const [y, mean = g.fresh('mean'), variance = g.fresh('variance')] = node.outputs as [string, string?, string?];
      const outputs = [over ? give(y) : y, mean, variance] as const;
      if (!over) asPicture(x);
      const size = picture(x);
      batchStandard(g, [over ? rows.get(x)! : x, scale, shift], outputs, {
        rank: over ? 2 : dimsOf(x)!.length,
        eps: floatOf(node, 'epsilon', 1e-5),
        ...(over && size !== undefined ? { map: [sizeOf(size.map), size.channels] as const } : {}),
      });
      continue;
    }
    const from = node.inputs[0] ?? '';
    if (isGlobalMean(graph, node, picture(from)) && rows.has(from)) {
      const { channels, map } = picture(from)!;
      g.op('ReduceMean', [threeAxes(g, rows.get(from)!, sizeOf(map), channels), g.ints([1])], { keepdims: 0 }, node.outputs[0]!);
      continue;
    }
    const shared = sharedPicture(graph, node, picture);
    if (shared?.some((name) => rows.has(name))) {
      const inputs = node.inputs.map((name) => (shared.includes(name) ? asRows(name) : name));
      const output = give(node.outputs[0]!);
      g.add({ ...node, name: output, inputs, outputs: [output] });
      continue;
    }
    for (const name of readsOf(node)) asPicture(name);
    g.add(node);
  }
  if (rows.size === 0 && graph.nodes.every((n) => !isStatistics(n))) return { graph, held };
  for (const { name } of graph.outputs) asPicture(name);
  return { graph: { ...g.build(), outputs: graph.outputs }, held };
}

/** [out, in, ...kernel] as [...kernel, in, out]: the patches' order of taps and channels, so that a reshape makes the matrix of the product. */
const matrixOrder = (axes: number): number[] => [...Array.from({ length: axes }, (_, i) => i + 2), 1, 0];

/** Inputs of `hold` that nothing but convolutions over rows reads, as their weights. */
function heldWeights(
  graph: Graph,
  hold: readonly string[],
  planOf: (node: Node) => Convolution | undefined,
): Map<string, readonly number[]> {
  const consumers = consumersOf(graph);
  const isWeight =
    (name: string) =>
    (node: Node): boolean =>
      node.inputs[1] === name && node.inputs[0] !== name && node.inputs[2] !== name && planOf(node) !== undefined;
  const free = hold.filter((name) => {
    const readers = consumers.get(name) ?? [];
    return readers.length > 0 && readers.every(isWeight(name)) && graph.outputs.every((v) => v.name !== name);
  });
  return new Map(free.map((name) => [name, matrixOrder(graph.inputs.find((v) => v.name === name)!.dims!.length - 2)]));
}

function pictureOf(dims: ReturnType<DimsOf>): Picture | undefined {
  if (dims === undefined || dims.length < 3) return undefined;
  const [first, channels, ...map] = dims;
  if (typeof channels !== 'number' || !map.every((d) => typeof d === 'number')) return undefined;
  return { count: typeof first === 'number' ? first : undefined, channels, map: map as number[] };
}

/** The trainable convolutions that go over rows; where their patches are too many together, those with the fewest. */
function plansOf(
  graph: Graph,
  convolutionOf: (node: Node) => Convolution | undefined,
  limits: typeof overRowsDefaults,
): ReadonlyMap<Node, Convolution> {
  const plans = graph.nodes.flatMap((node): [Node, Convolution][] => {
    const plan = graph.initializers.has(node.inputs[1] ?? '') ? undefined : convolutionOf(node);
    return plan !== undefined && worthwhile(plan, limits) ? [[node, plan]] : [];
  });
  let left = limits.together;
  const fitting = plans
    .sort(([, a], [, b]) => patchesOf(a) - patchesOf(b))
    .filter(([, plan]) => {
      left -= patchesOf(plan);
      return left >= 0;
    });
  return new Map(fitting);
}

const worthwhile = (plan: Convolution, limits: typeof overRowsDefaults): boolean =>
  Math.min(...plan.channels) >= limits.channels && sizeOf(plan.map) <= limits.positions && patchesOf(plan) <= limits.patches;

/** Numbers per sample in the patches of a convolution. */
const patchesOf = ({ windows, map, channels }: Convolution): number =>
  sizeOf(windowsOver(windows, map)) * sizeOf(windows.kernel) * channels[0];

function convolutionOf(node: Node, dimsOf: DimsOf, picture: (name: string) => Picture | undefined): Convolution | undefined {
  if (node.domain !== '' || node.op !== 'Conv' || intOf(node, 'group', 1) !== 1) return undefined;
  if (stringOf(node, 'auto_pad', 'NOTSET') !== 'NOTSET') return undefined;
  const from = picture(node.inputs[0]!);
  const weights = dimsOf(node.inputs[1]!);
  if (from === undefined || weights === undefined || !weights.every((d) => typeof d === 'number')) return undefined;
  const kernel = weights.slice(2) as number[];
  const { strides, dilations, padsBegin, padsEnd } = windowsOf(node, kernel);
  const windows: Windows = { kernel, strides, dilations, before: padsBegin, after: padsEnd };
  return { windows, map: from.map, channels: [from.channels, weights[0] as number] };
}

/** A batch normalisation in training that returns the statistics of the batch itself. */
const isStatistics = (node: Node): boolean =>
  node.domain === '' &&
  node.op === 'BatchNormalization' &&
  intOf(node, 'training_mode', 0) === 1 &&
  (node.outputs.length === 1 || floatOf(node, 'momentum', 0.9) === 0);

/** A mean over all positions of a map. */
function isGlobalMean(graph: Graph, node: Node, from: Picture | undefined): boolean {
  if (node.domain !== '' || node.op !== 'ReduceMean' || from === undefined || intOf(node, 'keepdims', 1) !== 0) return false;
  const axes = graph.initializers.get(node.inputs[1] ?? '');
  const rank = from.map.length + 2;
  const given = axes === undefined ? [] : numbersOf(axes).map((axis) => (axis < 0 ? axis + rank : axis));
  return given.sort((a, b) => a - b).join() === from.map.map((_, i) => i + 2).join();
}

/**
 * The operands of an elementwise node that are maps of one size, as many of each; undefined where others than single numbers are among them. A number of
 * more axes than rows have would give the result more.
 */
function sharedPicture(graph: Graph, node: Node, picture: (name: string) => Picture | undefined): string[] | undefined {
  if (node.domain !== '' || !elementwise.has(node.op)) return undefined;
  const isNumber = (name: string): boolean => {
    const constant = graph.initializers.get(name);
    return constant?.data.length === 1 && constant.dims.length <= 2;
  };
  const maps = node.inputs.filter((name) => name !== '' && !isNumber(name));
  const [first, ...others] = maps.map(picture);
  const key = ({ count, channels, map }: Picture): string => [count, channels, ...map].join();
  return first !== undefined && others.every((size) => size !== undefined && key(size) === key(first)) ? maps : undefined;
}
