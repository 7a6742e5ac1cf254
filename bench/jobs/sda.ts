/** @file The job of the benchmark sda: the sparse dynamic attack on a trained spiking network, clip by clip. */
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { loadModel, standIns } from '../../src/app/host/models.ts';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { cut, framesOf } from '../../src/kit/data/events/binning.ts';
import { gestureClasses, gestureSettings, makeGesture, recordingOf } from '../../src/kit/data/synth/events/gestures/gesture.ts';
import { createOracle } from '../../src/kit/model/make-oracle.ts';
import type { Sample } from '../../src/kit/model/model.ts';
import { openSessions } from '../../src/kit/model/sessions.ts';
import { lpThreat } from '../../src/kit/threat/lp.ts';
import { readOptions } from '../../src/methods/attacks/registry.ts';
import { sda } from '../../src/methods/attacks/sda.ts';

export const victim = fileURLToPath(
  new URL('../../examples/spiking/victims/gestures-sigmoid/gestures-sigmoid.onnx', import.meta.url),
);

const input = 'events';

export interface SdaJob {
  /** Clips the victim classifies as they are labelled, of people it was not trained on. */
  readonly clips: readonly { readonly x: Float32Array; readonly label: number }[];
  /** Attacks all clips, one at a time as published; the flips of each. */
  attack(options: Readonly<Record<string, string>>): Promise<number[]>;
  release(): Promise<void>;
}

export async function openSdaJob(count: number, threads: number): Promise<SdaJob> {
  const runtime = createRuntime(ort, { threads });
  const loaded = await loadModel({ path: victim }, { base: '.', runtime });
  const { model } = loaded;
  const sessions = openSessions(model, runtime, standIns(loaded));
  const oracle = () => createOracle(sessions, { maxBatch: 64 });
  const settings = gestureSettings({ size: 64 });
  const clips: SdaJob['clips'][number][] = [];
  const kinds = gestureClasses.length;
  for (let index = 0; clips.length < count; index++) {
    // one of each recording, another class every time
    if (recordingOf(index).split !== 'test') continue;
    const { events, label } = makeGesture(index * kinds + ((3 * clips.length) % kinds), settings);
    const x = framesOf(cut(events));
    const [predicted] = await oracle().labels([{ of: 0, inputs: { [input]: x } }]);
    if (predicted === label) clips.push({ x, label });
  }
  const attackOne = async ({ x, label }: SdaJob['clips'][number], k: number, options: Readonly<Record<string, string>>) => {
    const sample: Sample = { id: String(k), group: String(k), label, inputs: { [input]: x } };
    const job = {
      oracle: oracle(),
      batch: [sample],
      goals: [{ kind: 'untargeted' as const, label }],
      threats: [{ [input]: lpThreat(model.inputs[input]!, { norm: 'l0', eps: x.length }) }],
      random: (_: number, restart: number) => stream(0, k, restart),
      signal: new AbortController().signal,
      progress: () => undefined,
    };
    const [outcome] = await sda.run(job, readOptions(sda, options));
    const found = outcome?.inputs?.[input];
    return found === undefined ? Number.POSITIVE_INFINITY : found.filter((value, i) => value !== x[i]).length;
  };
  return {
    clips,
    async attack(options) {
      const flips: number[] = [];
      for (const [k, clip] of clips.entries()) flips.push(await attackOne(clip, k, options));
      return flips;
    },
    release: () => sessions.release(),
  };
}
