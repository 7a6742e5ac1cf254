/** @file provoke/attacks: the attacks, their contract and their registry. */
export { apgd } from './apgd.ts';
export type { Attack, Job, Need, OptionValue, OracleFor } from './attack.ts';
export { bim } from './bim.ts';
export { cw } from './cw.ts';
export { ddn } from './ddn.ts';
export { deepfool } from './deepfool.ts';
export { ead } from './ead.ts';
export { fab } from './fab.ts';
export { fewPixel } from './few-pixel.ts';
export { fgsm } from './fgsm.ts';
export { fmn } from './fmn.ts';
export { jsma } from './jsma.ts';
export { mifgsm } from './mifgsm.ts';
export { noise } from './noise.ts';
export { pgd } from './pgd.ts';
export { attackNamed, attacks, readOptions } from './registry.ts';
export { sigmaZero } from './sigma-zero.ts';
export { square } from './square.ts';
