import { expect, it } from 'vitest';
import { stepAgainstTorch } from '../kit/nn/step-gradients.ts';

it.each([
  ['resnet18', 'ResNet-18 at 64x64', 7, {}, 'resnet18'],
  ['cnn-lstm', 'the CNN-LSTM with 256 units', 5, { p: 0, q: 0 }, 'cnn-lstm, whole'],
] as const)(
  'one training step: %s (%s) has the weight gradients of PyTorch float64 within 5e-6',
  async (name, _, classes, options, recorded) => {
    const { expected, parameters, loss, norm, gradients, running } = await stepAgainstTorch(name, classes, options, recorded);
    expect([...parameters].sort()).toEqual(Object.keys(expected.gradients).sort());
    expect(gradients).toBeLessThan(5e-6);
    expect(loss).toBeLessThan(1e-6);
    expect(norm).toBeLessThan(5e-6);
    expect(running).toBeLessThan(1e-6);
  },
);
