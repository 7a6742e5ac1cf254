import { expect, it } from 'vitest';
import { stepAgainstTorch } from '../kit/nn/step-gradients.ts';

it('one training step of ResNet-18 at 64x64 has the weight gradients of PyTorch float64 within 5e-6', async () => {
  const { expected, parameters, loss, norm, gradients, running } = await stepAgainstTorch('resnet18', 7, {});
  expect(parameters).toEqual(Object.keys(expected.gradients));
  expect(gradients).toBeLessThan(5e-6);
  expect(loss).toBeLessThan(1e-6);
  expect(norm).toBeLessThan(5e-6);
  expect(running).toBeLessThan(1e-6);
});
