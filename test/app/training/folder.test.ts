/** The folder of a training: what is in it and was not written by this training stays. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files, openFolder } from '../../../src/app/training/folder.ts';
import { inFolder } from '../cli/provoke.ts';

const plain = { resume: false, overwrite: false, threads: 1 };

const record = (folder: string, more: object): Promise<void> =>
  writeFile(
    join(folder, files.record),
    JSON.stringify({ format: 1, identity: 'a', state: 'finished', settings: { threads: 1 }, ...more }),
  );

describe('the folder of a training', () => {
  it.each(['model.onnx', 'model.yaml', 'weights.npz', 'notes.txt'])('keeps a %s that no training wrote', async (name) => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, name), 'mine');
      for (const options of [plain, { ...plain, resume: true }, { ...plain, overwrite: true }])
        await expect(openFolder(folder, 'a', options)).rejects.toThrow(/is not empty and holds no training/);
      expect(await readFile(join(folder, name), 'utf8')).toBe('mine');
      expect(await readdir(folder)).toEqual([name]);
    });
  });

  it('keeps a finished model whose checkpoint was removed', async () => {
    await inFolder(async (folder) => {
      await record(folder, {});
      await writeFile(join(folder, files.model), 'a model');
      await expect(openFolder(folder, 'a', plain)).rejects.toThrow(/holds a training of this recipe already/);
      await expect(openFolder(folder, 'b', plain)).rejects.toThrow(/another recipe/);
      await expect(openFolder(folder, 'a', { ...plain, resume: true })).rejects.toThrow(/checkpoint\.npz is gone/);
      expect(await readFile(join(folder, files.model), 'utf8')).toBe('a model');
      await openFolder(folder, 'b', { ...plain, overwrite: true });
      expect(existsSync(join(folder, files.model))).toBe(false);
    });
  });

  it('replaces a training of another format with --overwrite, as the refusal says', async () => {
    await inFolder(async (folder) => {
      await record(folder, { format: 99 });
      await writeFile(join(folder, files.checkpoint), '');
      await expect(openFolder(folder, 'a', plain)).rejects.toMatchObject({ remedy: expect.stringContaining('--overwrite') });
      await openFolder(folder, 'a', { ...plain, overwrite: true });
      expect(existsSync(join(folder, files.checkpoint))).toBe(false);
    });
  });

  it('begins anew where a training ended before its first checkpoint', async () => {
    await inFolder(async (folder) => {
      await (await openFolder(folder, 'a', plain)).release();
      await (await openFolder(folder, 'b', plain)).release();
      expect(JSON.parse(await readFile(join(folder, files.record), 'utf8'))).toMatchObject({ identity: 'b', state: 'running' });
    });
  });

  it('is for one process at a time, and free again when that has ended', async () => {
    await inFolder(async (folder) => {
      const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      const ended = new Promise((resolve) => other.once('close', resolve));
      try {
        await writeFile(join(folder, `in-use.${hostname()}.${other.pid}.tmp`), '');
        for (const options of [plain, { ...plain, resume: true }, { ...plain, overwrite: true }])
          await expect(openFolder(folder, 'a', options)).rejects.toThrow(`process ${other.pid} is writing to the folder`);
        expect(existsSync(join(folder, files.record))).toBe(false);
      } finally {
        other.kill();
        await ended;
      }
      const opened = await openFolder(folder, 'a', plain);
      expect((await readdir(folder)).sort()).toEqual([`in-use.${hostname()}.${process.pid}.tmp`, files.record]);
      await opened.release();
      expect(await readdir(folder)).toEqual([files.record]);
    });
  });
});
