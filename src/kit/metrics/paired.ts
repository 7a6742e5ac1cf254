/** @file Two attacks on the same samples. */

/**
 * Two-sided p of the exact McNemar test (McNemar 1947, with the binomial instead of its approximation):
 * how likely a split at least as uneven as `onlyFirst` against `onlySecond` is where both attacks are equally strong; 1 where they never differ.
 */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  const n = onlyFirst + onlySecond;
  let logTerm = -n * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * tail);
}
