import { UserError } from '../errors.ts';
import type { GraphBuilder } from '../onnx/builder.ts';
import type { KnownDim, ShapeTable } from '../onnx/passes/shapes.ts';
import { type DType, f32, sizeOf, type Tensor, tensor } from '../tensor/tensor.ts';
import type { Provider, Scene } from './rule.ts';

/** A scene, and what only the walker needs. */
export interface WalkerScene extends Omit<Scene, 'active'> {
  /** A tensor of the shape of `like`, every element `value`. */
  filled(like: string, value: number): string;
  /** `cotangent`, shaped like `from`, summed over the axes along which `to` was broadcast. */
  sumTo(cotangent: string, from: string, to: string): string;
}

/** One number as a tensor of a dtype gradients can be computed in. */
function single(value: number, dtype: DType, dims: readonly number[]): Tensor {
  if (dtype === 'float32') return f32([value], dims);
  if (dtype === 'float64') return tensor('float64', dims, Float64Array.of(value));
  throw new UserError(
    `the model computes in ${dtype}, gradients are computed in float32 or float64`,
    'export the model in float32 (PyTorch: model.float() before the export)',
  );
}

/** What rules may ask about a graph of the given constants, shapes and nodes, written through `g`. */
export function sceneOf(
  g: GraphBuilder,
  constant: (name: string) => Tensor | undefined,
  shapes: ShapeTable,
  provider: Provider,
  node: WalkerScene['node'],
): Omit<WalkerScene, 'remember'> {
  const entry = (name: string) => {
    const known = shapes.get(name);
    if (known === undefined) throw new Error(`the shape of "${name}" is not known`);
    return known;
  };
  const dims = (name: string): readonly KnownDim[] => entry(name).dims;
  const runTimeShapes = new Map<string, string>();
  const shape = (name: string): string => {
    const known = dims(name);
    if (known.every((d) => d !== null)) return g.ints(known);
    const made = runTimeShapes.get(name) ?? g.op('Shape', [name]);
    runTimeShapes.set(name, made);
    return made;
  };
  const number = (value: number, dtype: DType): string =>
    dtype === 'float32' ? g.number(value) : g.constant(single(value, dtype, []));
  // filling memory is cheaper than Expand's general broadcast (0.1 against 0.4 ms for 1.6 million values)
  const full = (size: string, value: number, dtype: DType): string =>
    g.op('ConstantOfShape', [size], { value: single(value, dtype, [1]) });
  const reshapeLike = (value: string, like: string): string => {
    const known = dims(like);
    const free = known.filter((d) => d === null).length;
    const target = free <= 1 && !known.includes(0) ? g.ints(known.map((d) => d ?? -1)) : shape(like);
    return g.op('Reshape', [value, target]);
  };
  return {
    g,
    provider,
    node,
    dims,
    dtype: (name) => entry(name).dtype,
    constant,
    shape,
    reshapeLike,
    number,
    full,
    filled: (like, value) =>
      sizeOf(dims(like).map((d) => d ?? 2)) === 1 && dims(like).length === 0
        ? number(value, entry(like).dtype)
        : full(shape(like), value, entry(like).dtype),
    sumTo(cotangent, from, to) {
      const source = dims(from);
      const target = dims(to);
      const lead = source.length - target.length;
      const axes = source.map((_, i) => i).filter((i) => i < lead || (target[i - lead] === 1 && source[i] !== 1));
      if (axes.length === 0) return cotangent;
      const sum = g.op('ReduceSum', [cotangent, g.ints(axes)], { keepdims: lead === 0 ? 1 : 0 });
      return lead === 0 || axes.length === lead ? sum : reshapeLike(sum, to);
    },
  };
}
