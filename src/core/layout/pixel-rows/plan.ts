/** @file How one convolution of a small picture is written over pixel rows. */
import { type Graph, intOf, intsOf, type Node, stringOf } from '../../onnx/graph.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { convolution } from './convolution.ts';
import type { Picture, Plan, Windows } from './picture.ts';
import { transposed } from './transposed.ts';

/** The plan of a node, or undefined for what is no plain float32 convolution of pictures of known size with constant weights. */
export function planOf(node: Node, graph: Graph, picture: (name: string) => Picture | undefined): Plan | undefined {
  if (node.domain !== '' || (node.op !== 'Conv' && node.op !== 'ConvTranspose')) return undefined;
  const weights = graph.initializers.get(node.inputs[1]!);
  const from = picture(node.inputs[0]!);
  if (from === undefined || weights?.dtype !== 'float32' || weights.dims.length !== 4) return undefined;
  const windows = windowsOf(node, weights);
  if (windows === undefined) return undefined;
  const [constant, bias] = [weights as Tensor<'float32'>, node.inputs[2]];
  if (node.op === 'ConvTranspose') return bias ? undefined : transposed(from, constant, windows);
  return convolution(from, constant, windows, bias);
}

function windowsOf(node: Node, weights: Tensor): Windows | undefined {
  if (intOf(node, 'group', 1) !== 1 || node.attributes.has('output_shape')) return undefined;
  if (stringOf(node, 'auto_pad', 'NOTSET') !== 'NOTSET') return undefined;
  const pads = intsOf(node, 'pads', [0, 0, 0, 0]);
  return {
    kernel: [weights.dims[2]!, weights.dims[3]!],
    strides: intsOf(node, 'strides', [1, 1]),
    dilations: intsOf(node, 'dilations', [1, 1]),
    before: pads.slice(0, 2),
    after: pads.slice(2),
    outputPadding: intsOf(node, 'output_padding', [0, 0]),
  };
}
