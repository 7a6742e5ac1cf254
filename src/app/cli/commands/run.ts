import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../../../core/errors.ts';
import type { Summary } from '../../../kit/record/summary.ts';
import type { ChildOpening } from '../../experiment/child.ts';
import { estimate } from '../../experiment/estimate.ts';
import { parseExperiment } from '../../experiment/parse.ts';
import { performRun } from '../../experiment/perform.ts';
import type { RunRecord } from '../../experiment/results.ts';
import { type Overview, openWorkbench } from '../../experiment/workbench.ts';
import { readUserFile } from '../../host/files.ts';
import { nodeRuntime } from '../../host/runtime.ts';
import { duration, epsText, interval, normKey, percent, sizeText } from '../../report/format.ts';
import { commandLine } from '../command-line.ts';
import type { Guard } from '../guard.ts';
import { interruptSignal } from '../interrupt.ts';
import { type LimitFlags, limitsOf, withLimits } from '../limits.ts';
import { fraction, positiveInteger, shardOf } from '../numbers.ts';
import { createProgress } from '../progress.ts';
import type { Register } from '../register.ts';
import { table } from '../table.ts';

interface Options extends LimitFlags {
  out?: string;
  workers?: string;
  threads?: string;
  device: string;
  shard?: string;
  resume?: boolean;
  overwrite?: boolean;
  dryRun?: boolean;
  failUnder?: string;
  json?: boolean;
}

const examples = `
Examples:
  $ provoke run face.yaml                      attack, verify, report into runs/NAME
  $ provoke run face.yaml --dry-run            what it would cost
  $ provoke run face.yaml --workers 2          two child processes, one compute thread each
  $ provoke run face.yaml --resume             go on after an interruption
  $ provoke run face.yaml --fail-under 40      exit code 100 below 40 % worst-case robust accuracy`;

export const run: Register = (program, exit, guard) => {
  withLimits(program.command('run <experiment>'))
    .description('run an experiment file: attacks, verified examples, tables and a report')
    .option('--out <dir>', 'run directory (default: runs/NAME)')
    .option('--workers <n>', 'child processes (default: 1)')
    .option('--threads <n>', 'compute threads per process (default: one per core and process)')
    .option('--device <name>', 'cpu, cuda, webgpu ...', 'cpu')
    .option('--shard <i/n>', 'do only part i of n of the work; the last one merges')
    .option('--resume', 'continue a run of the same experiment')
    .option('--overwrite', 'replace the run that is in the directory')
    .option('--dry-run', 'print units, passes, time and memory, and stop')
    .option('--fail-under <percent>', 'exit with 100 when worst-case robust accuracy at the largest budget is below')
    .option('--json', 'print the summary as JSON, and nothing else on stdout')
    .addHelpText('after', examples)
    .action(async (file: string, options: Options) => exit(await runExperiment(file, options, guard)));
};

async function runExperiment(file: string, options: Options, guard: Guard): Promise<number> {
  const workers = options.workers === undefined ? 1 : positiveInteger(options.workers, '--workers');
  const threads =
    options.threads === undefined
      ? Math.max(1, Math.floor(availableParallelism() / workers))
      : positiveInteger(options.threads, '--threads');
  const failUnder = options.failUnder === undefined ? undefined : fraction(options.failUnder, '--fail-under');
  const shard = options.shard === undefined ? undefined : shardOf(options.shard);
  if (options.resume && options.overwrite) throw new UserError('--resume and --overwrite exclude each other', 'give one of them');
  const experiment = parseExperiment(new TextDecoder().decode(await readUserFile(file, 'the experiment file')), file);
  const name = experiment.name ?? basename(file).replace(/\.(ya?ml|json)$/, '');
  const folder = options.out ?? join('runs', name);
  const base = resolve(dirname(file));
  const { device } = options;
  const limits = limitsOf(options, experiment.limits);
  const opening = { experiment, base, folder, threads, device };
  if (options.dryRun) return guard({ reference: experiment.model, limits }, () => dryRun(opening, workers));
  const interrupt = interruptSignal(
    `interrupted: finished units are kept in ${folder}; go on with: ${commandLine('provoke', 'run', file, '--out', folder, '--resume')}`,
  );
  const progress = createProgress(name);
  const { record, report } = await performRun(
    {
      ...opening,
      name,
      workers,
      resume: options.resume === true,
      overwrite: options.overwrite === true,
      ...(limits === undefined ? {} : { limits }),
      ...(shard === undefined ? {} : { shard }),
    },
    { opened: sayInferred, signal: interrupt.signal, progress: progress.update },
  ).finally(() => {
    progress.end();
    interrupt.dispose();
  });
  if (options.json) process.stdout.write(`${JSON.stringify(record.summary, null, 2)}\n`);
  else process.stdout.write(summaryText(record));
  (options.json ? process.stderr : process.stdout).write(`report: ${report}\n`);
  if (failUnder === undefined) return 0;
  if (record.state === 'partial') {
    process.stderr.write('note: --fail-under is judged when the last shard is in, this run is partial\n');
    return 0;
  }
  return isBelow(record.summary, failUnder) ? 100 : 0;
}

const sayInferred = ({ model }: Overview): void => {
  for (const sentence of model.inferred) process.stderr.write(`note: ${sentence}\n`);
};

async function dryRun({ experiment, base, folder, threads, device }: ChildOpening, workers: number): Promise<void> {
  const bench = await openWorkbench(experiment, { base, folder, runtime: nodeRuntime({ threads, device }) });
  sayInferred(bench);
  process.stdout.write(await estimate(bench, { workers, threads }));
  await bench.release();
}

/** A figure that is not there, because nothing could be judged, passes no gate. */
const isBelow = (summary: Summary, limit: number): boolean => {
  const largest = new Map(summary.worstCase.map((w) => [normKey(w.norm), w]));
  return [...largest.values()].some((w) => !(w.robustAccuracy >= limit));
};

/** The table on the terminal: what a reader needs to judge the run without opening the report. */
export function summaryText(record: RunRecord): string {
  const { summary, data, model } = record;
  const measure = data.labelled ? 'accuracy' : 'agreement';
  const head = [
    'attack',
    'norm',
    'eps',
    'n',
    'success',
    'failure',
    'skipped',
    'invalid',
    'success rate',
    'mean size',
    `robust ${measure}`,
    '95 %',
  ];
  const cells = summary.cells.map((c) => [
    c.attack,
    normKey(c.norm),
    epsText(c.eps, c.norm, model.inputs),
    ...[c.n, c.success, c.failure, c.skipped, c.invalid].map(String),
    percent(c.attackSuccessRate),
    c.meanNorm === null ? '—' : sizeText(c.meanNorm, c.norm, model.inputs),
    percent(c.robustAccuracy),
    interval(c.robustAccuracyInterval),
  ]);
  const worst = summary.worstCase.map((w) => [
    'worst case',
    normKey(w.norm),
    epsText(w.eps, w.norm, model.inputs),
    String(summary.n),
    ...['', '', '', '', '', ''],
    percent(w.robustAccuracy),
    interval(w.robustAccuracyInterval),
  ]);
  const { counts } = record;
  const lines = [
    '',
    `${record.name}: ${model.name} on ${data.name}, ${summary.n} samples, clean ${measure} ${percent(summary.cleanAccuracy)}`,
    ...(data.synthetic === null ? [] : [`synthetic data: ${data.synthetic}`]),
    `labels: ${data.labelsAre}`,
    '',
    table([head, ...cells, ...worst]),
    '',
    `${counts.forwards} forwards, ${counts.backwards} backwards in ${duration(record.seconds)}${counts.resumed > 0 ? ` (${counts.resumed} of ${counts.units} units were there already)` : ''}; not audited`,
    ...(counts.problems > 0
      ? [
          `${counts.problems} samples could not be used:`,
          ...record.problems.slice(0, 5).map((p) => `  ${p.item}: ${p.reason}`),
          ...(counts.problems > 5 ? ['  ... (all in run.json)'] : []),
        ]
      : []),
    ...record.notes.map((note) => `note: ${note}`),
    ...(record.state === 'partial' ? ['partial: units of other shards are missing'] : []),
    '',
  ];
  return `${lines.join('\n')}`;
}
