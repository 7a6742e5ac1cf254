/** @file Oracles over a network whose weights are fed: the same answers as over the frozen network, for whatever the weights are now. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { prepare } from '../../../src/core/onnx/passes/prepare.ts';
import { createRuntime, type Runtime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32, type Tensor } from '../../../src/core/tensor/tensor.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import type { Inputs } from '../../../src/kit/model/model.ts';
import type { GradientOracle } from '../../../src/kit/model/oracle.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import { type Architecture, buildNetwork } from '../../../src/kit/nn/architecture.ts';
import { relu } from '../../../src/kit/nn/layers/activations.ts';
import { batchNorm } from '../../../src/kit/nn/layers/batch-norm.ts';
import { convolution } from '../../../src/kit/nn/layers/convolution.ts';
import { dense } from '../../../src/kit/nn/layers/dense.ts';
import { flatten } from '../../../src/kit/nn/layers/shape.ts';
import { liveSessions } from '../../../src/kit/nn/live.ts';
import { sequential } from '../../../src/kit/nn/net.ts';
import { specOf } from '../threat/spec.ts';

const runtime = createRuntime(ort);
const spec = specOf([2, 6, 6], { modality: 'image' });
const body = sequential(
  convolution(4, [3, 3], { padding: 'same', bias: false }),
  batchNorm(),
  relu,
  flatten,
  dense(5),
  relu,
  dense(3),
);
const architecture: Architecture = {
  name: 'toy',
  inputs: { x: spec },
  classes: ['a', 'b', 'c'],
  write: (net, inputs) => body(net, inputs.x!),
};

/** Weights away from their first values, so that normalisation matters. */
function weightsOf(seed: number): Record<string, Tensor> {
  const { graph, parameters, statistics } = buildNetwork(architecture, { mode: 'inference', seed });
  return Object.fromEntries(
    [...parameters, ...statistics.keys()].map((name) => {
      const { dims, data } = graph.initializers.get(name)! as Tensor<'float32'>;
      const random = stream(seed, name);
      const moved = data.map((value) => (name.endsWith('var') ? 0.5 + random.uniform() : value + 0.2 * random.normal()));
      return [name, f32(moved, dims)];
    }),
  );
}

/** The same network with these weights stored in the graph, folded as an exported file would be. */
async function frozen(weights: Readonly<Record<string, Tensor>>): Promise<GradientOracle> {
  const { graph, logits } = buildNetwork(architecture, { mode: 'inference', seed: 0 });
  const stored = { ...graph, initializers: new Map([...graph.initializers].map(([name, t]) => [name, weights[name] ?? t])) };
  const model = {
    name: 'frozen',
    graph: await prepare(stored, runtime.execute),
    inputs: architecture.inputs,
    classes: architecture.classes,
    output: { name: logits, kind: 'logits' },
    coupling: 'none',
    inferred: [],
    sha256: '',
  } as const;
  return createOracle(openSessions(model, runtime), { maxBatch: 8 });
}

const random = stream('live');
const points: Inputs[] = Array.from({ length: 5 }, () => ({ x: Float32Array.from({ length: 72 }, () => random.uniform()) }));
const probes = points.map((inputs, of) => ({ of, inputs }));
const losses = points.map((_, i) => ({ label: i % 3, ce: 1 }));

function counted(): { runtime: Runtime; opens: () => number } {
  let opens = 0;
  return {
    runtime: {
      ...runtime,
      open(graph) {
        opens++;
        return runtime.open(graph);
      },
    },
    opens: () => opens,
  };
}

/** Largest difference, as a share of the largest value. */
function gap(a: readonly ArrayLike<number>[], b: readonly ArrayLike<number>[]): number {
  const scale = Math.max(...b.flatMap((row) => Array.from(row, Math.abs)));
  return Math.max(...a.flatMap((row, i) => Array.from(row, (value, j) => Math.abs(value - b[i]![j]!)))) / scale;
}

describe('live sessions', () => {
  it('answer as the frozen network does, follow the weights, and are opened once', async () => {
    let weights = weightsOf(1);
    const counting = counted();
    const sessions = await liveSessions(architecture, counting.runtime, () => weights);
    const live = createOracle(sessions, { maxBatch: 8 });
    const answers = [];
    for (const seed of [1, 2]) {
      weights = weightsOf(seed);
      const expected = await frozen(weights);
      const [theirs, ours] = [await expected.gradient(probes, losses), await live.gradient(probes, losses)];
      expect(gap(await live.logits(probes), await expected.logits(probes))).toBeLessThan(1e-6);
      expect(gap(ours.logits, theirs.logits)).toBeLessThan(1e-6);
      expect(
        gap(
          ours.gradient.map((g) => g.x!),
          theirs.gradient.map((g) => g.x!),
        ),
      ).toBeLessThan(1e-6);
      answers.push(ours);
    }
    expect(gap(answers[0]!.logits, answers[1]!.logits)).toBeGreaterThan(0.01);
    expect(counting.opens()).toBe(2);
    await sessions.release();
  });

  it('give each sample the same bits alone and among others', async () => {
    const weights = weightsOf(3);
    const live = createOracle(await liveSessions(architecture, runtime, () => weights), { maxBatch: 8 });
    const among = await live.gradient(probes, losses);
    for (const [i, probe] of probes.entries()) {
      const alone = await live.gradient([probe], [losses[i]!]);
      expect(alone.logits[0]).toEqual(among.logits[i]);
      expect(alone.gradient[0]).toEqual(among.gradient[i]);
    }
  });

  it('in training mode use the statistics of the batch, whole', async () => {
    const weights = weightsOf(4);
    const sessions = await liveSessions(architecture, runtime, () => weights, { mode: 'training' });
    expect(sessions.model.coupling).toBe('batch');
    const live = createOracle(sessions, { maxBatch: 2 });
    const all = await live.logits(probes);
    const part = await live.logits(probes.slice(0, 3));
    expect(gap(all.slice(0, 3), part)).toBeGreaterThan(1e-3);
    const shifted: Record<string, Tensor> = { ...weights, '1.running_mean': f32([9, 9, 9, 9]) };
    const other = createOracle(await liveSessions(architecture, runtime, () => shifted, { mode: 'training' }), { maxBatch: 8 });
    expect(await other.logits(probes)).toEqual(all);
  });
});
