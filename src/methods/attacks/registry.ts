/** @file The attacks there are, by name. A new attack is one file and one line here. */
import { findNamed } from '../../core/errors.ts';
import { apgd } from './apgd.ts';
import type { Attack } from './attack.ts';
import { bim } from './bim.ts';
import { boundary } from './boundary.ts';
import { cw } from './cw.ts';
import { ddn } from './ddn.ts';
import { deepfool } from './deepfool.ts';
import { ead } from './ead.ts';
import { fab } from './fab.ts';
import { fewPixel } from './few-pixel.ts';
import { fgsm } from './fgsm.ts';
import { fmn } from './fmn.ts';
import { greedyFlip } from './greedy-flip.ts';
import { gumbelFlip } from './gumbel-flip.ts';
import { hopSkipJump } from './hop-skip-jump.ts';
import { jsma } from './jsma.ts';
import { mifgsm } from './mifgsm.ts';
import { noise } from './noise.ts';
import { pgd } from './pgd.ts';
import { randomFlip } from './random-flip.ts';
import { saPgd } from './sa-pgd.ts';
import { scg } from './scg.ts';
import { sda } from './sda.ts';
import { sigmaZero } from './sigma-zero.ts';
import { spikeFool } from './spike-fool.ts';
import { square } from './square.ts';
import { autoattack } from './suites/autoattack.ts';
import { worstCase } from './suites/worst-case.ts';
import { topKFlip } from './top-k-flip.ts';

export const attacks: Readonly<Record<string, Attack>> = {
  noise,
  fgsm,
  bim,
  pgd,
  mifgsm,
  apgd,
  'sa-pgd': saPgd,
  square,
  'few-pixel': fewPixel,
  fab,
  deepfool,
  ddn,
  fmn,
  cw,
  ead,
  jsma,
  'sigma-zero': sigmaZero,
  sda,
  'hop-skip-jump': hopSkipJump,
  boundary,
  'random-flip': randomFlip,
  'greedy-flip': greedyFlip,
  'top-k-flip': topKFlip,
  scg,
  'spike-fool': spikeFool,
  'gumbel-flip': gumbelFlip,
  autoattack,
  'worst-case': worstCase,
};

/** The attack of that name; throws a UserError with the nearest name otherwise. */
export const attackNamed = (name: string): Attack => findNamed('attack', attacks, name);

export { readOptions } from '../../kit/options.ts';
