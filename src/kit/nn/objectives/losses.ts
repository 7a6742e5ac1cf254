/** @file Losses of logits as graph nodes, a value per sample: what objectives are made of. */
import type { GraphBuilder } from '../../../core/onnx/builder.ts';
import { classIds, maskOf } from '../../losses/heads.ts';

export interface CrossEntropyOptions {
  readonly classes: number;
  readonly smoothing: number;
}

/** -sum_c t_c log softmax(z)_c, [N], with t = (1 - smoothing) at the label plus smoothing / classes everywhere. */
export function crossEntropy(
  g: GraphBuilder,
  logits: string,
  label: string,
  { classes, smoothing }: CrossEntropyOptions,
): string {
  const log = g.op('LogSoftmax', [logits], { axis: -1 });
  const mask = maskOf(g, classIds(g, classes), label);
  const target = g.op('Where', [mask, g.number(1 - smoothing + smoothing / classes), g.number(smoothing / classes)]);
  return g.op('Neg', [g.op('ReduceSum', [g.op('Mul', [target, log]), g.ints([-1])], { keepdims: 0 })]);
}
