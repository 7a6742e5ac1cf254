/** @file The attack inside a defence: projected steepest ascent to the last point, whatever the predictions on the way. */
import type { Loss } from '../../kit/losses/loss.ts';
import type { Inputs, Sample } from '../../kit/model/model.ts';
import type { GradientOracle, Probe } from '../../kit/model/oracle.ts';
import type { Threat } from '../../kit/threat/threat.ts';
import { allFinite, type Deltas, perInput, pointsAt } from '../attacks/point.ts';

export interface Climb {
  readonly steps: number;
  /** Length of a step in the threat's norm. */
  alpha(threat: Threat): number;
  /** First perturbation of each sample, by input, projected. */
  readonly starts: readonly Deltas[];
  /** What is climbed, per sample. */
  readonly losses: readonly Loss[];
}

/**
 * delta <- project(delta + step(gradient)), `steps` times, all samples in step; returns the points they end at, side by side in memory (pointsAt).
 * In l1 a step moves the one coordinate of the largest slope, even where that has met the bounds: such a climb needs many steps.
 * A sample whose gradient is not finite stays where it is from then on: the step that follows reports what became of the loss.
 */
export async function ascend(
  oracle: GradientOracle,
  samples: readonly Sample[],
  threats: readonly Readonly<Record<string, Threat>>[],
  { steps, alpha, starts, losses }: Climb,
): Promise<Inputs[]> {
  let deltas = starts;
  for (let step = 0; step < steps; step++) {
    const { gradient } = await oracle.gradient(probesAt(pointsAt(samples, deltas)), losses);
    deltas = samples.map((sample, i) => {
      const slopes = gradient[i]!;
      if (!Object.keys(threats[i]!).every((name) => allFinite(slopes[name]!))) return deltas[i]!;
      return perInput(threats[i]!, (threat, name) =>
        threat.advance(sample.inputs[name]!, deltas[i]![name]!, slopes[name]!, alpha(threat)),
      );
    });
  }
  return pointsAt(samples, deltas);
}

/** Questions about the i-th point on account of the i-th sample. */
export const probesAt = (points: readonly Inputs[]): Probe[] => points.map((inputs, of) => ({ of, inputs }));
