/** @file Options under which attacks that ask thousands of questions by default stay brisk in tests of what must always hold. A new attack of that kind adds a line. */

import type { Options } from '../../../src/kit/options.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';

const brisk: Readonly<Record<string, Options>> = {
  apgd: { steps: 30 },
  boundary: { steps: 300 },
  cw: { searches: 6, steps: 40, lr: 0.05 },
  ead: { searches: 6, steps: 40 },
  fab: { steps: 20 },
  'few-pixel': { population: 40, generations: 20 },
  'gumbel-flip': { steps: 60 },
  'hop-skip-jump': { queries: 500 },
  'sa-pgd': { steps: 30 },
  'sigma-zero': { steps: 200 },
  square: { queries: 300 },
};

export const briskOptions = (attack: Attack): Options => ({ ...attack.defaults, ...brisk[attack.name] });
