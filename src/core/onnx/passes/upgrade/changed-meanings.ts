/** @file Ops whose meaning, name or defaults changed between opset 7 and 18. */
import { UserError } from '../../../errors.ts';
import { f32, i64, type NumericDType, numbersOf, type Tensor, zeros } from '../../../tensor/tensor.ts';
import { dtypeOf } from '../../dtypes.ts';
import { describeNode, floatOf, intOf, intsOf } from '../../graph.ts';
import { attributesWithout } from '../rewrite.ts';
import type { Conversions, Convert } from './conversion.ts';

/**
 * Softmax, LogSoftmax and Hardmax of opset < 13 act on the input coerced to 2-D at `axis` (default 1).
 * That is the opset 13 op on one axis where every later axis has size 1; elsewhere the input is flattened, and the result reshaped.
 */
const coerced: Convert = (node, { g, from, dims }) => {
  if (from >= 13) return false;
  const axis = intOf(node, 'axis', 1);
  const x = node.inputs[0]!;
  const known = dims(x) ?? dims(node.outputs[0]!);
  const first = known !== undefined && axis < 0 ? axis + known.length : axis;
  if (axis === -1 || known?.slice(first + 1).every((d) => d === 1)) {
    g.add({ ...node, attributes: new Map([['axis', { type: 'int', value: axis }]]) });
    return true;
  }
  if (known?.length === 0) return false;
  const rows = g.op('Flatten', [x], { axis });
  g.ops('Reshape', [g.op(node.op, [rows], { axis: 1 }), g.op('Shape', [x])], [node.outputs[0]!]);
  return true;
};

/**
 * Below opset 14 further outputs marked training mode: unused ones are dropped (the running statistics apply, as in the runtime), used ones are
 * refused. `spatial = 0` (opset 7: statistics per position) is written out.
 */
const batchNormalization: Convert = (node, { g, from, isUsed }) => {
  if (from >= 14) return false;
  if (node.outputs.slice(1).some((o) => o !== '' && isUsed(o))) {
    throw new UserError(
      `${describeNode(node)} hands on the statistics of its batch: the model was exported in training mode`,
      'export it in evaluation mode (PyTorch: model.eval())',
    );
  }
  const [x, scale, bias, mean, variance] = node.inputs as readonly [string, string, string, string, string];
  if (intOf(node, 'spatial', 1) === 0) {
    const eps = g.op('CastLike', [g.number(floatOf(node, 'epsilon', 1e-5)), x]);
    const deviation = g.op('Sqrt', [g.op('Add', [variance, eps])]);
    const normal = g.op('Div', [g.op('Sub', [x, mean]), deviation]);
    g.ops('Add', [g.op('Mul', [normal, scale]), bias], [node.outputs[0]!]);
    return true;
  }
  g.add({ ...node, outputs: [node.outputs[0]!], attributes: attributesWithout(node, 'spatial') });
  return true;
};

/** Renamed in opset 11, with the same meaning. */
const scatter: Convert = (node, { g }) => {
  g.add({ ...node, op: 'ScatterElements' });
  return true;
};

/** Opset 16 shifted the sampling grid by half a pixel by default; before, there was no shift. */
const roiAlign: Convert = (node, { g, from }) => {
  if (from >= 16) return false;
  const attributes = new Map(node.attributes).set('coordinate_transformation_mode', {
    type: 'string',
    value: 'output_half_pixel',
  });
  g.add({ ...node, attributes });
  return true;
};

/** Opset 8 scanned along a batch axis of its own. */
const scan: Convert = (node, { from }) => {
  if (from >= 9) return false;
  throw new UserError(
    `${describeNode(node)} is the Scan of opset 8, which later opsets have no equal of`,
    'export the model with opset 9 or newer',
  );
};

/** The experimental predecessor of ConstantOfShape, which old exporters wrote for initial states. */
const constantFill: Convert = (node, { g }) => {
  const dtype = dtypeOf(intOf(node, 'dtype', 1));
  if (dtype === undefined || dtype === 'string') return false;
  const extra = intsOf(node, 'extra_shape', []);
  const fill = { value: filled(dtype, floatOf(node, 'value', 0)) };
  if (node.inputs.length === 0) {
    g.ops('ConstantOfShape', [g.constant(i64([...(intsOf(node, 'shape') ?? []), ...extra]))], [node.outputs[0]!], fill);
    return true;
  }
  const base =
    intOf(node, 'input_as_shape', 0) === 1 ? g.op('Cast', [node.inputs[0]!], { to: 7 }) : g.op('Shape', [node.inputs[0]!]);
  const shape = extra.length === 0 ? base : g.op('Concat', [base, g.ints(extra)], { axis: 0 });
  g.ops('ConstantOfShape', [shape], [node.outputs[0]!], fill);
  return true;
};

/** One element of the dtype, written through a float list. */
function filled(dtype: NumericDType, value: number): Tensor {
  if (dtype === 'float32') return f32([value]);
  const out = zeros(dtype, [1]);
  if (dtype === 'int64' || dtype === 'uint64') (out.data as BigInt64Array)[0] = BigInt(value);
  else (out.data as Float64Array)[0] = value;
  if (numbersOf(out)[0] !== value)
    throw new UserError(`ConstantFill of ${value} does not fit ${dtype}`, 'export the model with opset 9 or newer');
  return out;
}

const softmaxes = ['Softmax', 'LogSoftmax', 'Hardmax'];

export const changedMeanings: Conversions = {
  ...Object.fromEntries(softmaxes.map((op) => [op, coerced])),
  BatchNormalization: batchNormalization,
  Scatter: scatter,
  RoiAlign: roiAlign,
  Scan: scan,
  ConstantFill: constantFill,
};
