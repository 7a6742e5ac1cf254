/** @file The operators of quantised models, each as what it computes in real numbers, and the integers at its ends. */
import { UserError } from '../../../errors.ts';
import { type Attribute, describeNode, floatOf, intOf, type Node, nodeName } from '../../graph.ts';
import { type Scaling, scalingOf, type Writer } from './writer.ts';

type Write = (node: Node, w: Writer) => void;

const at = (node: Node, i: number): string => node.inputs[i] ?? '';

const per = (node: Node, i: number): Scaling => ({ scale: at(node, i), zero: at(node, i + 1) });

/** Products of integers, rescaled by `scales`, and quantised anew; without an output scale they stay real. */
function requantise(w: Writer, node: Node, sums: string, scales: readonly string[], y: Scaling): void {
  const scale = scales.reduce((product, next) => w.g.op('Mul', [product, next]));
  if (y.scale === '') w.put('Mul', [sums, scale], node.outputs[0]!);
  else w.quantise(w.g.op('Mul', [sums, scale]), node, y, node.outputs[0]!);
}

const only = (node: Node, ...names: readonly string[]): Map<string, Attribute> =>
  new Map([...node.attributes].filter(([name]) => names.includes(name)));

/** Layouts and meanings that quantisers do not write and the copy does not know. */
function refuseOddities(node: Node): void {
  const what =
    intOf(node, 'channels_last', 0) === 1
      ? 'has its channels last'
      : node.op === 'QLinearSoftmax' && intOf(node, 'opset', 13) < 13
        ? 'is a Softmax of opset 12 or older'
        : undefined;
  if (what !== undefined)
    throw new UserError(`${describeNode(node)} ${what}, for which there is no derivative`, 'quantise the model with QDQ nodes');
}

/** real(op(...)) of one quantised input, as QLinearSigmoid and its like compute it. */
const unary =
  (op: string, ...kept: readonly string[]): Write =>
  (node, w) => {
    refuseOddities(node);
    const attributes = only(node, ...kept);
    const x = w.real(at(node, 0), node, per(node, 1));
    w.quantise(w.put(op, [x], w.g.fresh(op), attributes), node, per(node, 3), node.outputs[0]!);
  };

const binary =
  (op: string): Write =>
  (node, w) => {
    const [a, b] = [w.real(at(node, 0), node, per(node, 1)), w.real(at(node, 3), node, per(node, 4))];
    w.quantise(w.g.op(op, [a, b]), node, per(node, 6), node.outputs[0]!);
  };

/** The convolution of integers, without their scales; weights have their output channels first, the result has them at axis 1. Names are those of inputs. */
function convolution(w: Writer, node: Node, [x, xZero, weight, wZero, bias = '']: readonly string[], output: string): string {
  const centred = [w.centred(x!, node, { zero: xZero! }), w.centred(weight!, node, { zero: wZero!, axis: 0 })];
  return w.put('Conv', bias === '' ? centred : [...centred, w.asFloat(bias)], output, node.attributes);
}

const standard: Readonly<Record<string, Write>> = {
  QuantizeLinear: (node, w) => w.quantise(w.asFloat(at(node, 0)), node, scalingOf(node), node.outputs[0]!),
  DequantizeLinear(node, w) {
    w.real(at(node, 0), node, scalingOf(node), node.outputs[0]!);
  },
  DynamicQuantizeLinear(node, w) {
    const [q, scale, zero] = node.outputs as [string, string, string];
    w.g.add({ ...node, name: w.g.fresh(`${nodeName(node)}_range`), outputs: [w.g.fresh(`${q}_unread`), scale, zero] });
    w.quantise(at(node, 0), node, { scale, zero }, q);
  },
  QLinearConv(node, w) {
    const sums = convolution(
      w,
      node,
      [0, 2, 3, 5, 8].map((i) => at(node, i)),
      w.g.fresh('Conv'),
    );
    const rank = w.rank(at(node, 0), node);
    requantise(w, node, sums, [at(node, 1), w.along(at(node, 4), rank, 1)], per(node, 6));
  },
  ConvInteger(node, w) {
    convolution(
      w,
      node,
      [0, 2, 1, 3].map((i) => at(node, i)),
      node.outputs[0]!,
    );
    w.floats.add(node.outputs[0]!);
  },
  QLinearMatMul(node, w) {
    const a = w.centred(at(node, 0), node, { zero: at(node, 2), axis: -2 });
    const b = w.centred(at(node, 3), node, { zero: at(node, 5), axis: -1 });
    const rank = w.rank(node.outputs[0]!, node);
    const scales = [w.along(at(node, 1), rank, -2), w.along(at(node, 4), rank, -1)];
    requantise(w, node, w.g.op('MatMul', [a, b]), scales, per(node, 6));
  },
  MatMulInteger(node, w) {
    const a = w.centred(at(node, 0), node, { zero: at(node, 2), axis: -2 });
    const b = w.centred(at(node, 1), node, { zero: at(node, 3), axis: -1 });
    w.put('MatMul', [a, b], node.outputs[0]!);
    w.floats.add(node.outputs[0]!);
  },
};

/** Operators onnxruntime adds in the domain com.microsoft and its quantiser writes (docs/ContribOperators.md of onnxruntime). */
const runtimeOwn: Readonly<Record<string, Write>> = {
  QuantizeLinear: standard.QuantizeLinear!,
  DequantizeLinear: standard.DequantizeLinear!,
  QLinearAdd: binary('Add'),
  QLinearMul: binary('Mul'),
  QLinearSigmoid: unary('Sigmoid'),
  QLinearLeakyRelu: unary('LeakyRelu', 'alpha'),
  QLinearSoftmax: unary('Softmax', 'axis'),
  QLinearGlobalAveragePool: unary('GlobalAveragePool'),
  QLinearAveragePool: unary('AveragePool', 'auto_pad', 'ceil_mode', 'count_include_pad', 'kernel_shape', 'pads', 'strides'),
  QLinearConcat(node, w) {
    const parts = Array.from({ length: (node.inputs.length - 2) / 3 }, (_, i) =>
      w.real(at(node, 2 + 3 * i), node, per(node, 3 + 3 * i)),
    );
    w.quantise(w.g.op('Concat', parts, { axis: intOf(node, 'axis', 0) }), node, per(node, 0), node.outputs[0]!);
  },
  QGemm(node, w) {
    const transposed = intOf(node, 'transB', 0) === 1;
    const a = w.centred(at(node, 0), node, { zero: at(node, 2) });
    const b = w.centred(at(node, 3), node, { zero: at(node, 5), axis: transposed ? 0 : 1 });
    const product = w.put('Gemm', [a, b], w.g.fresh('Gemm'), only(node, 'transA', 'transB'));
    // alpha scales the bias too
    const sums = at(node, 6) === '' ? product : w.g.op('Add', [product, w.asFloat(at(node, 6))]);
    const scales = [at(node, 1), w.along(at(node, 4), 2, 1), w.g.number(floatOf(node, 'alpha', 1))];
    requantise(w, node, sums, scales, { scale: at(node, 7), zero: at(node, 8) });
  },
};

/** How a node is written in float32, where it belongs to a quantised model. */
export function writeOf(node: Node): Write | undefined {
  const table = node.domain === '' ? standard : node.domain === 'com.microsoft' ? runtimeOwn : {};
  return Object.hasOwn(table, node.op) ? table[node.op] : undefined;
}
