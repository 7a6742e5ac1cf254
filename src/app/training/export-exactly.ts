/** @file The export at the end of a training: hours of work do not end for rounding. */
import { UserError } from '../../core/errors.ts';
import type { Architecture } from '../../kit/nn/architecture.ts';
import { type Exported, type ExportOptions, exportModel } from '../../kit/nn/export/export.ts';
import { LogitsDiffer } from '../../kit/nn/export/network.ts';
import type { Weights } from '../../kit/nn/export/weights.ts';

/**
 * The model with normalisation folded into its weights, or unfolded, with a note, where folding moves the logits by more than is allowed.
 * Throws a UserError that names `kept`, the file the weights are in, where the unfolded file differs too.
 */
export async function exportExactly(
  weights: Weights,
  architecture: Architecture,
  options: Omit<ExportOptions, 'fold'>,
  kept: string,
): Promise<{ readonly exported: Exported; readonly notes: readonly string[] }> {
  try {
    return { exported: await exportModel(weights, architecture, options), notes: [] };
  } catch (error) {
    if (!(error instanceof LogitsDiffer)) throw error;
    if (!error.folded) throw withoutModel(error, kept);
    return {
      exported: await unfolded(weights, architecture, options, kept),
      notes: [
        `normalisation is not folded into the weights of the model: folded, its logits differed by ${error.difference.toExponential(1)} from those of the trained network`,
      ],
    };
  }
}

async function unfolded(...[weights, architecture, options, kept]: Parameters<typeof exportExactly>): Promise<Exported> {
  try {
    return await exportModel(weights, architecture, { ...options, fold: false });
  } catch (error) {
    throw error instanceof LogitsDiffer ? withoutModel(error, kept) : error;
  }
}

const withoutModel = (error: LogitsDiffer, kept: string): UserError =>
  new UserError(`${error.message}; no model was written, and the trained weights are kept in ${kept}`, error.remedy, {
    cause: error,
  });
