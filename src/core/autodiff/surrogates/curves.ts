/**
 * @file Fixed surrogates of a spike s = [v >= threshold]: ds/dv stands for g(u), u = v - threshold, where g is a bump around 0. All are
 * A f(k u) for one of a few shapes f; sources: SpikingJelly, snnTorch, Norse (names and defaults), Neftci et al. 2019 (arXiv 1901.09948).
 */
import type { Node } from '../../onnx/graph.ts';
import { type Algebra, algebra } from '../algebra.ts';
import type { Broadcasting, Scene } from '../rule.ts';
import type { Match, Surrogate } from '../substitutes.ts';

/** A shape as nodes for A f(x). */
export type Shape = (m: Algebra, x: string, amplitude: number) => string;

/** g(u) = amplitude f(scale u). */
export interface Curve {
  readonly shape: Shape;
  readonly amplitude: number;
  readonly scale: number;
}

const scaled = (m: Algebra, value: string, by: number): string => (by === 1 ? value : m.mul(value, by));

/** S(x) (1 - S(x)) */
const logistic: Shape = (m, x, amplitude) => {
  const s = m.sigmoid(x);
  return m.mul(scaled(m, s, amplitude), m.sub(1, s));
};
/** 1 / (1 + x^2) */
const cauchy: Shape = (m, x, amplitude) => m.div(amplitude, m.add(m.square(x), 1));
/** max(0, 1 - |x|) */
const tent: Shape = (m, x, amplitude) => scaled(m, m.relu(m.sub(1, m.abs(x))), amplitude);
/** [|x| < 1] */
const box: Shape = (m, x, amplitude) => scaled(m, m.mask(m.greater(1, m.abs(x))), amplitude);
/** 1 / (1 + |x|)^2 */
const hyperbola: Shape = (m, x, amplitude) => m.div(amplitude, m.square(m.add(m.abs(x), 1)));
/** exp(-x^2) */
const bell: Shape = (m, x, amplitude) => scaled(m, m.exp(m.neg(m.square(x))), amplitude);
/** exp(-|x|) */
const laplace: Shape = (m, x, amplitude) => scaled(m, m.exp(m.neg(m.abs(x))), amplitude);
/** 1 - tanh(x)^2 */
const tanhSlope: Shape = (m, x, amplitude) => scaled(m, m.sub(1, m.square(m.tanh(x))), amplitude);

const curve = (shape: Shape, amplitude: number, scale: number): Curve => ({ shape, amplitude, scale });

/** a S(a u) (1 - S(a u)) */
export const sigmoid = (alpha = 4): Curve => curve(logistic, alpha, alpha);
/** (a / 2) / (1 + (pi / 2 a u)^2); Fang et al. 2021, arXiv 2007.05785 */
export const atan = (alpha = 2): Curve => curve(cauchy, alpha / 2, (Math.PI / 2) * alpha);
/** max(0, gamma - |u|) / gamma^2 */
export const triangle = (gamma = 1): Curve => curve(tent, 1 / gamma, 1 / gamma);
/** a max(0, 1 - |u|); Bellec et al. 2018, arXiv 1803.09574 */
export const dampedTriangle = (alpha = 0.3): Curve => curve(tent, alpha, 1);
/** max(0, a - a^2 |u|) */
export const piecewiseQuadratic = (alpha = 1): Curve => curve(tent, alpha, alpha);
/** 1 / (2 w) where |u| < w */
export const rectangle = (halfWidth = 0.5): Curve => curve(box, 1 / (2 * halfWidth), 1 / halfWidth);
/** 1 / (1 + k |u|)^2; Zenke & Ganguli 2018, arXiv 1705.11146 */
export const fastSigmoid = (slope = 25): Curve => curve(hyperbola, 1, slope);
/** 1 / (2 a (1 / a + |u|)^2) */
export const softSign = (alpha = 2): Curve => curve(hyperbola, alpha / 2, alpha);
/** a / sqrt(pi) exp(-(a u)^2) */
export const erf = (alpha = 2): Curve => curve(bell, alpha / Math.sqrt(Math.PI), alpha);
/** 2 / sqrt(pi) exp(-(k u)^2) */
export const erfc = (slope = 1): Curve => curve(bell, 2 / Math.sqrt(Math.PI), slope);
/** a / 2 exp(-a |u|) */
export const piecewiseExponential = (alpha = 1): Curve => curve(laplace, alpha / 2, alpha);
/** a / sqrt(2 pi) exp(-(a u)^2 / 2) */
export const gaussian = (alpha = 1): Curve => curve(bell, alpha / Math.sqrt(2 * Math.PI), alpha / Math.SQRT2);
/** 1 - tanh(k u)^2 */
export const tanh = (slope = 1): Curve => curve(tanhSlope, 1, slope);

/** g(u / w) / w: the same bump w times as wide, over the same area. */
export const widened = ({ shape, amplitude, scale }: Curve, width: number): Curve =>
  curve(shape, amplitude / width, scale / width);

/** u = input 0 - input 1 of a comparison; a threshold of 0 costs nothing. */
export function aboveThreshold(m: Algebra, { inputs }: Node, scene: Scene): string {
  const [potential, threshold] = inputs as [string, string];
  const constant = scene.constant(threshold);
  const nothing = constant !== undefined && constant.data.length === 1 && Number(constant.data[0]) === 0;
  return nothing && constant.dims.length <= scene.dims(potential).length ? potential : m.sub(potential, threshold);
}

/** The rule of a comparison whose derivative by u = input 0 - input 1 is what `slope` writes; a threshold that moves gets the opposite. */
export const ofComparison = (slope: (m: Algebra, node: Node, scene: Scene) => string): Broadcasting => ({
  broadcasting: ([ds], node, scene) => {
    if (ds === undefined) return [];
    const m = algebra(scene, node.inputs[0]!);
    const du = m.mul(ds, slope(m, node, scene));
    return [du, scene.active(1) ? m.neg(du) : undefined];
  },
});

/** The surrogate of the matching comparisons (Greater or GreaterOrEqual of potential and threshold) by a curve. */
export const curveSurrogate = (match: Match, of: Curve, label: string): Surrogate => ({
  match,
  label,
  rule: ofComparison((m, node, scene) => {
    const u = aboveThreshold(m, node, scene);
    return of.shape(m, scaled(m, u, of.scale), of.amplitude);
  }),
});

/** ds = du: the spike passes its cotangent on as it is (Bengio et al. 2013, arXiv 1308.3432). */
export const straightThroughSpike = (match: Match): Surrogate => ({
  match,
  label: 'straight-through',
  rule: {
    broadcasting: ([ds], { inputs: [potential] }, scene) =>
      ds === undefined ? [] : [ds, scene.active(1) ? algebra(scene, potential!).neg(ds) : undefined],
  },
});
