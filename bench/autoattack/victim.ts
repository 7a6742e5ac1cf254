/** @file The model and samples both sides attack: opened from an experiment file as `provoke run` opens it, and written down for the peer. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import * as ort from 'onnxruntime-node';
import { parseExperiment } from '../../src/app/experiment/parse.ts';
import { openWorkbench, type Workbench } from '../../src/app/experiment/workbench.ts';
import { writeModel } from '../../src/core/onnx/writer.ts';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { sizeOf } from '../../src/core/tensor/tensor.ts';
import { createOracle } from '../../src/kit/model/make-oracle.ts';
import type { Sample } from '../../src/kit/model/model.ts';
import { argmax } from '../../src/kit/model/oracle.ts';
import { forwardGraph } from '../../src/kit/model/sessions.ts';
import { lpThreat } from '../../src/kit/threat/lp.ts';
import type { Norm } from '../../src/kit/threat/threat.ts';
import type { Attack } from '../../src/methods/attacks/attack.ts';
import { readOptions } from '../../src/methods/attacks/registry.ts';
import { type Peer, startPeer } from '../measure.ts';

/** One attack on all samples. */
export interface Attacked {
  readonly seconds: number;
  /** Whether each sample is still classified right. */
  readonly stands: readonly boolean[];
  readonly forwards: number;
  readonly backwards: number;
  /** How many samples each part of a suite broke. */
  readonly by: Readonly<Record<string, number>>;
}

export interface Victim {
  readonly bench: Workbench;
  readonly samples: readonly Sample[];
  readonly labels: readonly number[];
  /** Whether the model is right about each sample. */
  readonly right: readonly boolean[];
  readonly norm: Norm;
  readonly eps: number;
  readonly synthetic: string | undefined;
  attack(attack: Attack, options: Readonly<Record<string, unknown>>, seed: number): Promise<Attacked>;
  /** The authors' AutoAttack on the same graph and samples, or undefined where there is none to be had. */
  peer(): Promise<Peer | undefined>;
  release(): Promise<void>;
}

/** Opens the experiment's model, its first budget and its samples. */
export async function openVictim(path: string, threads: number): Promise<Victim> {
  const experiment = parseExperiment(await readFile(path, 'utf8'), path);
  const runtime = createRuntime(ort, { threads });
  const folder = await mkdtemp(join(tmpdir(), 'provoke-bench-'));
  const bench = await openWorkbench(experiment, { base: dirname(resolve(path)), folder, runtime });
  const { samples } = await bench.load(0, bench.plan.items.length);
  const labels = samples.map(({ label }) => label!);
  const [budget] = bench.plan.budgets;
  const input = Object.keys(budget!.eps)[0]!;
  const spec = bench.model.inputs[input]!;
  const [norm, eps] = [budget!.norm[input]!, budget!.eps[input]!];
  const clean = await createOracle(bench.sessions, { maxBatch: samples.length }).logits(
    samples.map(({ inputs }, of) => ({ of, inputs })),
  );
  const right = labels.map((label, k) => argmax(clean[k]!) === label);
  return {
    bench,
    samples,
    labels,
    right,
    norm,
    eps,
    synthetic: bench.data.synthetic,
    async attack(attack, options, seed) {
      const oracle = createOracle(bench.sessions, { maxBatch: samples.length });
      const open = right.flatMap((ok, k) => (ok ? [k] : []));
      const started = performance.now();
      const outcomes = await attack.run(
        {
          oracle,
          batch: open.map((k) => samples[k]!),
          goals: open.map((k) => ({ kind: 'untargeted', label: labels[k]! })),
          threats: open.map(() => ({ [input]: lpThreat(spec, { norm, eps }) })),
          random: (i, restart) => stream(seed, samples[open[i]!]!.id, attack.name, restart),
          signal: new AbortController().signal,
          progress: () => {},
        },
        readOptions(attack, options),
      );
      const seconds = (performance.now() - started) / 1000;
      const found = outcomes.flatMap(({ status, inputs }, of) =>
        status === 'success' ? [{ of, inputs: { ...samples[open[of]!]!.inputs, ...inputs } }] : [],
      );
      const counts = open.map((_, of) => oracle.counts(of));
      const predictions = await oracle.labels(found);
      const stands = [...right];
      for (const [k, { of }] of found.entries()) if (predictions[k] !== labels[open[of]!]) stands[open[of]!] = false;
      const by: Record<string, number> = {};
      for (const { status, by: finder = attack.name } of outcomes) if (status === 'success') by[finder] = (by[finder] ?? 0) + 1;
      return {
        seconds,
        stands,
        by,
        forwards: counts.reduce((sum, c) => sum + c.forwards, 0),
        backwards: counts.reduce((sum, c) => sum + c.backwards, 0),
      };
    },
    async peer() {
      const n = sizeOf(spec.shape);
      const data = new Float32Array(samples.length * n);
      for (const [k, { inputs }] of samples.entries()) data.set(inputs[input]!, k * n);
      const [graph, values] = [join(folder, 'model.onnx'), join(folder, 'data.f32')];
      await writeFile(graph, writeModel(forwardGraph(bench.model)));
      await writeFile(values, new Uint8Array(data.buffer));
      const targets = Math.min(9, bench.model.classes.length - 1);
      return startPeer('autoattack_original.py', [
        graph,
        values,
        labels.join(),
        spec.shape.join(),
        String(eps),
        norm,
        String(targets),
        String(threads),
      ]);
    },
    async release() {
      await bench.release();
      await rm(folder, { recursive: true });
    },
  };
}
