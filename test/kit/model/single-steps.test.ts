/** A file that holds one time step of a spiking net, (x, v) -> (logits, v'): written out over time when the manifest says how it goes on. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, numbersOf } from '../../../src/core/tensor/tensor.ts';
import type { Manifest } from '../../../src/kit/model/manifest.ts';
import { openModel } from '../../../src/kit/model/open.ts';

const runtime = createRuntime(ort);
const weights = [0.9, -0.3, 0.4, 0.2, 0.8, -0.5];

/** v' = 0.5 v + W x, spikes above 0.6, minus 0.6 where it fired; two neurons, three features. */
function step(batch: number | string): Graph {
  const g = graphBuilder({ name: 'step' });
  const [x, v] = [g.input('x', [batch, 3]), g.input('v', [batch, 2])];
  const current = g.op('MatMul', [x, g.constant(f32(weights, [3, 2]))]);
  const next = g.op('Add', [g.op('Mul', [v, g.number(0.5)]), current]);
  const spike = g.op('Cast', [g.op('Greater', [next, g.number(0.6)])], { to: 1 });
  g.op('Sub', [next, g.op('Mul', [spike, g.number(0.6)])], {}, 'v_next');
  g.op('Identity', [spike], {}, 'logits');
  g.output('logits', [batch, 2]);
  g.output('v_next', [batch, 2]);
  return g.build();
}

/** Rates of the two neurons over the frames. */
function rates(frames: readonly (readonly number[])[]): number[] {
  const v = [0, 0];
  const total = [0, 0];
  for (const frame of frames)
    for (const k of [0, 1]) {
      v[k] = 0.5 * v[k]! + frame.reduce((sum, x, i) => sum + x * weights[2 * i + k]!, 0);
      if (v[k]! > 0.6) {
        total[k]!++;
        v[k]! -= 0.6;
      }
    }
  return total.map((n) => n / frames.length);
}

const open = (batch: number | string, spikes: NonNullable<Manifest['spikes']>, layout = 'NC') =>
  openModel(step(batch), { name: 'step', sha256: '', execute: runtime.execute, manifest: { inputs: { x: { layout } }, spikes } });

describe.each(['N', 1])('one step with a batch of %s', (batch) => {
  it('is fed with the same input at every step', async () => {
    const model = await open(batch, { states: { v: 'v_next' }, steps: 5 });
    expect(Object.keys(model.inputs)).toEqual(['x']);
    expect(model.spiking!.layers).toMatchObject([{ steps: 5, reset: 'soft', strict: true }]);
    const frame = [0.9, 0.4, 0.7];
    const { logits } = await runtime.execute(model.graph, { x: f32(frame, [1, 3]) });
    expect(numbersOf(logits!)).toEqual(rates(Array(5).fill(frame)).map(Math.fround));
    expect(model.inferred[0]).toMatch(/one step: written out over 5/);
  });

  it('is fed with frames', async () => {
    const model = await open(batch, { states: { v: 'v_next' }, steps: 4, frames: true }, 'NTC');
    expect(model.inputs.x!.shape).toEqual([4, 3]);
    const frames = [
      [0.9, 0.4, 0.7],
      [0.1, 0.9, 0.9],
      [0, 0, 0],
      [1, 1, 0],
    ];
    const { logits } = await runtime.execute(model.graph, { x: f32(frames.flat(), [1, 4, 3]) });
    expect(numbersOf(logits!)).toEqual(rates(frames).map(Math.fround));
  });
});

describe('what is stated wrongly is refused', () => {
  it.each([
    [{ states: { u: 'v_next' }, steps: 4 }, /there is no input "u"/],
    [{ states: { v: 'v_nxt' }, steps: 4 }, /there is no output "v_nxt"/],
    [{ states: { v: 'v_next' } }, /states without steps/],
    [{ steps: 4 }, /steps or frames without states/],
    [{ states: { v: 'v_next', x: 'logits' }, steps: 4 }, /must be left beside the states/],
  ])('%j', async (spikes, message) => {
    await expect(open('N', spikes)).rejects.toThrow(message);
  });
});
