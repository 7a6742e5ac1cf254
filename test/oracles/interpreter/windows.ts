/** @file The windows of convolutions and pools, position by position. */
import { intsOf, type Node } from '../../../src/core/onnx/graph.ts';

export interface WindowAxis {
  readonly size: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBegin: number;
  readonly padEnd: number;
}

/** One entry per spatial axis of a node whose image has the given sizes. */
export function windowAxes(node: Node, sizes: readonly number[], kernel: readonly number[]): WindowAxis[] {
  const ones = sizes.map(() => 1);
  const [strides, dilations] = [intsOf(node, 'strides', ones), intsOf(node, 'dilations', ones)];
  const pads = intsOf(
    node,
    'pads',
    [...ones, ...ones].map(() => 0),
  );
  return sizes.map((size, i) => ({
    size,
    kernel: kernel[i]!,
    stride: strides[i]!,
    dilation: dilations[i]!,
    padBegin: pads[i]!,
    padEnd: pads[i + sizes.length]!,
  }));
}

/** Number of windows; rounding up drops a last window that would start beyond the image and its leading pads. */
export function windowCount(a: WindowAxis, roundUp: boolean): number {
  const span = a.size + a.padBegin + a.padEnd - a.dilation * (a.kernel - 1) - 1;
  const count = (roundUp ? Math.ceil(span / a.stride) : Math.floor(span / a.stride)) + 1;
  return roundUp && (count - 1) * a.stride >= a.size + a.padBegin ? count - 1 : count;
}

/** Position in the image of tap k of window o; outside 0 .. size - 1 lies padding. */
export const tapAt = (a: WindowAxis, o: number, k: number): number => o * a.stride + k * a.dilation - a.padBegin;

/** Calls `visit` with every index of `dims`, the last axis fastest. */
export function everyIndex(dims: readonly number[], visit: (index: readonly number[]) => void): void {
  const step = (head: readonly number[]): void => {
    if (head.length === dims.length) visit(head);
    else for (let i = 0; i < dims[head.length]!; i++) step([...head, i]);
  };
  step([]);
}
