/** @file One training step of an architecture on weights and data both sides make by formula, against PyTorch float64 (test/oracles/nn/gradients.py). */
import { readFileSync } from 'node:fs';
import { i64, type Tensor } from '../../../src/core/tensor/tensor.ts';
import { findArchitecture } from '../../../src/kit/nn/architectures/registry.ts';
import { standard } from '../../../src/kit/nn/objectives/cross-entropy.ts';
import { sgd } from '../../../src/kit/nn/optimisers/sgd.ts';
import { openTrainer } from '../../../src/kit/nn/trainer.ts';
import type { Options } from '../../../src/kit/options.ts';
import { specOf } from '../threat/spec.ts';
import { type Probed, probedDistance, uniform, weight } from './formula.ts';
import { runtime } from './nets.ts';

interface Case {
  readonly shape: readonly number[];
  readonly loss: number;
  readonly norm: number;
  /** Relative L2 distance of PyTorch's float32 gradients. */
  readonly float32: number;
  readonly gradients: Readonly<Record<string, Probed>>;
  readonly statistics: Readonly<Record<string, Probed>>;
}

const file = new URL('../../fixtures/nn/gradients.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { cases: Readonly<Record<string, Case>> };

/** How far one step is from PyTorch's (of the recorded case `recorded`): relative distances of loss, gradient norm, all gradients and all statistics. */
export async function stepAgainstTorch(name: string, classes: number, options: Options, recorded = name) {
  const expected = cases[recorded]!;
  const [samples, ...shape] = expected.shape as [number, ...number[]];
  const x = specOf(shape, { modality: 'image' });
  const family = findArchitecture(name);
  const task = { inputs: { x }, classes: Array.from({ length: classes }, (_, c) => `c${c}`) };
  const architecture = family.build(task, { ...family.defaults, ...options });
  const trainer = await openTrainer(architecture, runtime, {
    seed: 0,
    objective: standard(),
    optimiser: sgd,
    outputs: 'gradients',
  });
  const { parameters, statistics } = trainer;
  trainer.set(Object.fromEntries(parameters.map((p) => [p, weight(p, trainer.state()[p]!.dims)])));
  const label = i64(Array.from({ length: samples }, (_, n) => n % classes)) as Tensor<'int64'>;
  const result = await trainer.step({ inputs: { x: uniform('x', expected.shape) }, label, noise: {}, rate: 1 });
  const apart = (a: number, b: number): number => Math.abs(a - b) / b;
  return {
    expected,
    parameters,
    statistics,
    loss: apart(result.loss, expected.loss),
    norm: apart(result.norm, expected.norm),
    gradients: probedDistance(result.gradients, expected.gradients),
    running: statistics.length === 0 ? 0 : probedDistance(trainer.state(), expected.statistics),
  };
}
