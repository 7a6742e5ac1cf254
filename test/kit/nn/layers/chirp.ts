import { f32, sizeOf, type Tensor } from '../../../../src/core/tensor/tensor.ts';

/** The tensors of test/oracles/nn/layers.py, made from their names. */
export function chirp(name: string, dims: readonly number[], amplitude = 0.5, centre = 0): Tensor<'float32'> {
  const phase = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
  return f32(
    Float32Array.from({ length: sizeOf(dims) }, (_, i) => amplitude * Math.sin(0.37 * i * i + phase) + centre),
    dims,
  );
}
