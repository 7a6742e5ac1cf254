import { describe, expect, it } from 'vitest';
import { stepAgainstTorch } from './step-gradients.ts';

describe('one training step against PyTorch float64', () => {
  it.each([
    ['transformer', 4, { width: 32, depth: 2, heads: 4, patch: 4, dropout: 0 }],
    ['cnn-lstm', 5, { p: 0, q: 0, units: 64 }],
  ] as const)('%s: weight gradients within 5e-6', async (name, classes, options) => {
    const { expected, parameters, loss, norm, gradients, running } = await stepAgainstTorch(name, classes, options);
    expect([...parameters].sort()).toEqual(Object.keys(expected.gradients).sort());
    expect(gradients).toBeLessThan(5e-6);
    expect(loss).toBeLessThan(1e-6);
    expect(norm).toBeLessThan(5e-6);
    expect(running).toBeLessThan(1e-6);
  });
});
