/** @file The curves a recipe can train spikes through: the fixed surrogates of core/autodiff/surrogates by name. */

import type { Surrogate } from '../../../../core/autodiff/substitutes.ts';
import {
  atan,
  type Curve,
  curveSurrogate,
  erf,
  fastSigmoid,
  gaussian,
  piecewiseExponential,
  piecewiseQuadratic,
  rectangle,
  sigmoid,
  softSign,
  tanh,
  triangle,
  widened,
} from '../../../../core/autodiff/surrogates/curves.ts';
import { spikes } from './spike.ts';

/** By name; the number is the curve's own (alpha, gamma, slope or half width), its usual value where left out. */
export const trainingCurves: Readonly<Record<string, (own?: number) => Curve>> = {
  atan,
  sigmoid,
  triangle,
  rectangle,
  'fast-sigmoid': fastSigmoid,
  'piecewise-quadratic': piecewiseQuadratic,
  'soft-sign': softSign,
  erf,
  'piecewise-exponential': piecewiseExponential,
  gaussian,
  tanh,
};

/** What stands in for the spikes of a network in training. `alpha` is the curve's own number, or auto; `stretch` widens the curve over the same area. */
export function trainingSurrogate(name: string, alpha: number | string, stretch: number): Surrogate {
  const curve = trainingCurves[name]!;
  const own = typeof alpha === 'number' ? curve(alpha) : curve();
  const said = [
    name,
    ...(typeof alpha === 'number' ? [`alpha ${alpha}`] : []),
    ...(stretch === 1 ? [] : [`${stretch} times as wide`]),
  ];
  return curveSurrogate(spikes, widened(own, stretch), said.join(', '));
}
