/** @file A quick look at robustness: PGD on some test samples, with the attack and the judging of a run. */

import { readModel } from '../../core/onnx/reader.ts';
import type { Runtime } from '../../core/runtime/runtime.ts';
import { createOracle } from '../../kit/model/make-oracle.ts';
import type { Inputs, Sample } from '../../kit/model/model.ts';
import { openModel } from '../../kit/model/open.ts';
import { openSessions } from '../../kit/model/sessions.ts';
import type { Architecture } from '../../kit/nn/architecture.ts';
import type { Evaluation } from '../../kit/nn/export/evaluate.ts';
import { chooseSpikes, substitutesFor } from '../../kit/spiking/choose.ts';
import { attackNamed, readOptions } from '../../methods/attacks/registry.ts';
import type { Threats } from '../../methods/defences/defence.ts';
import { chooseItems } from '../experiment/plan.ts';
import { runUnit } from '../experiment/unit.ts';
import type { ExampleStore } from '../experiment/unit-context.ts';
import type { OpenedSet } from './data.ts';
import type { Robustness } from './page/page-data.ts';

const pgd = attackNamed('pgd');

export const defaults = { samples: 200, steps: 20, batch: 64 } as const;

export interface RobustnessContext {
  readonly runtime: Runtime;
  readonly name: string;
  readonly split: Evaluation['split'];
  readonly seed: number;
  /** What its spikes were trained through: the attack goes through the same. */
  readonly trainedThrough?: Architecture['trainedThrough'];
  readonly signal: AbortSignal;
  progress(share: number): void;
}

/** Why PGD cannot judge these budgets, or undefined. */
export const unmeasurable = (threats: Threats): string | undefined => {
  const odd = Object.values(threats).find(({ norm }) => !pgd.norms.includes(norm));
  return odd === undefined
    ? undefined
    : `robust accuracy was not measured: pgd works under ${pgd.norms.join(', ')}, not ${odd.norm}`;
};

/**
 * Attacks up to 200 samples of a set, drawn with the seed: 20 steps of PGD from one random start, rounded to storage and judged as in a run.
 * `onnx` is the exported file with its manifest inside.
 */
export async function quickPgd(
  onnx: Uint8Array,
  set: OpenedSet,
  threats: Threats,
  { runtime, name, split, seed, trainedThrough, signal, progress }: RobustnessContext,
): Promise<Robustness> {
  const opened = await openModel(readModel(onnx, { source: name }), { name, sha256: '', execute: runtime.execute });
  const stated = trainedThrough === undefined ? undefined : { use: trainedThrough.use, ...trainedThrough.options };
  const { model, spikes } = chooseSpikes(opened, stated);
  const sessions = openSessions(model, runtime, spikes === undefined ? {} : substitutesFor(spikes));
  const items = chooseItems(set.count, defaults.samples, seed);
  const norm = Object.fromEntries(Object.entries(threats).map(([input, t]) => [input, t.norm]));
  const eps = Object.fromEntries(Object.entries(threats).map(([input, t]) => [input, t.eps]));
  const counts = { n: 0, clean: 0, right: 0 };
  try {
    for (let from = 0; from < items.length; from += defaults.batch) {
      const samples: Sample[] = [];
      for (const index of items.slice(from, from + defaults.batch)) samples.push(await set.sample(index));
      const { rows } = await runUnit({
        model,
        oracle: (_, random) => createOracle(sessions, { maxBatch: defaults.batch, signal, random }),
        samples,
        problems: [],
        planned: { label: pgd.name, attack: pgd, options: readOptions(pgd, { steps: defaults.steps }) },
        budgets: [{ norm, eps }],
        goal: { kind: 'untargeted' },
        seed,
        examples: inMemory(),
        signal,
        progress: (share) => progress((from + share * samples.length) / items.length),
      });
      for (const row of rows) {
        if (row.status === 'invalid') continue;
        counts.n++;
        if (row.cleanPrediction === row.label) counts.clean++;
        if (row.status === 'failure') counts.right++;
      }
    }
  } finally {
    await sessions.release();
  }
  const [one, ...others] = Object.values(eps);
  return {
    split,
    data: set.name,
    ...(set.synthetic === undefined ? {} : { synthetic: set.synthetic }),
    attack: `pgd, ${defaults.steps} steps, 1 start, rounded as stored`,
    norm: Object.values(norm)[0]!,
    eps: others.length === 0 ? one! : eps,
    ...counts,
  };
}

/** Examples are judged and not kept. */
function inMemory(): ExampleStore {
  const held = new Map<string, Inputs>();
  return {
    async save(name, inputs) {
      held.set(name, inputs);
      return name;
    },
    load: async (path) => held.get(path)!,
  };
}
