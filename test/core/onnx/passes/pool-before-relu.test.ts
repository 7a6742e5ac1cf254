import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../../src/core/onnx/builder.ts';
import { poolBeforeRelu } from '../../../../src/core/onnx/passes/pool-before-relu.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { f32 } from '../../../../src/core/tensor/tensor.ts';

const { execute } = createRuntime(ort);
const window = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };

describe('poolBeforeRelu', () => {
  it('exchanges the two without changing a bit', async () => {
    const g = graphBuilder();
    g.op('MaxPool', [g.op('Relu', [g.input('x', ['N', 2, 7, 7])])], window, 'y');
    g.output('y', ['N', 2, 4, 4]);
    const [before, after] = [g.build(), poolBeforeRelu(g.build())];
    expect(after.nodes.map((n) => n.op)).toEqual(['MaxPool', 'Relu']);
    const random = stream(1, 'pool');
    const x = f32(
      Float32Array.from({ length: 196 }, () => random.normal() - 1),
      [2, 2, 7, 7],
    );
    expect(await execute(after, { x })).toEqual(await execute(before, { x }));
    expect(poolBeforeRelu(after)).toBe(after);
  });

  it('leaves a rectifier alone that something else reads, that is an output, or whose pool tells indices', () => {
    const read = graphBuilder();
    const r = read.op('Relu', [read.input('x', ['N', 2, 7, 7])]);
    read.op('Add', [read.op('MaxPool', [r], window), read.op('GlobalMaxPool', [r])], {}, 'y');
    read.output('y');
    const shown = graphBuilder();
    shown.op('MaxPool', [shown.op('Relu', [shown.input('x', ['N', 2, 7, 7])], {}, 'r')], window, 'y');
    shown.output('y');
    shown.output('r');
    const indices = graphBuilder();
    indices.ops('MaxPool', [indices.op('Relu', [indices.input('x', ['N', 2, 7, 7])])], ['y', 'i'], window);
    indices.output('y');
    indices.output('i', undefined, 'int64');
    for (const graph of [read.build(), shown.build(), indices.build()]) expect(poolBeforeRelu(graph)).toBe(graph);
  });
});
