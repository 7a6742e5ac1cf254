/** The 97.5 % point of the standard normal. */
const z95 = 1.959963984540054;

/** Wilson score interval of a proportion, 95 % by default (Wilson 1927): [0, 1] where nothing was counted. */
export function wilson(successes: number, n: number, z = z95): readonly [number, number] {
  if (n === 0) return [0, 1];
  const p = successes / n;
  const centre = p + z ** 2 / (2 * n);
  const spread = z * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2));
  const denominator = 1 + z ** 2 / n;
  return [successes === 0 ? 0 : (centre - spread) / denominator, successes === n ? 1 : (centre + spread) / denominator];
}
