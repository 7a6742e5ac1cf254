import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../../src/core/tensor/npy.ts';
import { f32 } from '../../../src/core/tensor/tensor.ts';
import { linearImageModel } from './models.ts';
import { type Ended, inFolder, type Line, provoke, provokeInTurn } from './provoke.ts';

const png = (side: number): Promise<Buffer> =>
  sharp({ create: { width: side, height: side, channels: 3, background: { r: 120, g: 90, b: 60 } } })
    .png()
    .toBuffer();

/** An experiment over the linear model and a folder of images; `change` replaces lines. */
const experiment = (change: Readonly<Record<string, string>> = {}): string =>
  Object.values({
    model: 'model: { path: model.onnx }',
    data: 'data: { format: image-folder, path: photos }',
    threat: 'threat: { norm: linf, eps: [1/255, 8/255] }',
    attacks: 'attacks: [noise, fgsm]',
    ...change,
  }).join('\n');

interface Case {
  readonly what: string;
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
  readonly prepare?: (folder: string) => Promise<void>;
  readonly args: readonly string[];
  /** It is found out in the middle of a run: what other attacks have finished is kept. */
  readonly keeps?: boolean;
  /** The whole message, with the folder of the test written as DIR. */
  readonly says: string | RegExp;
}

const model = linearImageModel();
const photos = async (folder: string) => {
  for (const label of ['happy', 'sad']) {
    await mkdir(join(folder, 'photos', label), { recursive: true });
    await writeFile(join(folder, 'photos', label, 'a.png'), await png(8));
  }
};
const run = (what: string, change: Readonly<Record<string, string>>, says: Case['says'], more: Partial<Case> = {}): Case => ({
  what,
  files: { 'model.onnx': model, 'x.yaml': experiment(change) },
  prepare: photos,
  args: ['run', 'x.yaml'],
  says,
  ...more,
});

const cases: readonly Case[] = [
  {
    what: 'a model file that is not there',
    args: ['predict', 'nope.onnx', 'a.png'],
    says: 'error: the model "DIR/nope.onnx" does not exist\n  check the path (looked in DIR/nope.onnx)\n',
  },
  {
    what: 'a truncated model',
    files: { 'cut.onnx': model.subarray(0, 300) },
    args: ['inspect', 'cut.onnx'],
    says: 'error: DIR/cut.onnx is not a readable ONNX model: its bytes do not decode as protobuf (truncated, or another format; 300 bytes)\n  check that the file is complete and was written by an ONNX exporter\n',
  },
  {
    what: 'a file that is no ONNX at all',
    files: { 'text.onnx': 'hello' },
    args: ['inspect', 'text.onnx'],
    says: 'error: DIR/text.onnx is not a readable ONNX model: its bytes do not decode as protobuf (truncated, or another format; 5 bytes)\n  check that the file is complete and was written by an ONNX exporter\n',
  },
  run(
    'an op without a derivative on the gradient path',
    {},
    'error: com.microsoft::Inverse "through" (output "through") lies on the gradient path and has no derivative rule\n  choose a stand-in for it (surrogates: { match: { op: Inverse }, use: straight-through }), attack without gradients, or export the model without this op\n',
    {
      files: { 'model.onnx': linearImageModel({ inverse: true }), 'x.yaml': experiment() },
      args: ['run', 'x.yaml'],
      keeps: true,
    },
  ),
  {
    what: 'several outputs and none chosen',
    files: { 'two.onnx': linearImageModel({ secondOutput: true }) },
    args: ['inspect', 'two.onnx'],
    says: 'error: two has 2 outputs and it is not clear which one tells the classes: scores float32 [N, 3], other float32 [N, 4]\n  name it with --output NAME, or in the manifest (output: { name: NAME })\n',
  },
  {
    what: 'an image of another size',
    files: { 'model.onnx': model },
    prepare: async (folder) => writeFile(join(folder, 'big.png'), await png(9)),
    args: ['predict', 'model.onnx', 'big.png'],
    says: 'error: big.png: it is 9x9, the model\'s input "image" is 8x8\n  crop it to that size, or have it resized: --resize, or resize: bilinear under data: in the experiment\n',
  },
  {
    what: 'an input that is no image',
    files: { 'model.onnx': model, 'a.png': 'not a picture' },
    args: ['predict', 'model.onnx', 'a.png'],
    says: 'error: a.png: it is not a readable image: Input buffer contains unsupported image format\n  give a PNG, JPEG, WebP or TIFF image, or an .npy/.npz array\n',
  },
  {
    what: 'values outside the declared bounds',
    files: { 'model.onnx': model, 'x.npy': writeNpy(f32(new Float32Array(192).fill(200), [3, 8, 8])) },
    args: ['predict', 'model.onnx', 'x.npy'],
    says: 'error: x.npy: values 200..200 in input "image", declared 0..1\n  divide them by 255, or declare bounds: [0, 255] in the manifest\n',
  },
  run(
    'data without a single image',
    { data: 'data: { format: image-folder, path: empty }' },
    'error: "DIR/empty" holds no images\n  put PNG, JPEG, WebP, TIFF, GIF or AVIF files into a sub-folder per class, or list them in labels.csv (file,label)\n',
    {
      prepare: async (folder) => {
        await mkdir(join(folder, 'empty'));
      },
    },
  ),
  run(
    'a label that is no class',
    {},
    'error: the data\'s label "Angry" is not among the model\'s classes: happy, neutral, sad\n  say which class each stands for, under data: labels: { Angry: CLASS }\n',
    {
      prepare: async (folder) => {
        await mkdir(join(folder, 'photos', 'Angry'), { recursive: true });
        await writeFile(join(folder, 'photos', 'Angry', 'a.png'), await png(8));
      },
    },
  ),
  run(
    'a negative eps',
    { threat: 'threat: { norm: linf, eps: -0.1 }' },
    'error: threat.eps[0] is -0.1, which is negative\n  write a number or a fraction, e.g. 0.03 or 8/255\n',
  ),
  run(
    'an eps that is no number',
    { threat: 'threat: { norm: linf, eps: [few] }' },
    'error: threat.eps[0] is "few", which is not a number\n  write a number or a fraction, e.g. 0.03 or 8/255\n',
  ),
  run(
    'an eps named twice',
    { threat: 'threat: { norm: linf, eps: [8/255, 1/255, 8/255] }' },
    'error: threat.eps names the budget 0.03137254901960784 twice\n  name each once: every sample would be counted twice at it\n',
  ),
  run(
    'eps NaN',
    { threat: 'threat: { norm: linf, eps: .nan }' },
    'error: x.yaml:3:23: threat.eps: invalid input: expected number, received NaN\n  see `provoke init` for a complete example, and docs/experiment.md\n',
  ),
  run(
    'an unknown attack',
    { attacks: 'attacks: [pgdd]' },
    /^error: there is no attack "pgdd"\n {2}did you mean "pgd"\? \(one of: noise, fgsm, bim, pgd, [^\n]+\)\n$/,
  ),
  run(
    'an unknown option of an attack',
    { attacks: 'attacks: [{ use: pgd, stepss: 3 }]' },
    'error: pgd has no option "stepss"\n  did you mean "steps"? (one of: steps, alpha, restarts, randomStart, loss, earlyStop)\n',
  ),
  run(
    'an unknown model',
    { model: 'model: { use: face-api/expresion }' },
    'error: there is no built-in model "face-api/expresion", and no file of that name\n  did you mean "face-api/expression"? (one of: face-api/expression, face-api/tiny-face-detector, face-api/landmarks68, human/emotion)\n',
  ),
  run(
    'an unknown data set',
    { data: 'data: { use: face-api/sample }' },
    'error: there is no built-in data set "face-api/sample"\n  did you mean "face-api/samples"? (one of: face-api/samples)\n',
  ),
  run(
    'an unknown format',
    { data: 'data: { format: image-foldr, path: photos }' },
    'error: there is no data format "image-foldr"\n  did you mean "image-folder"? (one of: image-folder, fer2013, cifar10, sequences, cifar10-dvs, dvs-gesture, n-mnist, events)\n',
  ),
  run(
    'an unknown key',
    { data: 'data: { format: image-folder, path: photos, limt: 3 }' },
    'error: x.yaml:2:45: data.limt: unknown key "limt"\n  did you mean "limit"? (one of: use, limit, labels, resize, format, path, usage, frames, by, values, convention, downsample, sensor)\n',
  ),
  run(
    'a YAML syntax error',
    { threat: 'threat: { norm: linf, eps: [1/255 }' },
    'error: x.yaml:3:35: this is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]\n  mend the line; indentation counts, and strings with ": " need quotes\n',
  ),
  run(
    'an output folder with something else in it',
    {},
    'error: the output folder "mine" is not empty and holds no run (notes.txt ...)\n  choose an empty or new folder with --out\n',
    {
      prepare: async (folder) => {
        await photos(folder);
        await mkdir(join(folder, 'mine'));
        await writeFile(join(folder, 'mine', 'notes.txt'), 'keep me');
      },
      args: ['run', 'x.yaml', '--out', 'mine'],
    },
  ),
  run(
    'a file in the way of the output folder',
    {},
    'error: "file/run" cannot be written: part of the path is a file\n  choose another place with --out\n',
    {
      prepare: async (folder) => {
        await photos(folder);
        await writeFile(join(folder, 'file'), '');
      },
      args: ['run', 'x.yaml', '--out', 'file/run'],
    },
  ),
  run(
    'a suite that needs more classes than the model has',
    { attacks: 'attacks: [noise, autoattack]' },
    'error: autoattack needs at least 4 classes, the model has 3: its targeted loss reads the four largest logits\n  use the suite worst-case, which chooses its losses by the number of classes\n',
  ),
  run(
    'a loss that needs more classes than the model has, on the command line',
    {},
    'error: apgd: the loss targeted needs at least 4 classes, the model has 3\n  use loss: targeted-margin\n',
    { args: ['attack', 'model.onnx', 'photos/sad/a.png', '--attack', 'apgd', '--eps', '1/255', '--set', 'loss=targeted'] },
  ),
  run(
    'a loss there is not: of all options only that one is explained',
    { attacks: 'attacks: [{ use: apgd, loss: hinge }]' },
    /^error: apgd: loss is "hinge", but must be one of: ce, dlr, targeted, margin, targeted-margin\n {2}loss: [^;]*\n$/,
  ),
  run(
    'a version for models that draw random numbers, on one that draws none',
    { attacks: 'attacks: [{ use: autoattack, version: rand }]', model: 'model: { use: face-api/expression }' },
    /^error: autoattack: version rand is for models that draw random numbers, this one draws none\n {2}use version standard\n$/,
  ),
  run(
    'images none of which can be used',
    {},
    'error: none of the 2 samples of photos can be used; the first: happy/a.png: it is 4x4, the model\'s input "image" is 8x8\n' +
      '  crop it to that size, or have it resized: --resize, or resize: bilinear under data: in the experiment\n',
    {
      prepare: async (folder) => {
        for (const label of ['happy', 'sad']) {
          await mkdir(join(folder, 'photos', label), { recursive: true });
          await writeFile(join(folder, 'photos', label, 'a.png'), await png(4));
        }
      },
    },
  ),
  run('a device the runtime was not built for', {}, /^error: --device: there is no device "abacus"\n {2}.*\bcpu\b.*\n$/, {
    args: ['run', 'x.yaml', '--device', 'abacus'],
  }),
  {
    what: 'a folder where a file is to be written',
    files: { 'model.onnx': model },
    prepare: async (folder) => {
      await mkdir(join(folder, 'there'));
    },
    args: ['gradient', 'model.onnx', '-o', 'there'],
    says: 'error: "there" cannot be written: a folder of that name is in the way\n  choose another place with --out\n',
  },
  {
    what: 'a path through a file',
    files: { 'model.onnx': model },
    args: ['predict', 'model.onnx', 'model.onnx/a.png'],
    says: /^error: the input "model\.onnx\/a\.png" cannot be read: ENOTDIR.*\n {2}check the path and the disk\n$/,
  },
  {
    what: 'a run record that is none',
    files: { 'run.json': 'null' },
    args: ['export', '.'],
    says: 'error: "run.json" is no run of provoke\n  name the folder a run was written to\n',
  },
  {
    what: 'a run record that is not JSON',
    files: { 'run.json': '{' },
    args: ['export', '.'],
    says: 'error: "run.json" is not readable as JSON\n  it was not written by provoke: choose another folder with --out\n',
  },
  run(
    "an output folder with somebody else's run.json",
    {},
    'error: "mine/run.json" is no run of provoke\n  it was not written by provoke: choose another folder with --out\n',
    {
      prepare: async (folder) => {
        await photos(folder);
        await mkdir(join(folder, 'mine'));
        await writeFile(join(folder, 'mine', 'run.json'), '{}');
      },
      args: ['run', 'x.yaml', '--out', 'mine', '--overwrite'],
    },
  ),
  {
    what: 'nothing to validate',
    args: ['validate'],
    says: 'error: validate needs a file\n  name an experiment file, a recipe or an ONNX model, or ask for --schema\n',
  },
  {
    what: 'an unknown command',
    args: ['runn'],
    says: 'error: unknown command \'runn\'\n  did you mean "run"? (one of: init, run, predict, attack, inspect, gradient, convert, validate, export, study, compare, synth, train, list, view)\n',
  },
];

describe('bad input ends with code 2, one clear message, and nothing half-written', () => {
  let parent = '';
  let ended: readonly (Ended & { readonly folder: string; readonly before: readonly string[] })[] = [];
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'provoke-test-'));
    const lines: (Line & { readonly before: readonly string[] })[] = [];
    for (const [i, { files = {}, prepare, args }] of cases.entries()) {
      const folder = join(parent, `${i}`);
      await mkdir(folder);
      for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
      await prepare?.(folder);
      lines.push({ args, cwd: folder, before: await readdir(folder, { recursive: true }) });
    }
    const all = await provokeInTurn(lines);
    ended = all.map((end, i) => ({ ...end, folder: lines[i]!.cwd, before: lines[i]!.before }));
  });
  afterAll(() => rm(parent, { recursive: true, force: true }));

  it.each(cases.map(({ what, says, keeps = false }, i) => ({ what, says, keeps, i })))('$what', async ({ says, keeps, i }) => {
    const { code, stderr, folder, before } = ended[i]!;
    const message = stderr.replaceAll(folder, 'DIR').replace(/^note: .*\n/gm, '');
    expect(message).toEqual(typeof says === 'string' ? says : expect.stringMatching(says));
    expect(code).toBe(2);
    const after = await readdir(folder, { recursive: true });
    // the folder of a run may be there; what is in it may not
    const allowed = keeps ? /^runs\b/ : /^runs(\/x)?$/;
    expect(after.filter((f) => !allowed.test(f) && !before.includes(f))).toEqual([]);
    expect(after.filter((f) => f.includes('.tmp'))).toEqual([]);
  });

  it('the process itself ends with that code', () =>
    inFolder(async (folder) => {
      expect((await provoke(['runn'], folder)).code).toBe(2);
    }));
});

describe('a folder that may not be written', () => {
  it.skipIf(process.getuid?.() === 0)('is refused by name', async () => {
    await inFolder(async (folder) => {
      await mkdir(join(folder, 'locked'));
      await chmod(join(folder, 'locked'), 0o500);
      await writeFile(join(folder, 'model.onnx'), model);
      await photos(folder);
      await writeFile(join(folder, 'x.yaml'), experiment());
      const { code, stderr } = await provoke(['run', 'x.yaml', '--out', 'locked/run'], folder);
      expect(stderr).toContain('cannot be written: permission denied');
      expect(code).toBe(2);
    });
  });
});
