/** @file `spikes: atan` and its kin: one fixed curve for all spikes. Names and defaults as in SpikingJelly, snnTorch and Norse. */
import {
  atan,
  type Curve,
  curveSurrogate,
  dampedTriangle,
  erf,
  erfc,
  fastSigmoid,
  gaussian,
  piecewiseExponential,
  piecewiseQuadratic,
  rectangle,
  sigmoid,
  softSign,
  straightThroughSpike,
  tanh,
  triangle,
  widened,
} from '../../core/autodiff/surrogates/curves.ts';
import { resetAbout, resetChoices, resetDefault, surrogatesOf } from './reset.ts';
import type { SpikeGradient } from './spike-gradient.ts';

interface Family<P extends string> {
  readonly name: string;
  /** g(u), u the potential above the threshold. */
  readonly formula: string;
  readonly paper: string;
  readonly parameter: P;
  readonly value: number;
  readonly about: string;
  readonly curve: (value: number) => Curve;
}

type FixedOptions<P extends string> = Readonly<Record<P | 'width', number>> & { readonly reset: string };

function fixed<P extends string>({ name, formula, paper, parameter, value, about, curve }: Family<P>): SpikeGradient {
  const defaults = { [parameter]: value, width: 1, reset: resetDefault } as FixedOptions<P>;
  const gradient: SpikeGradient<FixedOptions<P>> = {
    name,
    title: formula,
    paper,
    defaults,
    about: {
      [parameter]: about,
      width: 'w: g(u / w) / w instead of g(u), the same curve w times as wide over the same area',
      reset: resetAbout,
    } as Readonly<Record<keyof FixedOptions<P> & string, string>>,
    choices: { reset: resetChoices } as NonNullable<SpikeGradient<FixedOptions<P>>['choices']>,
    check: (options) => {
      const wrong = [parameter, 'width' as const].find((key) => !(options[key] > 0));
      return wrong === undefined ? undefined : `${wrong} is ${options[wrong]}, and must be above 0`;
    },
    make: ({ layers }, options) => {
      const [at, width] = [options[parameter], options.width];
      const label = `${name}, ${parameter} ${at}${width === 1 ? '' : `, width ${width}`}`;
      const { rule } = curveSurrogate({}, widened(curve(at), width), label);
      return { surrogates: layers.flatMap((layer) => surrogatesOf(layer, options, label, rule)) };
    },
  };
  return gradient as SpikeGradient;
}

const steepness = 'a, how steep the curve is: twice as steep is half as wide';
const alpha = { parameter: 'alpha', about: steepness } as const;

const spikingJelly = 'Fang et al. 2023, arXiv 2310.16620';
const norse = 'Norse (Pehle & Pedersen 2021)';

export const fixedGradients: readonly SpikeGradient[] = [
  fixed({ ...alpha, name: 'sigmoid', formula: 'a S(a u) (1 - S(a u))', paper: spikingJelly, value: 4, curve: sigmoid }),
  fixed({
    ...alpha,
    name: 'atan',
    formula: '(a / 2) / (1 + (pi / 2 a u)^2)',
    paper: 'Fang et al. 2021, arXiv 2007.05785',
    value: 2,
    curve: atan,
  }),
  fixed({
    name: 'triangle',
    formula: 'max(0, gamma - |u|) / gamma^2',
    paper: 'Bu et al. 2023 (RGA), Hao et al. 2024 (HART)',
    parameter: 'gamma',
    value: 1,
    about: 'half the width of the curve',
    curve: triangle,
  }),
  fixed({
    name: 'damped-triangle',
    formula: 'a max(0, 1 - |u|)',
    paper: 'Bellec et al. 2018, arXiv 1803.09574',
    parameter: 'alpha',
    value: 0.3,
    about: 'a, the height of the curve',
    curve: dampedTriangle,
  }),
  fixed({
    ...alpha,
    name: 'piecewise-quadratic',
    formula: 'max(0, a - a^2 |u|)',
    paper: spikingJelly,
    value: 1,
    curve: piecewiseQuadratic,
  }),
  fixed({
    name: 'rectangle',
    formula: '1 / (2 h) where |u| < h',
    paper: 'Wu et al. 2018, arXiv 1706.02609',
    parameter: 'halfWidth',
    value: 0.5,
    about: 'h, half the width of the curve',
    curve: rectangle,
  }),
  fixed({
    name: 'fast-sigmoid',
    formula: '1 / (1 + k |u|)^2',
    paper: 'Zenke & Ganguli 2018, arXiv 1705.11146',
    parameter: 'slope',
    value: 25,
    about: 'k, how steep the curve is (snnTorch 25, SuperSpike 100)',
    curve: fastSigmoid,
  }),
  fixed({ ...alpha, name: 'soft-sign', formula: '1 / (2 a (1 / a + |u|)^2)', paper: spikingJelly, value: 2, curve: softSign }),
  fixed({ ...alpha, name: 'erf', formula: 'a / sqrt(pi) exp(-(a u)^2)', paper: spikingJelly, value: 2, curve: erf }),
  fixed({
    name: 'erfc',
    formula: '2 / sqrt(pi) exp(-(k u)^2)',
    paper: norse,
    parameter: 'slope',
    value: 1,
    about: 'k, how narrow the curve is',
    curve: erfc,
  }),
  fixed({
    ...alpha,
    name: 'piecewise-exponential',
    formula: '(a / 2) exp(-a |u|)',
    paper: 'Shrestha & Orchard 2018, arXiv 1810.08646',
    value: 1,
    curve: piecewiseExponential,
  }),
  fixed({
    ...alpha,
    name: 'gaussian',
    formula: 'a / sqrt(2 pi) exp(-(a u)^2 / 2)',
    paper: 'Yin et al. 2021, arXiv 2103.12593',
    value: 1,
    curve: gaussian,
  }),
  fixed({
    name: 'tanh',
    formula: '1 - tanh(k u)^2',
    paper: norse,
    parameter: 'slope',
    value: 1,
    about: 'k, how narrow the curve is',
    curve: tanh,
  }),
];

/** ds/du = 1 */
export const straightThroughGradient: SpikeGradient<{ readonly reset: string }> = {
  name: 'straight-through',
  title: '1 everywhere',
  paper: 'Bengio et al. 2013, arXiv 1308.3432',
  defaults: { reset: resetDefault },
  about: { reset: resetAbout },
  choices: { reset: resetChoices },
  make: ({ layers }, options) => {
    const { label, rule } = straightThroughSpike({});
    return { surrogates: layers.flatMap((layer) => surrogatesOf(layer, options, label, rule)) };
  },
};
