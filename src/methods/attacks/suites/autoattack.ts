/**
 * AutoAttack: APGD on cross-entropy, APGD on the targeted DLR loss, targeted FAB and Square, each on what the ones before left standing.
 * Paper: Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML 2020; versions and numbers
 * of steps as in the released code (commit a392200).
 * Threat model: white box, the last part from scores alone; linf, l2. (The original's l1 version has a Square for l1, which is not here: see worst-case.)
 * Versions: standard runs apgd-ce, apgd-t, fab-t, square; plus runs apgd-ce and apgd-dlr with five restarts, fab with five, square, apgd-t, fab-t; rand runs apgd-ce and apgd-dlr on the mean over 20 draws of a randomised model.
 * Deviations: every sample has random numbers of its own (the original seeds a global generator, and Square's positions are shared by the batch); a sample
 * leaves a part as soon as it is broken, unless earlyStop is false, which walks to the end of every part as the original does; bounds are the model's
 * instead of 0 and 1; a model of fewer than ten classes has all its other classes as targets. Needs four classes, as the original does. Several inputs need
 * one norm, for FAB makes them small together.
 */
import { UserError } from '../../../core/errors.ts';
import { oneOf } from '../../../kit/option-checks.ts';
import { apgd } from '../apgd.ts';
import type { Attack } from '../attack.ts';
import { fab } from '../fab.ts';
import { square } from '../square.ts';
import type { SuitePart } from './cascade.ts';
import { part, partRecord, passesOfParts, refuseFewClasses, runSuite } from './suite.ts';

const defaults = { version: 'standard', earlyStop: true };
type Options = typeof defaults;

export const autoattack: Attack<'gradient', Options> = {
  name: 'autoattack',
  title: 'the parameter-free ensemble by which published robustness is measured',
  needs: 'gradient',
  kind: 'bounded',
  norms: ['linf', 'l2'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: false,
  defaults,
  about: {
    version: 'standard, plus (more restarts, and untargeted parts) or rand (for randomised models: the mean of 20 draws)',
    earlyStop: 'a sample leaves a part at its first success; false walks to the end of every part, as the original does',
  },
  check: ({ version }) => oneOf(Object.keys(versions), 'version', version),
  admit({ version }, { classes, random, norms }) {
    refuseFewClasses('autoattack', classes, 4);
    if (version === 'rand' && random !== true)
      throw new UserError(
        'autoattack: version rand is for models that draw random numbers, this one draws none',
        'use version standard',
      );
    if (norms.length > 1)
      throw new UserError('autoattack needs one norm for all inputs', 'use the suite worst-case, or give the inputs one norm');
  },
  passes: (options, facts) => passesOfParts(partsFor(options), facts),
  parts: (options) => partsFor(options).map(partRecord),
  paper: 'Croce and Hein 2020, arXiv 2003.01690',
  run: (job, options) =>
    runSuite(job, (facts) => {
      autoattack.admit!(options, facts);
      return partsFor(options);
    }),
};

const versions: Readonly<Record<string, (options: Options) => SuitePart[]>> = {
  standard({ earlyStop }) {
    return [
      part('apgd-ce', apgd, { loss: 'ce', mode: 'reference', earlyStop }),
      part('apgd-t', apgd, { loss: 'targeted', targets: 9, mode: 'reference', earlyStop }),
      part('fab-t', fab, { targets: 9, ...asReleased(earlyStop) }),
      part('square', square, { mode: 'reference' }),
    ];
  },
  plus({ earlyStop }) {
    return [
      part('apgd-ce', apgd, { loss: 'ce', restarts: 5, mode: 'reference', earlyStop }),
      part('apgd-dlr', apgd, { loss: 'dlr', restarts: 5, mode: 'reference', earlyStop }),
      part('fab', fab, { targets: 0, restarts: 5, ...asReleased(earlyStop) }),
      part('square', square, { mode: 'reference' }),
      part('apgd-t', apgd, { loss: 'targeted', targets: 9, mode: 'reference', earlyStop }),
      part('fab-t', fab, { targets: 9, ...asReleased(earlyStop) }),
    ];
  },
  rand({ earlyStop }) {
    return [
      part('apgd-ce', apgd, { loss: 'ce', draws: 20, mode: 'reference', earlyStop }),
      part('apgd-dlr', apgd, { loss: 'dlr', draws: 20, mode: 'reference', earlyStop }),
    ];
  },
};

/** FAB without the search along the last segment, which the released code has not; it may stop at the first example inside the budget. */
const asReleased = (earlyStop: boolean) => ({ mode: 'reference', stopAt: earlyStop ? 'eps' : 'none' });

const partsFor = (options: Options): SuitePart[] => versions[options.version]!(options);
