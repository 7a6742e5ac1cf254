/**
 * Small graph models, one per use of an op, executed by TensorFlow.js itself, for test/fixtures/tfjs/ops.json.
 * Versions: @tensorflow/tfjs 4.22.0 (CPU backend), Node 20.
 * usage: node ops.mjs FOLDER   where the package is installed in FOLDER; the JSON goes to standard output
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.argv[2], 'index.js'));
const tf = require('@tensorflow/tfjs');
await tf.setBackend('cpu');
await tf.ready();

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const wave = (shape, phase) => Array.from({ length: size(shape) }, (_, i) => Math.round(Math.sin(1.7 * i + phase) * 150) / 100);
const s = (text) => ({ s: btoa(text) });
const ints = (...list) => ({ list: { i: list.map(String) } });
const int = (i) => ({ i: String(i) });
const names = (...list) => ({ list: { s: list.map((x) => btoa(x)) } });
const shape = (...dims) => ({ shape: { dim: dims.map((d) => ({ size: String(d) })) } });

/** Grows one model. `weights` holds [name, shape, dtype, values]. */
function model() {
  const nodes = [];
  const weights = [];
  const feeds = {};
  let phase = 0;
  const add = (op, input = [], attr = {}) => {
    const name = `n${nodes.length}_${op}`;
    nodes.push({ name, op, input, attr });
    return name;
  };
  const constant = (dims, values, dtype) => {
    const name = add('Const', [], { dtype: { type: dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT' } });
    weights.push([name, dims, dtype, values]);
    return name;
  };
  return {
    nodes,
    weights,
    feeds,
    add,
    input(dims, given, { dtype = 'float32', values } = {}) {
      const name = add('Placeholder', [], {
        dtype: { type: dtype === 'int32' ? 'DT_INT32' : 'DT_FLOAT' },
        shape: shape(...dims),
      });
      feeds[name] = { shape: given, dtype, values: values ?? wave(given, ++phase) };
      return name;
    },
    weight: (...dims) => constant(dims, wave(dims, ++phase), 'float32'),
    floats: (dims, values) => constant(dims, values, 'float32'),
    list: (...values) => constant([values.length], values, 'int32'),
    pairs: (...values) => constant([values.length / 2, 2], values, 'int32'),
    scalar: (value) => constant([], [value], 'int32'),
  };
}

const window = (strides = [1, 1], padding = 'SAME', dilations = [1, 1]) => ({
  strides: ints(1, ...strides, 1),
  dilations: ints(1, ...dilations, 1),
  padding: s(padding),
  data_format: s('NHWC'),
});
const fused = (ops, more = {}) => ({ fused_ops: names(...ops), num_args: int(1), ...more });
/** TensorFlow.js 4.22.0 mistakes strides and dropped axes in one slice (finalShapeSparse lacks the dropped axes), so no case has both. */
const masks = ({ begin = 0, end = 0, shrink = 0 }) => ({
  begin_mask: int(begin),
  end_mask: int(end),
  ellipsis_mask: int(0),
  new_axis_mask: int(0),
  shrink_axis_mask: int(shrink),
});
const image = (m, dims = [-1, 7, 6, 4]) => m.input(dims, [2, 7, 6, 4]);
/** Something that is channels-first while it is imported. */
const convolved = (m, out = 4) => m.add('Conv2D', [image(m), m.weight(3, 3, 4, out)], window());

const cases = {
  'Conv2D SAME stride 2': (m) => m.add('Conv2D', [image(m), m.weight(3, 2, 4, 5)], window([2, 2])),
  'Conv2D SAME, sizes unknown': (m) => m.add('Conv2D', [image(m, [-1, -1, -1, 4]), m.weight(3, 3, 4, 5)], window([2, 2])),
  'Conv2D VALID dilated': (m) => m.add('Conv2D', [image(m), m.weight(2, 2, 4, 3)], window([1, 1], 'VALID', [2, 2])),
  'Conv2D SAME dilated': (m) => m.add('Conv2D', [image(m), m.weight(3, 3, 4, 3)], window([1, 1], 'SAME', [2, 2])),
  'Conv2D EXPLICIT': (m) =>
    m.add('Conv2D', [image(m), m.weight(3, 3, 4, 3)], {
      ...window([2, 1], 'EXPLICIT'),
      explicit_paddings: ints(0, 0, 1, 2, 0, 1, 0, 0),
    }),
  '_FusedConv2D BiasAdd Relu6': (m) =>
    m.add('_FusedConv2D', [image(m), m.weight(3, 3, 4, 5), m.weight(5)], { ...window(), ...fused(['BiasAdd', 'Relu6']) }),
  '_FusedConv2D BiasAdd Prelu': (m) =>
    m.add('_FusedConv2D', [image(m), m.weight(3, 3, 4, 5), m.weight(5), m.weight(1, 1, 5)], {
      ...window(),
      ...fused(['BiasAdd', 'Prelu'], { num_args: int(2) }),
    }),
  '_FusedConv2D BiasAdd LeakyRelu': (m) =>
    m.add('_FusedConv2D', [image(m), m.weight(3, 3, 4, 5), m.weight(5)], {
      ...window(),
      ...fused(['BiasAdd', 'LeakyRelu'], { leakyrelu_alpha: { f: 0.3 } }),
    }),
  'DepthwiseConv2dNative multiplier 2': (m) => m.add('DepthwiseConv2dNative', [image(m), m.weight(3, 3, 4, 2)], window([2, 2])),
  'FusedDepthwiseConv2dNative BiasAdd Elu': (m) =>
    m.add('FusedDepthwiseConv2dNative', [image(m), m.weight(3, 3, 4, 1), m.weight(4)], {
      ...window(),
      ...fused(['BiasAdd', 'Elu']),
    }),
  'MaxPool SAME': (m) => m.add('MaxPool', [image(m)], { ...window([2, 2]), ksize: ints(1, 3, 3, 1) }),
  'AvgPool SAME': (m) => m.add('AvgPool', [image(m)], { ...window([2, 2]), ksize: ints(1, 3, 2, 1) }),
  'AvgPool VALID, sizes unknown': (m) =>
    m.add('AvgPool', [image(m, [-1, -1, -1, 4])], { ...window([2, 2], 'VALID'), ksize: ints(1, 2, 2, 1) }),
  'AddV2 with a channel constant': (m) => m.add('AddV2', [convolved(m), m.weight(4)]),
  'Mul with a scalar': (m) => m.add('Mul', [convolved(m), m.floats([], [0.3])]),
  'Mul with 1,1,1,C': (m) => m.add('Mul', [m.weight(1, 1, 1, 4), convolved(m)]),
  'Sub with H,W,C': (m) => m.add('Sub', [convolved(m), m.weight(7, 6, 4)]),
  'Add with an image': (m) => m.add('Add', [convolved(m), m.input([-1, 7, 6, 4], [2, 7, 6, 4])]),
  'BiasAdd of a computed bias': (m) => m.add('BiasAdd', [convolved(m), m.add('Square', [m.weight(4)])]),
  'AddN of two layouts': (m) => m.add('AddN', [convolved(m), m.input([-1, 7, 6, 4], [2, 7, 6, 4]), convolved(m)]),
  RealDiv: (m) => m.add('RealDiv', [image(m), m.floats([4], [2, 3, -4, 0.5])]),
  Maximum: (m) => m.add('Maximum', [convolved(m), m.floats([1], [0.1])]),
  Minimum: (m) => m.add('Minimum', [image(m), m.weight(4)]),
  'FloorDiv of floats': (m) => m.add('FloorDiv', [image(m), m.floats([], [0.3333])], { T: { type: 'DT_FLOAT' } }),
  'FloorDiv of integers': (m) =>
    m.add('FloorDiv', [m.input([-1, 3], [2, 3], { dtype: 'int32', values: [7, 0, 9, -7, -6, -1] }), m.scalar(2)], {
      T: { type: 'DT_INT32' },
    }),
  Prelu: (m) => m.add('Prelu', [convolved(m), m.weight(4)]),
  LeakyRelu: (m) => m.add('LeakyRelu', [image(m)], { alpha: { f: 0.25 } }),
  Div: (m) => m.add('Div', [image(m), m.add('Exp', [convolved(m)])]),
  Relu6: (m) => m.add('Relu6', [m.add('Mul', [image(m), m.floats([], [6])])]),
  Elu: (m) => m.add('Elu', [convolved(m)]),
  Relu: (m) => m.add('Relu', [convolved(m)]),
  Tanh: (m) => m.add('Tanh', [image(m)]),
  Sigmoid: (m) => m.add('Sigmoid', [image(m)]),
  SquaredDifference: (m) => m.add('SquaredDifference', [convolved(m), m.weight(4)]),
  'Rsqrt of Abs': (m) => m.add('Rsqrt', [m.add('Abs', [image(m)])]),
  'Sqrt of Exp': (m) => m.add('Sqrt', [m.add('Exp', [m.add('Neg', [image(m)])])]),
  'Floor of Log': (m) => m.add('Floor', [m.add('Log', [m.add('Square', [image(m)])])]),
  Softmax: (m) => m.add('Softmax', [convolved(m)]),
  'Mean over space': (m) => m.add('Mean', [convolved(m, 5), m.list(1, 2)], { keep_dims: { b: false } }),
  'Mean over space, kept': (m) => m.add('Mean', [convolved(m, 5), m.list(2, 1)], { keep_dims: { b: true } }),
  'Mean over channels': (m) => m.add('Mean', [convolved(m, 5), m.list(-1)], { keep_dims: { b: false } }),
  'Sum over channels, kept': (m) => m.add('Sum', [convolved(m, 5), m.list(3)], { keep_dims: { b: true } }),
  'Max over rows': (m) => m.add('Max', [image(m), m.list(1)], { keep_dims: { b: false } }),
  'Min over everything else': (m) => m.add('Min', [convolved(m), m.list(1, 2, 3)], { keep_dims: { b: false } }),
  'Prod over columns': (m) => m.add('Prod', [image(m), m.list(2)], { keep_dims: { b: true } }),
  ArgMax: (m) => m.add('ArgMax', [image(m), m.scalar(-1)]),
  MatMul: (m) =>
    m.add('MatMul', [m.input([-1, 5], [2, 5]), m.weight(5, 3)], { transpose_a: { b: false }, transpose_b: { b: false } }),
  'MatMul transposed': (m) =>
    m.add('MatMul', [m.input([-1, 5], [2, 5]), m.weight(3, 5)], { transpose_a: { b: false }, transpose_b: { b: true } }),
  '_FusedMatMul BiasAdd Relu': (m) =>
    m.add('_FusedMatMul', [m.input([-1, 5], [2, 5]), m.weight(5, 3), m.weight(3)], {
      ...fused(['BiasAdd', 'Relu']),
      transpose_a: { b: false },
      transpose_b: { b: false },
    }),
  Reshape: (m) => m.add('Reshape', [convolved(m), m.list(-1, 168)]),
  'Reshape to a computed shape': (m) => {
    const x = convolved(m);
    const batch = m.add('StridedSlice', [m.add('Shape', [x]), m.list(0), m.list(1), m.list(1)], masks({ shrink: 1 }));
    return m.add('Reshape', [x, m.add('Pack', [batch, m.scalar(42), m.scalar(4)], { axis: int(0) })]);
  },
  Transpose: (m) => m.add('Transpose', [convolved(m), m.list(0, 3, 1, 2)]),
  'Pad after Conv2D': (m) => m.add('Pad', [convolved(m), m.pairs(0, 0, 1, 2, 3, 0, 0, 1)]),
  'PadV2 with a value': (m) => m.add('PadV2', [image(m), m.pairs(0, 0, 1, 0, 0, 2, 0, 0), m.floats([], [-1.5])]),
  'ConcatV2 of two layouts': (m) => m.add('ConcatV2', [convolved(m), m.input([-1, 7, 6, 2], [2, 7, 6, 2]), m.scalar(-1)]),
  'ConcatV2 of rows': (m) => m.add('ConcatV2', [convolved(m), convolved(m), m.scalar(1)]),
  ExpandDims: (m) => m.add('ExpandDims', [m.input([-1, 5], [2, 5]), m.scalar(-1)]),
  Squeeze: (m) => m.add('Squeeze', [m.input([-1, 1, 5, 1], [2, 1, 5, 1])], { squeeze_dims: ints(1, 3) }),
  'StridedSlice with strides': (m) =>
    m.add(
      'StridedSlice',
      [image(m), m.list(0, -2, 1, 3), m.list(0, 0, 6, 0), m.list(1, -2, 2, -1)],
      masks({ begin: 1, end: 11 }),
    ),
  'StridedSlice that drops axes': (m) =>
    m.add(
      'StridedSlice',
      [convolved(m), m.list(0, 2, 1, -1), m.list(0, 3, 6, 0), m.list(1, 1, 1, 1)],
      masks({ begin: 1, end: 1, shrink: 10 }),
    ),
  Slice: (m) => m.add('Slice', [image(m), m.list(0, 1, 0, 2), m.list(-1, 3, 6, -1)]),
  'Unpack, then Pack': (m) => {
    const parts = m.add('Unpack', [m.input([-1, 3, 4], [2, 3, 4])], { num: int(3), axis: int(1) });
    return m.add('Pack', [`${parts}:2`, parts, `${parts}:1`], { axis: int(-1) });
  },
  'Split, second part': (m) => m.add('Identity', [`${m.add('Split', [m.scalar(3), image(m)], { num_split: int(2) })}:1`]),
  GatherNd: (m) => m.add('GatherNd', [m.input([2, 3, 4], [2, 3, 4]), m.pairs(1, 2, 0, 0)]),
  DepthToSpace: (m) => m.add('DepthToSpace', [convolved(m, 8)], { block_size: int(2), data_format: s('NHWC') }),
  'Cast there and back': (m) =>
    m.add('Cast', [m.add('Cast', [image(m)], { SrcT: { type: 'DT_FLOAT' }, DstT: { type: 'DT_INT32' } })], {
      SrcT: { type: 'DT_INT32' },
      DstT: { type: 'DT_FLOAT' },
    }),
  'ResizeBilinear asymmetric': (m) =>
    m.add('ResizeBilinear', [convolved(m), m.list(13, 5)], { align_corners: { b: false }, half_pixel_centers: { b: false } }),
  'ResizeBilinear half pixel': (m) =>
    m.add('ResizeBilinear', [image(m), m.list(13, 5)], { align_corners: { b: false }, half_pixel_centers: { b: true } }),
  'ResizeBilinear aligned': (m) =>
    m.add('ResizeBilinear', [image(m), m.list(13, 5)], { align_corners: { b: true }, half_pixel_centers: { b: false } }),
  ResizeNearestNeighbor: (m) =>
    m.add('ResizeNearestNeighbor', [image(m), m.list(14, 12)], { align_corners: { b: false }, half_pixel_centers: { b: false } }),
  'control inputs and NoOp': (m) => m.add('StopGradient', [image(m), `^${m.add('NoOp')}`]),
};

const result = [];
for (const [name, build] of Object.entries(cases)) {
  const m = model();
  const output = build(m);
  const weightSpecs = m.weights.map(([weight, dims, dtype]) => ({ name: weight, shape: dims, dtype }));
  const bytes = m.weights.map(([, , dtype, values]) =>
    Buffer.from((dtype === 'int32' ? Int32Array : Float32Array).from(values).buffer),
  );
  const data = Buffer.concat(bytes);
  const weightData = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  const graph = await tf.loadGraphModel(
    tf.io.fromMemory({ modelTopology: { node: m.nodes, versions: {} }, weightSpecs, weightData }),
  );
  const feeds = Object.fromEntries(Object.entries(m.feeds).map(([k, f]) => [k, tf.tensor(f.values, f.shape, f.dtype)]));
  const out = graph.execute(feeds, output);
  result.push({
    name,
    modelTopology: { node: m.nodes },
    weights: weightSpecs,
    data: data.toString('base64'),
    feeds: m.feeds,
    output,
    shape: out.shape,
    values: Array.from(out.dataSync(), (v) => Number(v.toPrecision(7))),
  });
}
process.stdout.write(`[\n${result.map((r) => JSON.stringify(r)).join(',\n')}\n]\n`);
