/** @file Everything a unit needs, opened from an experiment file: the same in this process and in a child, so that nothing big crosses. */
import type { Runtime } from '../../core/runtime/runtime.ts';
import { adapt } from '../../kit/data/adapt.ts';
import { classIndices } from '../../kit/data/labels.ts';
import type { DataSource, Problem } from '../../kit/data/source.ts';
import { suggestBatch } from '../../kit/model/cost.ts';
import { createOracle } from '../../kit/model/make-oracle.ts';
import type { Model, ModelFacts, Sample } from '../../kit/model/model.ts';
import type { ModelSessions } from '../../kit/model/sessions.ts';
import { loadAttacks } from '../host/attacks.ts';
import { loadData } from '../host/data.ts';
import { exampleStore } from '../host/examples.ts';
import { loadModel } from '../host/models.ts';
import { version } from '../host/version.ts';
import { equip } from './equipment.ts';
import { makePlan, type Plan, type Unit } from './plan.ts';
import type { SpikeFacts } from './reference-set.ts';
import type { ExperimentFile } from './schema.ts';
import { runUnit, type UnitResult } from './unit.ts';
import type { UnitContext } from './unit-context.ts';

/** What a run has to know of an opened experiment; nothing in it runs the model. */
export interface Overview {
  readonly model: ModelFacts;
  readonly data: DataSource;
  readonly plan: Plan;
  /** Samples per pass. */
  readonly batch: number;
  /** What stands in for the model's spikes; absent where it has none, or nothing does. */
  readonly spikes?: SpikeFacts;
}

/** What a child tells of the model it opened. */
export interface Facts extends Pick<Overview, 'model' | 'batch' | 'spikes'> {
  /** Seconds opening took, and one forward pass of one sample. */
  readonly openSeconds: number;
  readonly forwardSeconds: number;
}

export interface Workbench extends Overview {
  readonly model: Model;
  readonly sessions: ModelSessions;
  /** The samples at positions from..to of the plan, and what could not be read of them. */
  load(from: number, to: number): Promise<{ samples: Sample[]; problems: Problem[] }>;
  run(unit: Unit, signal: AbortSignal, progress: (share: number) => void): Promise<UnitResult>;
  release(): Promise<void>;
}

export interface WorkbenchOptions {
  /** Folder the experiment's paths are relative to. */
  readonly base: string;
  /** Run directory, where examples are kept. */
  readonly folder: string;
  readonly runtime: Runtime;
}

/** Opens model, data and attacks of an experiment and plans it. */
export async function openWorkbench(experiment: ExperimentFile, { base, folder, runtime }: WorkbenchOptions): Promise<Workbench> {
  const attacks = await loadAttacks(experiment.attacks, base);
  const loaded = await loadModel(experiment.model, { base, runtime });
  const { model } = loaded;
  const data = await loadData(experiment.data, { base, runtime });
  const { labels, resize } = experiment.data;
  classIndices(data.labels, model.classes, labels);
  const plan = makePlan({ experiment, model, data, attacks, version });
  const adaptation = { ...(labels ? { labels } : {}), ...(resize ? { resize } : {}) };
  const equipments = await equip(loaded, { data, seed: experiment.seed, adaptation, runtime }, runtime);
  const { usual } = equipments;
  let batch = experiment.batch === 'auto' ? await suggestBatch(model, runtime.execute) : experiment.batch;
  const examples = exampleStore(folder, model);
  const load: Workbench['load'] = async (from, to) => {
    const samples: Sample[] = [];
    const problems: Problem[] = [];
    for (const index of plan.items.slice(from, to)) {
      const item = await data.item(index);
      const adapted = 'reason' in item ? item : adapt(item, model, adaptation);
      if ('reason' in adapted) problems.push(adapted);
      else samples.push(adapted);
    }
    return { samples, problems };
  };
  return {
    model,
    data,
    plan,
    sessions: usual.sessions,
    ...(usual.spikes === undefined ? {} : { spikes: usual.spikes }),
    get batch() {
      return batch;
    },
    load,
    async run(unit, signal, progress) {
      const { samples, problems } = await load(unit.from, unit.to);
      const planned = plan.attacks[unit.attack]!;
      const { model: attacked, sessions } = await equipments.for(planned);
      const { budgets, goal, seed, queries } = plan;
      const notes: string[] = [];
      for (;;) {
        const oracle: UnitContext['oracle'] = (queryBudget, random) =>
          createOracle(sessions, { maxBatch: batch, signal, random, ...(queryBudget === undefined ? {} : { queryBudget }) });
        try {
          const result = await runUnit({
            model: attacked,
            oracle,
            samples,
            problems,
            planned,
            budgets,
            goal,
            seed,
            ...(queries === undefined ? {} : { queries }),
            examples,
            signal,
            progress,
          });
          return notes.length === 0 ? result : { ...result, notes };
        } catch (error) {
          const divisible = attacked.coupling === 'none' && model.fixedBatch === undefined && batch > 1;
          if (!divisible || !isOutOfMemory(error)) throw error;
          batch = Math.ceil(batch / 2);
          notes.push(`the batch was halved to ${batch}: the runtime ran out of memory`);
          await sessions.release();
        }
      }
    },
    release: () => equipments.release(),
  };
}

/** Whether the runtime (or V8) says that memory could not be had. */
const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error &&
  /bad.?alloc|failed to allocate|out of memory|cannot allocate|array buffer allocation failed/i.test(error.message);
