/**
 * The worst of several unlike attacks, by what model and threat allow: any number of classes, any norm, any number of inputs.
 * Paper: none; ours, after Croce and Hein 2020 (an ensemble of unlike attacks, the worst per sample) and Carlini et al. 2019 (white box and black box).
 * Threat model: white box and scores; linf, l2, l1, l0; several inputs with budgets of their own.
 * Losses by class count: from four classes APGD on cross-entropy and on the targeted DLR loss; with three on cross-entropy, DLR and targeted margins; with two on
 * cross-entropy and the margin. FAB follows where the inputs share a norm, then Square, whose regions fit the signal, where there is one for the norm. l0: sigma-zero, FMN,
 * then differential evolution over single places.
 * A sample leaves with its first example, so a part is paid for by what stands. Cheaper than AutoAttack by that, and by fewer steps where they found least.
 */
import { apgd } from '../apgd.ts';
import type { Attack, Facts } from '../attack.ts';
import { fab } from '../fab.ts';
import { fewPixel } from '../few-pixel.ts';
import { fmn } from '../fmn.ts';
import { firstOf, wholeFrom } from '../option-checks.ts';
import { sigmaZero } from '../sigma-zero.ts';
import { square } from '../square.ts';
import type { SuitePart } from './cascade.ts';
import { part, partRecord, passesOfParts, runSuite } from './suite.ts';

const defaults = { steps: 100, targets: 9, queries: 2000 };
type Options = typeof defaults;

export const worstCase: Attack<'gradient', Options> = {
  name: 'worst-case',
  title: 'unlike attacks one after the other on what still stands, chosen by classes, norm and signal',
  needs: 'gradient',
  kind: 'bounded',
  norms: ['linf', 'l2', 'l1', 'l0'],
  modalities: 'any',
  targeted: false,
  defaults,
  about: {
    steps: 'steps of each run of APGD',
    targets: 'most other classes aimed at, likeliest first',
    queries: 'queries of the part that sees scores alone',
  },
  check: ({ steps, targets, queries }) =>
    firstOf(wholeFrom(1, 'steps', steps), wholeFrom(1, 'targets', targets), wholeFrom(1, 'queries', queries)),
  passes: (options, facts) => passesOfParts(partsFor(options, facts), facts),
  parts: (options, facts) => partsFor(options, facts).map(partRecord),
  paper: 'none: ours, after Croce and Hein 2020 and Carlini et al. 2019',
  run: (job, options) => runSuite(job, (facts) => partsFor(options, facts)),
};

function partsFor(options: Options, { classes, norm, mixed = false }: Facts): SuitePart[] {
  const { queries } = options;
  if (norm === 'l0') return [part('sigma-zero', sigmaZero), part('fmn', fmn), part('few-pixel', fewPixel)];
  return [
    ...ascents(options, classes),
    ...(mixed ? [] : [part('fab-t', fab, { targets: Math.min(options.targets, 3), steps: 50, stopAt: 'eps' })]),
    ...(norm === 'l1' ? [] : [part('square', square, { queries })]),
  ];
}

function ascents({ steps, targets }: Options, classes: number): SuitePart[] {
  const crossEntropy = part('apgd-ce', apgd, { loss: 'ce', steps });
  if (classes >= 4) return [crossEntropy, part('apgd-t', apgd, { loss: 'targeted', targets, steps })];
  if (classes === 3)
    return [
      crossEntropy,
      part('apgd-dlr', apgd, { loss: 'dlr', steps }),
      part('apgd-t', apgd, { loss: 'targeted-margin', targets, steps }),
    ];
  return [crossEntropy, part('apgd-margin', apgd, { loss: 'margin', restarts: 2, steps })];
}
