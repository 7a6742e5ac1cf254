/** @file The pair of elements that a saliency map of pairs prefers (Papernot et al. 2016, equations 8 to 10 and algorithm 2), without a table of all pairs. */

/** Most elements among which pairs are compared. Which are left out can only matter where so many lie on the frontier described below. */
const mostCandidates = 1024;

/**
 * The pair p < q of allowed elements with rise[p] + rise[q] > 0 and fall[p] + fall[q] > 0 whose product of the two sums is largest; undefined where there is none.
 * An element with two others that neither rise less nor fall less is in no better pair than they are, so only elements with fewer such betters are compared.
 */
export function bestPair(rise: Float64Array, fall: Float64Array, allowed: Uint8Array): readonly [number, number] | undefined {
  const candidates = frontier(rise, fall, allowed);
  let best: readonly [number, number] | undefined;
  let most = 0;
  for (const [k, p] of candidates.entries()) {
    for (let l = 0; l < k; l++) {
      const q = candidates[l]!;
      const up = rise[p]! + rise[q]!;
      const down = fall[p]! + fall[q]!;
      if (!(up > 0 && down > 0)) continue;
      const pair = [Math.min(p, q), Math.max(p, q)] as const;
      const product = up * down;
      if (product < most || (product === most && best !== undefined && !isBefore(pair, best))) continue;
      most = product;
      best = pair;
    }
  }
  return best;
}

const isBefore = ([a, b]: readonly [number, number], [c, d]: readonly [number, number]): boolean => a < c || (a === c && b < d);

/** The allowed elements with at most one better: by falling rise, those that fall more than the second best fall before them. */
function frontier(rise: Float64Array, fall: Float64Array, allowed: Uint8Array): number[] {
  const order: number[] = [];
  for (let i = 0; i < rise.length; i++) if (allowed[i]) order.push(i);
  order.sort((a, b) => rise[b]! - rise[a]! || fall[b]! - fall[a]! || a - b);
  let [first, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const kept = order.filter((i) => {
    const value = fall[i]!;
    if (value <= second) return false;
    if (value > first) [first, second] = [value, first];
    else second = value;
    return true;
  });
  if (kept.length <= mostCandidates) return kept;
  return kept.sort((a, b) => rise[b]! + fall[b]! - rise[a]! - fall[a]! || a - b).slice(0, mostCandidates);
}
