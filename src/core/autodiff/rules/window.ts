/** @file The window attributes of convolutions and pools, one entry per spatial axis. */
import { intsOf, type Node, stringOf } from '../../onnx/graph.ts';

export interface Windows {
  /** Number of spatial axes. */
  readonly rank: number;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padsBegin: readonly number[];
  readonly padsEnd: readonly number[];
}

/** The windows of a node with the given kernel sizes; automatic padding must have been made explicit before. */
export function windowsOf(node: Node, kernel: readonly number[]): Windows {
  const auto = stringOf(node, 'auto_pad', 'NOTSET');
  if (auto !== 'NOTSET' && auto !== '')
    throw new Error(`${node.op} "${node.name}" has auto_pad ${auto}: prepare the graph first`);
  const rank = kernel.length;
  const ones = new Array<number>(rank).fill(1);
  const pads = intsOf(node, 'pads', new Array<number>(2 * rank).fill(0));
  return {
    rank,
    kernel,
    strides: intsOf(node, 'strides', ones),
    dilations: intsOf(node, 'dilations', ones),
    padsBegin: pads.slice(0, rank),
    padsEnd: pads.slice(rank),
  };
}

/** The windows of a pool, whose kernel is an attribute. */
export const poolWindows = (node: Node): Windows => windowsOf(node, intsOf(node, 'kernel_shape', []));

/** Distance from the first to the last tap of each window. */
export const reach = ({ kernel, dilations }: Windows): number[] => kernel.map((k, i) => (k - 1) * dilations[i]!);
