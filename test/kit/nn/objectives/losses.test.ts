import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../src/core/errors.ts';
import { type GraphBuilder, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import { f32, i64, numbersOf, type Tensor } from '../../../../src/core/tensor/tensor.ts';
import { standard } from '../../../../src/kit/nn/objectives/cross-entropy.ts';
import { crossEntropy, hinge, kl, meanSquare, softCrossEntropy } from '../../../../src/kit/nn/objectives/losses.ts';
import { runtime } from '../nets.ts';

const classes = 3;
const z = [
  [1, -2, 0.5],
  [0, 0, 0],
  [30, 10, -40],
];
const other = [
  [0.3, 0.1, -1],
  [2, -1, 1],
  [12, 10, 5],
];
const labels = [0, 2, 1];
const target = [
  [0.2, 0.3, 0.5],
  [1, 0, 0],
  [0.5, 0.5, 0],
];
const feeds = {
  z: f32(z.flat(), [3, 3]),
  other: f32(other.flat(), [3, 3]),
  target: f32(target.flat(), [3, 3]),
  label: i64(labels),
};

async function valuesOf(write: (g: GraphBuilder) => string): Promise<number[]> {
  const g = graphBuilder();
  for (const [name, t] of Object.entries<Tensor>(feeds)) g.input(name, t.dims, t.dtype);
  const loss = g.output(write(g), ['N']);
  const result = (await runtime.execute(g.build(), feeds))[loss]!;
  expect(result.dims).toEqual([3]);
  return numbersOf(result);
}
const logSoftmax = (row: readonly number[]): number[] => {
  const top = Math.max(...row);
  const total = top + Math.log(row.reduce((sum, v) => sum + Math.exp(v - top), 0));
  return row.map((v) => v - total);
};
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
const close = (values: readonly number[], expected: readonly number[]) =>
  expect(Math.max(...values.map((v, i) => Math.abs(v - expected[i]!) / (1 + Math.abs(expected[i]!))))).toBeLessThanOrEqual(2e-6);

describe('losses of logits', () => {
  it.each([0, 0.1, 1])('cross-entropy with smoothing %f', async (smoothing) => {
    const values = await valuesOf((g) => crossEntropy(g, 'z', 'label', { classes, smoothing }));
    const at = (c: number, y: number) => (c === y ? 1 - smoothing : 0) + smoothing / classes;
    close(
      values,
      z.map(
        (row, i) =>
          -dot(
            logSoftmax(row),
            row.map((_, c) => at(c, labels[i]!)),
          ),
      ),
    );
  });

  it('cross-entropy of equal logits is the logarithm of their number', async () =>
    close([(await valuesOf((g) => crossEntropy(g, 'z', 'label', { classes, smoothing: 0 })))[1]!], [Math.log(3)]));

  it('cross-entropy with soft targets', async () => {
    const values = await valuesOf((g) => softCrossEntropy(g, 'z', 'target'));
    close(
      values,
      z.map((row, i) => -dot(logSoftmax(row), target[i]!)),
    );
  });

  it('KL divergence of one prediction from another', async () => {
    const values = await valuesOf((g) => kl(g, 'z', 'other'));
    close(
      values,
      z.map((row, i) => {
        const [p, q] = [logSoftmax(row), logSoftmax(other[i]!)];
        return dot(
          p.map(Math.exp),
          p.map((v, c) => v - q[c]!),
        );
      }),
    );
    expect(Math.min(...values)).toBeGreaterThan(0);
    close(await valuesOf((g) => kl(g, 'z', 'z')), [0, 0, 0]);
  });

  it('mean square', async () => {
    const values = await valuesOf((g) => meanSquare(g, 'z', 'other'));
    close(
      values,
      z.map((row, i) => row.reduce((sum, v, c) => sum + (v - other[i]![c]!) ** 2, 0) / 3),
    );
  });

  it('hinge: what the lead over the best other class lacks', async () => {
    const values = await valuesOf((g) => hinge(g, 'z', 'label', { classes, margin: 1 }));
    close(values, [1 - 0.5, 1, 1 + 20]);
    close(await valuesOf((g) => hinge(g, 'z', 'label', { classes, margin: 0.25 })), [0, 0.25, 20.25]);
  });
});

describe('the standard objective', () => {
  it.each([-0.1, 1, 2, Number.NaN])('refuses a smoothing of %f', (smoothing) => {
    const make = () => standard({ smoothing });
    expect(make).toThrow(UserError);
    expect(make).toThrow(`smoothing is ${smoothing}: `);
  });
});
