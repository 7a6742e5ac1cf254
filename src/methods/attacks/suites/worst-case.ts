/**
 * The worst of several unlike attacks, chosen by what model and threat allow: classes from two up, every norm, one input or several.
 * Paper: none; ours, after Croce and Hein 2020 (an ensemble of unlike attacks, the worst per sample) and Carlini et al. 2019 (white box and black box).
 * Threat model: white box and scores; linf, l2, l1, l0; several inputs with budgets of their own; untargeted, and towards a class.
 * Losses by class count: from four classes APGD on cross-entropy and on the targeted DLR loss; with three on cross-entropy, DLR and targeted margins; with two on
 * cross-entropy and the margin. FAB follows (towards three classes at most), then Square, whose regions fit the signal. l0: sigma-zero, FMN, then differential
 * evolution over few places. Of these a part is run where it keeps to the norms of all inputs together: where norms differ, FAB is not, for it needs
 * one norm; with l1 among them neither is Square; l0 goes with no other. On binary inputs those parts are run that flip values: Square, and in l0 SDA
 * with many steps, which found the fewest flips on trained nets, then greedy flips and the Gumbel search, which find fewer on some clips, JSMA, sigma-zero
 * and FMN, whose points are rounded to flips, and differential evolution.
 * A sample leaves with its first example, so a part is paid for by what stands. Cheaper than AutoAttack by that, and by fewer steps where they found least.
 */
import { UserError } from '../../../core/errors.ts';
import { firstOf, wholeFrom } from '../../../kit/option-checks.ts';
import { apgd } from '../apgd.ts';
import type { Attack, Facts } from '../attack.ts';
import { fab } from '../fab.ts';
import { fewPixel } from '../few-pixel.ts';
import { fmn } from '../fmn.ts';
import { greedyFlip } from '../greedy-flip.ts';
import { gumbelFlip } from '../gumbel-flip.ts';
import { jsma } from '../jsma.ts';
import { sda } from '../sda.ts';
import { sigmaZero } from '../sigma-zero.ts';
import { square } from '../square.ts';
import type { SuitePart } from './cascade.ts';
import { part, partRecord, passesOfParts, runSuite, suits } from './suite.ts';

const defaults = { steps: 100, targets: 9, queries: 2000 };
type Options = typeof defaults;

export const worstCase: Attack<'gradient', Options> = {
  name: 'worst-case',
  title: 'unlike attacks one after the other on what still stands, chosen by classes, norm and signal',
  needs: 'gradient',
  kind: 'bounded',
  norms: ['linf', 'l2', 'l1', 'l0'],
  modalities: 'any',
  targeted: true,
  defaults,
  about: {
    steps: 'steps of each run of APGD',
    targets: 'most other classes aimed at, likeliest first',
    queries: 'queries of the part that sees scores alone (Square, differential evolution)',
  },
  check: ({ steps, targets, queries }) =>
    firstOf(wholeFrom(1, 'steps', steps), wholeFrom(1, 'targets', targets), wholeFrom(1, 'queries', queries)),
  admit: (options, facts) => void partsFor(options, facts),
  passes: (options, facts) => passesOfParts(partsFor(options, facts), facts),
  parts: (options, facts) => partsFor(options, facts).map(partRecord),
  paper: 'none: ours, after Croce and Hein 2020 and Carlini et al. 2019',
  run: (job, options) => runSuite(job, (facts) => partsFor(options, facts)),
};

/** The parts that suit all inputs; throws a UserError where none does. */
function partsFor(options: Options, facts: Facts): SuitePart[] {
  const { norms, binary } = facts;
  const parts = candidates(options, facts).filter(({ attack }) => suits(attack, facts));
  if (parts.length > 0) return parts;
  if (norms.length === 1 && binary)
    throw new UserError('worst-case has no part that flips values within a budget in l1', 'count the flips: norm l0');
  throw new UserError(
    `worst-case has no part that keeps to ${norms.join(' and ')}${binary ? ', flipping values,' : ''} at once`,
    'give all inputs one norm, or linf and l2',
  );
}

function candidates(options: Options, { classes, norms, binary }: Facts): SuitePart[] {
  const { targets, queries } = options;
  if (norms.includes('l0'))
    return [
      ...(binary
        ? [
            part('sda', sda, { beyond: false, steps: 100, exchanges: 6 }),
            part('greedy-flip', greedyFlip),
            part('gumbel-flip', gumbelFlip, { reduce: 'minimal' }),
            part('jsma', jsma, { targets: Math.min(targets, 3) }),
          ]
        : []),
      part('sigma-zero', sigmaZero),
      part('fmn', fmn),
      part('few-pixel', fewPixel, evolutionOf(queries)),
    ];
  return [
    ...ascents(options, classes),
    part('fab-t', fab, { targets: Math.min(targets, 3), steps: 50, stopAt: 'eps' }),
    part('square', square, { queries }),
  ];
}

/** A population that has the time to evolve. */
function evolutionOf(queries: number) {
  const population = Math.max(4, Math.min(100, Math.floor(queries / 2)));
  return { population, generations: Math.max(1, Math.floor(queries / population) - 1) };
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
