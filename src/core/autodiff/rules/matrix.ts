import { type AttributeInput, float } from '../../onnx/builder.ts';
import { floatOf, intOf, type Node } from '../../onnx/graph.ts';
import type { Family, Scene } from '../rule.ts';
import { derived, rearranged } from './constants.ts';
import { einsum } from './einsum.ts';
import { inputOf, sumTo } from './sizes.ts';

type Op = 'MatMul' | 'Gemm' | 'Einsum';

export const matrix: Family<Op> = {
  // Y = A B: dA = dY B^T, dB = A^T dY, summed over the batch axes along which an operand was broadcast
  MatMul: ([dy], node, scene) => (dy === undefined ? [] : matMul(dy, node, scene)),

  // Y = alpha A' B' + beta C with A' = A or A^T: dA' = alpha dY B'^T, dB' = alpha A'^T dY, dC = beta dY summed to C
  Gemm: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g, active } = scene;
    const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
    const [transA, transB] = [intOf(node, 'transA', 0), intOf(node, 'transB', 0)];
    const alpha = floatOf(node, 'alpha', 1);
    const beta = floatOf(node, 'beta', 1);
    const gemm = (left: string, right: string, ta: number, tb: number): string => {
      const attrs: Record<string, AttributeInput> = { transA: ta, transB: tb, alpha: float(alpha) };
      return g.op('Gemm', [left, right], attrs);
    };
    const bias = (): string => {
      const scaled = beta === 1 ? dy : g.op('Mul', [dy, scene.number(beta, scene.dtype(a))]);
      return sumTo(scene, scaled, scene.dims(node.outputs[0]!), inputOf(node, 2));
    };
    return [
      active(0) ? (transA ? gemm(b, dy, transB, 1) : gemm(dy, b, 0, 1 - transB)) : undefined,
      active(1) ? (transB ? gemm(dy, a, 1, transA) : gemm(a, dy, 1 - transA, 0)) : undefined,
      active(2) ? bias() : undefined,
    ];
  },

  Einsum: ([dy], node, scene) => (dy === undefined ? [] : einsum(dy, node, scene)),
};

const matMul = (dy: string, node: Node, scene: Scene): readonly (string | undefined)[] => {
  const { g, active, dims } = scene;
  const [a, b] = [inputOf(node, 0), inputOf(node, 1)];
  const [sizesA, sizesB, out] = [dims(a), dims(b), dims(node.outputs[0]!)];
  if (sizesA.length === 1 || sizesB.length === 1) return vectorProduct(dy, [a, b], scene);
  const batch = out.slice(0, -2);

  const left = (): string => {
    const product = g.op('MatMul', [dy, transposed(scene, b)]);
    return sumTo(scene, product, [...batch, ...sizesA.slice(-2)], a);
  };
  const right = (): string => {
    const [k, n] = sizesB.slice(-2);
    if (sizesB.length === 2 && sizesA.length > 2 && typeof k === 'number' && typeof n === 'number') {
      // one matrix for the whole batch: its gradient is one product over all rows
      const rows = [g.op('Reshape', [a, g.ints([-1, k])]), g.op('Reshape', [dy, g.ints([-1, n])])];
      return g.op('Gemm', rows, { transA: 1 });
    }
    return sumTo(scene, g.op('MatMul', [transposed(scene, a), dy]), [...batch, ...sizesB.slice(-2)], b);
  };
  return [active(0) ? left() : undefined, active(1) ? right() : undefined];
};

/** A product with a vector v: y = M v (v on the right) or v M; the gradients are dy times v at every position, and M dy summed over all else. */
function vectorProduct(dy: string, [a, b]: readonly [string, string], scene: Scene): readonly (string | undefined)[] {
  const { g, active, dims } = scene;
  const [rankA, rankB] = [dims(a).length, dims(b).length];
  const vectorOnly = rankA === 1 && rankB === 1;
  const vectorIsLeft = rankA === 1;
  const [vector, matrix] = vectorIsLeft ? [a, b] : [b, a];
  const rank = dims(matrix).length;
  const contracted = vectorOnly ? 0 : vectorIsLeft ? rank - 2 : rank - 1;
  const spread = vectorOnly ? dy : g.op('Unsqueeze', [dy, g.ints([contracted])]);
  const others = Array.from({ length: rank }, (_, i) => i).filter((i) => i !== contracted);
  const toVector = (): string => {
    const product = g.op('Mul', [matrix, spread]);
    return others.length === 0 ? product : g.op('ReduceSum', [product, g.ints(others)], { keepdims: 0 });
  };
  const toMatrix = (): string =>
    g.op('Mul', [spread, vectorIsLeft && !vectorOnly ? g.op('Unsqueeze', [vector, g.ints([1])]) : vector]);
  const [ofA, ofB] = vectorIsLeft ? [toVector, toMatrix] : [toMatrix, toVector];
  return [active(0) ? ofA() : undefined, active(1) ? ofB() : undefined];
}

/** A matrix (or a batch of them) with rows and columns exchanged: a new constant where it is one. */
export function transposed(scene: Scene, name: string): string {
  const rank = scene.dims(name).length;
  const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return derived(
    scene,
    name,
    'transposed',
    (value) => {
      const [rows, columns] = value.dims.slice(-2) as [number, number];
      const area = rows * columns;
      return rearranged(value, [...value.dims.slice(0, -2), columns, rows], (i) => {
        const inside = i % area;
        return i - inside + (inside % rows) * columns + Math.floor(inside / rows);
      });
    },
    () => scene.g.op('Transpose', [name], { perm }),
  );
}
