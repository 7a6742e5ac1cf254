/** @file Moving averages of weights (Polyak and Juditsky 1992; the exponential form): average <- d average + (1 - d) weight after every step. */

/** The name of the moving average of a parameter or statistic. */
export const averageOf = (name: string): string => `${name}/average`;

/**
 * The decay d at step `step` (from 1). With warm-up it is at most (1 + step) / (10 + step): the average starts at the first weights, which at a constant d
 * would keep the share d^steps.
 */
export const averageDecay = (step: number, decay: number, warmup: boolean): number =>
  warmup ? Math.min(decay, (1 + step) / (10 + step)) : decay;
