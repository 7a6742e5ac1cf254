/** @file Operations that exist only while a training step is written: each has a derivative of its own and is replaced by ordinary nodes in the end. */
import type { AttributeInput, GraphBuilder } from '../../onnx/builder.ts';
import { attributes } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/graph.ts';

/** The domain of these operations; no file and no runtime ever sees it. */
export const domain = 'provoke.training';

/** Adds such an operation. */
export function internal(
  g: GraphBuilder,
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attrs: Readonly<Record<string, AttributeInput>> = {},
): void {
  g.add({ op, domain, name: outputs[0]!, inputs: [...inputs], outputs: [...outputs], attributes: attributes(attrs) });
}

export const isInternal = (node: Node, op: string): boolean => node.domain === domain && node.op === op;
