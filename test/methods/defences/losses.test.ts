/** @file TRADES and MART against PyTorch in float64: values, and gradients of logits and of weights. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { f32, i64, numbersOf } from '../../../src/core/tensor/tensor.ts';
import { scoreLoss } from '../../../src/kit/losses/score-loss.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import type { Objective } from '../../../src/kit/nn/objectives/objective.ts';
import { sgd } from '../../../src/kit/nn/optimisers/sgd.ts';
import { openTrainer } from '../../../src/kit/nn/trainer.ts';
import { divergenceFrom } from '../../../src/methods/defences/divergence.ts';
import { defences } from '../../../src/methods/defences/registry.ts';
import { runtime, spec } from './toy.ts';

type Rows = readonly (readonly number[])[];
interface Common {
  readonly loss: 'trades' | 'mart';
  readonly classes: number;
  readonly label: readonly number[];
  readonly value: readonly number[];
}
type LogitsCase = Common & Record<'clean' | 'adversarial' | 'dClean' | 'dAdversarial', Rows> & { readonly kind: 'logits' };
type WeightsCase = Common &
  Record<'x' | 'moved' | 'weight' | 'dWeight', Rows> &
  Record<'bias' | 'dBias', readonly number[]> & { readonly kind: 'weights' };

const { cases } = JSON.parse(readFileSync('test/fixtures/nn/defences.json', 'utf8')) as {
  cases: readonly (LogitsCase | WeightsCase)[];
};
const ofKind = <K extends 'logits' | 'weights'>(kind: K) =>
  cases.filter((c): c is Extract<LogitsCase | WeightsCase, { kind: K }> => c.kind === kind);

const objectiveOf = (name: string): Objective => {
  const defence = defences[name]!;
  return defence.make(defence.defaults, { x: { norm: 'linf', eps: 0.1 } }).objective;
};

const matrix = (rows: Rows) => f32(rows.flat(), [rows.length, rows[0]!.length]);

/** Relative L2 distance. */
const distance = (got: readonly number[], want: readonly number[]): number =>
  Math.hypot(...got.map((v, i) => v - want[i]!)) / Math.hypot(...want);

describe('values and gradients of logits', () => {
  it.each(ofKind('logits'))('$loss, $classes classes', async ({ loss: name, classes, clean, adversarial, label, ...want }) => {
    const g = graphBuilder();
    const x = { name: g.input('x', ['N', classes]), shape: [classes] };
    const { loss, logits } = objectiveOf(name).write({
      g,
      inputs: { x },
      classes,
      label: g.input('label', ['N'], 'int64'),
      network: (inputs) => inputs.x!.name,
      input: (input, shape, dtype = 'float32') => ({ name: g.input(input, ['N', ...shape], dtype), shape }),
    });
    expect(logits).toBe('x');
    const mean = g.op('ReduceMean', [loss], { keepdims: 0 });
    g.output(loss, ['N']);
    g.output(mean, []);
    const made = await gradient(g.build(), runtime.execute, { of: [mean], wrt: ['x', 'adversarial_x'] });
    const feeds = { x: matrix(clean), adversarial_x: matrix(adversarial), label: i64(label) };
    const results = await runtime.execute(made.graph, feeds);
    expect(distance(numbersOf(results[loss]!), want.value)).toBeLessThan(2e-6);
    expect(distance(numbersOf(results[made.gradients.x!]!), want.dClean.flat())).toBeLessThan(5e-6);
    expect(distance(numbersOf(results[made.gradients.adversarial_x!]!), want.dAdversarial.flat())).toBeLessThan(5e-6);
  });
});

describe('gradients of weights through both calls of the network', () => {
  it.each(ofKind('weights'))('$loss', async ({ loss, label, x, moved, weight, bias, ...want }) => {
    const layer = dense(3);
    const architecture = {
      name: 'linear',
      inputs: { x: spec([4], 'NC', { bounds: 'unbounded' as const }) },
      classes: ['a', 'b', 'c'],
      write: (net: Parameters<typeof layer>[0], inputs: Readonly<Record<string, Parameters<typeof layer>[1]>>) =>
        layer(net, inputs.x!),
    };
    const trainer = await openTrainer(architecture, runtime, {
      seed: 0,
      objective: objectiveOf(loss),
      optimiser: sgd,
      settings: { lr: 0.1 },
      outputs: 'gradients',
    });
    trainer.set({ weight: matrix(weight), bias: f32(bias) });
    const result = await trainer.step({
      inputs: { x: matrix(x) },
      extra: { adversarial_x: matrix(moved) },
      label: i64(label),
      noise: {},
      rate: 1,
    });
    expect(distance(numbersOf(result.losses), want.value)).toBeLessThan(2e-6);
    expect(distance(numbersOf(result.gradients.weight!), want.dWeight.flat())).toBeLessThan(5e-6);
    expect(distance(numbersOf(result.gradients.bias!), want.dBias)).toBeLessThan(5e-6);
  });
});

describe('the divergence that TRADES climbs', () => {
  it('is KL plus a constant, and has its gradient', () => {
    const softmax = (z: readonly number[]): number[] => {
      const total = z.reduce((sum, v) => sum + Math.exp(v), 0);
      return z.map((v) => Math.exp(v) / total);
    };
    const clean = [0.3, -1.2, 2.1, 0.4];
    const p = softmax(clean);
    const entropy = -p.reduce((sum, v) => sum + v * Math.log(v), 0);
    const loss = divergenceFrom(Float32Array.from(clean));
    for (const other of [clean, [1, 0, -1, 3], [-2, 5, 0.1, 0.2]]) {
      const kl = p.reduce((sum, v, c) => sum + v * Math.log(v / softmax(other)[c]!), 0);
      expect(scoreLoss(loss, other) - entropy).toBeCloseTo(kl, 6);
      for (const c of other.keys()) {
        const at = (d: number) => scoreLoss(loss, other.with(c, other[c]! + d));
        expect((at(1e-5) - at(-1e-5)) / 2e-5).toBeCloseTo(softmax(other)[c]! - p[c]!, 5);
      }
    }
  });

  it('is finite for logits far apart', () => {
    const { label, linear } = divergenceFrom(Float32Array.of(500, -500, 0));
    expect(label).toBe(0);
    expect(Array.from(linear!, Math.abs)).toEqual([0, 0, 0]);
  });
});
