/** @file From what each direction found to the cotangents of a node's inputs: one product over all directions for x, sums over time for the weights. */
import type { Node } from '../../../onnx/graph.ts';
import type { Scene } from '../../rule.ts';
import { inputOf } from '../sizes.ts';
import { at, type Strand } from './strand.ts';

/** Cotangents one direction yields. */
export interface Share {
  /** Of x W^T + W_b, [T, N, G H]. */
  readonly fromInput: string;
  /** Of before R^T + R_b, [T, N, G H]. */
  readonly fromState: string;
  /** Of R [G H, H], where it is not the product of `fromState` and the states before. */
  readonly ofR?: () => string;
  /** Of the initial states, [1, N, H]. */
  readonly h: string;
  readonly c?: string;
  /** Of the peepholes, [3 H]. */
  readonly p?: () => string;
}

/** One cotangent per input; `gates` is G. */
export function assemble(node: Node, scene: Scene, strands: readonly Strand[], shares: readonly Share[], gates: number) {
  const { g, active } = scene;
  const hidden = scene.dims(inputOf(node, at.r))[2]!;
  const width = gates * hidden;
  const together = (values: readonly string[], axis: number): string =>
    values.length === 1 ? values[0]! : g.op('Concat', values, { axis });
  const each = (of: (strand: Strand, share: Share) => string): string[] => strands.map((s, i) => of(s, shares[i]!));
  const stacked = (of: (strand: Strand, share: Share) => string): string =>
    together(
      each((strand, share) => g.op('Unsqueeze', [of(strand, share), g.ints([0])])),
      0,
    );
  const ofX = (): string => {
    const all = together(
      each((strand, share) => strand.inOrder(share.fromInput)),
      2,
    );
    const inside = scene.dims(inputOf(node, at.x))[2]!;
    return g.op('MatMul', [all, allRows(scene, inputOf(node, at.w), inside)]);
  };
  const against = (dz: string, rows: string): string => g.op('Gemm', [dz, rows], { transA: 1 });
  const total = (dz: string): string => g.op('ReduceSum', [dz, g.ints([0, 1])], { keepdims: 0 });
  const ofW = () => stacked((s, { fromInput }) => against(s.rows(fromInput, width), s.inputRows()));
  const ofR = () => stacked((s, share) => share.ofR?.() ?? against(s.rows(share.fromState, width), s.rows(s.before, hidden)));
  const ofB = () => stacked((_, { fromInput, fromState }) => together([total(fromInput), total(fromState)], 0));
  return [
    active(at.x) ? ofX() : undefined,
    active(at.w) ? ofW() : undefined,
    active(at.r) ? ofR() : undefined,
    active(at.b) ? ofB() : undefined,
    undefined,
    active(at.h)
      ? together(
          each((_, share) => share.h),
          0,
        )
      : undefined,
    active(at.c)
      ? together(
          each((_, share) => share.c!),
          0,
        )
      : undefined,
    active(at.p) ? stacked((_, share) => share.p!()) : undefined,
  ];
}

/** Weights [D, G H, I] as one matrix [D G H, I]: the sum over directions is then part of the product. */
const allRows = (scene: Scene, weights: string, inside: number): string => {
  const value = scene.constant(weights);
  if (value?.dtype === 'float32')
    return scene.g.constant({ ...value, dims: [value.data.length / inside, inside] }, scene.g.fresh(weights));
  return scene.g.op('Reshape', [weights, scene.g.ints([-1, inside])]);
};
