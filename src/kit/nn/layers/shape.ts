/** @file Layers that move values and change none. */
import { sizeOf } from '../../../core/tensor/tensor.ts';
import type { Layer, Net } from '../net.ts';

/** x [N, ...] to [N, elements of a sample]. */
export const flatten: Layer = ({ g }, x) => ({ name: g.op('Flatten', [x.name], { axis: 1 }), shape: [sizeOf(x.shape)] });

/** x [N, ...] to [N, ...sizes], the elements in their order; throws when they do not fill the sizes. */
export const reshape =
  (sizes: readonly number[]): Layer =>
  ({ g }, x) => {
    if (sizeOf(sizes) !== sizeOf(x.shape)) throw new Error(`[${x.shape}] does not have the elements of [${sizes}]`);
    return { name: g.op('Reshape', [x.name, g.ints([-1, ...sizes])]), shape: sizes };
  };

/** The axes of a sample in another order: axis i of the result is axis `order[i]` of x, both counted from 0 without the batch. */
export const permute =
  (order: readonly number[]): Layer =>
  ({ g }, x) => {
    if (order.every((axis, i) => axis === i)) return x;
    return {
      name: g.op('Transpose', [x.name], { perm: [0, ...order.map((axis) => axis + 1)] }),
      shape: order.map((axis) => x.shape[axis]!),
    };
  };

/**
 * A layer applied to every moment of x [N, T, ...] alone: moments are samples of one batch [N T, ...] to it, and batch statistics are taken over all.
 * The result is [N, T, ...].
 */
export const overTime =
  (layer: Layer): Layer =>
  (net, x) => {
    const [moments, ...one] = x.shape as [number, ...number[]];
    const { g } = net;
    const y = layer(inMoments(net, moments), { name: g.op('Reshape', [x.name, g.ints([-1, ...one])]), shape: one });
    const shape = [moments, ...y.shape];
    return { name: g.op('Reshape', [y.name, g.ints([-1, ...shape])]), shape };
  };

/** Random numbers are drawn per sample: those of its moments side by side. */
const inMoments = (net: Net, moments: number): Net => ({
  ...net,
  within: (name) => inMoments(net.within(name), moments),
  noise: (shape, kind) => net.g.op('Reshape', [net.noise([moments, ...shape], kind), net.g.ints([-1, ...shape])]),
});
