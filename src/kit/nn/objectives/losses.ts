/** @file Losses of logits as graph nodes, a value per sample ([N]): what objectives are made of. Logits are [N, classes], labels int64 [N]. */
import type { GraphBuilder } from '../../../core/onnx/builder.ts';
import { addHead, classIds, maskOf } from '../../losses/heads.ts';

export interface CrossEntropyOptions {
  readonly classes: number;
  readonly smoothing: number;
}

const sumOver = (g: GraphBuilder, values: string): string => g.op('ReduceSum', [values, g.ints([-1])], { keepdims: 0 });

const logSoftmax = (g: GraphBuilder, logits: string): string => g.op('LogSoftmax', [logits], { axis: -1 });

/** -sum_c t_c log softmax(z)_c with t = (1 - smoothing) at the label plus smoothing / classes everywhere. */
export function crossEntropy(
  g: GraphBuilder,
  logits: string,
  label: string,
  { classes, smoothing }: CrossEntropyOptions,
): string {
  const mask = maskOf(g, classIds(g, classes), label);
  const target = g.op('Where', [mask, g.number(1 - smoothing + smoothing / classes), g.number(smoothing / classes)]);
  return softCrossEntropy(g, logits, target);
}

/** -sum_c t_c log softmax(z)_c for given target probabilities t [N, classes] (mixed samples, a teacher). */
export const softCrossEntropy = (g: GraphBuilder, logits: string, target: string): string =>
  g.op('Neg', [sumOver(g, g.op('Mul', [target, logSoftmax(g, logits)]))]);

/** sum_c p_c (log p_c - log q_c) with p = softmax(`from`), q = softmax(`to`); gradients flow into both. */
export function kl(g: GraphBuilder, from: string, to: string): string {
  const p = g.op('Softmax', [from], { axis: -1 });
  return sumOver(g, g.op('Mul', [p, g.op('Sub', [logSoftmax(g, from), logSoftmax(g, to)])]));
}

/** Mean over the last axis of (a - b)^2. */
export function meanSquare(g: GraphBuilder, a: string, b: string): string {
  const difference = g.op('Sub', [a, b]);
  return g.op('ReduceMean', [g.op('Mul', [difference, difference]), g.ints([-1])], { keepdims: 0 });
}

/** max(0, margin - (z_y - max_{c != y} z_c)) (Crammer and Singer 2001). */
export function hinge(
  g: GraphBuilder,
  logits: string,
  label: string,
  { classes, margin }: { readonly classes: number; readonly margin: number },
): string {
  const ids = classIds(g, classes);
  const lead = g.op('Squeeze', [addHead('margin', logits, { g, ids, atLabel: maskOf(g, ids, label) }), g.ints([-1])]);
  return g.op('Relu', [g.op('Sub', [g.number(margin), lead])]);
}
