/** @file The recorded pictures have few channels, where the CPU's gradient is a transposed convolution; other providers write the flipped one. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { gradient } from '../../../src/core/autodiff/gradient.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { numbersOf } from '../../../src/core/tensor/tensor.ts';
import { disagreement } from './agreement.ts';
import { feedsOfCase, graphOf, recordedCases } from './cases.ts';

const runtime = createRuntime(ort);
const pictures = recordedCases()
  .flatMap(([, cases]) => cases)
  .filter((c) => c.op === 'Conv' && c.inputs[0]!.dims.length === 4 && c.wrt.includes(0));

describe('input gradients of convolutions over pictures', () => {
  const forms = new Set<string>();

  it.each(pictures.map((c) => [c.name, c] as const))('%s: both forms agree with PyTorch', async (_, c) => {
    const options = { of: ['y0'], wrt: ['x0'], cotangents: true };
    for (const provider of ['cpu', 'wasm'] as const) {
      const made = await gradient(graphOf(c), runtime.execute, { ...options, provider });
      forms.add(`${provider} ${made.graph.nodes.filter((n) => n.op.startsWith('Conv')).at(-1)!.op}`);
      const dx = (await runtime.execute(made.graph, feedsOfCase(c, true)))[made.gradients.x0!]!;
      expect(disagreement(numbersOf(dx), c.grads[0]!.data, c.float32Error[0]), provider).toBeUndefined();
    }
  });

  it('were of both forms', () => {
    expect([...forms]).toEqual(expect.arrayContaining(['cpu ConvTranspose', 'wasm Conv']));
  });
});
