import { stream } from '../../../src/core/tensor/random.ts';
import type { Goal, Loss } from '../../../src/kit/losses/loss.ts';
import { scoreLoss } from '../../../src/kit/losses/score-loss.ts';
import type { Inputs, Sample } from '../../../src/kit/model/model.ts';
import { argmax, type GradientOracle, type Probe } from '../../../src/kit/model/oracle.ts';
import type { Threat } from '../../../src/kit/threat/threat.ts';
import type { Job } from '../../../src/methods/attacks/attack.ts';

export interface Recording extends GradientOracle {
  /** Every point asked about, in order. */
  readonly probes: Probe[];
}

/** Weights by input name, a row per class. */
export type Weights = Readonly<Record<string, readonly (readonly number[])[]>>;

/** z = W x + b over the named inputs, written out in plain numbers: its optimum is known, so attacks can be held against it. */
export function linearOracle(weights: Weights, bias: readonly number[]): Recording {
  const probes: Probe[] = [];
  const spent = new Map<number, { forwards: number; backwards: number; queries: number }>();
  const ask = (asked: readonly Probe[], backwards: number): Float32Array[] => {
    probes.push(...asked);
    return asked.map(({ of, inputs }) => {
      const before = spent.get(of) ?? { forwards: 0, backwards: 0, queries: 0 };
      const { forwards, queries } = before;
      spent.set(of, { forwards: forwards + 1, backwards: before.backwards + backwards, queries: queries + 1 });
      return logitsOf(weights, bias, inputs);
    });
  };
  return {
    probes,
    classes: bias.length,
    counts: (of) => spent.get(of) ?? { forwards: 0, backwards: 0, queries: 0 },
    labels: async (asked) => ask(asked, 0).map(argmax),
    logits: async (asked) => ask(asked, 0),
    async gradient(asked, losses) {
      const logits = ask(asked, 1);
      const slopes = logits.map((z, k) => slopeOf(z, losses[k]!));
      return {
        loss: slopes.map(({ loss }) => loss),
        logits,
        gradient: slopes.map(({ perClass }) => gradientOf(weights, perClass)),
      };
    },
  };
}

function logitsOf(weights: Weights, bias: readonly number[], inputs: Inputs): Float32Array {
  return Float32Array.from(bias, (b, c) =>
    Object.entries(weights).reduce((sum, [name, rows]) => sum + rows[c]!.reduce((s, w, i) => s + w * inputs[name]![i]!, 0), b),
  );
}

/** Value of a loss and its slope by every logit, from the definitions in losses/loss.ts. */
function slopeOf(z: Float32Array, loss: Loss): { loss: number; perClass: number[] } {
  const { label, target = label, ce = 0, margin = 0, dlr = 0, targetedDlr = 0, linear } = loss;
  const top = Math.max(...z);
  const total = z.reduce((sum, value) => sum + Math.exp(value - top), 0);
  const rival = argmax(z.map((value, c) => (c === label ? Number.NEGATIVE_INFINITY : value)));
  const order = Array.from(z, (_, c) => c).sort((a, b) => z[b]! - z[a]! || a - b);
  const one = (c: number, k: number | undefined): number => (c === k ? 1 : 0);
  /** Slope of -(z[label] - z[other]) / span. */
  const ratio = (c: number, other: number, span: number, spanSlope: number): number =>
    -(one(c, label) - one(c, other)) / span + ((z[label]! - z[other]!) * spanSlope) / span ** 2;
  const span3 = z[order[0]!]! - z[order[2] ?? 0]! + 1e-12;
  const span4 = z[order[0]!]! - (z[order[2] ?? 0]! + z[order[3] ?? 0]!) / 2 + 1e-12;
  const perClass = Array.from(z, (value, c) => {
    let slope = ce * (Math.exp(value - top) / total - one(c, label)) + margin * (one(c, label) - one(c, rival));
    if (dlr !== 0) slope += dlr * ratio(c, rival, span3, one(c, order[0]) - one(c, order[2]));
    if (targetedDlr !== 0)
      slope += targetedDlr * ratio(c, target, span4, one(c, order[0]) - (one(c, order[2]) + one(c, order[3])) / 2);
    return slope + (linear?.[c] ?? 0);
  });
  return { loss: scoreLoss(loss, z), perClass };
}

const gradientOf = (weights: Weights, perClass: readonly number[]): Inputs =>
  Object.fromEntries(
    Object.entries(weights).map(([name, rows]) => [
      name,
      Float32Array.from(rows[0]!, (_, i) => rows.reduce((sum, row, c) => sum + perClass[c]! * row[i]!, 0)),
    ]),
  );

/** Normal weights for an input of n elements. */
export function randomWeights(classes: number, n: number, ...key: (string | number)[]): number[][] {
  const random = stream('weights', ...key);
  return Array.from({ length: classes }, () => Array.from({ length: n }, () => random.normal()));
}

export const untargeted = (label: number): Goal => ({ kind: 'untargeted', label });

/** A job over samples of one input "x", with streams keyed by the sample's id. */
export const jobOf = <O>(
  oracle: O,
  batch: readonly Sample[],
  goals: readonly Goal[],
  threats: readonly Readonly<Record<string, Threat>>[],
): Omit<Job<'gradient'>, 'oracle'> & { oracle: O } => ({
  oracle,
  batch,
  goals,
  threats,
  random: (i, restart) => stream(7, batch[i]!.id, 'attack', restart),
  signal: new AbortController().signal,
  progress: () => {},
});

export const sampleOf = (id: string, inputs: Inputs): Sample => ({ id, group: id, inputs });
