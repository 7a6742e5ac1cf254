import { readdirSync, readFileSync } from 'node:fs';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { attributes, float, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { type ModelProto, ModelProtoSchema, TypeProtoSchema } from '../../../src/core/onnx/generated/onnx-ml_pb.ts';
import type { Attribute, Graph, Node } from '../../../src/core/onnx/graph.ts';
import { decodeModel, readModel } from '../../../src/core/onnx/reader.ts';
import { assertValid, type Finding, validate } from '../../../src/core/onnx/validate.ts';
import { f32, tensor } from '../../../src/core/tensor/tensor.ts';

const fixtures = new URL('../../fixtures/onnx/', import.meta.url);
const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, fixtures)));
const external = new Map([['weights/external.bin', bytesOf('external.bin')]]);

const node = (op: string, inputs: string[], outputs: string[], more: Partial<Node> = {}): Node => ({
  op,
  domain: '',
  name: '',
  inputs,
  outputs,
  attributes: new Map(),
  ...more,
});
const value = (name: string) => ({ name, dtype: 'float32', dims: [2] }) as const;
/** x [2] -> nodes -> y [2]. */
const graphOf = (nodes: Node[], more: Partial<Graph> = {}): Graph => ({
  ...graphBuilder({ name: 'g' }).build(),
  inputs: [value('x')],
  outputs: [value('y')],
  nodes,
  ...more,
});
const opset = (version: number, domain = '') => ({ opsets: new Map([[domain, version]]) });
const relu = node('Relu', ['x'], ['y']);
const subgraph = (name: string, nodes: Node[], output: string): Attribute => ({
  type: 'graph',
  value: { ...graphOf(nodes), name, inputs: [], outputs: [value(output)], opsets: new Map(), irVersion: 0 },
});
const branches = (then: Attribute, otherwise = subgraph('other', [node('Neg', ['x'], ['n'])], 'n')) => ({
  attributes: new Map([
    ['then_branch', then],
    ['else_branch', otherwise],
  ]),
});
const yes = new Map([['c', tensor('bool', [], Uint8Array.of(1))]]);

const told = (graph: Graph): string[] => validate(graph).map((f) => `${f.message} | ${f.remedy}`);

describe('valid models', () => {
  const files = readdirSync(fixtures).filter((name) => name.endsWith('.onnx') && name !== 'sequence.onnx');
  test.each(files)('%s', (name) => {
    expect(told(readModel(bytesOf(name), { external }))).toEqual([]);
  });
  const light = new URL('../../../bench/models/light/', import.meta.url);
  test.each(readdirSync(light).filter((name) => name.endsWith('.onnx')))('%s', (name) => {
    expect(told(readModel(new Uint8Array(readFileSync(new URL(name, light)))))).toEqual([]);
  });
  test.each<[string, Graph]>([
    [
      'the runtime runs GroupNormalization at 18, withdrawn or not',
      graphOf([node('GroupNormalization', ['x', 's', 's'], ['y'], { attributes: attributes({ num_groups: 1 }) })], {
        initializers: new Map([['s', f32([1])]]),
      }),
    ],
    ['operators the runtime adds to the default domain', graphOf([node('SimplifiedLayerNormalization', ['x', 'x'], ['y'])])],
    ['domains of the runtime that the file does not import', graphOf([node('Gelu', ['x'], ['y'], { domain: 'com.microsoft' })])],
    [
      'left-out optional inputs',
      graphOf([node('Clip', ['x', '', 'c'], ['y'])], { initializers: new Map([['c', f32([1], [])]]) }),
    ],
    ['an input that is an output', graphOf([relu], { outputs: [value('x'), value('y')] })],
    [
      'branches with equal names inside',
      graphOf([node('If', ['c'], ['y'], branches(subgraph('then', [node('Abs', ['x'], ['n'])], 'n')))], { initializers: yes }),
    ],
    ['random nodes at opset 21', graphOf([node('RandomNormalLike', ['x'], ['y'])], opset(21))],
  ])('%s', (_, graph) => {
    expect(told(graph)).toEqual([]);
    expect(() => assertValid(graph)).not.toThrow();
  });
});

const again = 'export the model again';
const standard = 'export the model with standard operators';
const int4 = 'the process ends when such a value is read';
const binding = "which the runtime's JavaScript binding cannot carry";
const plain = 'export the model in float32 (or float16, float64, or 8-bit integers)';

describe('each defect, planted once, is the only finding', () => {
  test.each<[string, Graph, Finding['check'], string]>([
    [
      'IR version',
      graphOf([relu], { irVersion: 14 }),
      'version',
      'the file format is IR version 14, the runtime reads up to 13 | save the model with an older ONNX, or lower its ir_version',
    ],
    [
      'no IR version',
      graphOf([relu], { irVersion: 0 }),
      'version',
      `the file states no IR version | the file is damaged: ${again}`,
    ],
    [
      'old opset',
      graphOf([relu], opset(6)),
      'version',
      'the model is written for opset 6, the runtime runs 7 to 26 | convert it with onnx.version_converter, or export it again',
    ],
    [
      'new opset',
      graphOf([relu], opset(27)),
      'version',
      'the model is written for opset 27, the runtime runs 7 to 26 | export the model at opset 26 or older',
    ],
    [
      'new ml opset',
      graphOf([relu], {
        opsets: new Map([
          ['', 18],
          ['ai.onnx.ml', 6],
        ]),
      }),
      'version',
      'the model needs ai.onnx.ml 6, the runtime has up to 5 | export the model at ai.onnx.ml 5',
    ],
    [
      'no default opset',
      graphOf([relu], opset(5, 'ai.onnx.ml')),
      'version',
      `Relu (output "y"): the model states no operator set for the default domain | ${again}`,
    ],
    [
      'unknown op',
      graphOf([node('Relo', ['x'], ['y'])]),
      'operator',
      'Relo (output "y"): the runtime has no operator "Relo" | did you mean Relu?',
    ],
    [
      'unknown op, nothing like it',
      graphOf([node('Frobnicate', ['x'], ['y'])]),
      'operator',
      `Frobnicate (output "y"): the runtime has no operator "Frobnicate" | ${standard}`,
    ],
    [
      'an op called constructor',
      graphOf([node('constructor', ['x'], ['y'])]),
      'operator',
      `constructor (output "y"): the runtime has no operator "constructor" | ${standard}`,
    ],
    [
      'unknown com.microsoft op',
      graphOf([node('Quux', ['x'], ['y'], { domain: 'com.microsoft' })]),
      'operator',
      `com.microsoft::Quux (output "y"): the runtime has no operator "Quux" in com.microsoft | ${standard}`,
    ],
    [
      'op of a later opset',
      graphOf([node('Gelu', ['x'], ['y'])]),
      'operator',
      'Gelu (output "y"): Gelu exists from opset 20 on, the model states 18 | export the model at opset 20 or newer',
    ],
    [
      'withdrawn op',
      graphOf([node('Scatter', ['x', 'x', 'x'], ['y'])]),
      'operator',
      `Scatter (output "y"): Scatter was withdrawn at opset 11, and the runtime refuses it | ${again}: ScatterElements has replaced it`,
    ],
    [
      'foreign domain',
      graphOf([node('Foo', ['x'], ['y'], { domain: 'my.ops', name: 'n7' })]),
      'unchecked',
      'my.ops::Foo "n7" (output "y") cannot be checked or run: the runtime has no operators of the domain "my.ops", and the model holds no such function | export the model with standard operators, or as local functions',
    ],
    ['too few inputs', graphOf([node('Add', ['x'], ['y'])]), 'arity', `Add (output "y") has 1 inputs, Add takes 2 | ${again}`],
    [
      'too many inputs',
      graphOf([node('Relu', ['x', 'x'], ['y'])]),
      'arity',
      `Relu (output "y") has 2 inputs, Relu takes 1 | ${again}`,
    ],
    [
      'inputs outside a range',
      graphOf([node('LSTM', ['x'], ['y'])]),
      'arity',
      `LSTM (output "y") has 1 inputs, LSTM takes 3 to 8 | ${again}`,
    ],
    [
      'no inputs of many',
      graphOf([relu, node('Concat', [], ['z'], { attributes: attributes({ axis: 0 }) })]),
      'arity',
      `Concat (output "z") has 0 inputs, Concat takes 1 or more | ${again}`,
    ],
    [
      'a needed input left out',
      graphOf([node('Add', ['x', ''], ['y'])]),
      'arity',
      `Add (output "y") leaves out input 2, which Add needs | ${again}`,
    ],
    [
      'too many outputs',
      graphOf([node('Relu', ['x'], ['y', 'z'])]),
      'arity',
      `Relu (output "y") has 2 outputs, Relu takes 1 | ${again}`,
    ],
    ['no outputs', graphOf([relu, node('Relu', ['x'], [])]), 'arity', `Relu (output "") has 0 outputs, Relu takes 1 | ${again}`],
    [
      'an input the runtime dies without',
      graphOf([node('ConvTransposeWithDynamicPads', ['x', 'x'], ['y'], { domain: 'com.microsoft' })]),
      'arity',
      'com.microsoft::ConvTransposeWithDynamicPads (output "y") leaves out input 3, and the runtime ends the process over it | give the input (a constant will do)',
    ],
    [
      'another one',
      graphOf([node('QLinearSigmoid', ['x', 'x', 'x', 'x'], ['y'], { domain: 'com.microsoft' })]),
      'arity',
      'com.microsoft::QLinearSigmoid (output "y") leaves out input 5, and the runtime ends the process over it | give the input (a constant will do)',
    ],
    [
      'an ellipsis of unlike length, which the runtime dies over',
      graphOf([node('Einsum', ['x', 'm'], ['y'], { attributes: attributes({ equation: '...i, i... -> ...' }) })], {
        initializers: new Map([['m', f32([1, 2, 3, 4], [2, 2])]]),
      }),
      'attribute',
      'Einsum (output "y"): the ellipsis of its equation "...i, i... -> ..." stands for 0 axes in one operand and 1 in another | give the operands as many axes as each other (Unsqueeze), or name the axes in the equation',
    ],
    [
      'unknown attribute',
      graphOf([node('LeakyRelu', ['x'], ['y'], { attributes: attributes({ alpho: float(1) }) })]),
      'attribute',
      'LeakyRelu (output "y") has the attribute "alpho", which LeakyRelu does not know | did you mean "alpha"?',
    ],
    [
      'attribute of an op without any',
      graphOf([node('Relu', ['x'], ['y'], { attributes: attributes({ axis: 1 }) })]),
      'attribute',
      'Relu (output "y") has the attribute "axis", which Relu does not know | remove the attribute',
    ],
    [
      'attribute of another type',
      graphOf([node('LeakyRelu', ['x'], ['y'], { attributes: attributes({ alpha: 1 }) })]),
      'attribute',
      `LeakyRelu (output "y"): the attribute "alpha" is int, LeakyRelu takes float | ${again}`,
    ],
    [
      'missing attribute',
      graphOf([node('Cast', ['x'], ['y'])]),
      'attribute',
      `Cast (output "y") lacks the attribute "to" | ${again}`,
    ],
    [
      'constant without a value',
      graphOf([relu, node('Constant', [], ['k'])]),
      'attribute',
      `Constant (output "k") needs exactly one value, it has 0 | ${again}`,
    ],
    [
      'no kernel',
      graphOf([node('RandomNormalLike', ['x'], ['y'])], opset(22)),
      'kernel',
      'RandomNormalLike (output "y"): the runtime has no kernel for version 22 of RandomNormalLike | export the model at opset 21 or older',
    ],
    [
      'no kernel inside a body',
      graphOf([node('Bernoulli', ['x'], ['y'])], opset(24)),
      'kernel',
      'Bernoulli (output "y"): the runtime has no kernel for version 22 of Bernoulli | export the model at opset 21 or older',
    ],
    [
      'value nobody produces',
      graphOf([node('Add', ['x', 'weight'], ['y'])], { initializers: new Map([['weights', f32([1])]]) }),
      'names',
      `Add (output "y") reads "weight", which nothing produces | did you mean "weights"? Otherwise ${again}`,
    ],
    [
      'output nobody produces',
      graphOf([node('Relu', ['x'], ['z'])], { outputs: [value('logits')] }),
      'names',
      `nothing produces output "logits" of the graph | the file is incomplete: ${again}`,
    ],
    [
      'no outputs at all',
      graphOf([relu], { outputs: [] }),
      'names',
      'the graph has no outputs | declare as outputs what the model is to return',
    ],
    [
      'value produced twice',
      graphOf([relu, node('Abs', ['x'], ['y'])]),
      'names',
      '"y" is produced twice: as an output of Relu (output "y") and as an output of Abs (output "y") | give the two values different names, also across subgraphs',
    ],
    [
      'two nodes of one name',
      graphOf([node('Abs', ['x'], ['a'], { name: 'n' }), node('Relu', ['a'], ['y'], { name: 'n' })]),
      'names',
      'Relu "n" (output "y") is not the only node of that name | name each node differently, or none',
    ],
    [
      'an input produced again',
      graphOf([relu, node('Abs', ['y'], ['x'])]),
      'names',
      '"x" is produced twice: as an input of the graph and as an output of Abs (output "x") | give the two values different names, also across subgraphs',
    ],
    [
      'input listed twice',
      graphOf([relu], { inputs: [value('x'), value('x')] }),
      'names',
      'input "x" of the graph is listed twice | give the inputs different names',
    ],
    [
      'input without a name',
      graphOf([relu], { inputs: [value('x'), value('')] }),
      'names',
      'an input of the graph has no name | name every input',
    ],
    [
      'out of order',
      graphOf([node('Relu', ['a'], ['y']), node('Abs', ['x'], ['a'])]),
      'order',
      'Relu (output "y") comes before Abs (output "a"), whose result it reads | sort the nodes so that each comes after those it reads from, as the ONNX standard asks',
    ],
    [
      'a node that reads itself',
      graphOf([node('Add', ['x', 'y'], ['y'])]),
      'cycle',
      'the graph runs in a circle: Add (output "y") -> back | cut the circle; recurrence is written with Loop or Scan',
    ],
    [
      'a long circle',
      graphOf([
        node('Add', ['x', 'd'], ['a']),
        node('Abs', ['a'], ['b']),
        node('Neg', ['b'], ['c']),
        node('Exp', ['c'], ['d']),
        node('Relu', ['d'], ['y']),
      ]),
      'cycle',
      'the graph runs in a circle: Add (output "a") -> Abs (output "b") -> Neg (output "c") -> Exp (output "d") -> back | cut the circle; recurrence is written with Loop or Scan',
    ],
    [
      'a branch that reads what nobody produces',
      graphOf([node('If', ['c'], ['y'], branches(subgraph('then', [node('Abs', ['nowhere'], ['t'])], 't')))], {
        initializers: yes,
      }),
      'names',
      `Abs (output "t") reads "nowhere", which nothing produces | the file is incomplete: ${again}`,
    ],
    [
      'a branch that reads what comes later',
      graphOf(
        [
          node('If', ['c'], ['z'], branches(subgraph('then', [node('Abs', ['later'], ['t'])], 't'))),
          node('Neg', ['x'], ['later']),
          node('Add', ['z', 'later'], ['y']),
        ],
        { initializers: yes },
      ),
      'order',
      'If (output "z") comes before Neg (output "later"), whose result it reads | sort the nodes so that each comes after those it reads from, as the ONNX standard asks',
    ],
    [
      'a branch that hides an outer name',
      graphOf(
        [node('Neg', ['x'], ['z']), node('If', ['c'], ['y'], branches(subgraph('then', [node('Abs', ['x'], ['z'])], 'z')))],
        { initializers: yes },
      ),
      'names',
      '"z" is produced twice: as an output of Neg (output "z") and as an output of Abs (output "z") | give the two values different names, also across subgraphs',
    ],
    [
      'a branch that returns an outer value',
      graphOf([node('If', ['c'], ['y'], branches(subgraph('then', [], 'x')))], { initializers: yes }),
      'names',
      'output "x" of the subgraph "then" comes from outside it, which the runtime refuses | return it through an Identity node inside the subgraph',
    ],
    [
      'a defect inside a branch',
      graphOf([node('If', ['c'], ['y'], branches(subgraph('then', [node('Abs', ['x', 'x'], ['t'])], 't')))], {
        initializers: yes,
      }),
      'arity',
      `Abs (output "t") has 2 inputs, Abs takes 1 | ${again}`,
    ],
    [
      'cast to 4 bits',
      graphOf([node('Cast', ['x'], ['y'], { attributes: attributes({ to: 22 }) })]),
      'type',
      `Cast (output "y"): the attribute "to" asks for INT4, ${int4} | ${plain}`,
    ],
    [
      'cast to bfloat16',
      graphOf([node('Cast', ['x'], ['y'], { attributes: attributes({ to: 16 }) })]),
      'type',
      `Cast (output "y"): the attribute "to" asks for BFLOAT16, ${binding} | ${plain}`,
    ],
    [
      'cast to nothing',
      graphOf([node('Cast', ['x'], ['y'], { attributes: attributes({ to: 0 }) })]),
      'type',
      `Cast (output "y"): the attribute "to" asks for UNDEFINED, ${binding} | ${plain}`,
    ],
    [
      'quantised to 4 bits',
      graphOf([node('QuantizeLinear', ['x', 'x'], ['y'], { attributes: attributes({ output_dtype: 21 }) })], opset(21)),
      'type',
      `QuantizeLinear (output "y"): the attribute "output_dtype" asks for UINT4, ${int4} | ${plain}`,
    ],
    [
      'sequence nobody declared',
      graphOf([node('SequenceConstruct', ['x'], ['y'])], { outputs: [{ name: 'y', dtype: undefined, dims: undefined }] }),
      'type',
      'output "y" comes from SequenceConstruct (output "y") and is no tensor | let the model take and return plain tensors (scikit-learn: convert with zipmap off)',
    ],
    [
      'input without a type',
      graphOf([relu], { inputs: [{ name: 'x', dtype: undefined, dims: undefined }] }),
      'type',
      'input "x" has no type | export the model with typed inputs',
    ],
    [
      'initializer of another size',
      graphOf([relu], { initializers: new Map([['w', { dtype: 'float32', dims: [2, 2], data: new Float32Array(3) }]]) }),
      'size',
      `initializer "w" [2,2] needs 4 values and holds 3 | the file is damaged: ${again}`,
    ],
    [
      'a shape that is none',
      graphOf([relu], { initializers: new Map([['w', { dtype: 'float32', dims: [-1, 0], data: new Float32Array(0) }]]) }),
      'size',
      `initializer "w" has the shape [-1,0] | the file is damaged: ${again}`,
    ],
    [
      'constant of another size',
      graphOf([
        relu,
        node('Constant', [], ['k'], {
          attributes: attributes({ value: { dtype: 'float32', dims: [3], data: new Float32Array(2) } }),
        }),
      ]),
      'size',
      `attribute "value" of Constant (output "k") [3] needs 3 values and holds 2 | the file is damaged: ${again}`,
    ],
  ])('%s', (_, graph, check, text) => {
    const findings = validate(graph);
    expect(told(graph)).toEqual([text]);
    expect(findings[0]).toMatchObject({ check, severity: 'error' });
    const [message, remedy] = text.split(' | ');
    expect(() => assertValid(graph, 'm.onnx')).toThrow(UserError);
    try {
      assertValid(graph, 'm.onnx');
    } catch (error) {
      expect(error).toMatchObject({ message: `m.onnx cannot be run: ${message}`, remedy });
    }
  });

  test('a domain of the runtime without known schemas is a warning', () => {
    const graph = graphOf([node('Conv', ['x'], ['y'], { domain: 'com.ms.internal.nhwc' })]);
    expect(validate(graph)).toMatchObject([{ severity: 'warning', check: 'unchecked' }]);
    expect(() => assertValid(graph)).not.toThrow();
  });

  test('several are listed together, the first five in full', () => {
    const graph = graphOf([...['a', 'b', 'c', 'd', 'e', 'y'].map((name) => node('Nope', ['x'], [name]))]);
    try {
      assertValid(graph, 'm.onnx');
      expect.unreachable();
    } catch (error) {
      const lines = (error as UserError).message.split('\n');
      expect(lines.length).toBe(7);
      expect(lines[0]).toBe('m.onnx cannot be run, for 6 reasons:');
      expect(lines[1]).toBe('- Nope (output "a"): the runtime has no operator "Nope" (export the model with standard operators)');
      expect(lines[6]).toBe('- and 1 more');
    }
  });
});

describe('defects only a file can have', () => {
  const planted = (name: string, change: (model: ModelProto) => void): string[] => {
    const model = decodeModel(bytesOf(name), name);
    change(model);
    return told(readModel(toBinary(ModelProtoSchema, model), { external }));
  };
  test('a sequence among the outputs', () => {
    expect(told(readModel(bytesOf('sequence.onnx')))).toEqual([
      'output "parts" is a sequence, not a tensor | let the model take and return plain tensors (scikit-learn: convert with zipmap off)',
    ]);
  });
  test.each([
    ['INT4', 22, int4],
    ['UINT4', 21, int4],
    ['BFLOAT16', 16, binding],
    ['FLOAT8E4M3FN', 17, binding],
  ] as const)('an input, an output or an inner value of type %s', (name, elemType, why) => {
    const type = create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType } } });
    for (const kind of ['input', 'output', 'value'] as const) {
      const findings = planted('fields.onnx', ({ graph }) => {
        const list = kind === 'value' ? graph!.valueInfo : graph![kind];
        list.at(-1)!.type = type;
      });
      const value = { input: 'x', output: 'y', value: 'inner' }[kind];
      expect(findings).toEqual([`${kind} "${value}" is ${name}, ${why} | ${plain}`]);
    }
  });
  test('a constant of a type the binding cannot hold', () => {
    const findings = planted('external.onnx', ({ graph }) => {
      graph!.node[1]!.attribute[0]!.t!.dataType = 22;
    });
    expect(findings).toEqual([`Constant (output "k"): the attribute "value" asks for INT4, ${int4} | ${plain}`]);
  });
  test('a tensor attribute without a tensor', () => {
    const findings = planted('external.onnx', ({ graph }) => {
      graph!.node[1]!.attribute[0]!.t = undefined;
    });
    expect(findings).toEqual([`Constant (output "k"): the attribute "value" is empty, Constant takes tensor | ${again}`]);
  });
  test('a reference to an attribute outside any function', () => {
    const findings = planted('fields.onnx', ({ graph }) => {
      graph!.node.at(-1)!.attribute[0]!.refAttrName = 'slope';
    });
    expect(findings).toEqual([
      'LeakyRelu (output "y"): the attribute "alpha" refers to "slope" of a function, and stands in none | give the attribute a value',
    ]);
  });
  test.each<[string, (model: ModelProto) => void, string]>([
    [
      'an undeclared domain',
      (m) => m.opsetImport.pop(),
      'local::Twice (output "y"): the model states no version of the domain "local" | add the domain to the opset imports',
    ],
    [
      'too many inputs of a call',
      (m) => m.graph!.node[0]!.input.push('x'),
      `local::Twice (output "y") has 2 inputs, Twice takes 0 to 1 | ${again}`,
    ],
    [
      'an attribute of a call the function does not have',
      (m) => (m.functions[1]!.node[1]!.attribute[0]!.name = 'powder'),
      'local::Bend (output "b") has the attribute "powder", which the function "local::Bend" does not know | remove the attribute',
    ],
    [
      'a call without a needed attribute',
      (m) => m.functions[1]!.node[0]!.attribute.pop(),
      `local::Bend (output "m") lacks the attribute "slope" | ${again}`,
    ],
    [
      'a body that reads outside itself',
      (m) => (m.functions[0]!.node[0]!.input[0] = 'outer'),
      `LeakyRelu (output "l") reads "outer", which nothing produces | the file is incomplete: ${again}`,
    ],
    [
      'a body that does not produce its output',
      (m) => (m.functions[1]!.output[0] = 'out'),
      `nothing produces output "out" of the function "local::Twice" | the file is incomplete: ${again}`,
    ],
    [
      'a body that refers to no attribute of the function',
      (m) => (m.functions[0]!.node[0]!.attribute[0]!.refAttrName = 'tilt'),
      `LeakyRelu (output "l"): the attribute "alpha" refers to "tilt", which the function "local::Bend" does not have | ${again}`,
    ],
    [
      'an old opset in a function',
      (m) => (m.functions[0]!.opsetImport[0]!.version = 5n),
      'the function "local::Bend" is written for opset 5, the runtime runs 7 to 26 | convert it with onnx.version_converter, or export it again',
    ],
    [
      'a function that calls itself through another',
      (m) => {
        const call = m.functions[0]!.node[0]!;
        call.opType = 'Twice';
        call.domain = 'local';
        call.attribute = [];
        m.functions.reverse();
        m.functions[1]!.opsetImport.push(m.functions[0]!.opsetImport[1]!);
      },
      'the function "local::Twice" calls itself | write recurrence with Loop or Scan',
    ],
    [
      'a function whose tensors cannot be held',
      (m) => {
        const constant = m.functions[0]!.node[1]!;
        const t = decodeModel(bytesOf('fields.onnx'), '').graph!.initializer[0]!;
        t.dims = [3n];
        constant.attribute = [decodeModel(bytesOf('external.onnx'), '').graph!.node[1]!.attribute[0]!];
        constant.attribute[0]!.t = t;
        constant.attribute[0]!.name = 'value';
      },
      'the model, function local::Bend: tensor "f32" [3] needs 3 values and holds 2 | the file is damaged: export the model again',
    ],
  ])('in local functions: %s', (_, change, text) => {
    expect(planted('functions.onnx', change)[0]).toBe(text);
  });
});

describe('damaged files', () => {
  /** Reads, judges and prints; anything but a graph or a UserError is a failure. */
  function survives(bytes: Uint8Array): 'refused' | 'invalid' | 'valid' {
    let graph: Graph;
    try {
      graph = readModel(bytes, { external });
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      return 'refused';
    }
    const findings = validate(graph);
    return findings.length === 0 ? 'valid' : 'invalid';
  }
  const names = readdirSync(fixtures).filter((name) => name.endsWith('.onnx'));

  test.each(names)('%s cut off anywhere', (name) => {
    const bytes = bytesOf(name);
    const step = name === 'fields.onnx' ? 97 : 7;
    const seen = [];
    for (let length = 0; length < bytes.length; length += step) seen.push(survives(bytes.subarray(0, length)));
    expect(seen.filter((s) => s === 'refused').length).toBeGreaterThan(seen.length / 2);
  });

  test('with bytes changed, dropped or doubled', () => {
    const counts = { refused: 0, invalid: 0, valid: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...names.map(bytesOf)),
        fc.array(fc.tuple(fc.nat(4000), fc.nat(255)), { maxLength: 5 }),
        fc.tuple(fc.nat(4000), fc.integer({ min: -12, max: 12 })),
        (original, edits, [at, by]) => {
          const bytes = original.slice();
          for (const [i, b] of edits) bytes[i % bytes.length] = b;
          const cut = at % bytes.length;
          counts[survives(Uint8Array.from([...bytes.subarray(0, cut), ...bytes.subarray(Math.max(0, cut + by))]))]++;
        },
      ),
      { numRuns: 600 },
    );
    expect(counts.refused + counts.invalid).toBeGreaterThan(200);
  });

  test('with random fields of the message replaced', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.infiniteStream(fc.nat(2 ** 20)), (name, random) => {
        const model = decodeModel(bytesOf(name), name);
        scramble(model, () => random.next().value);
        expect(['refused', 'invalid', 'valid']).toContain(survives(toBinary(ModelProtoSchema, model)));
      }),
      { numRuns: 300 },
    );
  });
});

/** Replaces one name, number or list somewhere in a model by something else of its kind. */
function scramble(model: ModelProto, random: () => number): void {
  const nodes = [...model.graph!.node, ...model.functions.flatMap((f) => f.node)];
  const pick = <T>(list: readonly T[]): T | undefined => list[random() % Math.max(1, list.length)];
  const target = pick(nodes)!;
  const names = ['', 'x', 'y', ...nodes.flatMap((n) => [...n.input, ...n.output])];
  switch (random() % 8) {
    case 0:
      target.input.splice(random() % (target.input.length + 1), random() % 2, pick(names)!);
      break;
    case 1:
      target.output.splice(random() % (target.output.length + 1), random() % 2, pick(names)!);
      break;
    case 2:
      target.opType = pick(nodes)!.opType;
      break;
    case 3:
      target.domain = pick(['', 'ai.onnx.ml', 'com.microsoft', 'local', 'toString'])!;
      break;
    case 4: {
      const attribute = pick(target.attribute);
      if (attribute !== undefined) attribute.type = random() % 16;
      break;
    }
    case 5: {
      const t = pick(model.graph!.initializer);
      if (t !== undefined) t.dataType = random() % 30;
      break;
    }
    case 6: {
      const t = pick(model.graph!.initializer);
      if (t !== undefined) t.dims = [BigInt(random() % 5) - 1n, BigInt(random())];
      break;
    }
    default:
      model.opsetImport[0]!.version = BigInt(random() % 40) - 5n;
  }
}
