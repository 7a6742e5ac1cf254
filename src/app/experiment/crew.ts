/** @file Who runs the units: this process, for models that come with provoke, or children under limits, for all others. */
import { RuntimeFailure, UserError } from '../../core/errors.ts';
import { classIndices } from '../../kit/data/labels.ts';
import { loadAttacks } from '../host/attacks.ts';
import { loadData } from '../host/data.ts';
import { sweepTemporary } from '../host/files.ts';
import { defaults, type LimitOptions, memoryLimit } from '../host/limits.ts';
import { isBuiltin } from '../host/models.ts';
import { ChildDied, createPool, type Reply } from '../host/pool.ts';
import { refusalOf } from '../host/refusal.ts';
import { nodeRuntime } from '../host/runtime.ts';
import { version } from '../host/version.ts';
import type { ChildOpening } from './child.ts';
import { costingOf } from './cost.ts';
import { allowance } from './pace.ts';
import { makePlan, type Unit } from './plan.ts';
import type { GradientFacts, Names, Task } from './task.ts';
import type { Limits, UnitResult } from './unit.ts';
import { type Facts, type Overview, openWorkbench } from './workbench.ts';

export interface Crew {
  readonly overview: Overview;
  /** Units that run at once. */
  readonly size: number;
  /** What a unit may take; undefined in this process, which nobody can end but itself. */
  readonly limits?: Limits;
  /** Rejects with ChildDied or RuntimeFailure where the model, not provoke, is at fault. */
  run(unit: Unit, signal: AbortSignal, progress: (share: number) => void): Promise<UnitResult>;
  names(unit: Unit): Promise<Names>;
  gradient(): Promise<GradientFacts>;
  /** On an interrupt: ends what is under way, where that can be ended from outside. */
  stop?(): void;
  close(): Promise<void>;
}

export interface CrewOptions extends Omit<ChildOpening, 'experiment'> {
  readonly workers: number;
  /** What the user asked for; undefined where nothing was said. */
  readonly limits?: LimitOptions;
}

/** Opens the experiment. Throws a UserError that names the model where opening it crashes, hangs or takes too much memory. */
export function openCrew(opening: ChildOpening, options: CrewOptions): Promise<Crew> {
  const here = isBuiltin(opening.experiment.model) && options.workers === 1 && options.limits === undefined;
  return here ? crewHere(opening) : crewOfChildren(opening, options);
}

async function crewHere({ experiment, base, folder, threads, device }: ChildOpening): Promise<Crew> {
  const bench = await openWorkbench(experiment, { base, folder, runtime: nodeRuntime({ threads, device }) });
  return {
    overview: bench,
    size: 1,
    run: (unit, signal, progress) => bench.run(unit, signal, progress),
    names: (unit) => bench.load(unit.from, unit.to),
    gradient: () => bench.sessions.gradient(),
    close: () => bench.release(),
  };
}

async function crewOfChildren(opening: ChildOpening, { workers, limits }: CrewOptions): Promise<Crew> {
  const { experiment, base, folder, threads, device } = opening;
  const { seconds, memory } = limits ?? { seconds: 'auto', memory: 'auto' };
  const held: Limits = { seconds, memory: memoryLimit(memory, workers) };
  const openSeconds = seconds === 'auto' ? defaults.opening : seconds;
  const pool = createPool<Task, Facts>(new URL('./child.js', import.meta.url), {
    workers,
    open: opening,
    openSeconds,
    memory: held.memory,
    revive,
    bury: (pid) => sweepTemporary(folder, pid),
  });
  try {
    const runtime = nodeRuntime({ threads, device });
    const attacks = await loadAttacks(experiment.attacks, base);
    const [facts, loaded] = await Promise.allSettled([pool.open(), loadData(experiment.data, { base, runtime })]);
    if (facts.status === 'rejected') throw refusalOf(facts.reason, experiment.model);
    if (loaded.status === 'rejected') throw loaded.reason;
    const { model, batch, spikes, forwardSeconds: forward, openSeconds: open } = facts.value;
    const data = loaded.value;
    classIndices(data.labels, model.classes, experiment.data.labels);
    const plan = makePlan({ experiment, model, data, attacks, version });
    const allowed = (unit: Unit): number =>
      seconds === 'auto'
        ? allowance({
            planned: plan.attacks[unit.attack]!,
            ...costingOf(plan, model),
            samples: Math.max(unit.to - unit.from, model.fixedBatch ?? 1),
            forward,
            open,
          })
        : seconds;
    return {
      overview: { model, data, plan, batch, ...(spikes === undefined ? {} : { spikes }) },
      size: workers,
      limits: held,
      run: (unit, _, progress) => pool.run({ kind: 'unit', unit }, { seconds: allowed(unit), progress }) as Promise<UnitResult>,
      names: (unit) => pool.run({ kind: 'names', unit }, { seconds: openSeconds }) as Promise<Names>,
      gradient: () =>
        (pool.run({ kind: 'gradient' }, { seconds: openSeconds }) as Promise<GradientFacts>).catch((error: unknown) => {
          throw refusalOf(error, experiment.model);
        }),
      stop: () => void pool.close(),
      close: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** Whether the model is at fault: its process ended, or the runtime gave up. */
export const isBreakdown = (error: unknown): error is ChildDied | RuntimeFailure =>
  error instanceof ChildDied || error instanceof RuntimeFailure;

const revive = ({ message, remedy, stack, runtime }: Extract<Reply, { kind: 'failed' }>): Error => {
  if (remedy !== undefined) return new UserError(message, remedy);
  return Object.assign(runtime ? new RuntimeFailure(message) : new Error(message), stack === undefined ? {} : { stack });
};
