import { readdirSync, readFileSync } from 'node:fs';
import { toBinary } from '@bufbuild/protobuf';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { externalFiles } from '../../../src/core/onnx/external.ts';
import { functionsOf, referenceOf, withoutFunctions } from '../../../src/core/onnx/functions.ts';
import { ModelProtoSchema } from '../../../src/core/onnx/generated/onnx-ml_pb.ts';
import { feedsOf, type Graph } from '../../../src/core/onnx/graph.ts';
import { decodeModel, type ReadOptions, readModel } from '../../../src/core/onnx/reader.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, numbersOf, type Tensor, tensor } from '../../../src/core/tensor/tensor.ts';

const folder = new URL('../../fixtures/onnx/', import.meta.url);
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, folder)));
const models = readdirSync(folder).filter((name) => name.endsWith('.onnx'));
const lightFolder = new URL('../../../bench/models/light/', import.meta.url);
const light = readdirSync(lightFolder).filter((name) => name.endsWith('.onnx'));
const withData: ReadOptions = { external: new Map([['weights/external.bin', fixture('external.bin')]]) };
const read = (name: string): Graph => readModel(fixture(name), { source: name, ...withData });

const encode = (model: ReturnType<typeof decodeModel>): Uint8Array => toBinary(ModelProtoSchema, model);

const runtime = createRuntime(ort);
async function outputsOf(model: Uint8Array): Promise<Record<string, Tensor>> {
  const graph = readModel(model);
  const feeds = feedsOf(graph).map(({ name, dims }) => {
    const sizes = dims!.map((d) => (typeof d === 'number' ? d : 2));
    return [
      name,
      f32(
        Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, (_, i) => 1.5 - i),
        sizes,
      ),
    ] as const;
  });
  const session = await runtime.open(model);
  try {
    const tensors = session.outputs.filter((name) => session.dtype(name) !== undefined);
    return await session.run(Object.fromEntries(feeds), tensors);
  } finally {
    await session.release();
  }
}

/** Every object of the graph made anew, so that nothing is remembered of the file but the IR and `rest`. */
const rebuilt = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.map((n) => ({
    ...n,
    attributes: new Map(
      [...n.attributes].map(([name, a]) => [name, a.type === 'graph' ? { type: 'graph', value: rebuilt(a.value) } : { ...a }]),
    ),
  })),
  initializers: new Map([...graph.initializers].map(([name, t]) => [name, { ...t }])),
});

describe('an untouched model', () => {
  test.each(models)('%s is written byte for byte', (name) => {
    expect(writeModel(read(name), { external: 'keep' })).toEqual(fixture(name));
  });
  // "annotated" annotates a tensor it does not have, and that does not survive
  test.each(models.filter((name) => name !== 'annotated.onnx'))(
    '%s, only spread, is written byte for byte from its parts',
    (name) => {
      expect(writeModel({ ...read(name) }, { external: 'keep' })).toEqual(fixture(name));
    },
  );
  test.each(light)('%s, a real topology, is written byte for byte', (name) => {
    const bytes = new Uint8Array(readFileSync(new URL(name, lightFolder)));
    const graph = readModel(bytes);
    expect(Buffer.from(writeModel(graph)).equals(bytes)).toBe(true);
    expect(Buffer.from(writeModel({ ...graph })).equals(bytes)).toBe(true);
  });
  test('brings external data in unless told to keep them outside', () => {
    const embedded = writeModel(read('external.onnx'));
    expect(externalFiles(embedded)).toEqual([]);
    expect(numbersOf(readModel(embedded).initializers.get('w')!)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('a model whose every part is made anew', () => {
  test.each(models.filter((name) => name !== 'functions.onnx'))('%s computes the same', async (name) => {
    const [before, after] = [writeModel(read(name)), writeModel(rebuilt(read(name)))];
    const outputs = await outputsOf(before);
    expect(Object.keys(outputs).length).toBeGreaterThan(0);
    expect(await outputsOf(after)).toEqual(outputs);
  });
  test.each([
    ['external.onnx', [12.5, 15.5, 18.5, 6.5, 5.5, 4.5]],
    ['functions.onnx', [2.25, 0.25, 0.0625, 0.5625]],
    ['subgraphs.onnx', [28, 0.5]],
    ['annotated.onnx', [4.5, 0.5, 3.5, -1.5]],
  ])('%s computes what it says', async (name, y) => {
    expect(numbersOf((await outputsOf(writeModel({ ...read(name) }))).y!)).toEqual(y);
  });
  test('keeps what the IR has no field for', () => {
    const { rest } = readModel(writeModel({ ...read('fields.onnx'), name: 'renamed' }));
    expect(rest?.model).toMatchObject({ docString: 'about the model', domain: 'org.example', modelVersion: 7n });
    expect(rest?.graph.docString).toBe('about the graph');
    const kept = decodeModel(writeModel({ ...read('annotated.onnx'), name: 'renamed' }), 'annotated').graph!;
    expect(kept.quantizationAnnotation.map((a) => a.tensorName)).toEqual(['y']);
    expect(kept.sparseInitializer[0]?.values?.name).toBe('sparse');
    expect(kept.metadataProps[0]).toMatchObject({ key: 'made', value: 'by hand' });
    expect(decodeModel(writeModel({ ...read('annotated.onnx') }), '').trainingInfo.length).toBe(1);
  });
  test('keeps doc strings of nodes nobody replaced, and unknown fields', () => {
    const graph = read('fields.onnx');
    const changed = writeModel({ ...graph, nodes: [...graph.nodes.slice(1), graph.nodes[0]!] });
    const docs = decodeModel(changed, '')
      .graph!.node.map((n) => n.docString)
      .filter((d) => d !== '');
    expect(docs).toEqual(['leaks', 'why this node is here']);
    const unknown = writeModel({ ...read('unknown.onnx'), name: 'other' });
    expect(new TextDecoder('latin1').decode(unknown).split('abc').length - 1).toBe(3);
  });
  test('states another producer once it is given one', () => {
    const model = decodeModel(writeModel({ ...read('fields.onnx'), producer: 'provoke' }), '');
    expect([model.producerName, model.producerVersion]).toEqual(['provoke', '']);
  });
});

describe('tensors', () => {
  test('of every element type are read from their typed fields', () => {
    const values = [...read('fields.onnx').initializers].map(([name, t]) => [
      name,
      t.dtype,
      t.dtype === 'float16' ? numbersOf(t) : Array.from<unknown>(t.data),
    ]);
    expect(values).toEqual([
      ['f32', 'float32', [1.5, -2]],
      ['f64', 'float64', [0.1, -0.2]],
      ['f16', 'float16', [0.5, -4]],
      ['i64', 'int64', [2n ** 63n - 1n, -(2n ** 63n)]],
      ['u64', 'uint64', [2n ** 64n - 1n, 0n]],
      ['i32', 'int32', [2 ** 31 - 1, -(2 ** 31)]],
      ['u32', 'uint32', [2 ** 32 - 1, 0]],
      ['i16', 'int16', [-(2 ** 15), 7]],
      ['u16', 'uint16', [2 ** 16 - 1, 7]],
      ['i8', 'int8', [-128, 127]],
      ['u8', 'uint8', [255, 0]],
      ['bool', 'bool', [1, 0]],
      ['text', 'string', ['anger', 'übel']],
    ]);
  });

  test('in raw bytes are views of the file where they are aligned, and right where they are not', () => {
    const g = graphBuilder();
    g.input('x', [4]);
    g.op('Add', ['x', g.constant(f32([1, 2, 3, 4]), 'w')], {}, 'y');
    g.output('y', [4]);
    const bytes = writeModel(g.build());
    const views = [0, 1, 2, 3].map((shift) => {
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      const w = readModel(moved.subarray(shift)).initializers.get('w')!;
      expect(numbersOf(w)).toEqual([1, 2, 3, 4]);
      return (w as Tensor<'float32'>).data.buffer === moved.buffer;
    });
    expect(views.filter((view) => view).length).toBe(1);
  });

  test('and attributes at the limits of int64 survive, also when they are written anew', () => {
    const limits = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n];
    const g = graphBuilder();
    g.input('x', [3], 'int64');
    g.op('Add', ['x', g.constant(tensor('int64', [3], BigInt64Array.from(limits)), 'w')], {}, 'sum');
    g.op('Slice', ['sum', g.ints([0]), g.constant(tensor('int64', [1], BigInt64Array.of(2n ** 63n - 1n)), 'end')], {}, 'y');
    g.output('y', [3], 'int64');
    g.op('Cast', ['sum'], { to: 2 ** 63 }, 'absurd');
    const written = writeModel(g.build());
    expect(Array.from(readModel(written).initializers.get('w')!.data as BigInt64Array)).toEqual(limits);
    expect(decodeModel(written, '').graph!.node.at(-1)!.attribute[0]!.i).toBe(2n ** 63n - 1n);
    const again = writeModel({ ...readModel(written), name: 'again' });
    expect(decodeModel(again, '').graph!.node.at(-1)!.attribute[0]!.i).toBe(2n ** 63n - 1n);
  });

  test('that the binding cannot hold, or that are damaged, are refused by name', () => {
    const model = decodeModel(fixture('fields.onnx'), '');
    const refused = (change: () => void): string => {
      change();
      try {
        readModel(encode(model), { source: 'm.onnx' });
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        return (error as UserError).message;
      }
      return 'read';
    };
    const [first] = model.graph!.initializer;
    expect(refused(() => first!.dims.push(2n))).toBe('m.onnx: tensor "f32" [2,2] needs 4 values and holds 2');
    expect(
      refused(() => {
        first!.dims.pop();
        first!.dataType = 16;
      }),
    ).toBe(`m.onnx: tensor "f32" is BFLOAT16, which onnxruntime's JavaScript binding cannot hold`);
    expect(
      refused(() => {
        first!.dataType = 1;
        first!.rawData = new Uint8Array(7);
      }),
    ).toBe('m.onnx: tensor "f32": 7 bytes are not whole float32 elements');
  });
});

describe('external data', () => {
  test('are listed once each, found inside attributes, and read at their offsets', () => {
    expect(externalFiles(fixture('external.onnx'))).toEqual(['weights/external.bin']);
    const graph = read('external.onnx');
    expect(numbersOf(graph.initializers.get('b')!)).toEqual([1, 2, 3]);
    const constant = graph.nodes.find((n) => n.op === 'Constant')!.attributes.get('value');
    expect(constant?.type === 'tensor' && numbersOf(constant.value)).toEqual([10]);
  });

  const planted = (key: string, value: string | undefined, options: ReadOptions = withData): unknown => {
    const model = decodeModel(fixture('external.onnx'), '');
    const w = model.graph!.initializer[0]!;
    const entry = w.externalData.find((e) => e.key === key)!;
    if (value === undefined) w.externalData.splice(w.externalData.indexOf(entry), 1);
    else entry.value = value;
    try {
      return readModel(encode(model), { source: 'm.onnx', ...options });
    } catch (error) {
      expect(error).toBeInstanceOf(UserError);
      return (error as UserError).message;
    }
  };
  const outside = (location: string) =>
    `m.onnx: the weights of "w" are said to lie in "${location}", which is not a path inside the model's folder`;
  test.each(['/etc/passwd', '../weights.bin', 'a/../../b', 'C:\\weights.bin', '\\\\server\\w', 'a\\..\\..\\b', ''])(
    'the location %j is refused',
    (location) => {
      expect(planted('location', location)).toBe(outside(location));
      const model = decodeModel(fixture('external.onnx'), '');
      model.graph!.initializer[0]!.externalData[0]!.value = location;
      expect(() => externalFiles(encode(model), 'm.onnx')).toThrow(outside(location));
    },
  );
  test('a file that is not given, and parts that do not lie in it, are refused', () => {
    const lie = (from: string, to: string) =>
      `m.onnx: the weights of "w" lie at bytes ${from}..${to} of "weights/external.bin", which has 256`;
    expect(planted('offset', '64', {})).toBe(
      'm.onnx: the weights of "w" lie in the file "weights/external.bin", which is not there',
    );
    expect(planted('offset', '250')).toBe(lie('250', '274'));
    expect(planted('offset', '-4')).toBe(lie('-4', '20'));
    expect(planted('offset', 'many')).toBe(lie('NaN', 'NaN'));
    expect(planted('length', '1e9')).toBe(lie('64', '1000000064'));
    expect(planted('length', '20')).toBe('m.onnx: tensor "w" [2,3] needs 6 values and holds 5');
  });
  test('a missing length is that of the tensor, a missing offset is 0', () => {
    expect(numbersOf((planted('length', undefined) as Graph).initializers.get('w')!)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(numbersOf((planted('offset', undefined) as Graph).initializers.get('w')!)).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('local functions', () => {
  test('are read with their attributes, references and bodies', () => {
    const [bend, twice] = functionsOf(read('functions.onnx'));
    expect(bend).toMatchObject({ domain: 'local', name: 'Bend', inputs: ['a'], outputs: ['b'], required: ['slope'] });
    expect(bend!.defaults.get('power')).toEqual({ type: 'float', value: 2 });
    expect(bend!.nodes.map((n) => n.op)).toEqual(['LeakyRelu', 'Constant', 'Pow']);
    expect(referenceOf(bend!.nodes[0]!.attributes.get('alpha')!)).toBe('slope');
    expect(referenceOf(bend!.defaults.get('power')!)).toBeUndefined();
    expect(twice!.nodes.map((n) => `${n.domain}::${n.op}`)).toEqual(['local::Bend', 'local::Bend']);
  });
  test('survive a rebuilt graph, and can be dropped', async () => {
    const changed = { ...read('functions.onnx'), name: 'renamed' };
    expect(await outputsOf(writeModel(changed))).toEqual(await outputsOf(fixture('functions.onnx')));
    expect(functionsOf(withoutFunctions(changed))).toEqual([]);
    expect(decodeModel(writeModel(withoutFunctions(changed)), '').functions).toEqual([]);
    expect(functionsOf(changed).length).toBe(2);
  });
});
