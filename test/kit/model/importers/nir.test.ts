/** NIR files that the nir package, snnTorch, SpikingJelly and Norse have written: every spike and every output is that of an Euler loop in float64. */
import { readFileSync } from 'node:fs';
import h5wasm from 'h5wasm';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../../src/core/errors.ts';
import { readModel } from '../../../../src/core/onnx/reader.ts';
import { writeModel } from '../../../../src/core/onnx/writer.ts';
import { createRuntime } from '../../../../src/core/runtime/runtime.ts';
import { f32 } from '../../../../src/core/tensor/tensor.ts';
import { type Hdf5Module, readHdf5 } from '../../../../src/kit/model/importers/nir/hdf5.ts';
import { importNir, type NirOptions, nirTypes } from '../../../../src/kit/model/importers/nir/import-nir.ts';
import type { NirItem, NirTree } from '../../../../src/kit/model/importers/nir/tree.ts';
import { openModel } from '../../../../src/kit/model/open.ts';

const runtime = createRuntime(ort, { threads: 1 });
const hdf5 = h5wasm as unknown as Hdf5Module;
const folder = 'test/fixtures/nir';

interface Case {
  readonly file: string;
  readonly dt: number;
  readonly steps: number;
  readonly reset: NonNullable<NirOptions['reset']>;
  readonly shape: readonly number[];
  readonly samples: readonly {
    readonly input: string;
    readonly output: readonly number[];
    readonly spikes: Readonly<Record<string, string>>;
  }[];
}
const { cases } = JSON.parse(readFileSync(`${folder}/cases.json`, 'utf8')) as { cases: readonly Case[] };

const read = (file: string) => readHdf5(hdf5, readFileSync(`${folder}/${file}`), file);
const bits = (text: string): number[] => [...text].map(Number);

describe('importNir', () => {
  it.each(cases.map((c) => [`${c.file}, reset ${c.reset}`, c] as const))('%s: fires the recorded spikes', async (_, c) => {
    const graph = importNir(await read(c.file), c);
    // a spike's value is named after its node and step
    const neurons = Object.keys(c.samples[0]!.spikes);
    const named = graph.nodes.flatMap((n) => n.outputs).filter((name) => /\.spike\d+_0$/.test(name));
    const probed = {
      ...graph,
      outputs: [...graph.outputs, ...named.map((name) => ({ name, dtype: undefined, dims: undefined }))],
    };
    const [input] = graph.inputs;
    const x = f32(
      c.samples.flatMap((s) => bits(s.input)),
      [c.samples.length, c.steps, ...c.shape],
    );
    const results = await runtime.execute(probed, { [input!.name]: x });
    for (const [n, { output, spikes }] of c.samples.entries()) {
      const own = (results.logits!.data as Float32Array).subarray(n * output.length, (n + 1) * output.length);
      for (const [k, value] of output.entries()) expect(Math.abs(own[k]! - value)).toBeLessThan(1e-5);
      for (const neuron of neurons) {
        const fired = Array.from({ length: c.steps }, (__, t) => {
          const step = results[`${neuron}.spike${t}_0`]!;
          const size = spikes[neuron]!.length / c.steps;
          // before anything reaches a neuron it does the same in every sample
          return step.dims[0] === 1
            ? [...(step.data as Float32Array)]
            : [...(step.data as Float32Array).subarray(n * size, (n + 1) * size)];
        });
        expect(fired.flat().join('')).toBe(spikes[neuron]);
      }
    }
  });

  it('writes what its inputs are', async () => {
    const c = cases.find((one) => one.file === 'pictures.nir')!;
    const graph = readModel(writeModel(importNir(await read(c.file), c)));
    const model = await openModel(graph, { name: 'pictures', sha256: '', execute: runtime.execute });
    expect(model.inputs.input).toMatchObject({
      shape: [8, 2, 8, 8],
      layout: 'NTCHW',
      modality: 'events',
      domain: 'binary',
      storage: 'binary',
    });
    expect(model.classes.length).toBe(4);
  });

  it.each(cases.map((c) => [`${c.file}, reset ${c.reset}`, c] as const))('%s: every spike is recognised', async (_, c) => {
    const model = await openModel(importNir(await read(c.file), c), { name: c.file, sha256: '', execute: runtime.execute });
    const reset = c.reset === 'zero' ? 'hard' : 'soft';
    const found = model.spiking!.layers.map((layer) => [layer.steps, layer.reset, layer.strict]);
    expect(found).toEqual(Object.keys(c.samples[0]!.spikes).map(() => [c.steps, reset, true]));
  });

  it('gives outputs names that no input has, and that say what was read', () => {
    const numbers = (shape: number[], values: number[]) => ({ shape, values: Float64Array.from(values) });
    const node = (type: string, fields: [string, NirItem][]): NirTree => new Map([['type', type], ...fields]);
    const named = (input: string, outputs: readonly string[], options: NirOptions) => {
      const nodes = new Map<string, NirItem>([
        [input, node('Input', [['shape', numbers([1], [3])]])],
        ['scale', node('Scale', [['scale', numbers([1], [2])]])],
        ...outputs.map((name): [string, NirItem] => [name, node('Output', [['shape', numbers([1], [3])]])]),
      ]);
      const edges = [input, 'scale', ...outputs.flatMap((name) => ['scale', name])];
      const graph = node('NIRGraph', [
        ['nodes', nodes],
        ['edges', edges],
      ]);
      return importNir(new Map<string, NirItem>([['node', graph]]), options)
        .outputs.map(({ name }) => name)
        .sort();
    };
    expect(named('input', ['output'], {})).toEqual(['logits']);
    expect(named('logits', ['output'], {})).toEqual(['output.mean']);
    expect(named('input', ['a', 'b'], { read: 'sum' })).toEqual(['a.sum', 'b.sum']);
  });

  it('adds up, takes the mean or the last of the outputs', async () => {
    const c = cases.find((one) => one.file === 'waves.nir')!;
    const tree = await read(c.file);
    const x = f32(bits(c.samples[0]!.input), [1, c.steps, ...c.shape]);
    const ask = async (read: NonNullable<NirOptions['read']>, steps = c.steps) => {
      const results = await runtime.execute(importNir(tree, { ...c, read, steps }), {
        input: steps === c.steps ? x : f32(x.data.slice(0, 48), [1, 1, 3, 16]),
      });
      return [...(results.logits!.data as Float32Array)];
    };
    const [sum, mean] = [await ask('sum'), await ask('mean')];
    for (const [k, value] of sum.entries()) expect(mean[k]).toBeCloseTo(value / c.steps, 5);
    expect(await ask('last', 1)).toEqual(await ask('sum', 1));
    expect(await ask('last')).not.toEqual(mean);
  });
});

/** A tree as a file gives it, from plain objects. */
const tree = (from: Readonly<Record<string, unknown>>): NirTree =>
  new Map(
    Object.entries(from).map(([name, value]): [string, NirItem] => {
      if (typeof value === 'string') return [name, value];
      if (typeof value === 'number') return [name, { shape: [], values: Float64Array.of(value) }];
      if (Array.isArray(value))
        return [name, typeof value[0] === 'string' ? value : { shape: [value.length], values: Float64Array.from(value) }];
      return [name, tree(value as Record<string, unknown>)];
    }),
  );

const chain = (
  middle: Readonly<Record<string, unknown>>,
  more: readonly string[] = [],
  input: Readonly<Record<string, unknown>> = { type: 'Input', shape: [3] },
) =>
  tree({
    node: {
      type: 'NIRGraph',
      nodes: { input, middle, output: { type: 'Output', shape: [3] } },
      edges: ['input', 'middle', 'middle', 'output', ...more],
    },
  });

const li = { type: 'LI', tau: 1e-3, r: 1, v_leak: 0 };

describe('what cannot be imported', () => {
  it.each<[string, () => unknown, string, string]>([
    [
      'an unknown node',
      () => importNir(chain({ type: 'Izhikevich' })),
      'the Izhikevich node "middle" is of a type that is not known',
      '',
    ],
    [
      'no dt',
      () => importNir(chain(li)),
      'the LI node "middle" computes in seconds, and the file does not say how long a time step is',
      '--dt 1e-4',
    ],
    [
      'a step longer than tau',
      () => importNir(chain(li), { dt: 2e-3 }),
      'time constant tau = 0.001 s, shorter than the step of 0.002 s',
      '0.001',
    ],
    [
      'a missing shape',
      () => importNir(chain(li, [], { type: 'Input' }), { dt: 1e-4 }),
      'the shape of the Input node "input" is missing',
      'with a sample',
    ],
    [
      'a shape that does not fit',
      () => importNir(chain({ ...li, tau: [1, 1] }), { dt: 1e-4 }),
      '"tau" is [2], which does not fit the signal [3]',
      'contradict',
    ],
    [
      'an output of another shape',
      () => importNir(chain({ type: 'Scale', scale: 1 }, [], { type: 'Input', shape: [4] })),
      'the Output node "output" expects [3], but is given [4]',
      '',
    ],
    [
      'a missing parameter',
      () => importNir(chain({ type: 'LI', tau: 1e-3, r: 1 }), { dt: 1e-4 }),
      'the LI node "middle" has no numbers "v_leak"',
      '',
    ],
    ['an edge to nowhere', () => importNir(chain(li, ['middle', 'outptu']), { dt: 1e-4 }), 'no node "outptu"', 'output'],
    [
      'a delay between steps',
      () => importNir(chain({ type: 'Delay', delay: 1.5e-4 }), { dt: 1e-4 }),
      'waits 0.00015 s, which is not a whole number of steps',
      '--dt',
    ],
    [
      'a delay longer than the run',
      () => importNir(chain({ type: 'Delay', delay: 1 }), { dt: 0.1, steps: 5 }),
      'nothing reaches the output "output" within 5 steps',
      'more steps',
    ],
    ['a lone node', () => importNir(tree({ node: { ...li } })), 'holds a single LI node, and no graph', 'NIRGraph'],
    ['no NIR', () => importNir(tree({ data: 1 })), 'holds no group "node": it is not a NIR file', 'nir.write'],
  ])('%s', (_, run, message, remedy) => {
    const refuse = (): UserError => {
      try {
        run();
      } catch (error) {
        if (error instanceof UserError) return error;
        throw error;
      }
      throw new Error('it was imported');
    };
    const { message: said, remedy: offered } = refuse();
    expect(said).toContain(message);
    expect(offered).toContain(remedy);
  });

  it('a node that no input reaches', () => {
    const lonely = chain({ type: 'Scale', scale: 1 });
    const nodes = (lonely.get('node') as NirTree).get('nodes') as Map<string, NirItem>;
    nodes.set('lonely', tree({ type: 'Scale', scale: 1 }));
    expect(() => importNir(lonely)).toThrow('the Scale node "lonely" is reached from no Input');
  });

  it('a damaged file, and one that is no HDF5', async () => {
    const whole = readFileSync(`${folder}/dense.nir`);
    for (const bytes of [whole.subarray(0, 5000), new TextEncoder().encode('no HDF5 at all'), new Uint8Array()])
      await expect(readHdf5(hdf5, bytes, 'broken.nir')).rejects.toThrow(/^broken\.nir cannot be read as HDF5: \S/);
    // the reader is as good as new afterwards
    expect((await readHdf5(hdf5, whole, 'dense.nir')).has('node')).toBe(true);
  });

  it('names every type the format has', () => {
    expect([...nirTypes].sort()).toEqual(
      'Affine AvgPool2d Conv1d Conv2d CubaLI CubaLIF Delay Flatten I IF Input LI LIF Linear NIRGraph Output Scale SumPool2d Threshold'.split(
        ' ',
      ),
    );
  });
});
