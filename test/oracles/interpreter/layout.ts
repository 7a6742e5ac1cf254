import { intOf, intsOf, stringOf } from '../../../src/core/onnx/graph.ts';
import { sizeOf } from '../../../src/core/tensor/tensor.ts';
import {
  axisOf,
  broadcastAt,
  broadcastDims,
  type F64,
  f64,
  filledBy,
  fromTensor,
  type Kernel,
  type Kernels,
  offsetOf,
} from './types.ts';

const list = (t: F64 | undefined): number[] => Array.from(t?.data ?? []);

/** The element at an index. */
const at = (t: F64, index: readonly number[]): number => t.data[offsetOf(t.dims, index)]!;

/** Elements along one axis, each at the place where `from` says: (part, position inside it). */
function permuted(t: F64, perm: readonly number[]): F64 {
  return filledBy(
    perm.map((axis) => t.dims[axis]!),
    (index) =>
      at(
        t,
        perm.map((_, axis) => index[perm.indexOf(axis)]!),
      ),
  );
}

function part(t: F64, axis: number, start: number, size: number): F64 {
  const dims = t.dims.map((d, i) => (i === axis ? size : d));
  return filledBy(dims, (index) =>
    at(
      t,
      index.map((v, i) => (i === axis ? v + start : v)),
    ),
  );
}

const sameOrder =
  (shape: (t: F64, given: F64 | undefined, node: Parameters<Kernel>[1]) => number[]): Kernel =>
  ([x, given], node) => [f64(shape(x!, given, node), x!.data)];

export const layout: Kernels = {
  Reshape: sameOrder((x, shape, node) => {
    const wanted = list(shape).map((d, i) => (d === 0 && intOf(node, 'allowzero', 0) === 0 ? x.dims[i]! : d));
    const rest = wanted.filter((d) => d !== -1).reduce((a, b) => a * b, 1);
    return wanted.map((d) => (d === -1 ? x.data.length / rest : d));
  }),
  Flatten: sameOrder((x, _, node) => {
    const axis = axisOf(intOf(node, 'axis', 1), x.dims.length);
    return [sizeOf(x.dims.slice(0, axis)), sizeOf(x.dims.slice(axis))];
  }),
  Squeeze: sameOrder((x, axes) => {
    const dropped = axes ? list(axes).map((a) => axisOf(a, x.dims.length)) : x.dims.flatMap((d, i) => (d === 1 ? [i] : []));
    return x.dims.filter((_, i) => !dropped.includes(i));
  }),
  Unsqueeze: sameOrder((x, axes) => {
    const rank = x.dims.length + axes!.data.length;
    const added = list(axes).map((a) => axisOf(a, rank));
    const rest = [...x.dims];
    return Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : rest.shift()!));
  }),
  Dropout: ([x]) => [
    x!,
    f64(
      x!.dims,
      x!.data.map(() => 1),
    ),
  ],
  Cast: ([x], node) => {
    const to = intOf(node, 'to', 1);
    if (to === 1) return [f64(x!.dims, x!.data)];
    if (to === 9)
      return [
        f64(
          x!.dims,
          x!.data.map((v) => Number(v !== 0)),
        ),
      ];
    return [f64(x!.dims, [6, 7].includes(to) ? x!.data.map(Math.trunc) : x!.data)];
  },
  Transpose: ([x], node) => [
    permuted(
      x!,
      intsOf(
        node,
        'perm',
        x!.dims.map((_, i) => x!.dims.length - 1 - i),
      ),
    ),
  ],

  Concat(inputs, node) {
    const parts = inputs as readonly F64[];
    const axis = axisOf(intOf(node, 'axis', 0), parts[0]!.dims.length);
    const total = parts.reduce((sum, t) => sum + t.dims[axis]!, 0);
    return [
      filledBy(
        parts[0]!.dims.map((d, i) => (i === axis ? total : d)),
        (index) => {
          let position = index[axis]!;
          let i = 0;
          while (position >= parts[i]!.dims[axis]!) position -= parts[i++]!.dims[axis]!;
          return at(
            parts[i]!,
            index.map((v, j) => (j === axis ? position : v)),
          );
        },
      ),
    ];
  },

  Split([x, sizes], node) {
    const axis = axisOf(intOf(node, 'axis', 0), x!.dims.length);
    const total = x!.dims[axis]!;
    const count = intOf(node, 'num_outputs', node.outputs.length);
    const chunk = Math.ceil(total / count);
    const parts = sizes ? list(sizes) : Array.from({ length: count }, (_, i) => Math.min(chunk, total - i * chunk));
    return parts.map((size, i) =>
      part(
        x!,
        axis,
        parts.slice(0, i).reduce((a, b) => a + b, 0),
        size,
      ),
    );
  },

  Shape([x], node) {
    const sizes = x!.dims.slice(intOf(node, 'start', 0), intOf(node, 'end', x!.dims.length));
    return [f64([sizes.length], sizes)];
  },
  ConstantOfShape([shape], node) {
    const value = node.attributes.get('value');
    const fill = value?.type === 'tensor' ? fromTensor(value.value).data[0]! : 0;
    return [filledBy(list(shape), () => fill)];
  },
  Expand: ([x, shape]) => [filledBy(broadcastDims(x!.dims, list(shape)), (index) => broadcastAt(x!, index))],
  Tile: ([x, repeats]) => [
    filledBy(
      x!.dims.map((d, i) => d * repeats!.data[i]!),
      (index) =>
        at(
          x!,
          index.map((v, i) => v % x!.dims[i]!),
        ),
    ),
  ],

  DepthToSpace([x], node) {
    const block = intOf(node, 'blocksize', 1);
    const [n, c, h, w] = x!.dims as [number, number, number, number];
    const depth = c / block ** 2;
    const columnFirst = stringOf(node, 'mode', 'DCR') === 'DCR';
    return [
      filledBy([n, depth, h * block, w * block], ([b, d, i, j]) => {
        const inside = (i! % block) * block + (j! % block);
        const channel = columnFirst ? inside * depth + d! : d! * block ** 2 + inside;
        return at(x!, [b!, channel, Math.floor(i! / block), Math.floor(j! / block)]);
      }),
    ];
  },

  SpaceToDepth([x], node) {
    const block = intOf(node, 'blocksize', 1);
    const [n, c, h, w] = x!.dims as [number, number, number, number];
    return [
      filledBy([n, c * block ** 2, h / block, w / block], ([b, channel, i, j]) => {
        const inside = Math.floor(channel! / c);
        return at(x!, [b!, channel! % c, i! * block + Math.floor(inside / block), j! * block + (inside % block)]);
      }),
    ];
  },
};
