import fc from 'fast-check';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import { UserError } from '../../../src/core/errors.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, numbersOf } from '../../../src/core/tensor/tensor.ts';
import { lossFeeds, withLoss } from '../../../src/kit/losses/graph.ts';
import type { Loss } from '../../../src/kit/losses/loss.ts';
import { scoreLoss } from '../../../src/kit/losses/score-loss.ts';

const runtime = createRuntime(ort);

/** logits = x + 0 */
function plain(classes: number): Graph {
  const g = graphBuilder();
  g.op('Add', [g.input('x', ['N', classes]), g.number(0)], {}, 'z');
  g.output('z', ['N', classes]);
  return g.build();
}

async function lossAndGradient(logits: readonly (readonly number[])[], losses: readonly Loss[]) {
  const classes = logits[0]!.length;
  const { graph, inputs, loss } = withLoss(plain(classes), { logits: 'z', classes });
  const { graph: whole, gradients } = await gradient(graph, runtime.execute, { of: [loss], wrt: ['x'] });
  const given = lossFeeds(losses, classes);
  const feeds = Object.fromEntries(Object.entries(inputs).map(([role, name]) => [name, given[role as keyof typeof given]]));
  const session = await runtime.open(whole);
  const result = await session.run({ ...feeds, x: f32(logits.flat(), [logits.length, classes]) });
  await session.release();
  const flat = numbersOf(result[gradients.x!]!);
  return { loss: numbersOf(result[loss]!), gradient: logits.map((_, n) => flat.slice(n * classes, (n + 1) * classes)) };
}

const numericGradient = (loss: Loss, z: readonly number[], h = 1e-5): number[] =>
  z.map((_, c) => {
    const at = (d: number) =>
      scoreLoss(
        loss,
        z.map((v, i) => (i === c ? v + d : v)),
      );
    return (at(h) - at(-h)) / (2 * h);
  });

const lossesFor = (classes: number, label: number, target: number): Loss[] => [
  { label, ce: 1 },
  { label, ce: -1 },
  { label, margin: -1 },
  { label, linear: Float32Array.from({ length: classes }, (_, c) => Math.sin(c)) },
  { label, ce: 0.5, margin: -2 },
  ...(classes >= 3 ? [{ label, dlr: 1 }] : []),
  ...(classes >= 4 ? [{ label, target, targetedDlr: 1 }] : []),
];

const close = (got: readonly number[], want: readonly number[], tolerance: number) => {
  for (const [i, w] of want.entries()) expect(Math.abs(got[i]! - w)).toBeLessThan(tolerance * (1 + Math.abs(w)));
};

describe('withLoss', () => {
  it('gives a margin of 4 where every logit is negative (a product with a one-hot vector would give 0)', async () => {
    const { loss, gradient: g } = await lossAndGradient([[-1, -5, -7]], [{ label: 0, margin: 1 }]);
    expect(loss).toEqual([4]);
    expect(g).toEqual([[1, -1, 0]]);
  });

  it('computes the closed forms of every head', async () => {
    const z = [2, 0.5, -1, -3];
    const sum = Math.exp(0) + Math.exp(-1.5) + Math.exp(-3) + Math.exp(-5);
    const { loss } = await lossAndGradient(new Array(5).fill(z), [
      { label: 1, ce: 1 },
      { label: 1, margin: 1 },
      { label: 1, dlr: 1 },
      { label: 1, target: 2, targetedDlr: 1 },
      { label: 1, linear: Float32Array.of(1, 2, 3, 4) },
    ]);
    close(loss, [1.5 + Math.log(sum), -1.5, 1.5 / 3, -1.5 / (2 + 2), 2 + 1 - 3 - 12], 1e-6);
  });

  it.each([2, 3, 4, 60])('agrees with the plain definition and its finite differences for %i classes', async (classes) => {
    const random = stream('losses', classes);
    const losses = lossesFor(classes, classes - 1, 0);
    const logits = losses.map(() => Array.from({ length: classes }, () => Math.fround(3 * random.normal())));
    const { loss, gradient: g } = await lossAndGradient(logits, losses);
    close(
      loss,
      losses.map((l, n) => scoreLoss(l, logits[n]!)),
      5e-6,
    );
    for (const [n, l] of losses.entries()) close(g[n]!, numericGradient(l, logits[n]!), 2e-5);
  });

  it('does not depend on the order of the batch', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }), async (order) => {
        const random = stream('permutation');
        const losses = lossesFor(5, 2, 4);
        const logits = losses.map(() => Array.from({ length: 5 }, () => Math.fround(random.normal())));
        const straight = await lossAndGradient(logits, losses);
        const shuffled = await lossAndGradient(
          order.map((i) => logits[i]!),
          order.map((i) => losses[i]!),
        );
        expect(shuffled.loss).toEqual(order.map((i) => straight.loss[i]));
        expect(shuffled.gradient).toEqual(order.map((i) => straight.gradient[i]));
      }),
      { numRuns: 5 },
    );
  });

  it('keeps the infinities and NaN of an unused head out of loss and gradient', async () => {
    const equal = [1, 1, 1, 1];
    const tooLarge = [3e38, -3e38, 0, 1];
    const masked = [0, Number.NEGATIVE_INFINITY, 1, 2];
    const { loss, gradient: g } = await lossAndGradient(
      [equal, tooLarge, masked],
      [
        { label: 0, ce: 1 },
        { label: 2, linear: Float32Array.of(0, 0, 1, 0) },
        { label: 0, margin: 1 },
      ],
    );
    close(loss, [Math.log(4), 0, -2], 1e-6);
    close(g[0]!, [-0.75, 0.25, 0.25, 0.25], 1e-6);
    expect(g[1]).toEqual([0, 0, 1, 0]);
    expect(g[2]).toEqual([1, 0, 0, -1]);
  });

  it('keeps cross-entropy finite for logits far apart', async () => {
    const { loss, gradient: g } = await lossAndGradient([[1000, -1000]], [{ label: 1, ce: 1 }]);
    expect(loss).toEqual([2000]);
    expect(g).toEqual([[1, -1]]);
  });

  it('leaves a model\'s own input called "label" alone', () => {
    const g = graphBuilder();
    g.op('Add', [g.input('label', ['N', 3]), g.number(0)], {}, 'z');
    g.output('z', ['N', 3]);
    const { graph, inputs } = withLoss(g.build(), { logits: 'z', classes: 3 });
    expect(inputs.label).not.toBe('label');
    expect(new Set(graph.inputs.map((v) => v.name)).size).toBe(graph.inputs.length);
  });
});

describe('lossFeeds', () => {
  it.each([
    ['dlr', 2, { label: 0, dlr: 1 }],
    ['targetedDlr', 3, { label: 0, target: 1, targetedDlr: 1 }],
  ] as const)('refuses the %s head of a model with %i classes', (head, classes, loss) => {
    expect(() => lossFeeds([loss], classes)).toThrow(UserError);
    expect(() => lossFeeds([loss], classes)).toThrow(head);
    expect(() => scoreLoss(loss, new Array(classes).fill(0))).toThrow(UserError);
  });

  it('refuses a label outside the classes', () => {
    expect(() => lossFeeds([{ label: 3, ce: 1 }], 3)).toThrow('label 3');
    expect(() => lossFeeds([{ label: -1, ce: 1 }], 3)).toThrow('label -1');
    expect(() => lossFeeds([{ label: 0, targetedDlr: 1 }], 4)).toThrow('target undefined');
  });
});
