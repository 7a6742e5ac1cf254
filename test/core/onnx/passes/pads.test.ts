import { describe, expect, it } from 'vitest';
import { type AttributeInput, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { intsOf } from '../../../../src/core/onnx/graph.ts';
import { constantShapes, explicitPads } from '../../../../src/core/onnx/passes/pads.ts';
import { inferShapes } from '../../../../src/core/onnx/passes/shapes.ts';
import { difference, execute, normal, normalFeeds } from './compare.ts';

function graphOf(
  op: string,
  attrs: Record<string, AttributeInput>,
  weights?: readonly number[],
  size: readonly (number | string)[] = [8, 7],
): Graph {
  const g = graphBuilder({ opset: 18 });
  const x = g.input('x', ['N', 4, ...size]);
  g.op(op, weights === undefined ? [x] : [x, g.constant(normal(weights, 'w'))], attrs, 'y');
  g.untypedOutput('y');
  return g.build();
}

const rules = ['SAME_UPPER', 'SAME_LOWER', 'VALID'];
const conv = [3, 4, 3, 2];

describe('explicitPads', () => {
  for (const auto_pad of rules) {
    const cases: Record<string, Graph> = {
      Conv: graphOf('Conv', { auto_pad }, conv),
      'Conv of stride 2': graphOf('Conv', { auto_pad, strides: [2, 3] }, conv),
      'Conv of stride 3 and an even kernel': graphOf('Conv', { auto_pad, strides: [3, 3] }, [3, 4, 4, 2]),
      'ConvTranspose of stride 2': graphOf('ConvTranspose', { auto_pad, strides: [2, 2] }, [4, 3, 3, 3]),
      'ConvTranspose of stride 3, kernel 2': graphOf('ConvTranspose', { auto_pad, strides: [3, 3] }, [4, 3, 2, 2]),
      MaxPool: graphOf('MaxPool', { auto_pad, kernel_shape: [3, 2], strides: [2, 2] }),
      'MaxPool rounding up': graphOf('MaxPool', { auto_pad, kernel_shape: [3, 2], strides: [2, 2], ceil_mode: 1 }),
      AveragePool: graphOf('AveragePool', { auto_pad, kernel_shape: [3, 3], strides: [2, 1] }),
      'AveragePool counting its padding': graphOf('AveragePool', {
        auto_pad,
        kernel_shape: [3, 3],
        strides: [2, 1],
        count_include_pad: 1,
      }),
    };
    for (const [name, graph] of Object.entries(cases)) {
      it(`writes out ${auto_pad} of ${name}`, async () => {
        const after = explicitPads(graph, await inferShapes(graph, execute));
        expect(after.nodes[0]!.attributes.has('auto_pad')).toBe(false);
        expect(await difference(graph, after, normalFeeds(graph))).toBe(0);
      });
    }
  }

  it('puts the odd element at the end for SAME_UPPER and at the begin for SAME_LOWER', async () => {
    const pads = async (auto_pad: string) => {
      const graph = graphOf('Conv', { auto_pad }, [3, 4, 2, 2]);
      return intsOf(explicitPads(graph, await inferShapes(graph, execute)).nodes[0]!, 'pads');
    };
    expect(await pads('SAME_UPPER')).toEqual([0, 0, 1, 1]);
    expect(await pads('SAME_LOWER')).toEqual([1, 1, 0, 0]);
  });

  it('needs no sizes at stride 1, and so helps the runtime out where it refuses SAME with dilation', () => {
    const pads = (auto_pad: string) => {
      const graph = graphOf('Conv', { auto_pad, dilations: [2, 3] }, conv);
      return intsOf(explicitPads(graph, constantShapes(graph)).nodes[0]!, 'pads');
    };
    expect(pads('SAME_UPPER')).toEqual([2, 1, 2, 2]);
    expect(pads('SAME_LOWER')).toEqual([2, 2, 2, 1]);
  });

  it("writes out ConvTranspose's output_shape", async () => {
    const graph = graphOf('ConvTranspose', { output_shape: [15, 14], strides: [2, 2] }, [4, 3, 3, 3]);
    const after = explicitPads(graph, await inferShapes(graph, execute));
    expect(after.nodes[0]!.attributes.has('output_shape')).toBe(false);
    expect(await difference(graph, after, normalFeeds(graph))).toBe(0);
  });

  it('makes results larger than all windows cover, by output padding', async () => {
    const graph = graphOf('ConvTranspose', { output_shape: [26, 16], strides: [3, 2] }, [4, 3, 3, 3]);
    const after = explicitPads(graph, await inferShapes(graph, execute));
    expect(intsOf(after.nodes[0]!, 'pads')).toEqual([0, 0, 0, 0]);
    expect(intsOf(after.nodes[0]!, 'output_padding')).toEqual([2, 1]);
    expect(await difference(graph, after, normalFeeds(graph))).toBe(0);
  });

  it('leaves a node whose padding depends on an open size', async () => {
    const open = graphOf('Conv', { auto_pad: 'SAME_UPPER', strides: [2, 2] }, [3, 4, 1, 1], ['H', 8]);
    expect(explicitPads(open, await inferShapes(open, execute)).nodes[0]).toBe(open.nodes[0]);
    const steady = graphOf('Conv', { auto_pad: 'SAME_UPPER' }, [3, 4, 3, 3], ['H', 8]);
    expect(intsOf(explicitPads(steady, await inferShapes(steady, execute)).nodes[0]!, 'pads')).toEqual([1, 1, 1, 1]);
  });
});
