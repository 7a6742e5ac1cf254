/** @file Attributes that later opsets read as inputs, with unchanged meaning: Clip, Pad, Slice, Squeeze, Unsqueeze, Split, TopK, Dropout and the reductions. */
import { UserError } from '../../../errors.ts';
import { tensor } from '../../../tensor/tensor.ts';
import { describeNode, floatOf, intOf, intsOf, type Node } from '../../graph.ts';
import { attributesWithout } from '../rewrite.ts';
import type { Conversion, Conversions, Convert } from './conversion.ts';

/** The node with other inputs and fewer attributes. */
const replace = ({ g }: Conversion, node: Node, inputs: readonly string[], without: readonly string[]): true => {
  g.add({ ...node, inputs, attributes: attributesWithout(node, ...without) });
  return true;
};

const needed = (node: Node, attribute: string): readonly number[] =>
  intsOf(node, attribute) ??
  (() => {
    throw new UserError(
      `${describeNode(node)} lacks the attribute "${attribute}"`,
      'the file is damaged: export the model again',
    );
  })();

/** A list attribute that becomes the second input; an absent list stays absent. */
const listInput =
  (attribute: string, since: number): Convert =>
  (node, c) => {
    if (c.from >= since) return false;
    const list = intsOf(node, attribute);
    const named = list === undefined || list.length === 0 ? [] : [c.g.ints(list)];
    return replace(c, node, [node.inputs[0]!, ...named], [attribute]);
  };

const clip: Convert = (node, c) => {
  if (c.from >= 11) return false;
  const bound = (name: string): string => {
    const value = floatOf(node, name);
    return value === undefined ? '' : c.g.op('CastLike', [c.g.number(value), node.inputs[0]!]);
  };
  return replace(c, node, [node.inputs[0]!, bound('min'), bound('max')], ['min', 'max']);
};

const pad: Convert = (node, c) => {
  if (c.from >= 11) return false;
  const value = floatOf(node, 'value', 0);
  const inputs = [node.inputs[0]!, c.g.ints(needed(node, 'pads'))];
  if (value !== 0) inputs.push(c.g.op('CastLike', [c.g.number(value), node.inputs[0]!]));
  return replace(c, node, inputs, ['pads', 'value']);
};

const slice: Convert = (node, c) => {
  if (c.from >= 10) return false;
  const starts = needed(node, 'starts');
  const axes = intsOf(node, 'axes') ?? starts.map((_, i) => i);
  const inputs = [node.inputs[0]!, c.g.ints(starts), c.g.ints(needed(node, 'ends')), c.g.ints(axes)];
  return replace(c, node, inputs, ['starts', 'ends', 'axes']);
};

const split: Convert = (node, c) => {
  const given = c.from < 13 ? intsOf(node, 'split') : undefined;
  if (given !== undefined) return replace(c, node, [node.inputs[0]!, c.g.ints(given)], ['split']);
  if ((node.inputs[1] ?? '') !== '') return false;
  const attributes = attributesWithout(node, 'split').set('num_outputs', { type: 'int', value: node.outputs.length });
  c.g.add({ ...node, attributes });
  return true;
};

const topK: Convert = (node, c) =>
  c.from < 10 && replace(c, node, [node.inputs[0]!, c.g.ints([intOf(node, 'k') ?? needed(node, 'k')[0]!])], ['k']);

/** Below opset 12 Dropout never drops; the mask, undefined by the specification then, is all zeros as in the runtime, of the type of the data before opset 10. */
const dropout: Convert = (node, c) => {
  if (c.from >= 12) return false;
  const { g } = c;
  const [x, ratio] = [node.inputs[0]!, g.number(floatOf(node, 'ratio', 0.5))];
  const mask = node.outputs[1] ?? '';
  g.ops('Dropout', [x, ratio], [node.outputs[0]!]);
  if (mask !== '') {
    const zeros = g.op('ConstantOfShape', [g.op('Shape', [x])], { value: tensor('bool', [1], Uint8Array.of(0)) });
    if (c.from < 10) g.ops('CastLike', [zeros, x], [mask]);
    else g.ops('Identity', [zeros], [mask]);
  }
  return true;
};

const reductions = ['L1', 'L2', 'LogSum', 'LogSumExp', 'Max', 'Mean', 'Min', 'Prod', 'SumSquare'];

export const attributeInputs: Conversions = {
  ...Object.fromEntries(reductions.map((name) => [`Reduce${name}`, listInput('axes', 18)])),
  ReduceSum: listInput('axes', 13),
  Squeeze: listInput('axes', 13),
  Unsqueeze: listInput('axes', 13),
  Clip: clip,
  Pad: pad,
  Slice: slice,
  Split: split,
  TopK: topK,
  Dropout: dropout,
};
