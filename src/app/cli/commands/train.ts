import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../../../core/errors.ts';
import { figuresOf } from '../../../kit/nn/export/evaluate.ts';
import type { Progress as Step } from '../../../kit/nn/fit/progress.ts';
import { readUserFile } from '../../host/files.ts';
import { nodeRuntime } from '../../host/runtime.ts';
import { duration, interval, percent } from '../../report/format.ts';
import { describeProblems } from '../../training/data.ts';
import { estimate } from '../../training/estimate.ts';
import { files, openFolder } from '../../training/folder.ts';
import { openTraining } from '../../training/open.ts';
import { parseRecipe } from '../../training/parse.ts';
import { sinceCard } from '../../training/since-card.ts';
import { type TrainingRecord, train as trainAll } from '../../training/train.ts';
import { commandLine } from '../command-line.ts';
import { interruptSignal } from '../interrupt.ts';
import { naturalNumber, positiveInteger } from '../numbers.ts';
import { createProgress } from '../progress.ts';
import type { Register } from '../register.ts';

interface Options {
  data?: string;
  out?: string;
  resume?: boolean;
  overwrite?: boolean;
  threads?: string;
  epochs?: string;
  seed?: string;
  dryRun?: boolean;
  json?: boolean;
}

const examples = `
RECIPE is a YAML file (docs/training.md), or the model card of a model: then the same weights are trained again.
The same bits come out at the same number of threads only.

Examples:
  $ provoke synth sequences -o seq
  $ provoke train examples/training/sequences.yaml --data seq       into models/NAME
  $ provoke train faces.yaml --dry-run                              data, steps and time
  $ provoke train faces.yaml --resume                               go on after an interruption
  $ provoke train models/faces/model-card.md --out again            the same weights again
  $ provoke attack models/faces/model.onnx face.png --attack pgd --eps 8/255`;

export const train: Register = (program, exit) => {
  program
    .command('train <recipe>')
    .description('train a model from a recipe: an ONNX file with its card, and a page of learning curves')
    .option('--data <path>', 'read all data of the recipe that have a path from here')
    .option('--out <dir>', 'folder of the model (default: models/NAME)')
    .option('--resume', 'continue a training of the same recipe')
    .option('--overwrite', 'replace the training that is in the folder')
    .option('--threads <n>', 'compute threads (default: one per core; with a card: as many as it says)')
    .option('--epochs <n>', 'instead of those of the recipe')
    .option('--seed <n>', 'instead of that of the recipe')
    .option('--dry-run', 'check everything, print data, steps and time, and stop')
    .option('--json', 'print the record as JSON, and nothing else on stdout')
    .addHelpText('after', examples)
    .action(async (file: string, options: Options) => exit(await trainRecipe(file, options)));
};

async function trainRecipe(file: string, options: Options): Promise<number> {
  const { resume = false, overwrite = false } = options;
  if (resume && overwrite) throw new UserError('--resume and --overwrite exclude each other', 'give one of them');
  const overrides = {
    ...(options.epochs === undefined ? {} : { epochs: positiveInteger(options.epochs, '--epochs') }),
    ...(options.seed === undefined ? {} : { seed: naturalNumber(options.seed, '--seed') }),
    ...(options.data === undefined ? {} : { data: options.data }),
  };
  const parsed = parseRecipe(new TextDecoder().decode(await readUserFile(file, 'the recipe')), file);
  const asked = options.threads === undefined ? parsed.card?.runtime.threads : positiveInteger(options.threads, '--threads');
  const runtime = nodeRuntime(asked === undefined ? {} : { threads: asked });
  const { threads } = runtime.options;
  const name = parsed.value.name ?? basename(file).replace(/\.(ya?ml|json|md)$/, '');
  const out = options.out ?? join('models', name);
  const interrupt = interruptSignal(options.dryRun ? 'interrupted' : `interrupted: go on with: ${again(file, options, out)}`);
  const progress = createProgress(name);
  try {
    const { signal } = interrupt;
    const opened = await openTraining(parsed, overrides, { base: resolve(dirname(file)), name, runtime, signal });
    const changed = parsed.card === undefined ? undefined : sinceCard(parsed.card, runtime);
    if (changed !== undefined) process.stderr.write(`note: ${changed}\n`);
    for (const line of [...describeProblems(opened.sets), ...opened.notes]) process.stderr.write(`note: ${line}\n`);
    if (options.dryRun) {
      process.stdout.write(await estimate(opened, runtime, signal));
      return 0;
    }
    const folder = await openFolder(out, opened.identity, { resume, overwrite, threads });
    if (folder.threads !== undefined && folder.threads !== threads)
      process.stderr.write(
        `note: this training began with ${folder.threads} threads and goes on with ${threads}: its last bits will be others (--threads ${folder.threads})\n`,
      );
    const { record, page } = await trainAll(opened, folder, {
      runtime,
      signal,
      onProgress: (step) => tell(progress, step),
      onJudging: (what, share) => progress.update(share, 1, what),
    }).finally(folder.release);
    progress.end();
    process.stdout.write(options.json ? `${JSON.stringify(record, null, 2)}\n` : summaryText(record, out));
    (options.json ? process.stderr : process.stdout).write(`page: ${page}\n`);
    return 0;
  } finally {
    progress.end();
    interrupt.dispose();
  }
}

/** The command line that continues. */
function again(file: string, { data, epochs, seed, threads }: Options, out: string): string {
  const given = { '--data': data, '--out': out, '--epochs': epochs, '--seed': seed, '--threads': threads };
  const flags = Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
  return commandLine('provoke', 'train', file, ...flags, '--resume');
}

function tell(progress: ReturnType<typeof createProgress>, step: Step): void {
  const { epoch, epochs, of, loss, accuracy, secondsLeft, record } = step;
  const now = `epoch ${epoch} of ${epochs}, loss ${loss.toPrecision(3)}, accuracy ${percent(accuracy)}`;
  progress.update((epoch - 1) * of + step.step, epochs * of, now, secondsLeft);
  if (record === undefined) return;
  progress.end();
  const { validation } = record;
  process.stderr.write(
    `epoch ${epoch} of ${epochs}: loss ${loss.toPrecision(3)}, accuracy ${percent(accuracy)}; validation: loss ${validation.loss.toPrecision(3)}, accuracy ${percent(validation.accuracy)}; ${duration(record.seconds)}\n`,
  );
}

/** What a reader needs to judge the model without opening the page. */
export function summaryText(record: TrainingRecord, out: string): string {
  const { provenance, robustness, history, bestEpoch } = record;
  const made = provenance.data.filter((d) => d.synthetic !== undefined);
  const lines = [
    '',
    `${record.name}: ${history.length} epochs in ${duration(record.seconds)}${record.stoppedEarly ? ', stopped early' : ''}; weights of epoch ${bestEpoch} (best validation ${record.metric})`,
    ...(made.length === 0 ? [] : [`synthetic data: ${[...new Set(made.map((d) => d.synthetic))].join('; ')}`]),
    ...provenance.evaluations.map((evaluation) => {
      const { accuracy, interval: range, n, averageRecall } = figuresOf(evaluation.confusion, provenance.classes);
      return `${evaluation.split}: accuracy ${percent(accuracy)} (95 %: ${interval(range)}, n = ${n}), average recall ${percent(averageRecall)}`;
    }),
    ...(robustness === undefined
      ? []
      : [
          `robust accuracy on ${robustness.split} data: ${percent(robustness.right / robustness.n)} (${robustness.right} of n = ${robustness.n}; ${robustness.attack}; an upper bound)`,
        ]),
    ...record.notes.map((note) => `note: ${note}`),
    `model: ${join(out, files.model)}, card: ${join(out, files.card)}`,
    '',
  ];
  return lines.join('\n');
}
