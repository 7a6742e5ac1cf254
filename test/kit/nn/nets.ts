/** @file Small networks for tests of training. */
import * as ort from 'onnxruntime-node';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import type { Architecture } from '../../../src/kit/nn/architecture.ts';
import { batchNorm } from '../../../src/kit/nn/layers/batch-norm.ts';
import { convolution } from '../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import { flatten } from '../../../src/kit/nn/layers/shape.ts';
import { type Layer, sequential } from '../../../src/kit/nn/net.ts';
import { specOf } from '../threat/spec.ts';

export const runtime = createRuntime(ort, { threads: 1 });

/** An elementwise node as a layer. */
export const elementwise =
  (op: string): Layer =>
  (net, x) => ({ name: net.g.op(op, [x.name]), shape: x.shape });

/** One input `x` [N, ...shape] and classes c0, c1, ... over these layers. */
export function netOf(shape: readonly number[], classes: number, ...layers: readonly Layer[]): Architecture {
  const x = specOf(shape, { layout: `N${'CTHW'.slice(0, shape.length)}`, bounds: 'unbounded' });
  const body = sequential(...layers);
  return {
    name: 'test net',
    inputs: { x },
    classes: Array.from({ length: classes }, (_, c) => `c${c}`),
    write: (net, inputs) => body(net, inputs.x!),
  };
}

/** x [1, 8, 8]: convolutions with batch normalisation and rectifiers. */
export const convNet = (classes = 2): Architecture =>
  netOf(
    [1, 8, 8],
    classes,
    convolution(8, [3, 3], { padding: 'same', bias: false }),
    batchNorm(),
    elementwise('Relu'),
    convolution(8, [3, 3], { stride: 2 }),
    elementwise('Relu'),
    flatten,
    dense(classes),
  );
