import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suggestion, UserError } from '../../../core/errors.ts';
import { sequenceCountDefault, sequenceFiles } from '../../../kit/data/synth/sequence-files.ts';
import { sequenceDefaults } from '../../../kit/data/synth/sequences.ts';
import { makeFolder } from '../../host/files.ts';
import { corpora } from '../../synth/corpora.ts';
import { synthFaces } from '../../synth/faces.ts';
import { refuseTaken } from '../../synth/place.ts';
import { naturalNumber, positiveInteger } from '../numbers.ts';
import { createProgress } from '../progress.ts';
import type { Register } from '../register.ts';
import { addVisionCorpora } from './synth-vision.ts';

interface Common {
  out: string;
  count: string;
  seed: string;
  force?: boolean;
}

const names = ['sequences', 'faces', ...Object.keys(corpora)];

export const synth: Register = (program) => {
  const command = program
    .command('synth [corpus]')
    .description('generated corpora to train and try things on: sequences, faces, pictures, recordings of event cameras')
    .addHelpText(
      'after',
      '\nThe data say of themselves that they are synthetic, and so does every report on them.\n\nExamples:\n  $ provoke synth sequences -o sequences\n  $ provoke synth faces -o faces.csv --sheet faces.png\n  $ provoke synth gestures -o gestures --size 64 --sheet gestures.png',
    )
    .action((corpus: string | undefined) => {
      if (corpus === undefined) throw new UserError('synth needs the name of a corpus', `one of: ${names.join(', ')}`);
      throw new UserError(`there is no synthetic corpus "${corpus}"`, suggestion(corpus, names));
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
  addVisionCorpora(command);
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
  await refuseTaken(out, force, 'folder');
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
  await refuseTaken(out, force, format === 'fer2013' ? 'file' : 'folder');
  if (sheet !== undefined) await refuseTaken(sheet, force, 'file', '--sheet');
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
