/** @file What a model that draws random numbers is fed with: draw d of a sample is a stream of its own, whatever the batch and whatever was asked of others. */
import type { Stream } from '../../core/tensor/random.ts';
import { sizeOf } from '../../core/tensor/tensor.ts';
import type { Inputs, Model, RandomSpec } from './model.ts';
import type { Probe } from './oracle.ts';

/** One standard draw of a kind. */
export const drawOf = (kind: RandomSpec['kind'], random: Stream): number =>
  kind === 'normal' ? random.normal() : random.uniform();

/** Draw `draw` of a sample whose stream is `random`: values for each random input. */
export const drawsOf = (randoms: Readonly<Record<string, RandomSpec>>, random: Stream, draw: number): Inputs =>
  Object.fromEntries(
    Object.entries(randoms).map(([name, { kind, shape }]) => {
      const numbers = random.fork(draw).fork(name);
      const values = new Float32Array(sizeOf(shape));
      for (let i = 0; i < values.length; i++) values[i] = drawOf(kind, numbers);
      return [name, values];
    }),
  );

/** The mean of arrays of one length, summed in float64 in their order. */
export function meanOf(all: readonly Float32Array[]): Float32Array {
  if (all.length === 1) return all[0]!;
  const sum = new Float64Array(all[0]!.length);
  for (const values of all) for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
  return Float32Array.from(sum, (total) => total / all.length);
}

/** One run of one probe. */
export interface Shot extends Probe {
  /** Index of the probe in its question. */
  readonly probe: number;
  /** Whether it is the probe's first draw: the one that counts as a query. */
  readonly first: boolean;
}

export interface Shooting {
  readonly model: Pick<Model, 'randoms' | 'coupling'>;
  readonly draws: number;
  readonly maxBatch: number;
  /** Draws a sample has had so far. */
  drawn(of: number): number;
  random(of: number): Stream;
}

/**
 * Asks about every probe `draws` times, each time with the sample's next draws, and gives the mean answers. Shots of a few probes travel together, so that
 * no more answers are held than fit a batch; where the batch is coupled, each draw is a run of all probes.
 */
export async function overDraws<T>(
  probes: readonly Probe[],
  { model, draws, maxBatch, drawn, random }: Shooting,
  ask: (shots: readonly Shot[]) => Promise<readonly T[]>,
  mean: (answers: readonly T[]) => T,
): Promise<T[]> {
  const { randoms } = model;
  if (randoms === undefined) return [...(await ask(probes.map((probe, k) => ({ ...probe, probe: k, first: true }))))];
  const shot = (k: number, draw: number, first: boolean): Shot => {
    const { of, inputs } = probes[k]!;
    return { of, inputs: { ...inputs, ...drawsOf(randoms, random(of), draw) }, probe: k, first };
  };
  const answers: T[][] = probes.map(() => []);
  const fire = async (shots: readonly Shot[]): Promise<void> => {
    const said = await ask(shots);
    shots.forEach(({ probe }, i) => {
      answers[probe]!.push(said[i]!);
    });
  };
  const start = startsOf(probes, draws, drawn);
  if (model.coupling === 'batch') {
    for (let d = 0; d < draws; d++) await fire(probes.map((_, k) => shot(k, start[k]! + d, d === 0)));
    return answers.map(mean);
  }
  const together = Math.max(1, Math.floor(maxBatch / draws));
  const means: T[] = [];
  for (let from = 0; from < probes.length; from += together) {
    const shots = probes
      .slice(from, from + together)
      .flatMap((_, i) => Array.from({ length: draws }, (__, d) => shot(from + i, start[from + i]! + d, d === 0)));
    await fire(shots);
    for (let k = from; k < Math.min(from + together, probes.length); k++) {
      means.push(mean(answers[k]!));
      answers[k] = [];
    }
  }
  return means;
}

/** The first draw of every probe: those of one sample follow each other. */
function startsOf(probes: readonly Probe[], draws: number, drawn: (of: number) => number): number[] {
  const next = new Map<number, number>();
  return probes.map(({ of }) => {
    const start = next.get(of) ?? drawn(of);
    next.set(of, start + draws);
    return start;
  });
}
