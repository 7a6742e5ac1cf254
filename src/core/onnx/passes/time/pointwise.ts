/** @file Nodes that do the same at every time step: the node itself, over some of the steps. */
import { intOf, intsOf, type Node } from '../../graph.ts';
import { type Axes, plainAxes } from './axes.ts';
import type { Rule } from './rule.ts';
import { fromStart, type Scene, spreadOf, type Timed } from './timed.ts';

const elementwiseOps =
  'Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift Cast Ceil Celu Clip Cos Cosh Div Dropout Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or Pow PRelu Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Tan Tanh ThresholdedRelu Where Xor'.split(
    ' ',
  );

const reductions =
  'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare'.split(' ');

/** The positions of the outputs: those of the inputs, with the time at axis `at` of what the table says of their sizes. */
function outputsAt(node: Node, scene: Scene, at: number): readonly Timed[] | undefined {
  const spread = node.inputs.flatMap((name) => spreadOf(scene.timed(name)) ?? []);
  const [{ axes, axis, count }] = spread as [(typeof spread)[0]];
  const made = node.outputs.map((name): Timed | undefined => {
    if (name === '') return { last: [-1] };
    const placed = withTime(scene, name, at, axes[axis]!);
    return placed === undefined ? undefined : { last: latest(node, scene, count), axes: placed };
  });
  return made.every((t) => t !== undefined) ? made : undefined;
}

/** A value's axes where one of them is known to hold the time. */
function withTime(scene: Scene, name: string, at: number, factors: Axes[number]): Axes | undefined {
  const dims = scene.dims(name);
  if (dims === undefined) return undefined;
  // the table says of a batch folded with the time only that its size is not fixed
  const others = scene.axes(name) ?? plainAxes({ dims: dims.map((d, k) => (k === at ? 1 : d)) });
  return others?.map((axis, k) => (k === at ? factors : axis));
}

/** Per position the latest of what is read there. */
function latest(node: Node, scene: Scene, count: number): number[] {
  const read = node.inputs.flatMap((name) => scene.timed(name) ?? []);
  return Array.from({ length: count }, (_, p) => Math.max(...read.map(({ last }) => (last.length === 1 ? last[0]! : last[p]!))));
}

/** The node over the same positions of every input that has them. */
const copied: Rule['write'] = (node, output, range, w) =>
  w.copy(node, range, () =>
    node.inputs.map((name) => (spreadOf(w.scene.timed(name)) === undefined ? w.whole(name) : w.window(name, range))),
  )[output]!;

/** Axis of the output that axis `axis` of an input is, where sizes are aligned at their ends. */
const aligned = (scene: Scene, node: Node, name: string, axis: number): number | undefined => {
  const [outer, inner] = [scene.dims(node.outputs[0]!), scene.dims(name)];
  return outer === undefined || inner === undefined ? undefined : axis + outer.length - inner.length;
};

/** The axis of an operand that the time axis of the output is; undefined where it has size 1 there or does not reach so far. */
function operandAxis(scene: Scene, node: Node, name: string, at: number): number | undefined {
  const [outer, inner] = [scene.dims(node.outputs[0]!)!, scene.dims(name)];
  if (inner === undefined) return undefined;
  const axis = at - (outer.length - inner.length);
  return axis < 0 || inner[axis] === 1 ? undefined : axis;
}

const timeOfOutput = (node: Node, scene: Scene): number | undefined => {
  const places = node.inputs.flatMap((name) => {
    const spread = spreadOf(scene.timed(name));
    return spread === undefined ? [] : [aligned(scene, node, name, spread.axis)];
  });
  return new Set(places).size === 1 ? places[0] : undefined;
};

const elementwise: Rule = {
  outputs(node, scene) {
    const at = timeOfOutput(node, scene);
    if (at === undefined) return undefined;
    const kinds = new Set<string>();
    for (const name of node.inputs) {
      if (name === '') continue;
      const spread = spreadOf(scene.timed(name));
      if (spread !== undefined) kinds.add(`${spread.count}:${spread.axes[spread.axis]!.join()}`);
    }
    if (kinds.size !== 1) return undefined;
    const count = Number([...kinds][0]!.split(':')[0]);
    const pure = [...kinds][0]!.split(':')[1] === 'time';
    for (const name of node.inputs) {
      if (name === '' || spreadOf(scene.timed(name)) !== undefined) continue;
      if (scene.dims(name) === undefined) return undefined;
      const axis = operandAxis(scene, node, name, at);
      // a value of its own for every position: only where it does not depend on the input, and can be cut
      if (axis !== undefined && !(pure && scene.timed(name) === undefined && scene.dims(name)![axis] === count)) return undefined;
    }
    return outputsAt(node, scene, at);
  },
  write: (node, output, range, w) =>
    w.copy(node, range, () => {
      const at = timeOfOutput(node, w.scene)!;
      return node.inputs.map((name) => {
        if (name === '') return '';
        if (spreadOf(w.scene.timed(name)) !== undefined) return w.window(name, range);
        const axis = w.scene.timed(name) === undefined ? operandAxis(w.scene, node, name, at) : undefined;
        return axis === undefined ? w.whole(name) : w.cut(name, axis, range);
      });
    })[output]!,
};

/** A rule that holds where only the first input has positions, and `place` finds the axis of the output that holds them. */
const overFirst = (place: (node: Node, scene: Scene, axis: number) => number | undefined): Rule => ({
  outputs(node, scene) {
    const [first, ...others] = node.inputs;
    const spread = spreadOf(scene.timed(first!));
    if (spread === undefined || others.some((name) => name !== '' && scene.timed(name) !== undefined)) return undefined;
    const at = place(node, scene, spread.axis);
    return at === undefined ? undefined : outputsAt(node, scene, at);
  },
  write: copied,
});

/** Pictures, one after the other along axis 0. */
const perPicture = overFirst((_, __, axis) => (axis === 0 ? 0 : undefined));

/** Every channel of every picture for itself. */
const perChannel = overFirst((node, _, axis) =>
  axis < 2 && node.outputs.filter((o) => o !== '').length === 1 ? axis : undefined,
);

const rankOf = (scene: Scene, name: string): number => scene.dims(name)?.length ?? 0;

const matmul = overFirst((node, scene, axis) => {
  const [left, right] = node.inputs as [string, string];
  const plain =
    scene
      .dims(right)
      ?.slice(0, -2)
      .every((d) => d === 1) === true && rankOf(scene, right) <= rankOf(scene, left);
  return plain && rankOf(scene, right) >= 2 && axis < rankOf(scene, left) - 1 ? axis : undefined;
});

const gemm = overFirst((node, scene, axis) => {
  const bias = node.inputs[2] ?? '';
  const plain = bias === '' || rankOf(scene, bias) < 2 || scene.dims(bias)?.[0] === 1;
  return plain && axis === 0 && intOf(node, 'transA', 0) === 0 ? 0 : undefined;
});

/** Along an axis that is not the time. */
const along = (otherwise: number) =>
  overFirst((node, scene, axis) =>
    fromStart(intOf(node, 'axis', otherwise), rankOf(scene, node.inputs[0]!)) === axis ? undefined : axis,
  );

const layerNorm = overFirst((node, scene, axis) =>
  axis < fromStart(intOf(node, 'axis', -1), rankOf(scene, node.inputs[0]!)) ? axis : undefined,
);

const reduction = overFirst((node, scene, axis) => {
  const axes = scene.whole(node.inputs[1])?.map((a) => fromStart(a, rankOf(scene, node.inputs[0]!)));
  if (axes === undefined || axes.length === 0 || axes.includes(axis)) return undefined;
  return intOf(node, 'keepdims', 1) === 1 ? axis : axis - axes.filter((a) => a < axis).length;
});

const transpose = overFirst((node, scene, axis) => {
  const rank = rankOf(scene, node.inputs[0]!);
  const perm = intsOf(node, 'perm') ?? Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return perm.indexOf(axis);
});

const pad = overFirst((node, scene, axis) => {
  const rank = rankOf(scene, node.inputs[0]!);
  const [pads, stated] = [scene.whole(node.inputs[1]), node.inputs[3] ?? ''];
  const axes = stated === '' ? Array.from({ length: rank }, (_, i) => i) : scene.whole(stated)?.map((a) => fromStart(a, rank));
  const k = axes?.indexOf(axis);
  if (pads === undefined || axes === undefined || k === undefined) return undefined;
  return k < 0 || (pads[k] === 0 && pads[k + axes.length] === 0) ? axis : undefined;
});

const each = (ops: readonly string[], rule: Rule): Record<string, Rule> => Object.fromEntries(ops.map((op) => [op, rule]));

export const pointwise: Readonly<Record<string, Rule>> = {
  ...each(elementwiseOps, elementwise),
  ...each(['Conv', 'ConvTranspose', 'BatchNormalization', 'InstanceNormalization', 'GroupNormalization', 'LRN'], perPicture),
  ...each(['AveragePool', 'MaxPool', 'LpPool', 'GlobalAveragePool', 'GlobalMaxPool', 'GlobalLpPool'], perChannel),
  ...each(['DepthToSpace', 'SpaceToDepth'], perPicture),
  ...each(['Softmax', 'LogSoftmax', 'Hardmax'], along(-1)),
  ...each(reductions, reduction),
  LayerNormalization: layerNorm,
  MatMul: matmul,
  Gemm: gemm,
  Transpose: transpose,
  Pad: pad,
};
