/** @file Valid ONNX files with a defect the validator cannot see: only bright pictures, or every picture, set it off. */
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { f32, tensor } from '../../../src/core/tensor/tensor.ts';
import { weights } from './models.ts';

export const defects = ['crash', 'hang', 'big tensor', 'growing tensor'] as const;
export type Defect = (typeof defects)[number];

/** A linear classifier of 8x8 RGB images that breaks down on pictures whose mean is above `over` (0.9; below 0: on all). */
export function defectiveModel(defect: Defect, over = 0.9): Uint8Array {
  const g = graphBuilder({
    name: defect,
    metadata: new Map([['provoke', JSON.stringify({ classes: ['happy', 'neutral', 'sad'], coupling: 'none' })]]),
  });
  const image = g.input('image', ['N', 3, 8, 8]);
  // random pictures, which opening looks at, are grey on average
  const means = g.op('ReduceMean', [image, g.ints([1, 2, 3])], { keepdims: 0 });
  const brightest = g.op('ReduceMax', [means], { keepdims: 0 });
  const bright = g.op('Greater', [brightest, g.constant(f32([over], []))]);
  const whole = (value: bigint) => g.constant(tensor('int64', [1], BigInt64Array.of(value)));
  const choose = (yes: bigint, no: bigint) => g.op('Where', [bright, whole(yes), whole(no)]);
  const made = (): string => {
    switch (defect) {
      case 'crash': {
        // the quotient has no int32: the processor raises an exception
        const least = g.constant(tensor('int32', [1], Int32Array.of(-(2 ** 31))));
        return g.op('Cast', [g.op('Div', [least, g.op('Cast', [choose(-1n, 1n)], { to: 6 })])], { to: 1 });
      }
      case 'hang':
        return g.op('ReduceMax', [loop(g, choose(2n ** 62n, 1n), 'Mul')], { keepdims: 0 });
      case 'big tensor':
        return g.op('ReduceMax', [g.op('ConstantOfShape', [choose(2n ** 30n, 1n)])], { keepdims: 0 });
      case 'growing tensor':
        return g.op('ReduceMax', [loop(g, choose(40n, 1n), 'Concat')], { keepdims: 0 });
    }
  };
  const seen = g.op('Flatten', [image], { axis: 1 });
  const scores = g.op('Gemm', [seen, g.constant(weights('w', [192, 3])), g.constant(weights('b', [3]))]);
  const nothing = g.op('Mul', [
    g.op('Clip', [made(), g.constant(f32([-1], [])), g.constant(f32([1], []))]),
    g.constant(f32([0], [])),
  ]);
  g.op('Add', [scores, nothing], {}, 'scores');
  g.output('scores', ['N', 3]);
  return writeModel(g.build());
}

type Builder = ReturnType<typeof graphBuilder>;

/** A carried value that is multiplied by itself, or put beside itself, so many times. */
function loop(g: Builder, count: string, op: 'Mul' | 'Concat'): string {
  const scalar = g.op('Squeeze', [count]);
  const body: Graph = (() => {
    const b = graphBuilder({ name: 'body' });
    b.input('turn', [], 'int64');
    b.input('going', [], 'bool');
    b.input('carried', [null]);
    b.op('Identity', ['going'], {}, 'still');
    b.op(op, ['carried', 'carried'], op === 'Concat' ? { axis: 0 } : {}, 'next');
    b.output('still', [], 'bool');
    b.output('next', [null]);
    return b.build();
  })();
  const on = g.constant(tensor('bool', [], Uint8Array.of(1)));
  return g.op('Loop', [scalar, on, g.constant(f32(new Float32Array(1000).fill(1), [1000]))], {
    body: { type: 'graph', value: body },
  });
}
