import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { float, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import { foldFedBatchNorm } from '../../../../src/core/onnx/passes/fold-fed-batch-norm.ts';
import { inferShapes } from '../../../../src/core/onnx/passes/shapes.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32, sizeOf } from '../../../../src/core/tensor/tensor.ts';

const runtime = createRuntime(ort);

/** conv -> norm with everything fed; `twice` adds a second reader of the convolution. */
function net({ bias, group, twice = false }: { bias: boolean; group: number; twice?: boolean }) {
  const g = graphBuilder();
  const sizes: Record<string, number[]> = { x: [3, 4, 5, 5], w: [6, 4 / group, 3, 3], b: [6], s: [6], t: [6], m: [6], v: [6] };
  for (const [name, dims] of Object.entries(sizes))
    if (name !== 'b' || bias) g.input(name, name === 'x' ? ['N', ...dims.slice(1)] : dims);
  const conv = g.op('Conv', bias ? ['x', 'w', 'b'] : ['x', 'w'], { pads: [1, 1, 1, 1], group });
  g.op('BatchNormalization', [conv, 's', 't', 'm', 'v'], { epsilon: float(1e-3) }, 'y');
  g.untypedOutput('y');
  if (twice) g.untypedOutput(g.op('Relu', [conv], {}, 'z'));
  const random = stream(7, bias ? 1 : 0, group);
  const feeds = Object.fromEntries(
    Object.entries(sizes)
      .filter(([name]) => name !== 'b' || bias)
      .map(([name, dims]) => [
        name,
        f32(
          Float32Array.from({ length: sizeOf(dims) }, () => (name === 'v' ? 0.1 + random.uniform() : random.normal())),
          dims,
        ),
      ]),
  );
  return { graph: g.build(), feeds };
}

describe('batch normalisation with fed statistics', () => {
  it.each([
    { bias: false, group: 1 },
    { bias: true, group: 1 },
    { bias: true, group: 2 },
  ])('disappears into the convolution before it: %o', async (options) => {
    const { graph, feeds } = net(options);
    const folded = foldFedBatchNorm(graph, await inferShapes(graph, runtime.execute));
    expect(folded.nodes.some((n) => n.op === 'BatchNormalization')).toBe(false);
    const [before, after] = [await runtime.execute(graph, feeds), await runtime.execute(folded, feeds)];
    const [a, b] = [before.y!.data as Float32Array, after.y!.data as Float32Array];
    expect(Math.hypot(...a.map((v, i) => v - b[i]!)) / Math.hypot(...a)).toBeLessThan(1e-6);
  });

  it('stays where the convolution has another reader', async () => {
    const { graph } = net({ bias: true, group: 1, twice: true });
    const folded = foldFedBatchNorm(graph, await inferShapes(graph, runtime.execute));
    expect(folded.nodes.map((n) => n.op)).toEqual(graph.nodes.map((n) => n.op));
  });
});
