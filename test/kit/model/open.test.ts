import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { elementType } from '../../../src/core/onnx/dtypes.ts';
import type { Dim, Graph } from '../../../src/core/onnx/graph.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import type { DType } from '../../../src/core/tensor/tensor.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import { readManifest } from '../../../src/kit/model/manifest.ts';
import { type Inputs, logitsName, type Model } from '../../../src/kit/model/model.ts';
import { type OpenOptions, openModel } from '../../../src/kit/model/open.ts';
import { predict } from '../../../src/kit/model/predict.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import { convolutional, noise, perceptron, weights } from './toys.ts';

const runtime = createRuntime(ort);
const open = (graph: Graph, options: Partial<OpenOptions> = {}): Promise<Model> =>
  openModel(readModel(writeModel(graph)), { name: 'toy.onnx', sha256: '00', execute: runtime.execute, ...options });

const refusal = async (graph: Graph, options: Partial<OpenOptions> = {}): Promise<UserError> => {
  const error = await open(graph, options).then(
    () => undefined,
    (e: unknown) => e,
  );
  if (error instanceof UserError) return error;
  throw error ?? new Error('the model was opened');
};

async function ask(model: Model, samples: readonly Inputs[]) {
  const sessions = openSessions(model, runtime);
  const oracle = createOracle(sessions, { maxBatch: 8 });
  const predictions = await predict(oracle, samples);
  const { gradient } = await oracle.gradient(
    samples.map((inputs, of) => ({ of, inputs })),
    samples.map(() => ({ label: 0, ce: 1 })),
  );
  await sessions.release();
  return { predictions, gradient };
}

/** A classifier of [N, 5] features whose scores go through `end` into the outputs it names. */
function headed(end: (g: ReturnType<typeof graphBuilder>, z: string) => void, classes = 3, batch: Dim = 'N'): Graph {
  const g = graphBuilder();
  const z = g.op('MatMul', [g.input('x', [batch, 5]), g.constant(weights('W', [5, classes], 1))]);
  end(g, z);
  return g.build();
}

const directly = (x: Float32Array, classes = 3): number[] => {
  const w = weights('W', [5, classes], 1).data;
  return Array.from({ length: classes }, (_, c) => x.reduce((sum, v, i) => sum + v * w[i * classes + c]!, 0));
};

const expectClose = (got: ArrayLike<number>, want: ArrayLike<number>, tolerance = 1e-5) => {
  expect(got.length).toBe(want.length);
  for (let i = 0; i < want.length; i++) expect(Math.abs(got[i]! - want[i]!)).toBeLessThan(tolerance);
};

describe('what openModel infers', () => {
  it('takes four axes with three channels for an image in 0..1, and says so', async () => {
    const model = await open(convolutional());
    expect(model.inputs.image).toMatchObject({
      shape: [3, 8, 8],
      layout: 'NCHW',
      modality: 'image',
      role: 'attacked',
      bounds: { lower: 0, upper: 1 },
      storage: 'uint8',
    });
    expect(model.classes).toEqual(['class 0', 'class 1', 'class 2', 'class 3']);
    expect(model.inferred).toContain('input "image": bounds 0..1 assumed (float32 image input)');
    expect(model.inferred.join('\n')).toMatch(/output "logits": taken as logits/);
    expect(model.fixedBatch).toBeUndefined();
  });

  it('takes anything else for unbounded features, batch first', async () => {
    const model = await open(perceptron());
    expect(model.inputs.x).toMatchObject({
      shape: [5],
      layout: 'NC',
      modality: 'features',
      bounds: 'unbounded',
      storage: 'float32',
    });
    expect(model.inferred).toContain('input "x": no bounds assumed');
  });

  it.each([
    ['called a batch', [7, 'batch_size', 5], ['rows', 3]],
    ['the only symbol', [7, 'M', 5], [null, 3]],
    ['as long as the batch of the output', [7, 1, 5], [1, 3]],
  ] as [string, Dim[], Dim[]][])('finds the batch axis where it is not the first: %s', async (_, dims, output) => {
    const g = graphBuilder();
    const scores = g.op('MatMul', [g.input('x', dims), g.constant(weights('W', [5, 3]))]);
    g.op('ReduceMean', [scores, g.ints([0])], { keepdims: 0 }, 'y');
    g.output('y', output);
    expect((await open(g.build())).inputs.x).toMatchObject({ shape: [7, 5], layout: 'CND' });
  });

  it('says nothing about what the manifest states', async () => {
    const manifest = readManifest(
      {
        classes: ['a', 'b', 'c'],
        inputs: {
          x: {
            layout: 'NC',
            modality: 'physiology',
            unit: 'sigma',
            role: 'attacked',
            domain: 'continuous',
            bounds: [-4, 4],
            storage: 'float32',
          },
        },
        output: { kind: 'logits' },
        note: 'random weights',
      },
      'toy.yaml',
    );
    const model = await open(perceptron(), { manifest });
    expect(model.inferred).toEqual([]);
    expect(model).toMatchObject({
      classes: ['a', 'b', 'c'],
      note: 'random weights',
      inputs: { x: { unit: 'sigma', bounds: { lower: -4, upper: 4 } } },
    });
  });

  it('reads the manifest inside the file, and the sidecar over it', async () => {
    const metadata = new Map([
      ['provoke.classes', '[calm, angry, sad]'],
      ['provoke.inputs.x.bounds', '[-1, 1]'],
    ]);
    const model = await open({ ...perceptron(), metadata }, { manifest: { inputs: { x: { bounds: { lower: -2, upper: 2 } } } } });
    expect(model.classes).toEqual(['calm', 'angry', 'sad']);
    expect(model.inputs.x!.bounds).toEqual({ lower: -2, upper: 2 });
  });

  it('keeps integer inputs out of the attack', async () => {
    const g = graphBuilder();
    const z = g.op('MatMul', [g.input('x', ['N', 5]), g.constant(weights('W', [5, 3]))]);
    g.op('Add', [z, g.op('Gather', [g.constant(weights('table', [4, 3])), g.input('speaker', ['N'], 'int64')])], {}, 'y');
    g.output('y', ['N', 3]);
    const model = await open(g.build());
    expect(model.inputs.speaker).toMatchObject({ role: 'given', dtype: 'int64', shape: [], layout: 'N' });
    expect(model.inferred.join('\n')).toMatch(/input "speaker": held fixed, not attacked/);
  });
});

describe('the logits openModel finds', () => {
  const samples = noise(5, { x: [5] });
  const wanted = samples.map((s) => directly(s.x!));

  it('are the input of the last Softmax', async () => {
    const model = await open(headed((g, z) => g.output(g.op('Softmax', [z], { axis: 1 }, 'probs'), ['N', 3])));
    expect(model.output).toMatchObject({ name: 'probs', kind: 'probabilities' });
    expect(model.outputs).toEqual(['probs']);
    const { predictions } = await ask(model, samples);
    for (const [n, { logits }] of predictions.entries()) expectClose(logits, wanted[n]!);
  });

  it('are log(max(p, 1e-30)) where only probabilities are to be had', async () => {
    const graph = headed((g, z) => {
      const p = g.op('Exp', [z]);
      g.output(g.op('Div', [p, g.op('ReduceSum', [p, g.ints([1])])], {}, 'probs'), ['N', 3]);
    });
    const model = await open(graph, { manifest: { output: { kind: 'probabilities' } } });
    const { predictions } = await ask(model, samples);
    for (const [n, { logits }] of predictions.entries())
      expectClose([logits[0]! - logits[1]!], [wanted[n]![0]! - wanted[n]![1]!]);
    const far = await ask(model, [{ x: new Float32Array(5).fill(60) }]);
    expect(Math.min(...far.predictions[0]!.logits)).toBeCloseTo(Math.log(1e-30), 3);
    expect((await open(graph)).output.kind).toBe('logits');
  });

  it('are averaged over the time axis the layout names', async () => {
    const g = graphBuilder();
    g.op('MatMul', [g.input('x', ['N', 4, 5]), g.constant(weights('W', [5, 3], 1))], {}, 'scores');
    g.output('scores', ['N', 4, 3]);
    const manifest = readManifest({ inputs: { x: { layout: 'NTC' } }, output: { layout: 'NTC' } }, 'm');
    const model = await open(g.build(), { manifest });
    expect(model.inferred).toContain('output "scores": averaged over T');
    const [sample] = noise(1, { x: [4, 5] });
    const { predictions, gradient } = await ask(model, [sample!]);
    const mean = Float32Array.from({ length: 5 }, (_, c) => [0, 1, 2, 3].reduce((s, t) => s + sample!.x![t * 5 + c]! / 4, 0));
    expectClose(predictions[0]!.logits, directly(mean));
    expectClose(gradient[0]!.x!.subarray(0, 5), gradient[0]!.x!.subarray(5, 10));
    expect((await refusal(g.build())).remedy).toContain('layout');
  });

  it('drop axes of size 1, and look behind a Softmax before them', async () => {
    const graph = headed((g, z) => {
      const column = g.op('Unsqueeze', [z, g.ints([2, 3])]);
      g.output(g.op('Softmax', [column], { axis: 1 }, 'probs'), ['N', 3, 1, 1]);
    });
    const { predictions } = await ask(await open(graph), samples);
    for (const [n, { logits }] of predictions.entries()) expectClose(logits, wanted[n]!);
  });

  it('become two where there is a single score', async () => {
    const graph = headed((g, z) => g.output(g.op('Sigmoid', [z], {}, 'p'), ['N', 1]), 1);
    const model = await open(graph, { manifest: { classes: ['calm', 'angry'] } });
    const { predictions, gradient } = await ask(model, samples);
    for (const [n, { logits, probabilities }] of predictions.entries()) {
      const z = directly(samples[n]!.x!, 1)[0]!;
      expectClose(logits, [0, z]);
      expectClose([probabilities[1]!], [1 / (1 + Math.exp(-z))]);
    }
    expect(gradient[0]!.x!.some((v) => v !== 0)).toBe(true);
  });

  it('are asked for where several outputs could be meant, with their shapes', async () => {
    const graph = headed((g, z) => {
      g.output(z, ['N', 3]);
      g.output(g.op('Relu', [z], {}, 'other'), ['N', 3]);
    });
    const error = await refusal(graph);
    expect(error.message).toContain('other float32 [N, 3]');
    expect(error.remedy).toContain('--output');
    expect((await open(graph, { outputName: 'other' })).output.name).toBe('other');
    expect((await refusal(graph, { outputName: 'othr' })).remedy).toContain('did you mean "other"');
  });

  it('are the only float output of two axes', async () => {
    const model = await open(
      headed((g, z) => {
        g.output(z, ['N', 3]);
        g.output(g.op('ArgMax', [z], { axis: 1, keepdims: 0 }, 'top'), ['N'], 'int64');
      }),
    );
    expect(logitsName(model)).not.toBe('top');
    expect(model.outputs).toHaveLength(2);
  });
});

describe('inputs of other types', () => {
  /** uint8 NHWC picture, cast and transposed inside, as mobile exports do. */
  function picture(dtype: DType, middle: (g: ReturnType<typeof graphBuilder>, x: string) => string): Graph {
    const g = graphBuilder();
    const x = middle(g, g.input('picture', ['N', 4, 4, 3], dtype));
    const flat = g.op('Reshape', [g.op('Div', [x, g.number(255)]), g.ints([-1, 48])]);
    g.op('MatMul', [flat, g.constant(weights('P', [48, 3]))], {}, 'y');
    g.output('y', ['N', 3]);
    return g.build();
  }
  const toFloat = { to: elementType('float32') };
  const samples = [{ picture: Float32Array.from({ length: 48 }, (_, i) => (i * 37) % 256) }];

  it('are attacked as float32 where the file casts them to float anyway', async () => {
    const bytes = await open(picture('uint8', (g, x) => g.op('Cast', [g.op('Transpose', [x], { perm: [0, 3, 1, 2] })], toFloat)));
    const floats = await open(picture('float32', (g, x) => g.op('Transpose', [x], { perm: [0, 3, 1, 2] })));
    expect(bytes.inputs.picture).toMatchObject({
      dtype: 'float32',
      layout: 'NHWC',
      bounds: { lower: 0, upper: 255 },
      role: 'attacked',
      storage: 'uint8',
    });
    expect(bytes.inferred).toContain('input "picture": uint8 in the file, fed as float32');
    const answer = await ask(bytes, samples);
    expect(answer).toEqual(await ask(floats, samples));
    expect(answer.gradient[0]!.picture!.every((v) => v !== 0)).toBe(true);
  });

  it.each([
    ['int64', { lower: 0, upper: 255 }],
    ['int32', { lower: 0, upper: 255 }],
    ['int8', { lower: -128, upper: 127 }],
  ] as const)('%s pictures are bytes: a model of whole numbers never sees fractions of 1', async (dtype, bounds) => {
    const model = await open(picture(dtype, (g, x) => g.op('Cast', [x], toFloat)));
    expect(model.inputs.picture).toMatchObject({ modality: 'image', bounds, storage: 'uint8' });
  });

  it('keep a Cast where the file computes with the integers, and the cut is said', async () => {
    const model = await open(picture('uint8', (g, x) => g.op('Cast', [g.op('Where', [g.op('Equal', [x, x]), x, x])], toFloat)));
    expect(model.inferred.join('\n')).toMatch(/ends the gradient/);
    const sessions = openSessions(model, runtime);
    const { predictions } = { predictions: await predict(createOracle(sessions, { maxBatch: 2 }), samples) };
    await sessions.release();
    const floats = await open(picture('float32', (g, x) => g.op('Identity', [x])));
    expectClose(predictions[0]!.logits, (await ask(floats, samples)).predictions[0]!.logits);
  });

  it('of double precision are fed as float32 and give a float32 gradient', async () => {
    const g = graphBuilder();
    const w = weights('W', [5, 3], 1);
    const x = g.input('x', ['N', 5], 'float64');
    const z = g.op('MatMul', [x, g.constant({ dtype: 'float64', dims: w.dims, data: Float64Array.from(w.data) })]);
    g.output(
      g.op('Mul', [z, g.constant({ dtype: 'float64', dims: [], data: Float64Array.of(1) })], {}, 'y'),
      ['N', 3],
      'float64',
    );
    const [sample] = noise(1, { x: [5] });
    const { predictions, gradient } = await ask(await open(g.build()), [sample!]);
    expectClose(predictions[0]!.logits, directly(sample!.x!));
    expect(gradient[0]!.x).toBeInstanceOf(Float32Array);
  });
});

describe('sizes the file leaves open or fixes', () => {
  const sized = (time: Dim, batch: Dim = 'N'): Graph => {
    const g = graphBuilder();
    const pooled = g.op('ReduceMean', [g.input('x', [batch, time, 5]), g.ints([1])], { keepdims: 0 });
    g.op('MatMul', [pooled, g.constant(weights('W', [5, 3], 1))], {}, 'y');
    g.output('y', [batch, 3]);
    return g.build();
  };

  it('need a shape where it is not the batch, of a sample or of the whole input', async () => {
    const error = await refusal(sized('time'));
    expect(error.message).toMatch(/toy\.onnx: input "x" has a free size "time"/);
    expect(error.remedy).toContain('inputShapes: { NAME: [...] }');
    for (const shape of [
      [6, 5],
      [1, 6, 5],
    ]) {
      expect((await open(sized('time'), { inputShapes: { x: shape } })).inputs.x!.shape).toEqual([6, 5]);
    }
    expect((await open(sized('time'), { manifest: { inputs: { x: { shape: [9, 5] } } } })).inputs.x!.shape).toEqual([9, 5]);
    expect((await refusal(sized(6), { inputShapes: { x: [7, 5] } })).message).toContain('size 6');
  });

  it('are made free where a fixed batch is proven to be one', async () => {
    const samples = noise(5, { x: [6, 5] });
    const model = await open(sized(6, 2));
    expect(model.fixedBatch).toBeUndefined();
    expect(model.inferred.join('\n')).toMatch(/fixes a batch of 2; it was made free/);
    expect(await ask(model, samples)).toEqual(await ask(await open(sized(6)), samples));
  });

  it('run in groups of the fixed batch where its samples influence each other', async () => {
    const g = graphBuilder();
    const x = g.input('x', [3, 5]);
    const centred = g.op('Sub', [x, g.op('ReduceMean', [x, g.ints([0])])]);
    g.op('MatMul', [centred, g.constant(weights('W', [5, 3], 1))], {}, 'y');
    g.output('y', [3, 3]);
    const model = await open(g.build());
    expect(model).toMatchObject({ fixedBatch: 3, coupling: 'batch' });
    expect(model.inferred.join('\n')).toMatch(/runs in groups of 3, padded/);
    const samples = noise(3, { x: [5] });
    const mean = Float32Array.from({ length: 5 }, (_, c) => samples.reduce((s, { x: v }) => s + v![c]! / 3, 0));
    const { predictions } = await ask(model, samples);
    for (const [n, { logits }] of predictions.entries())
      expectClose(logits, directly(samples[n]!.x!.map((v, c) => v - mean[c]!)));
  });
});

describe('the coupling of a batch', () => {
  const centred = (g: ReturnType<typeof graphBuilder>, z: string) =>
    g.output(g.op('Sub', [z, g.op('ReduceMean', [z, g.ints([0])])], {}, 'y'), ['N', 3]);

  it('is found where a sample is judged by its neighbours', async () => {
    const model = await open(headed(centred));
    expect(model.coupling).toBe('batch');
    expect(model.inferred.join('\n')).toMatch(/judged differently beside other samples/);
    expect((await open(headed(centred), { manifest: { coupling: 'none' } })).coupling).toBe('none');
    expect((await open(perceptron())).coupling).toBe('none');
  });

  it('is not mistaken for random numbers in the graph, which are said', async () => {
    const model = await open(
      headed((g, z) => {
        const dice = g.op('RandomNormalLike', [z]);
        g.output(g.op('Add', [z, dice], {}, 'y'), ['N', 3]);
      }),
    );
    expect(model.coupling).toBe('none');
    expect(model.inferred.join('\n')).toMatch(/draws random numbers/);
  });
});

describe('mistakes in what is stated', () => {
  it.each([
    [{ inputs: { y: {} } }, 'no input "y"'],
    [{ classes: ['one'] }, '3 classes'],
    [{ classes: ['one', 'two', 'one'] }, 'two classes are named "one"'],
    [{ inputs: { x: { layout: 'NTC' } } }, '2 axes'],
    [{ inputs: { x: { bounds: [1, 0] } } }, 'bounds 1..0'],
    [{ inputs: { x: { bounds: [[0, 0], 1] } } }, 'bounds for 2 channels'],
    [{ inputs: { x: { role: 'given' } } }, 'no input that could be attacked'],
    [{ inputs: { x: { layout: 'TC' } } }, 'free size'],
  ])('%j is refused', async (manifest, message) => {
    expect((await refusal(perceptron(), { manifest: readManifest(manifest, 'm') })).message).toContain(message);
  });
});
