/**
 * @file ASSG (Wang et al. 2025, arXiv 2512.22522): g(u) = (a / 2) / (1 + (pi / 2 a u)^2) with an a of its own for every neuron and step, which shrinks as |u|
 * grows: a = (2 / pi) tan(pi A / 2) / (M + relax D + 1e-4). M and D are running means of |u| and of | |u| - M |, from 1 and 0 on, over the gradients of a walk;
 * the gradient takes them for constants. As in the released code but for models that draw random numbers: there every draw of a point but one counts in
 * turn, here all draws read what the point before left, and the last is remembered.
 */
import type { GraphBuilder } from '../../onnx/builder.ts';
import type { SpikingLayer } from '../../spikes/layer.ts';
import type { Broadcasting } from '../rule.ts';
import { aboveThreshold, ofComparison } from './curves.ts';

export interface AssgOptions {
  /** A, above 0 and below 1: the share of the area under g that lies within M + relax D of the threshold. */
  readonly vanishing: number;
  readonly relax: number;
  /** How much of M and of D is kept; the rest is that of the present evaluation. */
  readonly beta1: number;
  readonly beta2: number;
}

export const assgDefaults = { vanishing: 0.85, relax: 1.5, beta1: 0.9, beta2: 0.9 } as const;

/** The rule of every comparison of a layer; those that fire and those that reset at one potential share one memory. */
export function assgRule({ axes }: SpikingLayer, { vanishing, relax, beta1, beta2 }: AssgOptions): Broadcasting {
  const omega = (2 / Math.PI) * Math.tan((Math.PI / 2) * vanishing);
  const slopes = new WeakMap<GraphBuilder, Map<string, string>>();
  return ofComparison((m, node, scene) => {
    const known = slopes.get(scene.g) ?? new Map<string, string>();
    slopes.set(scene.g, known);
    const compared = node.inputs.join(' over ');
    const written = known.get(compared);
    if (written !== undefined) return written;
    const dtype = m.dtype === 'float64' ? 'float64' : 'float32';
    const recalled = (what: string, initial: number) =>
      scene.remember({ key: `${what} of ${compared}`, like: node.outputs[0]!, batch: axes.batch, initial }, dtype);
    const [mean, spread] = [recalled('mean', 1), recalled('spread', 0)];
    const u = aboveThreshold(m, node, scene);
    const size = m.abs(u);
    const newMean = m.add(m.mul(mean.before, beta1), m.mul(size, 1 - beta1));
    const newSpread = m.add(m.mul(spread.before, beta2), m.mul(m.abs(m.sub(size, newMean)), 1 - beta2));
    mean.become(newMean);
    spread.become(newSpread);
    // a / 2
    const half = m.div(omega / 2, m.add(m.add(newMean, m.mul(newSpread, relax)), 1e-4));
    const slope = m.div(half, m.add(m.square(m.mul(m.mul(half, u), Math.PI)), 1));
    known.set(compared, slope);
    return slope;
  });
}
