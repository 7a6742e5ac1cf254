/** @file Attention in float64: recorded cases again, with all the digits PyTorch has. */
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { numbersOf, type Tensor, tensor } from '../../../src/core/tensor/tensor.ts';
import { relativeL2 } from './agreement.ts';
import { feedsOfCase, gradientsOf, graphOf, inputName, recordedCases } from './cases.ts';

const runtime = createRuntime(ort);
const cases = recordedCases().flatMap(([, list]) => list);
const widened = (t: Tensor): Tensor => (t.dtype === 'float32' ? tensor('float64', t.dims, Float64Array.from(t.data)) : t);

it.each(['Attention', 'Attention causal', 'Attention cap'])('%s: its scale keeps the digits of float64', async (name) => {
  const c = cases.find((one) => one.name === name)!;
  const narrow = graphOf(c);
  const graph = {
    ...narrow,
    inputs: narrow.inputs.map((v) => (v.dtype === 'float32' ? { ...v, dtype: 'float64' as const } : v)),
    initializers: new Map([...narrow.initializers].map(([key, t]) => [key, widened(t)])),
  };
  const feeds = Object.fromEntries(Object.entries(feedsOfCase(c, true)).map(([key, t]) => [key, widened(t)]));
  const gradients = await gradientsOf(runtime, c, graph, feeds);
  for (const i of c.wrt) expect(relativeL2(numbersOf(gradients[inputName(i)]!), c.grads[i]!.data)).toBeLessThan(1e-10);
});
