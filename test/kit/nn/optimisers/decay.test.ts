import { describe, expect, it } from 'vitest';
import { f32, i64, type Tensor, zeros } from '../../../../src/core/tensor/tensor.ts';
import { filled } from '../../../../src/kit/nn/initialisers.ts';
import { encoderBlock } from '../../../../src/kit/nn/layers/attention.ts';
import { dense } from '../../../../src/kit/nn/layers/dense.ts';
import { gru, lstm, rnn } from '../../../../src/kit/nn/layers/recurrent.ts';
import type { Layer } from '../../../../src/kit/nn/net.ts';
import { standard } from '../../../../src/kit/nn/objectives/cross-entropy.ts';
import { findOptimiser } from '../../../../src/kit/nn/optimisers/registry.ts';
import { openTrainer, type Trainer } from '../../../../src/kit/nn/trainer.ts';
import { netOf, runtime } from '../nets.ts';

/** Parameters of the network that one step moves otherwise where weight decay is on, from values that are all 1. */
async function pulled(use: string, decay: string, ...layers: readonly Layer[]): Promise<{ all: string[]; pulled: string[] }> {
  const afterOneStep = async (weightDecay: number): Promise<Trainer> => {
    const trainer = await openTrainer(netOf([3, 4], 2, ...layers), runtime, {
      seed: 0,
      objective: standard(),
      optimiser: findOptimiser(use),
      settings: { lr: 0.1, weightDecay, decay },
    });
    const ones = trainer.parameters.map((name) => {
      const { dims } = trainer.state()[name]!;
      return [name, f32(filled(1)(dims, undefined as never), dims)] as const;
    });
    trainer.set(Object.fromEntries(ones));
    const label = i64([0, 1]) as Tensor<'int64'>;
    await trainer.step({ inputs: { x: zeros('float32', [2, 3, 4]) }, label, noise: {}, rate: 1 });
    return trainer;
  };
  const [without, withDecay] = [await afterOneStep(0), await afterOneStep(0.5)];
  const moved = without.parameters.filter((name) =>
    without.state()[name]!.data.some((value, i) => Math.abs(value - withDecay.state()[name]!.data[i]!) > 1e-3),
  );
  return { all: [...without.parameters], pulled: moved };
}

/** The last state of a recurrent layer, and a head. */
const withHead = (layer: Layer): readonly Layer[] => [layer, dense(2)];

describe('weight decay of matrices', () => {
  it.each([
    ['lstm', lstm(2, { bidirectional: true })],
    ['lstm with the biases of the input alone', lstm(2, { biases: 'input' })],
    ['gru', gru(2)],
    ['rnn', rnn(2)],
  ])('spares the biases of a recurrent layer: %s', async (_, layer) => {
    for (const use of ['sgd', 'adamw']) {
      const { all, pulled: moved } = await pulled(use, 'matrices', ...withHead(layer));
      expect(all).toContain('0.B');
      expect(moved).toEqual(['0.W', '0.R', '1.weight']);
    }
  });

  it('with "all", pulls those too', async () => {
    const { all, pulled: moved } = await pulled('sgd', 'all', ...withHead(lstm(2)));
    expect(moved).toEqual(all);
  });

  it('spares biases and scales of an encoder block', async () => {
    const last: Layer = (net, x) => ({
      name: net.g.op('ReduceMean', [x.name, net.g.ints([1])], { keepdims: 0 }),
      shape: [x.shape[1]!],
    });
    const { all, pulled: moved } = await pulled('sgd', 'matrices', encoderBlock(2), last, dense(2));
    expect(moved.filter((name) => !name.endsWith('weight'))).toEqual([]);
    expect(all.filter((name) => !moved.includes(name)).every((name) => /bias$|norm/.test(name))).toBe(true);
  });
});
