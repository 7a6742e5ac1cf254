/** @file Batch normalisation that knows the threshold (tdBN; Zheng et al. 2021, arXiv 2011.05280, section 3.2). */
import type { Layer } from '../../net.ts';
import { batchNorm } from '../batch-norm.ts';

/** alpha where two normalised currents are added before one threshold: their sum then has the deviation of one. */
export const beforeSum = Math.SQRT1_2;

/**
 * x [N T, C, ...] to alpha threshold (x - mean) / sqrt(variance + eps) weight' + bias per channel, with the statistics of all samples, moments and places (call it
 * over time, where moments are samples). The trained `weight` is alpha threshold weight', and begins at alpha threshold.
 */
export const thresholdNorm = (threshold: number, alpha = 1): Layer => batchNorm({ scale: alpha * threshold });
