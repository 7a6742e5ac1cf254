/** @file Whether one of two paired quantities tends to be smaller (Wilcoxon 1945, signed ranks). */

export interface SignedRank {
  /** Pairs that differ; ties, also of two infinite values, are left out (Wilcoxon's own rule). */
  readonly n: number;
  /** Sum of the ranks of pairs in which the first is smaller, and in which the second is. */
  readonly firstSmaller: number;
  readonly secondSmaller: number;
  /** One-sided: how likely so large a `firstSmaller` is where neither tends to be smaller. */
  readonly p: number;
}

/** Beyond so many pairs the normal approximation, with correction for ties and continuity, is used; up to it the exact distribution of the signs given the ranks. */
const exactUpTo = 60;

/**
 * Wilcoxon's signed-rank test of "the first is smaller". Values may be infinite (an attack that failed): such a pair has the largest difference, and pairs
 * with one infinite value share the highest ranks. Throws where the lengths differ or a value is NaN.
 */
export function signedRank(first: readonly number[], second: readonly number[]): SignedRank {
  if (first.length !== second.length) throw new Error(`${first.length} and ${second.length} values are no pairs`);
  const pairs = first.map((a, i) => [a, second[i]!] as const);
  if (pairs.some(([a, b]) => Number.isNaN(a) || Number.isNaN(b))) throw new Error('a value to be ranked is NaN');
  const differences = pairs.filter(([a, b]) => a !== b).map(([a, b]) => b - a);
  const ranks = midRanks(differences.map(Math.abs));
  const n = differences.length;
  let firstSmaller = 0;
  for (const [i, d] of differences.entries()) if (d > 0) firstSmaller += ranks[i]!;
  const total = (n * (n + 1)) / 2;
  const p = n === 0 ? 1 : n <= exactUpTo ? exactTail(ranks, firstSmaller) : normalTail(ranks, firstSmaller);
  return { n, firstSmaller, secondSmaller: total - firstSmaller, p };
}

/** Ranks from 1; equal values share the mean of theirs. */
function midRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => (values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : 0));
  const ranks = new Array<number>(values.length);
  for (let i = 0; i < order.length; ) {
    let j = i;
    while (j < order.length && values[order[j]!] === values[order[i]!]) j++;
    for (let k = i; k < j; k++) ranks[order[k]!] = (i + 1 + j) / 2;
    i = j;
  }
  return ranks;
}

/** Share of all 2^n sign patterns whose sum of positive ranks is at least `sum`: by counting sums of doubled ranks, which are whole numbers. */
function exactTail(ranks: readonly number[], sum: number): number {
  const doubled = ranks.map((r) => Math.round(2 * r));
  const most = doubled.reduce((a, b) => a + b, 0);
  let shares = new Float64Array(most + 1);
  shares[0] = 1;
  for (const r of doubled) {
    const next = new Float64Array(most + 1);
    for (let s = 0; s <= most; s++) next[s] = (shares[s]! + (s >= r ? shares[s - r]! : 0)) / 2;
    shares = next;
  }
  return shares.subarray(Math.round(2 * sum)).reduce((a, b) => a + b, 0);
}

function normalTail(ranks: readonly number[], sum: number): number {
  const mean = ranks.reduce((a, b) => a + b, 0) / 2;
  const deviation = Math.sqrt(ranks.reduce((a, r) => a + r * r, 0) / 4);
  return upperTail((sum - mean - 0.5) / deviation);
}

/** P(Z > z) of the standard normal, by the continued fraction of Mills' ratio beyond 3 and the series of erf below (Abramowitz and Stegun 7.1.6, 26.2.14). */
function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (z > 3) {
    let ratio = z;
    for (let k = 60; k > 0; k--) ratio = z + k / ratio;
    return density / ratio;
  }
  let term = z;
  let series = z;
  for (let k = 1; k < 100; k++) {
    term *= (z * z) / (2 * k + 1);
    series += term;
  }
  return 0.5 - density * series;
}
