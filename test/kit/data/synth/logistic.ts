/** Multinomial logistic regression by gradient descent on standardised features: the baseline that must fail. */
export interface Point {
  readonly x: readonly number[];
  readonly y: number;
}

/** Share of `test` that a regression fitted to `train` gets right. */
export function logisticAccuracy(train: readonly Point[], test: readonly Point[], classes: number): number {
  const size = train[0]!.x.length;
  const mean = Array.from({ length: size }, (_, j) => train.reduce((s, p) => s + p.x[j]!, 0) / train.length);
  const sd = mean.map((m, j) => Math.sqrt(train.reduce((s, p) => s + (p.x[j]! - m) ** 2, 0) / train.length) || 1);
  const features = (p: Point) => [1, ...p.x.map((v, j) => (v - mean[j]!) / sd[j]!)];
  const weights = Array.from({ length: classes }, () => new Float64Array(size + 1));
  const scores = (x: readonly number[]) => weights.map((w) => x.reduce((s, v, j) => s + v * w[j]!, 0));
  const points = train.map((p) => ({ x: features(p), y: p.y }));
  for (let step = 0; step < 100; step++) {
    const slopes = weights.map(() => new Float64Array(size + 1));
    for (const { x, y } of points) {
      const z = scores(x);
      const top = Math.max(...z);
      const e = z.map((v) => Math.exp(v - top));
      const sum = e.reduce((a, b) => a + b, 0);
      for (const [k, slope] of slopes.entries())
        for (const [j, v] of x.entries()) slope[j] = slope[j]! + v * (e[k]! / sum - (k === y ? 1 : 0));
    }
    for (const [k, w] of weights.entries()) for (let j = 0; j <= size; j++) w[j] = w[j]! - slopes[k]![j]! / train.length;
  }
  const right = test.filter((p) => {
    const z = scores(features(p));
    return z.indexOf(Math.max(...z)) === p.y;
  });
  return right.length / test.length;
}
