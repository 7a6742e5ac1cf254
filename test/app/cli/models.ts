/** @file Small ONNX files the command-line tests are run on. */
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { f32 } from '../../../src/core/tensor/tensor.ts';

/** Normal weights of standard deviation 0.3, the same for the same name. */
export const weights = (name: string, dims: readonly number[]) => {
  const random = stream(1, name);
  return f32(
    Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => 0.3 * random.normal()),
    dims,
  );
};

/** A linear classifier of 8x8 RGB images, 3 classes; options add what a test needs. */
export function linearImageModel(options: { inverse?: boolean; secondOutput?: boolean } = {}): Uint8Array {
  const g = graphBuilder({
    name: 'linear',
    metadata: new Map([['provoke', JSON.stringify({ classes: ['happy', 'neutral', 'sad'] })]]),
  });
  const image = g.input('image', ['N', 3, 8, 8]);
  if (options.inverse)
    g.add({
      op: 'Inverse',
      domain: 'com.microsoft',
      name: 'through',
      inputs: [image],
      outputs: ['through'],
      attributes: new Map(),
    });
  const seen = g.op('Flatten', [options.inverse ? 'through' : image], { axis: 1 });
  g.op('Gemm', [seen, g.constant(weights('w', [192, 3])), g.constant(weights('b', [3]))], {}, 'scores');
  g.output('scores', ['N', 3]);
  if (options.secondOutput) {
    g.op('Gemm', [seen, g.constant(weights('v', [192, 4]))], {}, 'other');
    g.output('other', ['N', 4]);
  }
  return writeModel({
    ...g.build(),
    opsets: new Map([
      ['', 18],
      ['com.microsoft', 1],
    ]),
  });
}
