/** @file Differential evolution (Storn and Price 1997): vectors of genes in [0, 1) of which a cost is to be made small. */
import type { Stream } from '../../core/tensor/random.ts';

export interface EvolutionOptions {
  readonly genes: number;
  /** At least 4. */
  readonly population: number;
  /** F. */
  readonly mutation: number;
  /** CR. */
  readonly recombination: number;
  /** random: DE/rand/1/bin; best: DE/best/1/bin. */
  readonly base: string;
}

/** A population. First its own costs are handed to `select`; then a generation is: mutants(), their costs from the caller, select(). */
export interface Evolution {
  readonly individuals: readonly Float64Array[];
  /** One trial per individual: base + F (a - b) where the coin falls for the mutant (in one gene at least), the individual elsewhere. */
  mutants(): Float64Array[];
  /** Every trial that costs no more than its individual takes its place. */
  select(trials: readonly Float64Array[], costs: readonly number[]): void;
  /** Whether the costs differ by less than a hundredth of what they did at first: from here on mutants are copies. */
  converged(): boolean;
}

/** Starts uniformly; genes that leave their range are drawn anew. */
export function evolve({ genes, population, mutation, recombination, base }: EvolutionOptions, random: Stream): Evolution {
  const individuals: Float64Array[] = Array.from({ length: population }, () =>
    Float64Array.from({ length: genes }, () => random.uniform()),
  );
  const costs = new Float64Array(population).fill(Number.POSITIVE_INFINITY);
  let best = 0;
  let first: number | undefined;
  /** Three individuals, different from i and from each other. */
  const others = (i: number): [Float64Array, Float64Array, Float64Array] => {
    const taken = [i];
    while (taken.length < 4) {
      const k = random.integer(population);
      if (!taken.includes(k)) taken.push(k);
    }
    return [individuals[taken[1]!]!, individuals[taken[2]!]!, individuals[taken[3]!]!];
  };
  return {
    individuals,
    mutants: () =>
      individuals.map((individual, i) => {
        const [a, b, c] = others(i);
        const from = base === 'best' ? individuals[best]! : c;
        const sure = random.integer(genes);
        return individual.map((gene, g) => {
          if (g !== sure && random.uniform() >= recombination) return gene;
          const moved = from[g]! + mutation * (a[g]! - b[g]!);
          return moved >= 0 && moved < 1 ? moved : random.uniform();
        });
      }),
    select(trials, found) {
      for (const [i, cost] of found.entries()) {
        if (!(cost <= costs[i]!)) continue;
        individuals[i] = trials[i]!;
        costs[i] = cost;
        if (cost < costs[best]!) best = i;
      }
      first ??= spread(costs);
    },
    converged: () => first !== undefined && spread(costs) < first / 100,
  };
}

/** Standard deviation. */
function spread(values: Float64Array): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
}
