import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { f32, numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { type GraphModelOptions, importGraphModel } from '../../../../src/kit/model/importers/tfjs-graph.ts';
import { complaint } from '../../data/samples.ts';

interface Node {
  name: string;
  op: string;
  input?: string[];
  attr?: Record<string, unknown>;
}
const placeholder = (name: string, dims: number[], type = 'DT_FLOAT'): Node => ({
  name,
  op: 'Placeholder',
  attr: { dtype: { type }, shape: { shape: { dim: dims.map((d) => ({ size: String(d) })) } } },
});

function from(node: Node[], options: GraphModelOptions = {}, weights: unknown[] = [], bytes = new Uint8Array()) {
  const json = { modelTopology: { node }, weightsManifest: [{ paths: ['w'], weights }] };
  return importGraphModel(new TextEncoder().encode(JSON.stringify(json)), { w: bytes }, { source: 'm.json', ...options });
}

describe('graph models', () => {
  test('nodes may come in any order; names that ours would collide with survive', async () => {
    const graph = from([
      { name: 'Identity_0', op: 'Relu', input: ['Relu_0'] },
      { name: 'Relu_0', op: 'Neg', input: ['const_0'] },
      placeholder('const_0', [-1, 2]),
    ]);
    expect(graph.inputs).toEqual([{ name: 'const_0', dtype: 'float32', dims: ['N', 2] }]);
    const session = await createRuntime(ort).open(graph);
    const result = await session.run({ const_0: f32([1, -2], [1, 2]) });
    expect(Object.entries(result).map(([name, t]) => [name, numbersOf(t)])).toEqual([['Identity_0', [0, 2]]]);
  });

  test('outputs can be chosen and renamed; what only the others need is dropped', () => {
    const nodes = [placeholder('x', [-1, 4]), { name: 'a', op: 'Relu', input: ['x'] }, { name: 'b', op: 'Tanh', input: ['a'] }];
    expect(from(nodes).outputs.map((o) => o.name)).toEqual(['b']);
    const graph = from(nodes, { outputs: { features: 'a' } });
    expect(graph.outputs.map((o) => o.name)).toEqual(['features']);
    expect(graph.nodes.map((n) => n.op)).toEqual(['Relu', 'Identity']);
  });

  test('a placeholder can be replaced by nodes of our own, channels first', async () => {
    const nodes = [placeholder('x', [-1, 1, 2, 1]), { name: 'y', op: 'Neg', input: ['x'] }];
    const graph = from(nodes, { prepare: { x: (g) => g.op('Mul', [g.input('image', ['N', 1, 1, 2]), g.number(10)]) } });
    expect(graph.inputs.map((i) => i.name)).toEqual(['image']);
    const session = await createRuntime(ort).open(graph);
    const { y } = await session.run({ image: f32([1, 2], [1, 1, 1, 2]) });
    expect([y!.dims, numbersOf(y!)]).toEqual([
      [1, 1, 2, 1],
      [-10, -20],
    ]);
  });

  const x = placeholder('x', [-1, 4, 4, 2]);
  const base64 = (text: string) => ({ s: btoa(text) });
  const filter = { name: 'f', shape: [1, 1, 2, 1], dtype: 'float32' };
  const conv = (attr: Record<string, unknown>): Node[] => [
    x,
    { name: 'f', op: 'Const' },
    { name: 'c', op: 'Conv2D', input: ['x', 'f'], attr: { strides: { list: { i: ['1', '1', '1', '1'] } }, ...attr } },
  ];
  const remedy = 'export the model without it, or convert it to ONNX with tf2onnx and give the ONNX file';

  test.each<[string, Node[], string]>([
    [
      'an unknown op',
      [x, { name: 'q', op: 'FFT2D', input: ['x'] }],
      'm.json: node "q" (FFT2D): this op is not converted -> convert the model to ONNX with tf2onnx and give the ONNX file',
    ],
    [
      'a missing node',
      [{ name: 'q', op: 'Relu', input: ['gone'] }],
      'm.json: node "q" (Relu) reads "gone", which is not in the graph -> the file is damaged: export again',
    ],
    [
      'a cycle',
      [
        { name: 'a', op: 'Relu', input: ['b'] },
        { name: 'b', op: 'Relu', input: ['a'] },
      ],
      'm.json: node "b" (Relu) lies on a cycle -> loops are not converted: unroll the model',
    ],
    [
      'a constant without weights',
      [{ name: 'k', op: 'Const' }],
      'm.json: node "k" (Const): its weights are missing -> the weights manifest is incomplete: export again',
    ],
    [
      'a strange input type',
      [placeholder('s', [1], 'DT_STRING')],
      'm.json: node "s" (Placeholder): type DT_STRING is not supported -> export the model with typed inputs of known rank',
    ],
    [
      'an input of unknown rank',
      [{ name: 's', op: 'Placeholder', attr: {} }],
      'm.json: node "s" (Placeholder): its shape is unknown -> export the model with typed inputs of known rank',
    ],
    [
      'a computed axis',
      [x, { name: 'm', op: 'Mean', input: ['x', 'x'] }],
      `m.json: node "m" (Mean): input 1 has to be a constant -> ${remedy}`,
    ],
    [
      'a missing input',
      [x, { name: 'm', op: 'Reshape', input: ['x'] }],
      `m.json: node "m" (Reshape): input 1 is missing -> ${remedy}`,
    ],
    [
      'a cast to strings',
      [x, { name: 'c', op: 'Cast', input: ['x'], attr: { DstT: { type: 'DT_STRING' } } }],
      `m.json: node "c" (Cast): a cast to DT_STRING is not converted -> ${remedy}`,
    ],
  ])('%s is refused', async (_, nodes, message) => {
    expect(await complaint(() => from(nodes))).toBe(message);
  });

  test.each([
    [{ padding: base64('SAME'), data_format: base64('NCHW') }, 'data format NCHW is not converted'],
    [{ padding: base64('FULL') }, 'padding "FULL" is not converted'],
    [{ padding: base64('EXPLICIT') }, 'explicit_paddings has 0 entries, expected 8'],
    [{ padding: base64('SAME'), strides: { list: { i: ['2', '1', '1', '1'] } } }, 'strides [2,1,1,1] is not of the form 1,h,w,1'],
  ])('a Conv2D with %j is refused', async (attr, what) => {
    expect(await complaint(() => from(conv(attr), {}, [filter], new Uint8Array(8)))).toBe(
      `m.json: node "c" (Conv2D): ${what} -> ${remedy}`,
    );
  });

  test('a convolution in groups is refused', async () => {
    const grouped = { ...filter, shape: [1, 1, 1, 2] };
    expect(await complaint(() => from(conv({ padding: base64('SAME') }), {}, [grouped], new Uint8Array(8)))).toBe(
      `m.json: node "c" (Conv2D): the filter has 1 channels, its input 2: grouped convolutions are not converted -> ${remedy}`,
    );
  });

  test('an output that does not exist is refused with the nearest name', async () => {
    expect(await complaint(() => from([x, { name: 'logits', op: 'Relu', input: ['x'] }], { outputs: { y: 'logit' } }))).toBe(
      'm.json: there is no value "logit" -> did you mean "logits"?',
    );
  });

  test('layers models, other JSON and other bytes are refused', async () => {
    const read = (text: string) => complaint(() => importGraphModel(new TextEncoder().encode(text), {}, { source: 'm.json' }));
    expect(await read('{"format":"layers-model","modelTopology":{"model_config":{}},"weightsManifest":[]}')).toBe(
      'm.json is not a TensorFlow.js graph model: it has no modelTopology.node -> convert it with tensorflowjs_converter --output_format=tfjs_graph_model (layers models hold no graph)',
    );
    expect(await read('PK\u0003')).toMatch(/^m.json is not JSON: .* -> check that the file is complete$/);
  });
});
