import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { attributes, float, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { printGraph } from '../../../src/core/onnx/print.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { f32, tensor } from '../../../src/core/tensor/tensor.ts';

const fixture = (name: string) =>
  readModel(new Uint8Array(readFileSync(new URL(`../../fixtures/onnx/${name}`, import.meta.url))), { source: name });

test('a graph is one line per value: small constants in full, large ones by size', () => {
  const g = graphBuilder({ name: 'net' });
  g.input('x', ['N', 3, 224, 224]);
  g.constant(f32(new Float32Array(64 * 147), [64, 3, 7, 7]), 'w');
  g.constant(f32([0.1]), 'b');
  g.constant(tensor('string', [2], ['angry', 'sad']), 'names');
  g.op('Conv', ['x', 'w', 'b'], { strides: [2, 2], auto_pad: 'SAME_UPPER' }, 'c');
  g.op('LeakyRelu', ['c'], { alpha: float(Math.fround(0.1)) }, 'r');
  g.op('Clip', ['r', '', 'b'], {}, 'y');
  g.add({ op: 'Foo', domain: 'my.ops', name: '', inputs: ['y'], outputs: ['', 'z'], attributes: attributes({ t: f32([1, 2]) }) });
  g.output('y', ['N', 64, 112, 112]);
  expect(printGraph(g.build())).toBe(`graph "net", opset 18, IR 8, by provoke
inputs
  x: float32 [N, 3, 224, 224]
initializers (3, 9411 elements, 37.6 kB)
  w: float32 [64, 3, 7, 7] 37.6 kB
  b: float32 [1] = [0.1]
  names: string [2] = ["angry", "sad"]
nodes (4)
  c = Conv(x, w, b) {strides: [2, 2], auto_pad: "SAME_UPPER"}
  r = LeakyRelu(c) {alpha: 0.1}
  y: [N, 64, 112, 112] = Clip(r, _, b)
  _, z = my.ops::Foo(y) {t: float32 [2] = [1, 2]}
outputs
  y: float32 [N, 64, 112, 112]`);
});

test('subgraphs are indented below the node that holds them', () => {
  expect(printGraph(fixture('subgraphs.onnx'))).toContain(`
  z = If(positive)
    else_branch: subgraph "else"
      nodes (1)
        e: [2] = Neg(x)
      outputs
        e: float32 [2]
    then_branch: subgraph "then"
      nodes (1)
        t: [2] = Add(x, w)
      outputs
        t: float32 [2]
  y: [2], trace: [3, 2] = Loop(three, _, z)
    body: subgraph "body"
      inputs
        i: int64 []
`);
});

test('local functions come last, with their attributes', () => {
  expect(printGraph(fixture('functions.onnx'))).toBe(`graph "functions", opset 18, local 1, IR 9, by fixtures 1
inputs
  x: float32 [4]
nodes (1)
  y: [4] = local::Twice(x)
outputs
  y: float32 [4]
function local::Bend(a) {slope, power: 2} -> b
  l = LeakyRelu(a) {alpha: @slope}
  p = Constant() {value_float: @power}
  b = Pow(l, p)
function local::Twice(a) -> b
  m = local::Bend(a) {slope: 0.5}
  b = local::Bend(m) {power: 1, slope: 0.25}`);
});
