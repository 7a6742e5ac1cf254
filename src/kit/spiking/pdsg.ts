/** @file `spikes: pdsg`: a curve as wide as the victim's own potentials deviate, which nothing about the victim's training decides. */
import { type PdsgOptions as Density, pdsgDefaults, pdsgRule } from '../../core/autodiff/surrogates/pdsg.ts';
import { UserError } from '../../core/errors.ts';
import type { SpikingLayer } from '../../core/spikes/layer.ts';
import { overChannels, stepByStep } from './known-moments.ts';
import { resetAbout, resetChoices, resetDefault, surrogatesOf } from './reset.ts';
import type { ReferenceStatistics, SpikeGradient } from './spike-gradient.ts';

interface PdsgOptions {
  readonly [name: string]: string | number;
  readonly width: number;
  readonly shift: number;
  readonly tails: string;
  readonly statistics: string;
  readonly per: string;
  readonly over: string;
  readonly samples: number;
  readonly reset: string;
}

export const pdsg: SpikeGradient<PdsgOptions> = {
  name: 'pdsg',
  title: 'normal density as wide as the potentials of the layer deviate',
  paper: 'Lun et al. 2025, arXiv 2503.03272',
  defaults: {
    width: pdsgDefaults.width,
    shift: pdsgDefaults.shift,
    tails: pdsgDefaults.tails,
    statistics: 'auto',
    per: pdsgDefaults.per,
    over: pdsgDefaults.over,
    samples: 32,
    reset: resetDefault,
  },
  about: {
    width: 'how wide the density is, in standard deviations of the potentials: 1 as published; others are ours',
    shift: 'how far above the threshold the density has its centre, in its own widths',
    tails: 'normal, as published, or cauchy (ours): the tails of that density reach neurons far from their threshold',
    statistics:
      'whose potentials count: sample (those of the sample itself), reference-set (those of clean samples too), batch (those of its batch mates too, as in the paper: results then depend on the batch), auto (sample; in layers without space reference-set, where data give clean samples)',
    per: 'channel or layer: what has a standard deviation of its own',
    over: 'cumulative (steps 0 up to the own one) or current (that step alone)',
    samples: 'how many clean samples the reference set has',
    reset: resetAbout,
  },
  choices: {
    tails: ['normal', 'cauchy'],
    statistics: ['auto', 'sample', 'reference-set', 'batch'],
    per: ['channel', 'layer'],
    over: ['cumulative', 'current'],
    reset: resetChoices,
  },
  check: ({ samples, width }) =>
    !(width > 0)
      ? `width is ${width}, and must be above 0`
      : Number.isInteger(samples) && samples >= 2
        ? undefined
        : `samples is ${samples}, and must be a whole number of at least 2`,
  coupling: ({ statistics }) => (statistics === 'batch' ? 'batch' : 'none'),
  wantsReference: ({ layers }, { statistics }) =>
    statistics === 'reference-set' || (statistics === 'auto' && layers.some(isPlain)),
  make: ({ layers }, options, { reference }) => ({
    surrogates: layers.flatMap((layer) => {
      const known = reference?.layers.get(layer.name);
      const statistics = statisticsOf(layer, options.statistics, known !== undefined);
      const { shift, width } = options;
      const tails = options.tails as Density['tails'];
      const density = {
        shift,
        width,
        tails,
        statistics,
        per: options.per as Density['per'],
        over: options.over as Density['over'],
      };
      const fitting = statistics === 'reference-set' ? { reference: fit(known!, density) } : {};
      return surrogatesOf(
        layer,
        options,
        labelOf(layer, options, statistics, reference),
        pdsgRule(layer, { ...density, ...fitting }),
      );
    }),
  }),
};

/** Whether its potentials at a step are a single one per channel. */
const isPlain = ({ space }: SpikingLayer): boolean => space === 1;

function statisticsOf(layer: SpikingLayer, stated: string, isKnown: boolean): Density['statistics'] {
  if (stated === 'auto') return isPlain(layer) && isKnown ? 'reference-set' : 'sample';
  if (stated === 'reference-set' && !isKnown)
    throw new UserError(
      `pdsg: statistics are those of a reference set, and there are no clean samples of layer "${layer.name}" here`,
      'use statistics: sample (or auto), or write an experiment (provoke init): its data give the samples',
    );
  return stated as Density['statistics'];
}

type Known = NonNullable<ReturnType<ReferenceStatistics['layers']['get']>>;

/** The statistics over what the options say they are over. */
function fit(steps: Known, { per, over }: Pick<Density, 'per' | 'over'>): Known {
  const each = over === 'current' ? stepByStep(steps) : steps;
  return per === 'layer' ? each.map(overChannels) : each;
}

function labelOf(
  layer: SpikingLayer,
  { shift, width, tails, per, over, statistics: stated }: PdsgOptions,
  statistics: Density['statistics'],
  reference: ReferenceStatistics | undefined,
): string {
  const words = {
    batch: 'batch statistics',
    sample: `sample statistics${stated === 'auto' && isPlain(layer) ? ' for want of a reference set' : ''}`,
    'reference-set': `statistics of the sample and ${reference?.samples.length} reference samples`,
  };
  const more = [per === 'layer' ? ', per layer' : '', over === 'current' ? ', of the step alone' : ''];
  return `PDSG (${words[statistics]}${more.join('')}${width === 1 ? '' : `, width ${width}`}${tails === 'normal' ? '' : ', tails of Cauchy'}, shift ${shift})`;
}
