/** @file Normalisations: most are x standardised over some axes, then scaled and shifted. */
import { float } from '../../onnx/builder.ts';
import { floatOf, intOf, intsOf, type Node } from '../../onnx/graph.ts';
import type { KnownDim } from '../../onnx/passes/shapes.ts';
import { sizeOf } from '../../tensor/tensor.ts';
import { type Algebra, algebra, formula } from '../algebra.ts';
import type { Family, Rule, Scene } from '../rule.ts';
import { countOf } from './reductions.ts';
import { responseNormalization } from './response-normalisation.ts';

type Op =
  | 'BatchNormalization'
  | 'InstanceNormalization'
  | 'GroupNormalization'
  | 'LayerNormalization'
  | 'RMSNormalization'
  | 'MeanVarianceNormalization'
  | 'LpNormalization'
  | 'LRN';

type Cotangents = readonly (string | undefined)[];

const axesFrom = (first: number, rank: number): number[] => Array.from({ length: rank - first }, (_, i) => first + i);
const epsilonOf = (node: Node): number => floatOf(node, 'epsilon', 1e-5);

/** x standardised: h = (x - mean) r, r = 1 / sqrt(variance + eps). */
interface Standardised {
  readonly h: string;
  readonly r: string;
}

/** Over any axes, step by step. */
function standardise(m: Algebra, x: string, axes: readonly number[], eps: number): Standardised {
  const centred = m.sub(x, m.mean(x, axes));
  const r = m.div(1, m.sqrt(m.add(m.mean(m.square(centred), axes), eps)));
  return { h: m.mul(centred, r), r };
}

/** Over the last axes: by the runtime's fused kernel where their sizes are known and its r, which is float32 always, loses nothing. */
function standardiseLast(
  m: Algebra,
  x: string,
  first: number,
  dims: readonly KnownDim[],
  eps: number,
  scene: Scene,
): Standardised {
  const sizes = dims.slice(first);
  if (m.dtype !== 'float32' || !sizes.every((s) => s !== null)) return standardise(m, x, axesFrom(first, dims.length), eps);
  const { g } = scene;
  const ones = g.op('Expand', [m.number(1), g.ints(sizes)]);
  const [h, r] = [g.fresh('standard'), g.fresh('inverse_deviation')];
  g.ops('LayerNormalization', [x, ones], [h, '', r], { axis: first, epsilon: float(eps) });
  return { h, r };
}

/** Cotangent of x from that of h: dx = r (dh - mean dh - h mean(dh h)). */
const throughStandardised = (m: Algebra, dh: string, { h, r }: Standardised, axes: readonly number[]): string =>
  m.mul(r, m.sub(m.sub(dh, m.mean(dh, axes)), m.mul(h, m.mean(m.mul(dh, h), axes))));

/** y = h s + b, h standardised within each group of channels; s and b are one per channel or (opset 18) one per group. */
function grouped([dy]: Cotangents, node: Node, scene: Scene, groups: number): Cotangents {
  if (dy === undefined) return [];
  const [x, scale] = [node.inputs[0]!, node.inputs[1]!];
  const { g, active } = scene;
  const dims = scene.dims(x);
  const m = algebra(scene, x);
  const width = dims[1]! / groups;
  const perChannel = scene.dims(scale)[0] === dims[1];
  const rest = dims.slice(2).every((d) => d !== null) ? width * sizeOf(dims.slice(2) as number[]) : null;
  const rows = (value: string) => g.op('Reshape', [value, g.ints([0, groups, -1])]);
  const channels = (value: string) => g.op('Reshape', [value, g.ints([0, groups, width, -1])]);
  const parameter = (value: string) => g.op('Reshape', [value, g.ints(perChannel ? [groups, width, 1] : [groups, 1, 1])]);
  const total = (value: string) =>
    g.op('Reshape', [g.op('ReduceSum', [value, g.ints(perChannel ? [0, 3] : [0, 2, 3])]), g.ints([-1])]);
  const standard = standardiseLast(m, rows(x), 2, [dims[0]!, groups, rest], epsilonOf(node), scene);
  const dv = channels(dy);
  const dx = () => scene.reshapeLike(throughStandardised(m, rows(m.mul(dv, parameter(scale))), standard, [2]), x);
  return [
    active(0) ? dx() : undefined,
    active(1) ? total(m.mul(dv, channels(standard.h))) : undefined,
    active(2) ? total(dv) : undefined,
  ];
}

/**
 * Inference: y = (x - mean) k s + b with k = 1 / sqrt(var + eps), per channel (axis 1):
 * dx = dy k s, ds = sum dy (x - mean) k, db = sum dy, dmean = -k s sum dy, dvar = -k^3 s / 2 sum dy (x - mean).
 */
const batchNormalization: Rule = (cotangents, node, scene) => {
  if (intOf(node, 'training_mode', 0) === 1) return batchStatistics(cotangents, node, scene);
  const [dy] = cotangents;
  if (dy === undefined) return [];
  const [x, scale, , mean, variance] = node.inputs as [string, string, string, string, string];
  const { active } = scene;
  const m = algebra(scene, x);
  const { along, total } = channelwise(x, scene);
  const k = m.div(1, m.sqrt(m.add(variance, epsilonOf(node))));
  const gain = m.mul(k, scale);
  const weighted = () => total(m.mul(dy, m.sub(x, along(mean))));
  return [
    active(0) ? m.mul(dy, along(gain)) : undefined,
    active(1) ? m.mul(k, weighted()) : undefined,
    active(2) ? total(dy) : undefined,
    active(3) ? m.neg(m.mul(gain, total(dy))) : undefined,
    active(4) ? m.mul(m.mul(-0.5, m.mul(gain, m.square(k))), weighted()) : undefined,
  ];
};

/** Values per channel (axis 1) against x: `along` makes one broadcast, `total` sums a value of x's shape into one per channel. */
function channelwise(x: string, { g, dims }: Scene) {
  const rank = dims(x).length;
  const others = [0, ...axesFrom(2, rank)];
  const along = (value: string): string =>
    rank === 2 ? value : g.op('Reshape', [value, g.ints([-1, ...axesFrom(2, rank).map(() => 1)])]);
  const total = (value: string): string => g.op('ReduceSum', [value, g.ints(others)], { keepdims: 0 });
  return { others, along, total };
}

/**
 * BatchNormalization in training: x is standardised over all axes but the channels', by its own mean and variance, y = h s + b; the other outputs are
 * p mean' + (1 - p) mean and p var' + (1 - p) var with the momentum p, where mean' and var' are given.
 */
function batchStatistics([dy, dmean, dvar]: Cotangents, node: Node, scene: Scene): Cotangents {
  const [x, scale] = [node.inputs[0]!, node.inputs[1]!];
  const { active } = scene;
  const m = algebra(scene, x);
  const { others, along, total } = channelwise(x, scene);
  const momentum = floatOf(node, 'momentum', 0.9);
  const standard = standardise(m, x, others, epsilonOf(node));
  const shares: string[] = [];
  if (dy !== undefined) shares.push(throughStandardised(m, m.mul(dy, along(scale)), standard, others));
  const each = (d: string, output: number): string =>
    along(m.div(m.mul(1 - momentum, d), countOf(x, node.outputs[output]!, scene)));
  if (dmean !== undefined) shares.push(scene.g.op('Expand', [each(dmean, 1), scene.shape(x)]));
  if (dvar !== undefined) shares.push(m.mul(each(dvar, 2), m.mul(2, m.sub(x, m.mean(x, others)))));
  return [
    active(0) && shares.length > 0 ? shares.reduce((a, b) => m.add(a, b)) : undefined,
    dy !== undefined && active(1) ? total(m.mul(dy, standard.h)) : undefined,
    dy !== undefined && active(2) ? total(dy) : undefined,
    dmean !== undefined && active(3) ? m.mul(momentum, dmean) : undefined,
    dvar !== undefined && active(4) ? m.mul(momentum, dvar) : undefined,
  ];
}

/** y = h s + b; the optional outputs are mean (its dx: dmean / n) and r (its dx: -dr r^2 h / n). */
const layerNormalization: Rule = ([dy, dmean, dr], node, scene) => {
  const [x, scale] = [node.inputs[0]!, node.inputs[1]!];
  const m = algebra(scene, x);
  const dims = scene.dims(x);
  const axis = intOf(node, 'axis', -1);
  const first = axis < 0 ? axis + dims.length : axis;
  const axes = axesFrom(first, dims.length);
  const standard = standardiseLast(m, x, first, dims, epsilonOf(node), scene);
  const shares: string[] = [];
  if (scene.active(0)) {
    if (dy !== undefined) shares.push(throughStandardised(m, m.mul(dy, scale), standard, axes));
    // the statistics are float32 whatever x is
    const each = (d: string, output: number) => m.div(scene.g.op('CastLike', [d, x]), countOf(x, node.outputs[output]!, scene));
    if (dmean !== undefined) shares.push(scene.g.op('Expand', [each(dmean, 1), scene.shape(x)]));
    if (dr !== undefined) shares.push(m.neg(m.mul(m.mul(m.square(standard.r), standard.h), each(dr, 2))));
  }
  return [
    shares.length === 0 ? undefined : shares.reduce((a, b) => m.add(a, b)),
    dy !== undefined && scene.active(1) ? m.mul(dy, standard.h) : undefined,
    dy,
  ];
};

/** y = h s, h = x r, r = 1 / sqrt(mean x^2 + eps): dx = r (dh - h mean(dh h)) with dh = dy s, ds = dy h. */
const rmsNormalization: Rule = ([dy], node, scene) => {
  if (dy === undefined) return [];
  const [x, scale] = [node.inputs[0]!, node.inputs[1]!];
  const m = algebra(scene, x);
  const rank = scene.dims(x).length;
  const axis = intOf(node, 'axis', -1);
  const axes = axesFrom(axis < 0 ? axis + rank : axis, rank);
  const r = m.div(1, m.sqrt(m.add(m.mean(m.square(x), axes), epsilonOf(node))));
  const h = m.mul(x, r);
  const dh = m.mul(dy, scale);
  return [
    scene.active(0) ? m.mul(r, m.sub(dh, m.mul(h, m.mean(m.mul(dh, h), axes)))) : undefined,
    scene.active(1) ? m.mul(dy, h) : undefined,
  ];
};

export const normalisation: Family<Op> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: (dy, node, scene) => grouped(dy, node, scene, scene.dims(node.inputs[0]!)[1]!),
  GroupNormalization: (dy, node, scene) => grouped(dy, node, scene, intOf(node, 'num_groups', 1)),
  LayerNormalization: { broadcasting: layerNormalization },
  RMSNormalization: { broadcasting: rmsNormalization },
  // y = (x - mean) / (d + 1e-9), d the standard deviation: dx = (dy - mean dy) / (d + 1e-9) - y mean(dy y) / d
  MeanVarianceNormalization: formula((m, dy, x, y, node) => {
    const axes = intsOf(node, 'axes', [0, 2, 3]);
    const deviation = m.sqrt(m.mean(m.square(m.sub(x, m.mean(x, axes))), axes));
    const direct = m.div(m.sub(dy, m.mean(dy, axes)), m.add(deviation, 1e-9));
    return m.sub(direct, m.mul(y, m.over(m.mean(m.mul(dy, y), axes), deviation)));
  }),
  // y = x / n, n = (sum |x|^p)^(1/p): dx = (dy - sign(x) |y|^(p-1) sum dy y) / n for p = 1, 2; 0 where n is 0
  LpNormalization: formula((m, dy, x, y, node) => {
    const axis = [intOf(node, 'axis', -1)];
    const first = intOf(node, 'p', 2) === 1;
    const size = first ? m.sum(m.abs(x), axis) : m.sqrt(m.sum(m.square(x), axis));
    const along = m.mul(first ? m.sign(x) : y, m.sum(m.mul(dy, y), axis));
    return m.over(m.sub(dy, along), size);
  }),
  LRN: responseNormalization,
};
