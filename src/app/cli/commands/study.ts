import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { readUserFile } from '../../host/files.ts';

import { parseStudy, type Study } from '../../study/parse.ts';
import { performStudy } from '../../study/perform.ts';
import { makeData, pathsOf, placesOf } from '../../study/places.ts';
import { type Places, planStudy } from '../../study/plan.ts';
import { timeText } from '../../study/record.ts';
import { commandLine } from '../command-line.ts';
import { interruptSignal } from '../interrupt.ts';
import { positiveInteger } from '../numbers.ts';
import { createProgress } from '../progress.ts';
import type { Register } from '../register.ts';
import { table } from '../table.ts';

interface Options {
  out?: string;
  data: string[];
  workers?: string;
  device: string;
  dryRun?: boolean;
}

const examples = `
A study that was interrupted goes on where it stopped when the same command is given again.

Examples:
  $ provoke study examples/spiking/quick.yaml
  $ provoke study examples/spiking/full.yaml --workers 2
  $ provoke study examples/spiking/full.yaml --data gestures=DvsGesture   the real corpus in place of the generated one`;

export const study: Register = (program) => {
  program
    .command('study <file>')
    .description('several victims and attacks, each in a run of its own, and one page of claims and tables')
    .option('--out <dir>', 'folder of the study (default: runs/NAME)')
    .option('--data <name=path>', 'take these data from a path', (value: string, before: string[]) => [...before, value], [])
    .option('--workers <n>', 'child processes (default: one per processor)')
    .option('--device <name>', 'cpu, cuda, webgpu ...', 'cpu')
    .option('--dry-run', 'list the runs and stop')
    .addHelpText('after', examples)
    .action(runStudy);
};

async function runStudy(file: string, options: Options): Promise<void> {
  const read = parseStudy(new TextDecoder().decode(await readUserFile(file, 'the study file')), file);
  const name = read.name ?? basename(file).replace(/\.ya?ml$/, '');
  const folder = options.out ?? join('runs', name);
  const processors = availableParallelism();
  const workers = options.workers === undefined ? processors : positiveInteger(options.workers, '--workers');
  const base = resolve(dirname(file));
  const data = await placesOf(read, { base, folder, given: options.data });
  if (options.dryRun) {
    process.stdout.write(`${listing(read, pathsOf(data))}\n`);
    return;
  }
  const interrupt = interruptSignal(
    `interrupted: finished work is kept in ${folder}; go on with: ${commandLine('provoke', 'study', file, '--out', folder)}`,
  );
  const progress = createProgress(name);
  const said = new Set<string>();
  try {
    const places = await makeData(data, progress.update);
    const record = await performStudy(
      {
        name,
        study: read,
        base,
        folder,
        places,
        workers,
        threads: Math.max(1, Math.floor(processors / workers)),
        device: options.device,
      },
      {
        signal: interrupt.signal,
        progress: progress.update,
        say(sentence) {
          if (!said.has(sentence)) process.stderr.write(`note: ${sentence}\n`);
          said.add(sentence);
        },
      },
    );
    progress.end();
    const claims = record.chapters.flatMap((chapter) => chapter.claims);
    for (const { claim, verdict, because } of claims) process.stdout.write(`${verdict}: ${claim}\n  ${because}\n`);
    process.stdout.write(`${record.runs.length} runs, ${timeText(record)}\nreport: ${join(folder, 'study.html')}\n`);
  } finally {
    progress.end();
    interrupt.dispose();
  }
}

function listing(read: Study, places: Places): string {
  return table([
    ['run', 'victim', 'data', 'samples', 'attacks', 'budgets'],
    ...planStudy(read, places).map(({ name, part, run }) => [
      name,
      run.victim,
      read.victims[run.victim]!.data,
      String(part.samples),
      String(run.attacks.length),
      run.threat.eps.join(', '),
    ]),
  ]);
}
