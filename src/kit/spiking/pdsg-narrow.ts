/**
 * @file `spikes: pdsg-narrow`: PDSG with a density a fifth as wide, whose tails are Cauchy's. Ours, not the paper's: where potentials deviate by more than a
 * threshold, as published networks' need not, a density as wide as they deviate says little of which neurons a small change reaches. Width and tails were
 * chosen on two victims and tested on others (docs/results/spiking.md).
 */
import { pdsg } from './pdsg.ts';
import type { SpikeGradient } from './spike-gradient.ts';

export const pdsgNarrow: SpikeGradient<typeof pdsg.defaults> = {
  ...pdsg,
  name: 'pdsg-narrow',
  title: 'PDSG a fifth as wide, with the tails of Cauchy’s density (ours)',
  paper: 'after Lun et al. 2025, arXiv 2503.03272',
  defaults: { ...pdsg.defaults, width: 0.2, shift: 0, tails: 'cauchy' },
};
