import { existsSync } from 'node:fs';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { suggestion, UserError } from '../../../core/errors.ts';
import { sequenceIndexName } from '../../../kit/data/sequence-index.ts';
import { sequenceCountDefault, sequenceFiles } from '../../../kit/data/synth/sequence-files.ts';
import { sequenceDefaults } from '../../../kit/data/synth/sequences.ts';
import { splitNames } from '../../../kit/data/synth/splits.ts';
import { noteInFolder } from '../../../kit/data/synthetic-note.ts';
import { makeFolder, readUserFile } from '../../host/files.ts';
import { synthFaces } from '../../synth/faces.ts';
import { naturalNumber, positiveInteger } from '../numbers.ts';
import { createProgress } from '../progress.ts';
import type { Register } from '../register.ts';

interface Common {
  out: string;
  count: string;
  seed: string;
  force?: boolean;
}

const corpora = ['sequences', 'faces'];

export const synth: Register = (program) => {
  const command = program
    .command('synth [corpus]')
    .description('generated corpora to train and try things on: sequences, faces')
    .addHelpText(
      'after',
      '\nThe data say of themselves that they are synthetic, and so does every report on them.\n\nExamples:\n  $ provoke synth sequences -o sequences\n  $ provoke synth faces -o faces.csv --sheet faces.png',
    )
    .action((corpus: string | undefined) => {
      if (corpus === undefined) throw new UserError('synth needs the name of a corpus', `one of: ${corpora.join(', ')}`);
      throw new UserError(`there is no synthetic corpus "${corpus}"`, suggestion(corpus, corpora));
    });
  const d = sequenceDefaults;
  command
    .command('sequences')
    .description('labelled sequences that look like what wearables record, as a folder of .npz files (format: sequences)')
    .requiredOption('-o, --out <dir>', 'the folder to make')
    .option('--count <n>', 'sequences', String(sequenceCountDefault))
    .option('--seed <n>', 'other seeds give other subjects and recordings', '0')
    .option('--classes <n>', 'kinds of action', String(d.classes))
    .option('--channels <n>', 'channels', String(d.channels))
    .option('--steps <n>', 'time steps', String(d.steps))
    .option('--subjects <n>', 'people; none is in two splits', String(d.subjects))
    .option('--force', 'replace the corpus that is there')
    .action(makeSequences);
  command
    .command('faces')
    .description('labelled 48 x 48 faces, made from the photos of @vladmandic/face-api (format: fer2013 or image-folder)')
    .requiredOption('-o, --out <path>', 'the CSV file, or the folder with --format image-folder')
    .option('--count <n>', 'faces', '3000')
    .option('--seed <n>', 'other seeds give other pictures of the same people', '0')
    .option('--format <name>', 'fer2013 or image-folder', 'fer2013')
    .option('--sheet <png>', 'a contact sheet to look at')
    .option('--force', 'replace what is there')
    .action(makeFaces);
  // of a misspelt corpus the name is what is wrong; set last, since the corpora would take it over
  command.allowUnknownOption().allowExcessArguments();
};

interface SequenceFlags extends Common {
  classes: string;
  channels: string;
  steps: string;
  subjects: string;
}

async function makeSequences({ out, force = false, ...flags }: SequenceFlags): Promise<void> {
  const number = (key: 'count' | 'classes' | 'channels' | 'steps' | 'subjects') => positiveInteger(flags[key], `--${key}`);
  await free(out, force, 'folder');
  const count = number('count');
  const progress = createProgress('sequences');
  const files = sequenceFiles({
    count,
    seed: naturalNumber(flags.seed, '--seed'),
    classes: number('classes'),
    channels: number('channels'),
    steps: number('steps'),
    subjects: number('subjects'),
    onProgress: (done, of) => progress.update(done, of, 'generating'),
  });
  progress.end();
  await makeFolder(
    out,
    async (folder) => {
      for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes, { flush: true });
    },
    force,
  );
  process.stdout.write(`${out}: ${count} synthetic sequences (${Object.keys(files).join(', ')})\n`);
}

interface FaceFlags extends Common {
  format: string;
  sheet?: string;
}

const faceFormats = ['fer2013', 'image-folder'] as const;

async function makeFaces({ out, force = false, sheet, ...flags }: FaceFlags): Promise<void> {
  const format = faceFormats.find((name) => name === flags.format);
  if (format === undefined)
    throw new UserError(`--format: there is no format "${flags.format}"`, suggestion(flags.format, faceFormats));
  await free(out, force, format === 'fer2013' ? 'file' : 'folder');
  if (sheet !== undefined) await free(sheet, force, 'file', '--sheet');
  const count = positiveInteger(flags.count, '--count');
  const progress = createProgress('faces');
  const about = await synthFaces({
    out,
    format,
    count,
    seed: naturalNumber(flags.seed, '--seed'),
    ...(sheet === undefined ? {} : { sheet }),
    replace: force,
    onProgress: (done, of) => progress.update(done, of, 'drawing'),
  }).finally(() => progress.end());
  process.stdout.write(`${out}: ${count} ${about}\n`);
}

/** Refuses what would overwrite something, before any work is done. A folder is replaced only where a corpus is all it holds. */
async function free(path: string, force: boolean, what: 'file' | 'folder', option = '--out'): Promise<void> {
  if (!existsSync(path)) return;
  const isFolder = (await stat(path)).isDirectory();
  if (isFolder !== (what === 'folder'))
    throw new UserError(
      `"${path}" is a ${isFolder ? 'folder, and a file' : 'file, and a folder'} is to be made`,
      `choose another place with ${option}`,
    );
  if (isFolder && resolve(path) === process.cwd())
    throw new UserError('the folder you are in cannot be made anew', 'name a folder in it, e.g. --out corpus');
  const inside = isFolder ? await readdir(path) : [path];
  if (inside.length === 0) return;
  if (!force) throw new UserError(`"${path}" exists`, `choose another place with ${option}, or --force to replace it`);
  const foreign = isFolder ? await othersIn(path, inside) : [];
  if (foreign.length > 0)
    throw new UserError(
      `"${path}" holds what provoke synth did not make (${foreign.slice(0, 3).join(', ')}): it stays`,
      'choose another place with --out, or empty the folder yourself',
    );
}

/** What in a folder belongs to no corpus this command makes. */
async function othersIn(folder: string, inside: readonly string[]): Promise<string[]> {
  const isNoted = (name: string) => existsSync(join(folder, name, noteInFolder));
  const index = inside.includes(sequenceIndexName) ? await readUserFile(join(folder, sequenceIndexName), 'the index') : undefined;
  const isMade = /"by":\s*"provoke synth/.test(new TextDecoder().decode(index));
  const ofSequences = isMade ? [sequenceIndexName, ...splitNames.map((split) => `${split}.npz`)] : [];
  const ofFaces = splitNames.filter(isNoted);
  return inside.filter((name) => !ofSequences.includes(name) && !ofFaces.some((split) => split === name));
}
