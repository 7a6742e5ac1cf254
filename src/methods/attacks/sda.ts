/**
 * Sparse Dynamic Attack: flips as few values of a binary input as it can, chosen by gradients at the point it has come to.
 * Paper: Lun, Feng, Ni, Liang, Wang, Li, Yu, Cui, "Towards effective and sparse adversarial attack on spiking neural networks via breaking invisible surrogate
 * gradients", CVPR 2025, section 4.2; with a target as in the code of Spike-Retiming (2026): cross-entropy to the target.
 * Threat model: white box, l0, binary inputs. The gradient is whatever the model's `spikes` says (pdsg-narrow by default).
 * Deviations: the paper asks about 10 (n + 1) candidates one by one in iteration n. Here flips are taken as the gradient ranks them, half of what seems to be
 * missing at a time, until there is an example. Then, which is no part of the paper, the chance of every flip is learned from samples as in GSAttack (Yao et
 * al., ECCV 2024), from a price that keeps samples at the boundary (sparse-search/chances.ts). One search restores the least likely flips; what is left is
 * asked about one by one until no flip can be restored alone, which the last questions prove. Restoring ends without that proof where 32 questions per flip,
 * or the queries a sample may ask, are not enough (minimal in the trace says where it is proven). A proof takes a question per flip, and half of the cost is
 * on the way to it: reduce: prefix leaves it out. exchanges goes on from there: likely flips take the place of several others. More steps and exchanges find
 * fewer flips: steps: 100 and exchanges: 6 ask about 850 questions on the trained event victims. With a target the margin of the target is raised.
 * mode reference is the paper's algorithm: candidates whose flip alone does not raise the loss are accepted for good, those whose change was least are
 * restored by one binary search over prefixes. Candidates are at most the elements that are not flipped (the authors' code then takes flipped ones
 * again); ties go to the lower index (there: to chance); the noise that keeps zero gradients in play is the sample's own.
 */
import { firstOf, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { aboutAllowed, checkAllowed, flipsOf } from './frame/flipping.ts';
import { checkReduction, elementsOf, type Reduction } from './reduce-flips.ts';
import { samples } from './sparse-search/chances.ts';
import { frugal, frugalForwards } from './sparse-search/frugal.ts';
import { published, publishedForwards } from './sparse-search/published.ts';
import { within } from './sparse-search/room.ts';

const defaults = {
  mode: 'ours',
  k: 'auto' as number | string,
  iterations: 'auto' as number | string,
  steps: 25,
  exchanges: 0,
  reduce: 'by-mode',
  differences: true,
  beyond: true,
  flips: 'both',
  polarity: 'both',
  from: 0,
  until: 'auto' as number | string,
};

type Options = typeof defaults;

export const sda: Attack<'gradient', Options> = {
  name: 'sda',
  title: 'fewest flips of a binary input: gradients choose, what is needless is restored (Sparse Dynamic Attack)',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l0'],
  modalities: 'any',
  domains: ['binary'],
  targeted: true,
  defaults,
  about: {
    mode: 'ours, or reference: the algorithm as published',
    k: 'flips of the first step (mode reference: candidates of the first iteration, n + 1 times as many in iteration n), or auto: 8 (10)',
    iterations: 'gradients on the way to the first example at most, or auto: 50 (mode reference: 500)',
    steps: 'mode ours: steps in which the chance of every flip is learned from two samples each, after the first example',
    exchanges:
      'mode ours, reduce minimal: how often 64 likely flips are tried in place of those of the minimal example; each try asks some 64 questions, and one per flip where it helps',
    reduce:
      'what is done to the example: none, not even steps; prefix: the least useful flips are restored together; minimal: then until no flip can be restored alone (minimal in the trace says where that is proven); by-mode: minimal (mode reference: prefix)',
    differences: 'mode reference: whether candidates are asked about one by one; without, all are taken',
    beyond:
      'mode ours: whether examples beyond the largest budget are looked for; without, a sample is given up at four times its flips',
    flips: aboutAllowed,
    polarity: 'events that may be touched: both, on (channel 1) or off (channel 0)',
    from: 'first time step that may be touched, from 0',
    until: 'time step before which that ends, or auto: the end',
  },
  check: ({ mode, k, iterations, steps, exchanges, reduce, flips, polarity, from, until }) =>
    firstOf(
      oneOf(['ours', 'reference'], 'mode', mode),
      autoOrWhole('k', k),
      autoOrWhole('iterations', iterations),
      wholeFrom(0, 'steps', steps),
      wholeFrom(0, 'exchanges', exchanges),
      reduce === 'by-mode' ? undefined : checkReduction(reduce),
      checkAllowed(flips),
      oneOf(['both', 'on', 'off'], 'polarity', polarity),
      wholeFrom(0, 'from', from),
      until === 'auto' ? undefined : wholeFrom(from + 1, 'until', Number(until)),
    ),
  passes(options, facts) {
    const settled = settle(options);
    const elements = elementsOf(facts);
    if (options.mode === 'reference') return { forwards: publishedForwards(settled, elements), backwards: settled.iterations };
    return {
      forwards: frugalForwards(settled, elements),
      backwards: settled.iterations + 1 + (settled.reduce === 'none' ? 0 : samples * settled.steps),
    };
  },
  paper: 'Lun et al. 2025, arXiv 2503.03272',
  run: (job, options) =>
    drive(job, {
      space: (sample, threats) => within(flipsOf(options.flips)(sample, threats), options),
      keep: 'smallest',
      attempt: (trial) => (options.mode === 'reference' ? published(trial, settle(options)) : frugal(trial, settle(options))),
    }),
};

/** What auto stands for. */
function settle({ mode, k, iterations, steps, exchanges, reduce, differences, beyond }: Options) {
  const reference = mode === 'reference';
  const auto = (value: number | string, by: number): number => (typeof value === 'number' ? value : by);
  return {
    k: auto(k, reference ? 10 : 8),
    iterations: auto(iterations, reference ? 500 : 50),
    steps,
    exchanges,
    reduce: (reduce !== 'by-mode' ? reduce : reference ? 'prefix' : 'minimal') as Reduction,
    differences,
    beyond,
  };
}

const autoOrWhole = (name: string, value: number | string): string | undefined =>
  value === 'auto' ? undefined : wholeFrom(1, name, Number(value));
