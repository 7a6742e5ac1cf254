/** @file Models that crash the runtime, never end or eat memory: one clear error, or one sample lost, and everything else finished. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { type Defect, defectiveModel, defects } from '../app/cli/defective.ts';
import { linearImageModel } from '../app/cli/models.ts';
import { inFolder, provoke } from '../app/cli/provoke.ts';

const limits = ['--time-limit', '4', '--memory-limit', '700MB'];

/** What is said of each defect. A machine without the memory asked for refuses it itself. */
const reasons: Record<Defect, RegExp> = {
  crash: /a worker process ended by SIGFPE/,
  hang: /the time limit of 4 s was over before it answered/,
  'big tensor': /it took more memory than the limit of 700 MB|alloc/,
  'growing tensor': /it took more memory than the limit of 700 MB|alloc/,
};

/** A folder of `count` pictures, of which those in `bright` set the defects off. */
async function pictures(folder: string, count: number, bright: readonly number[]): Promise<void> {
  await mkdir(join(folder, 'photos', 'happy'), { recursive: true });
  for (let i = 0; i < count; i++) {
    const pixels = Uint8Array.from({ length: 192 }, (_, k) => (bright.includes(i) ? 250 : 100 + ((k * 31 * (i + 1)) % 56)));
    const picture = await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
      .png()
      .toBuffer();
    await writeFile(join(folder, 'photos', 'happy', `${i}.png`), picture);
  }
}

const experiment = (model: string, more: string): string =>
  ['model: { path: MODEL }', 'data: { format: image-folder, path: photos }', 'threat: { norm: linf, eps: [1/255, 2/255] }', more]
    .join('\n')
    .replace('MODEL', model);

async function rowsOf(run: string): Promise<Record<string, unknown>[]> {
  const bytes = await readFile(join(run, 'samples.parquet'));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return (await parquetReadObjects({ file })) as Record<string, unknown>[];
}

describe('a model that breaks down', () => {
  it.each(defects)('on one sample (%s) loses that sample alone, with the reason; the run goes on', (defect) =>
    inFolder(async (folder) => {
      await pictures(folder, 3, [1]);
      await writeFile(join(folder, 'model.onnx'), defectiveModel(defect));
      await writeFile(join(folder, 'x.yaml'), experiment('model.onnx', 'attacks: [noise]'));
      const { code, stdout, stderr } = await provoke(['run', 'x.yaml', ...limits], folder);
      expect(stderr).not.toContain('rror');
      expect(code).toBe(0);
      const rows = await rowsOf(join(folder, 'runs/x'));
      expect(rows).toHaveLength(6);
      const invalid = rows.filter((r) => r.status === 'invalid');
      expect(invalid.map((r) => r.sample)).toEqual(['happy/1.png', 'happy/1.png']);
      expect(invalid[0]!.reason).toMatch(reasons[defect]);
      expect(rows.filter((r) => r.status !== 'invalid').every((r) => r.cleanPrediction !== -1)).toBe(true);
      const { notes } = JSON.parse(await readFile(join(folder, 'runs/x/run.json'), 'utf8')) as { notes: string[] };
      expect(notes.join()).toContain('noise: 1 sample could not be judged');
      expect(notes.join()).toMatch(reasons[defect]);
      expect(stdout).toContain(`note: ${notes[0]}`);
      expect(await readFile(join(folder, 'runs/x/report.html'), 'utf8')).toContain('1 sample could not be judged');
      const left = await readdir(join(folder, 'runs/x'), { recursive: true });
      expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    }),
  );

  it.each(defects)('while it is opened (%s) is one error that names it, for inspect and run', (defect) =>
    inFolder(async (folder) => {
      await pictures(folder, 2, []);
      await writeFile(join(folder, 'bad.onnx'), defectiveModel(defect, -1));
      await writeFile(join(folder, 'x.yaml'), experiment('bad.onnx', 'attacks: [noise]'));
      for (const args of [
        ['inspect', 'bad.onnx'],
        ['run', 'x.yaml'],
      ]) {
        const { code, stdout, stderr } = await provoke([...args, ...limits], folder);
        expect(stderr).toMatch(/^error: [^\n]*\n {2}[^\n]*\n$/);
        expect(stderr).toMatch(/bad\.onnx|bad/);
        expect(stderr).toMatch(reasons[defect]);
        expect([code, stdout]).toEqual([2, '']);
      }
      expect(existsSync(join(folder, 'runs'))).toBe(false);
    }),
  );

  it.each([
    ['predict', ['predict', 'model.onnx', 'photos/happy/1.png']],
    ['attack', ['attack', 'model.onnx', 'photos/happy/1.png', '--attack', 'noise', '--eps', '1/255']],
  ])('under %s is one error that names it', (_, args) =>
    inFolder(async (folder) => {
      await pictures(folder, 2, [1]);
      await writeFile(join(folder, 'model.onnx'), defectiveModel('crash'));
      const { code, stdout, stderr } = await provoke(args, folder);
      expect(stderr).toMatch(/^error: the model "model.onnx" cannot be used[^\n]*ended by SIGFPE[^\n]*\n {2}[^\n]*\n$/);
      if (args[0] === 'attack') expect(stderr).toContain('(noise on photos/happy/1.png)');
      expect([code, stdout]).toEqual([2, '']);
    }),
  );

  it('is tried again by --resume under other limits, and not under the same', () =>
    inFolder(async (folder) => {
      await pictures(folder, 2, [1]);
      await writeFile(join(folder, 'model.onnx'), defectiveModel('big tensor'));
      await writeFile(join(folder, 'x.yaml'), experiment('model.onnx', 'attacks: [noise]\nlimits: { memory: 500MB }'));
      const resumed = async () =>
        (JSON.parse(await readFile(join(folder, 'runs/x/run.json'), 'utf8')) as { counts: { resumed: number } }).counts.resumed;
      expect((await provoke(['run', 'x.yaml'], folder)).code).toBe(0);
      expect((await provoke(['run', 'x.yaml', '--resume'], folder)).code).toBe(0);
      expect(await resumed()).toBe(1);
      expect((await provoke(['run', 'x.yaml', '--resume', '--memory-limit', '600MB'], folder)).code).toBe(0);
      expect(await resumed()).toBe(0);
    }));

  it.each(['SIGINT', 'SIGTERM'] as const)('and hangs ends with %s, and leaves no process behind', (signal) =>
    inFolder(async (folder) => {
      await pictures(folder, 1, [0]);
      await writeFile(join(folder, 'model.onnx'), defectiveModel('hang'));
      await writeFile(join(folder, 'x.yaml'), experiment('model.onnx', 'attacks: [noise]'));
      const launcher = fileURLToPath(new URL('../../bin/provoke.js', import.meta.url));
      // the children hold the pipe too: it closes when the last of them has gone
      const child = spawn(process.execPath, [launcher, 'run', 'x.yaml'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
      child.stderr.resume();
      const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
      while (!existsSync(join(folder, 'runs/x/adversarial')) && child.exitCode === null)
        await new Promise((r) => setTimeout(r, 20));
      child.kill(signal);
      expect(await closed).toBe(130);
    }),
  );
});

describe('limits', () => {
  it.each([
    [['--time-limit', 'long'], 'error: --time-limit: "long" is not a number of seconds\n'],
    [['--memory-limit', '5'], 'error: --memory-limit: "5" is not a size of memory\n'],
  ])('%s is refused', (flags, message) =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'model.onnx'), linearImageModel());
      const { code, stderr } = await provoke(['inspect', 'model.onnx', ...flags], folder);
      expect(stderr.startsWith(message)).toBe(true);
      expect(code).toBe(2);
    }),
  );

  it('of the experiment file are checked where they stand', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'x.yaml'), experiment('model.onnx', 'attacks: [noise]\nlimits: { memory: much }'));
      const { code, stderr } = await provoke(['run', 'x.yaml'], folder);
      expect(stderr).toContain('error: x.yaml:5:11: limits.memory: ');
      expect(code).toBe(2);
    }));
});
