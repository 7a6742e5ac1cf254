/** @file The commands that generate corpora for spiking networks: one per corpus of app/synth/corpora.ts, all alike. */
import type { Command } from 'commander';
import { type Corpus, corpora } from '../../synth/corpora.ts';
import { refuseTaken } from '../../synth/place.ts';
import { naturalNumber, positiveInteger } from '../numbers.ts';
import { createProgress } from '../progress.ts';

interface Flags {
  out: string;
  count: string;
  seed: string;
  size?: string;
  sheet?: string;
  force?: boolean;
}

export function addVisionCorpora(parent: Command): void {
  for (const [name, corpus] of Object.entries(corpora)) {
    const command = parent
      .command(name)
      .description(corpus.title)
      .requiredOption('-o, --out <dir>', 'the folder to make')
      .option('--count <n>', 'samples', String(corpus.count))
      .option('--seed <n>', 'other seeds give other samples', '0');
    if (corpus.size !== undefined) command.option('--size <n>', 'width and height in pixels', String(corpus.size));
    command
      .option('--sheet <png>', 'a contact sheet to look at')
      .option('--force', 'replace the corpus that is there')
      .action((flags: Flags) => make(name, corpus, flags));
  }
}

async function make(name: string, corpus: Corpus, { out, sheet, force = false, ...flags }: Flags): Promise<void> {
  const numbers = {
    count: positiveInteger(flags.count, '--count'),
    seed: naturalNumber(flags.seed, '--seed'),
    size: flags.size === undefined ? 0 : positiveInteger(flags.size, '--size'),
  };
  await refuseTaken(out, force, 'folder');
  if (sheet !== undefined) await refuseTaken(sheet, force, 'file', '--sheet');
  const progress = createProgress(name);
  const made = await corpus
    .make({
      out,
      ...numbers,
      ...(sheet === undefined ? {} : { sheet }),
      replace: force,
      onProgress: (done, of) => progress.update(done, of, 'generating'),
    })
    .finally(() => progress.end());
  process.stdout.write(`${out}: ${made}\n`);
}
