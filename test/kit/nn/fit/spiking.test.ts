/** Spiking networks in training: draws of a code follow from seed, sample and step, so a resumed training is the same; what is exported draws by itself. */
import { describe, expect, it } from 'vitest';
import { readModel } from '../../../../src/core/onnx/reader.ts';
import { createOracle } from '../../../../src/kit/model/make-oracle.ts';
import { openModel } from '../../../../src/kit/model/open.ts';
import { openSessions } from '../../../../src/kit/model/sessions.ts';
import { findArchitecture } from '../../../../src/kit/nn/architectures/registry.ts';
import { exportModel } from '../../../../src/kit/nn/export/export.ts';
import type { Task } from '../../../../src/kit/nn/fit/task.ts';
import type { Options } from '../../../../src/kit/options.ts';
import { findDefence } from '../../../../src/methods/defences/registry.ts';
import { facts } from '../export/trained.ts';
import { halves, memoryStore, net, outcome, runtime, task, train } from './tasks.ts';

const spiking = (options: Options = {}): Task['architecture'] => {
  const family = findArchitecture('spiking-vgg');
  return family.build(net, { ...family.defaults, plan: '4,A,4', steps: 3, decayInput: false, ...options });
};

const taskOf = (options: Options, changes: Partial<Task> = {}): Task =>
  task({ architecture: spiking(options), epochs: 2, train: [{ set: halves('train', 14) }], ...changes });

describe('a spiking network', () => {
  it.each<[string, Options, string | undefined]>([
    ['poisson code', { encoder: 'poisson' }, undefined],
    ['poisson code, pgd-at', { encoder: 'poisson' }, 'pgd-at'],
    ['direct, trades', {}, 'trades'],
    ['direct, snn-rat', {}, 'snn-rat'],
  ])('resumes bit for bit: %s', async (_, options, name) => {
    const defence = name === undefined ? undefined : findDefence(name);
    const steps = name === 'snn-rat' ? {} : { steps: 2 };
    const made = defence?.make({ ...defence.defaults, ...steps }, { x: { norm: 'linf', eps: 0.5 } }) ?? {};
    const whole = taskOf(options, made);
    const store = memoryStore();
    const uninterrupted = outcome(await train(whole, { store, every: { batches: 1 } }));
    for (const kept of [store.writes[1]!, store.writes[4]!])
      expect(outcome(await train(whole, { store: memoryStore(kept) }))).toEqual(uninterrupted);
  });

  it('learns, whatever the curve its spikes are trained through', async () => {
    for (const surrogate of ['atan', 'sigmoid', 'triangle', 'rectangle', 'fast-sigmoid']) {
      const alpha = surrogate === 'fast-sigmoid' ? 5 : 'auto';
      const { history } = await train(
        taskOf({ surrogate, alpha }, { epochs: 8, settings: { lr: 0.1 }, train: [{ set: halves('train', 48) }] }),
      );
      expect(history.at(-1)!.validation.accuracy, surrogate).toBeGreaterThan(0.85);
    }
  });

  it('exported with a poisson code draws by itself, and is judged by fed draws', async () => {
    const architecture = spiking({ encoder: 'poisson' });
    const { best } = await train(taskOf({ encoder: 'poisson' }));
    const set = { ...halves('validation', 9), sample: halves('validation', 9).sample };
    const exporting = () =>
      exportModel(best.weights, architecture, { runtime, provenance: facts({}), evaluate: { validation: set } });
    const { onnx, difference, provenance } = await exporting();
    expect(difference.largest).toBeLessThanOrEqual(1e-5);
    expect((await exporting()).provenance.evaluations).toEqual(provenance.evaluations);
    const graph = readModel(onnx);
    expect(graph.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(graph.nodes.filter(({ op }) => op === 'RandomUniformLike')).toHaveLength(1);
    const model = await openModel(graph, { name: 'coded', sha256: '', execute: runtime.execute });
    expect(Object.values(model.randoms!).map(({ kind, shape }) => [kind, shape])).toEqual([['uniform', [3, 1, 4, 4]]]);
    const sessions = openSessions(model, runtime);
    const { inputs } = await set.sample(0);
    const oracle = createOracle(sessions, { maxBatch: 4, draws: 2 });
    expect((await oracle.logits([{ of: 0, inputs }]))[0]!.every(Number.isFinite)).toBe(true);
    await sessions.release();
  });

  it('tells nobody in the file what it was trained through', async () => {
    const architecture = spiking({ surrogate: 'triangle', alpha: 1.25, stretch: 2 });
    const { best } = await train(taskOf({ surrogate: 'triangle', alpha: 1.25, stretch: 2 }, { epochs: 1 }));
    const recipe = { model: { use: 'spiking-vgg', plan: '4,A,4', surrogate: 'triangle', alpha: 1.25, stretch: 2 } };
    const { onnx, manifest, card, provenance } = await exportModel(best.weights, architecture, {
      runtime,
      provenance: facts({ recipe }),
    });
    const text = new TextDecoder('latin1').decode(onnx);
    for (const trace of ['triangle', '1.25', 'stretch', '"surrogate"']) {
      expect(text).not.toContain(trace);
      expect(manifest).not.toContain(trace);
    }
    expect(text).toContain('"plan":"4,A,4"');
    expect(provenance.surrogates).toEqual(['triangle, gamma 1.25, width 2']);
    expect(card).toContain('surrogate: triangle');
    expect(card).toContain('Surrogate derivatives: triangle, gamma 1.25, width 2');
  });
});
