import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sweepOrphans } from '../../../src/app/host/files.ts';

it('removes what a dead process of this machine had begun to write, and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'provoke-orphans-'));
  try {
    const { pid: dead } = spawnSync(process.execPath, ['-e', '0']);
    const here = hostname();
    const left = [`b.png.${here}.${process.pid}.tmp`, `c.png.elsewhere.${dead}.tmp`, 'd.tmp', 'e.png'];
    for (const name of [`a.png.${here}.${dead}.tmp`, ...left]) await writeFile(join(folder, name), '');
    await sweepOrphans(folder);
    expect((await readdir(folder)).sort()).toEqual(left);
  } finally {
    await rm(folder, { recursive: true });
  }
});
