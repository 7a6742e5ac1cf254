import { readFileSync } from 'node:fs';
import { create, toBinary } from '@bufbuild/protobuf';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { functionsOf } from '../../../src/core/onnx/functions.ts';
import {
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from '../../../src/core/onnx/generated/onnx-ml_pb.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { inlineFunctions } from '../../../src/core/onnx/passes/inline-functions.ts';
import { decodeModel, readModel } from '../../../src/core/onnx/reader.ts';
import { validate } from '../../../src/core/onnx/validate.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { compile } from '../../../src/core/runtime/compile.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, numbersOf } from '../../../src/core/tensor/tensor.ts';
import { disagreement } from '../autodiff/agreement.ts';

const runtime = createRuntime(ort);
const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(`../../fixtures/onnx/${name}`, import.meta.url)));
/** The model of "functions.onnx", changed; Twice calls Bend twice. */
function changed(change: (model: ModelProto) => void): Graph {
  const model = decodeModel(bytesOf('functions.onnx'), '');
  change(model);
  return readModel(toBinary(ModelProtoSchema, model));
}
const nodeProto = (opType: string, input: string[], output: string[]): NodeProto =>
  create(NodeProtoSchema, { opType, input, output });
const run = async (graph: Graph, x: number[]) => numbersOf((await runtime.execute(graph, { x: f32(x) })).y!);

describe('local functions are inlined', () => {
  test('with attributes given and defaulted, two levels deep, and compute the same', async () => {
    const graph = readModel(bytesOf('functions.onnx'));
    const flat = inlineFunctions(graph);
    expect(flat.nodes.map((n) => n.op)).toEqual(['LeakyRelu', 'Constant', 'Pow', 'LeakyRelu', 'Constant', 'Pow']);
    expect(functionsOf(flat)).toEqual([]);
    expect([...flat.opsets]).toEqual([['', 18]]);
    expect(validate(flat)).toEqual([]);
    const x = [1.5, 0.5, -0.5, -1.5];
    expect(await run(flat, x)).toEqual(await run(graph, x));
    expect(await run(flat, x)).toEqual([2.25, 0.25, 0.0625, 0.5625]);
  });

  test("so that the gradient goes through them: y = bend(x)^2 has the derivative 2 bend(x) bend'(x)", async () => {
    const evaluator = await compile(readModel(bytesOf('functions.onnx')), { of: ['y'], wrt: ['x'], runtime });
    const { grads } = await evaluator.run({ x: f32([1.5, 0.5, -0.5, -1.5]) });
    await evaluator.release();
    expect(numbersOf(grads.x!)).toEqual([3, 1, -0.25, -0.75]);
  });

  test('with bodies that hold branches, whose names do not clash with those outside', async () => {
    const graph = changed((model) => {
      const branches = decodeModel(bytesOf('subgraphs.onnx'), '').graph!;
      const bend = model.functions[0]!;
      const [sum, greater, branch] = branches.node;
      const zero = nodeProto('Constant', [], ['zero']);
      zero.attribute = [decodeModel(bytesOf('external.onnx'), '').graph!.node[1]!.attribute[0]!];
      zero.attribute[0]!.t = branches.initializer[1]!;
      sum!.input[0] = 'a';
      branch!.output[0] = 'b';
      for (const { g } of branch!.attribute) {
        const [only] = g!.node;
        only!.input = only!.input.map(() => 'a');
        // a name the graph around uses too
        only!.output[0] = 'y';
        g!.output[0]!.name = 'y';
        g!.output[0]!.type = undefined;
      }
      bend.node = [zero, sum!, greater!, branch!];
    });
    const flat = inlineFunctions(graph);
    expect(validate(flat)).toEqual([]);
    // a positive sum is doubled, any other negated: twice over
    expect(await run(flat, [1, 2, 3, -1])).toEqual([4, 8, 12, -4]);
    expect(await run(flat, [-1, -2, -3, 1])).toEqual([2, 4, 6, -2]);
  });

  test('that hand an input through, or whose last outputs nobody takes', async () => {
    const graph = changed(({ functions }) => {
      functions[0]!.output = ['a', 'l'];
    });
    expect(await run(inlineFunctions(graph), [1, -2, 3, -4])).toEqual([1, -2, 3, -4]);
  });

  test('a model without functions stays the very same', () => {
    const graph = readModel(bytesOf('subgraphs.onnx'));
    expect(inlineFunctions(graph)).toBe(graph);
  });

  test.each<[string, (model: ModelProto) => void, string]>([
    ['recursion', (m) => (m.functions[0]!.node[0] = { ...m.graph!.node[0]!, input: ['a'], output: ['l'] }), 'local::Twice'],
    [
      'an opset none can be converted from',
      (m) => (m.functions[0]!.opsetImport[0]!.version = 5n),
      'the model is written for opset 5; opsets 7 to 26 can be read',
    ],
  ])('%s is refused', (_, change, message) => {
    const graph = changed(change);
    expect(() => inlineFunctions(graph)).toThrow(UserError);
    expect(() => inlineFunctions(graph)).toThrow(message);
  });
});

interface Recorded {
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

interface Case {
  readonly file: string;
  readonly x: Recorded;
  readonly weights: Recorded;
  readonly y: Recorded;
  readonly gradient: Recorded;
}

/** Made and measured by test/oracles/local_functions.py. */
const { cases } = JSON.parse(new TextDecoder().decode(bytesOf('../functions/cases.json'))) as { cases: Case[] };

describe('overloaded functions, and functions of another opset than the model', () => {
  test.each(cases.map((c) => [c.file, c] as const))(
    '%s computes what PyTorch does, and so does its gradient',
    async (file, c) => {
      const graph = readModel(bytesOf(`../functions/${file}`));
      expect(validate(graph)).toEqual([]);
      const flat = inlineFunctions(graph);
      expect(functionsOf(flat)).toEqual([]);
      expect(validate(flat)).toEqual([]);
      const name = graph.outputs[0]!.name;
      const evaluator = await compile(graph, { of: [name], wrt: ['x'], cotangents: true, runtime });
      const { of, grads } = await evaluator.run({ x: asFloat(c.x), [`cotangent_${name}`]: asFloat(c.weights) });
      await evaluator.release();
      expect(of[name]!.dims).toEqual(c.y.dims);
      expect(disagreement(numbersOf(of[name]!), c.y.values)).toBeUndefined();
      expect(disagreement(numbersOf(grads.x!), c.gradient.values)).toBeUndefined();
    },
  );

  test('the models are brought to one opset: 18, or the newest among them', () => {
    const opset = (file: string) => inlineFunctions(readModel(bytesOf(`../functions/${file}`))).opsets.get('');
    expect(cases.map(({ file }) => [file, opset(file)])).toEqual([
      ['overloaded.onnx', 21],
      ['older.onnx', 18],
      ['newer.onnx', 21],
      ['spectrum.onnx', 20],
      ['onnxscript.onnx', 18],
    ]);
  });

  test('which overload is called survives changing the node and writing it', () => {
    const graph = readModel(bytesOf('../functions/overloaded.onnx'));
    const renamed = { ...graph, nodes: graph.nodes.map((n) => ({ ...n, name: `my-${n.op}` })) };
    const again = readModel(writeModel(renamed));
    expect(again.nodes.map((n) => n.overload)).toEqual(['soft', 'bounded', undefined]);
    expect(inlineFunctions(again).nodes.map((n) => n.op)).toEqual(['Softplus', 'Mul', 'Tanh', 'Add']);
  });

  test('an overload that calls itself is refused, one that calls another is not', () => {
    const model = decodeModel(bytesOf('../functions/overloaded.onnx'), '');
    model.functions[1]!.node[1]!.overload = 'soft';
    const graph = readModel(toBinary(ModelProtoSchema, model));
    expect(() => inlineFunctions(graph)).toThrow('calls itself');
    expect(validate(graph).map((f) => f.message)).toEqual(['the function "local::Bend" calls itself']);
  });
});

const asFloat = ({ dims, values }: Recorded) => f32(values, dims);
