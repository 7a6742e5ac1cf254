/** @file Nodes that give the same elements other sizes: written as a Reshape to the sizes of so many positions. */
import type { Node } from '../../graph.ts';
import { type Axes, regroup, sizeOfAxis } from './axes.ts';
import type { Rule } from './rule.ts';
import { type Scene, spreadOf, type Timed } from './timed.ts';

const reshaped: Rule = {
  outputs(node, scene) {
    const from = spreadOf(scene.timed(node.inputs[0]!));
    const dims = scene.dims(node.outputs[0]!);
    if (from === undefined || dims === undefined || !plainTarget(node, scene)) return undefined;
    const axes = regroup(from.axes, from.count, dims);
    return axes === undefined ? undefined : [{ last: scene.timed(node.inputs[0]!)!.last, axes }];
  },
  write(node, output, [from, to], w) {
    const axes = w.scene.timed(node.outputs[0]!)!.axes!;
    return w.copy({ ...node, op: 'Reshape', attributes: new Map() }, [from, to], () => [
      w.window(node.inputs[0]!, [from, to]),
      w.g.ints(targetOf(axes, to - from)),
    ])[output]!;
  },
};

/** A target that is itself made of what the model sees says nothing before it is run. */
const plainTarget = (node: Node, scene: Scene): boolean =>
  node.inputs.slice(1).every((name) => name === '' || scene.timed(name) === undefined);

const targetOf = (axes: Axes, positions: number): number[] => axes.map((axis) => sizeOfAxis(axis, positions) ?? -1);

/** Repeats along other axes than the time's. */
const expand: Rule = {
  outputs(node, scene) {
    const [name, target] = node.inputs as [string, string];
    const from = spreadOf(scene.timed(name));
    const [inner, outer] = [scene.dims(name), scene.axes(node.outputs[0]!)];
    if (from === undefined || inner === undefined || outer === undefined || scene.timed(target) !== undefined) return undefined;
    const at = from.axis + outer.length - inner.length;
    const last = scene.timed(name)!.last;
    return [{ last, axes: outer.map((axis, k) => (k === at ? from.axes[from.axis]! : axis)) } satisfies Timed];
  },
  write(node, output, range, w) {
    // an axis that is left as it is, as time and batch are, is asked for as 1
    const target = w.scene
      .timed(node.outputs[0]!)!
      .axes!.map((axis) => (axis.includes('time') || axis.includes('batch') ? 1 : sizeOfAxis(axis, 1)!));
    return w.copy(node, range, () => [w.window(node.inputs[0]!, range), w.g.ints(target)])[output]!;
  },
};

export const reshaping: Readonly<Record<string, Rule>> = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Expand: expand,
};
