/** @file What a run would cost, measured on this machine by one forward and one gradient of this model. */
import { createOracle } from '../../kit/model/make-oracle.ts';
import { table } from '../cli/table.ts';
import { duration } from '../report/format.ts';
import { costingOf, mostPasses } from './cost.ts';
import type { Workbench } from './workbench.ts';

export interface EstimateOptions {
  readonly workers: number;
  readonly threads: number;
}

/** The text of `--dry-run`: units, most forwards and backwards, time, memory. Attacks that stop early cost less. */
export async function estimate(bench: Workbench, { workers, threads }: EstimateOptions): Promise<string> {
  const { plan, model, batch } = bench;
  const { samples, problems } = await bench.load(0, Math.min(plan.items.length, batch));
  if (samples.length === 0) return `nothing to run: ${problems[0]?.reason ?? 'no samples'}\n`;
  const probes = samples.map((s, of) => ({ of, inputs: s.inputs }));
  const oracle = createOracle(bench.sessions, { maxBatch: batch });
  const forward = (await timed(() => oracle.logits(probes))) / samples.length;
  const needsGradient = plan.attacks.some(({ attack }) => attack.needs === 'gradient');
  const losses = samples.map((s) => ({ label: s.label ?? 0, ce: 1 }));
  const gradient = needsGradient ? (await timed(() => oracle.gradient(probes, losses))) / samples.length : 0;
  const count = plan.items.length;
  const rows = plan.attacks.map((planned) => {
    const { label } = planned;
    const most = mostPasses(planned, costingOf(plan, model));
    // and the clean pass
    const forwards = count * (1 + most.forwards);
    const backwards = count * most.backwards;
    const seconds = (forwards - backwards) * forward + backwards * gradient;
    return {
      label,
      units: plan.units.filter((u) => plan.attacks[u.attack]!.label === label).length,
      forwards,
      backwards,
      seconds,
    };
  });
  const total = rows.reduce((sum, r) => sum + r.seconds, 0) / workers;
  const memory = process.memoryUsage().rss / 2 ** 20;
  return [
    `${model.name}: ${count} samples, ${plan.budgets.length} budgets, ${plan.units.length} units`,
    table([
      ['attack', 'units', 'forwards (most)', 'backwards (most)', 'time (most)'],
      ...rows.map((r) => [r.label, String(r.units), String(r.forwards), String(r.backwards), duration(r.seconds)]),
    ]),
    `at most ${duration(total)} with ${workers} worker(s) of ${threads} thread(s), batch ${batch} (forward ${(1000 * forward).toFixed(1)} ms, gradient ${(1000 * gradient).toFixed(1)} ms per sample, measured now)`,
    `memory now ${memory.toFixed(0)} MB per process`,
    '',
  ].join('\n');
}

/** Seconds of the faster of two calls: the first one opens the session. */
async function timed(call: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const started = performance.now();
    await call();
    times.push((performance.now() - started) / 1000);
  }
  return Math.min(...times);
}
