import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inFolder, provoke, provokeInTurn } from './provoke.ts';
import { recipe, writeSequences } from './sequences.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const files = [
  'checkpoint.npz',
  'learning-curve.html',
  'model-card.md',
  'model.onnx',
  'model.yaml',
  'training.json',
  'weights.npz',
];

/** Starts a training, sends the signal once `ready`, and waits for the end. */
async function interrupted(folder: string, out: string, signal: NodeJS.Signals, ready: () => boolean) {
  const child = spawn(process.execPath, [join(root, 'bin/provoke.js'), 'train', 'x.yaml', '--out', out, '--threads', '1'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, CI: 'true' },
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  while (!ready() && child.exitCode === null) await sleep(2);
  child.kill(signal);
  return { code: await ended, pid: child.pid!, stderr };
}

const weights = (folder: string, out: string) => readFile(join(folder, out, 'weights.npz'));

describe('provoke train', () => {
  it('makes a model from the example recipe that provoke run accepts, and trains it again from its card', async () => {
    await inFolder(async (folder) => {
      const say = async (...args: string[]): Promise<string> => {
        const { code, stdout, stderr } = await provoke(args, folder);
        expect(code, stderr).toBe(0);
        return stdout;
      };
      await say('synth', 'sequences', '-o', 'seq', '--count', '600');
      const example = join(root, 'examples/training/sequences.yaml');
      const said = await say('train', example, '--data', 'seq', '--out', 'out', '--epochs', '6');
      expect(said).toMatch(/page: out\/learning-curve\.html\n$/);
      expect((await readdir(join(folder, 'out'))).sort()).toEqual(files);
      const record = JSON.parse(await readFile(join(folder, 'out/training.json'), 'utf8'));
      expect(record).toMatchObject({ state: 'finished', name: 'sequences', bestEpoch: expect.any(Number) });
      const test = record.provenance.evaluations.find((e: { split: string }) => e.split === 'test');
      const right = test.confusion.reduce((sum: number, row: number[], i: number) => sum + row[i]!, 0);
      // chance is one in six
      expect(right / test.n).toBeGreaterThan(0.5);
      expect(record.robustness.right).toBeLessThanOrEqual(record.robustness.clean);
      expect(record.robustness.clean).toBe(right);

      await writeFile(
        join(folder, 'attack.yaml'),
        [
          'model: { path: out/model.onnx }',
          'data: { format: sequences, path: seq, usage: test, limit: 8 }',
          'threat: { norm: linf, eps: 0.1 }',
          'attacks: [noise, pgd]',
        ].join('\n'),
      );
      const ran = await provoke(['run', 'attack.yaml', '--out', 'run'], folder);
      expect(ran.code, ran.stderr).toBe(0);
      // everything about the model is stated: nothing had to be inferred
      expect(ran.stderr).not.toContain('note:');

      await say('train', 'out/model-card.md', '--out', 'again');
      expect((await weights(folder, 'again')).equals(await weights(folder, 'out'))).toBe(true);
    });
  });

  it('goes on bit for bit after being killed, and clears away what was half written', async () => {
    await inFolder(async (folder) => {
      await writeSequences(join(folder, 'seq'));
      await writeFile(
        join(folder, 'x.yaml'),
        recipe({
          epochs: 'epochs: 12',
          defence: 'defence: { use: pgd-at, steps: 3 }',
          threat: 'threat: { norm: linf, eps: 0.1 }',
          augment: 'augment: [noise]',
          ema: 'ema: 0.9',
        }),
      );
      expect((await provoke(['train', 'x.yaml', '--out', 'whole', '--threads', '1'], folder)).code).toBe(0);
      const checkpoint = join(folder, 'out/checkpoint.npz');
      const { code, pid } = await interrupted(folder, 'out', 'SIGKILL', () => existsSync(checkpoint));
      expect(code).toBe(null);
      expect(existsSync(join(folder, 'out/model.onnx'))).toBe(false);
      const left = `weights.npz.${hostname()}.${pid}.tmp`;
      await writeFile(join(folder, 'out', left), 'half');
      const { code: ended, stderr } = await provoke(['train', 'x.yaml', '--out', 'out', '--threads', '1', '--resume'], folder);
      expect(ended, stderr).toBe(0);
      expect((await readdir(join(folder, 'out'))).sort()).toEqual(files);
      expect((await weights(folder, 'out')).equals(await weights(folder, 'whole'))).toBe(true);
    });
  });

  it('keeps a checkpoint on Ctrl-C and says how to go on', async () => {
    await inFolder(async (folder) => {
      await writeSequences(join(folder, 'seq'));
      await writeFile(join(folder, 'x.yaml'), recipe({ epochs: 'epochs: 500' }));
      const checkpoint = join(folder, 'out/checkpoint.npz');
      const { code, stderr } = await interrupted(folder, 'out', 'SIGINT', () => existsSync(checkpoint));
      expect(code).toBe(130);
      expect(stderr).toContain('interrupted: go on with: provoke train x.yaml --out out --threads 1 --resume\n');
      expect(existsSync(checkpoint)).toBe(true);
    });
  });

  it('says in one line, before it trains, what is not as it was when the card was written', async () => {
    await inFolder(async (folder) => {
      await writeSequences(join(folder, 'seq'));
      await writeFile(join(folder, 'x.yaml'), recipe({ epochs: 'epochs: 1' }));
      expect((await provoke(['train', 'x.yaml', '--out', 'out', '--threads', '1'], folder)).code).toBe(0);
      const path = join(folder, 'out/model-card.md');
      const card = await readFile(path, 'utf8');
      const said = async (...args: string[]): Promise<string[]> => {
        const { code, stderr } = await provoke(['train', 'out/model-card.md', '--dry-run', ...args], folder);
        expect(code, stderr).toBe(0);
        return stderr.split('\n').filter((line) => line.includes('card'));
      };
      expect(await said()).toEqual([]);
      const older = card.replace(/^( +onnxruntime: ).*$/m, '$11.2.3').replace(/^( +optimization: ).*$/m, '$1basic');
      expect(older).not.toBe(card);
      await writeFile(path, older);
      expect(await said('--threads', '2')).toEqual([
        expect.stringMatching(
          /^note: not as when the card was written, so the weights may differ in their last bits: onnxruntime: \d\S* here, 1\.2\.3 in the card; threads: 2 here, 1 in the card; optimization: all here, basic in the card$/,
        ),
      ]);
    });
  });

  it('says where the options of what is listed are explained, and what a defence needs', async () => {
    await inFolder(async (folder) => {
      const explained = ['architectures', 'optimisers', 'schedules', 'augmentations', 'defences'];
      const ended = await provokeInTurn(
        [...explained, 'defences --json'].map((what) => ({ args: ['list', ...what.split(' ')], cwd: folder })),
      );
      const said = ended.map(({ stdout }) => stdout);
      for (const text of said.slice(0, 5)) expect(text).toContain('\n\nwhat the options mean: docs/training.md');
      expect(said[4]).toContain('against what, e.g. threat: { norm: linf, eps: 8/255 }\n');
      expect(JSON.parse(said[5]!)).toHaveLength(6);
    });
  });

  it('prints the record as JSON, and what a training would take', async () => {
    await inFolder(async (folder) => {
      await writeSequences(join(folder, 'seq'));
      await writeFile(join(folder, 'x.yaml'), recipe({ schedule: 'schedule: { use: cosine, warmup: 0.1 }' }));
      const dry = await provoke(['train', 'x.yaml', '--dry-run'], folder);
      expect(dry.stdout).toContain('train: seq (train), 48 samples (left 16, right 16, still 16)\n');
      expect(dry.stdout).toContain('3 epochs of 3 steps of 16 samples: 9 steps\n');
      expect(existsSync(join(folder, 'models'))).toBe(false);
      const { code, stdout } = await provoke(['train', 'x.yaml', '--json', '--epochs', '1'], folder);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ name: 'tiny', recipe: { epochs: 1, schedule: { use: 'cosine', warmup: 0.1 } } });
      expect(existsSync(join(folder, 'models/tiny/model.onnx'))).toBe(true);
      expect((await provoke(['validate', 'x.yaml'], folder)).stdout).toContain(
        'x.yaml: valid; sequence-cnn with 3 classes, adamw, 3 epochs, standard training; its data',
      );
      await writeFile(join(folder, 'y.yaml'), recipe({ defence: 'defence: trades', threat: 'threat: { eps: 0.1 }' }));
      expect((await provoke(['validate', 'y.yaml'], folder)).stdout).toContain('3 epochs, defence trades; its data');
      const schema = JSON.parse((await provoke(['validate', '--schema', 'recipe'], folder)).stdout);
      expect(Object.keys(schema.properties)).toContain('optimiser');
    });
  });
});
