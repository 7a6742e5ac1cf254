/** @file y = x W^T + b over the last axis. */
import { filled, he, type Initialiser } from '../initialisers.ts';
import type { Layer } from '../net.ts';

export interface DenseOptions {
  readonly bias?: boolean;
  readonly initialise?: Initialiser;
  readonly initialiseBias?: Initialiser;
}

export const denseDefaults = { bias: true, initialise: he('in'), initialiseBias: filled(0) } as const;

/** x [N, ..., in] to [N, ..., out]; weights `weight` [out, in] and `bias` [out]. */
export const dense =
  (out: number, options: DenseOptions = {}): Layer =>
  (net, x) => {
    const { bias, initialise, initialiseBias } = { ...denseDefaults, ...options };
    const { g } = net;
    const weight = net.parameter('weight', [out, x.shape.at(-1)!], initialise);
    const shape = [...x.shape.slice(0, -1), out];
    if (x.shape.length === 1) {
      const inputs = bias ? [x.name, weight, net.parameter('bias', [out], initialiseBias)] : [x.name, weight];
      return { name: g.op('Gemm', inputs, { transB: 1 }), shape };
    }
    const product = g.op('MatMul', [x.name, g.op('Transpose', [weight], { perm: [1, 0] })]);
    return { name: bias ? g.op('Add', [product, net.parameter('bias', [out], initialiseBias)]) : product, shape };
  };
