/** @file All recorded derivative cases again: at later opsets, and in float64. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../src/core/onnx/graph.ts';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { numbersOf, type Tensor, tensor } from '../../src/core/tensor/tensor.ts';
import { disagreement, relativeL2 } from '../core/autodiff/agreement.ts';
import { feedsOfCase, gradientsOf, graphOf, inputName, recordedCases } from '../core/autodiff/cases.ts';

const runtime = createRuntime(ort);
const cases = recordedCases().flatMap(([, list]) => list);

/** Whether the runtime has the kernels for the forward graph; the gradient is asked for only then. */
async function runs(graph: Graph, feeds: Readonly<Record<string, Tensor>>): Promise<boolean> {
  try {
    await runtime.execute(graph, feeds);
    return true;
  } catch {
    return false;
  }
}

/** A rule must write only what runs wherever its op itself runs: cases whose forward graph fails are counted, not excused one by one. */
describe('derivative rules at later opsets', () => {
  it.each([21, 23, 26])('opset %i', async (opset) => {
    const wrong: string[] = [];
    let compared = 0;
    for (const c of cases) {
      const graph = graphOf({ ...c, opset: Math.max(c.opset, opset) });
      if (!(await runs(graph, feedsOfCase(c, false)))) continue;
      compared++;
      const gradients = await gradientsOf(runtime, c, graph);
      for (const i of c.wrt) {
        const why = disagreement(numbersOf(gradients[inputName(i)]!), c.grads[i]!.data, c.float32Error[i]);
        if (why !== undefined) wrong.push(`${c.name}, input ${i}: ${why}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(compared / cases.length).toBeGreaterThan(0.95);
  });
});

const widened = (t: Tensor): Tensor => (t.dtype === 'float32' ? tensor('float64', t.dims, Float64Array.from(t.data)) : t);
const widenedAll = (feeds: Readonly<Record<string, Tensor>>) =>
  Object.fromEntries(Object.entries(feeds).map(([name, t]) => [name, widened(t)]));

/** Operators of recorded cases that the runtime has no float64 kernel for, or that are excluded below. */
const float32Only =
  'Acos Acosh Asin Asinh Atan Atanh AveragePool Cast Celu Col2Im Conv ConvTranspose Cosh Det Erf GRU GlobalAveragePool GlobalLpPool GlobalMaxPool HardSwish InstanceNormalization LRN LSTM LpPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization Mish OneHot RNN Resize RotaryEmbedding Selu Sinh Tan'.split(
    ' ',
  );

describe('derivative rules in float64', () => {
  /** The runtime itself fails or rounds here: x sigmoid(x) is fused into a float32 kernel; constants and outputs that are float32 always. */
  const excluded = (c: { name: string; op: string }) =>
    ['Mish', 'Cast', 'Selu', 'HardSwish'].includes(c.op) || /all outputs|only its statistics/.test(c.name);

  it('agree with PyTorch to 1e-10 wherever the runtime has float64 kernels', async () => {
    const wrong: string[] = [];
    const compared = new Set<string>();
    for (const c of cases.filter((candidate) => !excluded(candidate))) {
      const narrow = graphOf(c);
      const graph: Graph = {
        ...narrow,
        inputs: narrow.inputs.map((v) => (v.dtype === 'float32' ? { ...v, dtype: 'float64' } : v)),
        initializers: new Map([...narrow.initializers].map(([name, t]) => [name, widened(t)])),
      };
      if (!(await runs(graph, widenedAll(feedsOfCase(c, false))))) continue;
      compared.add(c.op);
      const gradients = await gradientsOf(runtime, c, graph, widenedAll(feedsOfCase(c, true)));
      for (const i of c.wrt) {
        const error = relativeL2(numbersOf(gradients[inputName(i)]!), c.grads[i]!.data);
        if (!(error <= 1e-10)) wrong.push(`${c.name}, input ${i}: ${error}`);
      }
    }
    expect(wrong).toEqual([]);
    const left = new Set(cases.map((c) => c.op).filter((op) => !compared.has(op)));
    expect([...left].sort()).toEqual(float32Only);
  });
});
