import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import { closestAttack } from './closest.ts';
import { linearImageModel } from './models.ts';
import { inFolder, provoke, provokeInTurn } from './provoke.ts';

/** A folder with a model, `count` random images in two class folders, and an experiment of three attacks. */
async function project(
  folder: string,
  count: number,
  more = 'attacks: [noise, fgsm, { use: pgd, steps: 5, restarts: 2 }]',
): Promise<void> {
  await writeFile(join(folder, 'model.onnx'), linearImageModel());
  for (let i = 0; i < count; i++) {
    const label = ['happy', 'sad'][i % 2]!;
    const random = stream(7, i);
    await mkdir(join(folder, 'photos', label), { recursive: true });
    const pixels = Uint8Array.from({ length: 192 }, () => 100 + random.integer(56));
    await writeFile(
      join(folder, 'photos', label, `${i}.png`),
      await sharp(pixels, { raw: { width: 8, height: 8, channels: 3 } })
        .png()
        .toBuffer(),
    );
  }
  const lines = [
    'model: { path: model.onnx }',
    'data: { format: image-folder, path: photos }',
    'threat: { norm: linf, eps: [1/255, 4/255, 16/255] }',
    more,
  ];
  await writeFile(join(folder, 'x.yaml'), lines.join('\n'));
}

type Line = Record<string, unknown>;

/** The table of a run without what may differ between two runs of the same experiment. */
async function rowsOf(run: string): Promise<Line[]> {
  const bytes = await readFile(join(run, 'samples.parquet'));
  const rows = (await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
  })) as Line[];
  return rows.map(({ seconds: _, ...row }) => row);
}

async function examplesOf(run: string): Promise<Record<string, string>> {
  const files = (await readdir(join(run, 'adversarial'))).sort();
  const hashes = await Promise.all(
    files.map(async (f) =>
      createHash('sha256')
        .update(await readFile(join(run, 'adversarial', f)))
        .digest('hex'),
    ),
  );
  return Object.fromEntries(files.map((f, i) => [f, hashes[i]!]));
}

interface Record_ {
  readonly state: string;
  readonly counts: { readonly samples: number; readonly problems: number; readonly units: number; readonly resumed: number };
  readonly problems: readonly { item: string; reason: string }[];
  readonly summary: {
    readonly n: number;
    readonly cells: readonly { attack: string; success: number; failure: number; robustAccuracy: number }[];
    readonly worstCase: readonly { robustAccuracy: number }[];
  };
}
const recordOf = async (run: string): Promise<Record_> => JSON.parse(await readFile(join(run, 'run.json'), 'utf8')) as Record_;

describe('provoke run', () => {
  it('attacks, writes tables and a report, and ends with its path; a corrupt image is named and the rest goes on', async () => {
    await inFolder(async (folder) => {
      await project(folder, 8);
      await writeFile(join(folder, 'photos', 'sad', 'broken.png'), 'not a picture');
      const { code, stdout, stderr } = await provoke(['run', 'x.yaml'], folder);
      expect(stderr).not.toContain('error');
      expect(code).toBe(0);
      expect(stdout.trimEnd().split('\n').at(-1)).toBe('report: runs/x/report.html');
      expect(stdout).toContain('1 samples could not be used:');
      const record = await recordOf(join(folder, 'runs/x'));
      expect(record.counts).toMatchObject({ samples: 8, problems: 1 });
      expect(record.problems[0]!.item).toContain('broken.png');
      expect(record.summary.cells).toHaveLength(9);
      const rows = await rowsOf(join(folder, 'runs/x'));
      expect(rows).toHaveLength(8 * 9);
      for (const row of rows.filter((r) => r.status === 'success'))
        expect(existsSync(join(folder, 'runs/x', row.example as string))).toBe(true);
    });
  });

  it('takes links to pictures for pictures', async () => {
    await inFolder(async (folder) => {
      await project(folder, 2, 'attacks: [noise]');
      await symlink(join(folder, 'photos/happy/0.png'), join(folder, 'photos/happy/link.png'));
      await symlink(join(folder, 'nowhere.png'), join(folder, 'photos/happy/dangling.png'));
      expect((await provoke(['run', 'x.yaml'], folder)).code).toBe(0);
      expect((await recordOf(join(folder, 'runs/x'))).counts).toMatchObject({ samples: 3, problems: 0 });
    });
  });

  it('keeps the run that is there: refuses without --resume, refuses another experiment, replaces with --overwrite', async () => {
    await inFolder(async (folder) => {
      await project(folder, 4, 'attacks: [noise]');
      expect((await provoke(['run', 'x.yaml'], folder)).code).toBe(0);
      const again = await provoke(['run', 'x.yaml'], folder);
      expect(again.code).toBe(2);
      expect(again.stderr).toContain(
        'error: the output folder "runs/x" holds a run of this experiment already\n  continue it with --resume, or replace it with --overwrite\n',
      );
      expect((await provoke(['run', 'x.yaml', '--resume'], folder)).code).toBe(0);
      expect((await recordOf(join(folder, 'runs/x'))).counts.resumed).toBe(1);
      await writeFile(join(folder, 'x.yaml'), `${await readFile(join(folder, 'x.yaml'), 'utf8')}\nseed: 5\n`);
      const before = await readFile(join(folder, 'runs/x/run.json'), 'utf8');
      const other = await provoke(['run', 'x.yaml', '--resume'], folder);
      expect(other.code).toBe(2);
      expect(other.stderr).toContain(`error: the output folder "runs/x" holds another experiment's run`);
      expect(await readFile(join(folder, 'runs/x/run.json'), 'utf8')).toBe(before);
      expect((await provoke(['run', 'x.yaml', '--overwrite'], folder)).code).toBe(0);
    });
  });

  it('gives the same rows and the same examples for 1 and 2 threads, 2 workers with batch 7, batch 1, and two shards', async () => {
    await inFolder(async (folder) => {
      await project(folder, 20, 'attacks: [noise, fgsm, { use: pgd, steps: 5, restarts: 2 }, { use: ./closest.mjs }]');
      await writeFile(join(folder, 'closest.mjs'), closestAttack);
      const base = await readFile(join(folder, 'x.yaml'), 'utf8');
      await writeFile(join(folder, 'b1.yaml'), `${base}\nbatch: 1\n`);
      await writeFile(join(folder, 'b7.yaml'), `${base}\nbatch: 7\n`);
      const lines = [
        'x.yaml --out one --threads 1',
        'x.yaml --out two-threads --threads 2',
        'b7.yaml --out two-workers --workers 2',
        'b1.yaml --out batch-1',
        'x.yaml --out shards --shard 1/2',
      ];
      const ended = await provokeInTurn(lines.map((line) => ({ args: ['run', ...line.split(' ')], cwd: folder })));
      expect(ended.map(({ code }) => code)).toEqual(lines.map(() => 0));
      expect((await recordOf(join(folder, 'shards'))).state).toBe('partial');
      expect((await provoke(['run', 'x.yaml', '--shard', '2/2', '--resume', '--out', 'shards'], folder)).code).toBe(0);
      const [rows, examples] = [await rowsOf(join(folder, 'one')), await examplesOf(join(folder, 'one'))];
      expect(Object.keys(examples).length).toBeGreaterThan(20);
      for (const name of ['two-threads', 'two-workers', 'batch-1', 'shards']) {
        expect(await rowsOf(join(folder, name)), name).toEqual(rows);
        expect(await examplesOf(join(folder, name)), name).toEqual(examples);
      }
    });
  });

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'after %s in mid-run, --resume ends with the same rows except seconds',
    async (signal) => {
      await inFolder(async (folder) => {
        const minimal = '{ use: fmn, steps: 10 }';
        const suite = '{ use: worst-case, steps: 4, targets: 2, queries: 20 }';
        await project(folder, 64, `attacks: [${minimal}, { use: ./held.mjs }, ${suite}, { use: pgd, steps: 5, restarts: 2 }]`);
        const gate = join(folder, 'gate');
        await writeFile(join(folder, 'held.mjs'), heldAttack(gate));
        expect((await provoke(['run', 'x.yaml', '--out', 'whole'], folder)).code).toBe(0);
        await writeFile(gate, '');
        const code = await stopAfterFirstUnit(folder, signal);
        await rm(gate);
        if (signal === 'SIGINT') expect(code).toBe(130);
        expect(existsSync(join(folder, 'broken/samples.parquet'))).toBe(false);
        const { code: resumedCode } = await provoke(['run', 'x.yaml', '--out', 'broken', '--resume'], folder);
        expect(resumedCode).toBe(0);
        const record = await recordOf(join(folder, 'broken'));
        expect(record.counts.resumed).toBeGreaterThan(0);
        expect(record.counts.resumed).toBeLessThan(record.counts.units);
        expect(await rowsOf(join(folder, 'broken'))).toEqual(await rowsOf(join(folder, 'whole')));
        expect(await examplesOf(join(folder, 'broken'))).toEqual(await examplesOf(join(folder, 'whole')));
      });
    },
  );

  it('a run directory of another format is neither resumed nor read, and that is said', async () => {
    await inFolder(async (folder) => {
      await project(folder, 2, 'attacks: [noise]');
      await mkdir(join(folder, 'old', 'units'), { recursive: true });
      await writeFile(join(folder, 'old', 'run.json'), JSON.stringify({ format: 1, identity: 'a', state: 'finished' }));
      for (const args of [
        ['run', 'x.yaml', '--out', 'old', '--resume'],
        ['export', 'old', '--jsonl'],
        ['compare', 'old', 'old', '--attack', 'noise', '--attack', 'pgd'],
      ]) {
        const { code, stderr } = await provoke(args, folder);
        expect(code, args[0]).toBe(2);
        expect(stderr, args[0]).toMatch(
          /^error: .*old.* format 1, this provoke (reads|writes) 2\n {2}.*version of provoke that wrote it/m,
        );
      }
      expect((await provoke(['run', 'x.yaml', '--out', 'old', '--overwrite'], folder)).code).toBe(0);
    });
  });

  it('a sample that takes its worker process down becomes invalid with the reason, the others are judged', async () => {
    await inFolder(async (folder) => {
      await project(folder, 5, 'attacks: [noise]');
      expect((await provoke(['run', 'x.yaml', '--out', 'noise'], folder)).code).toBe(0);
      const victim = (await rowsOf(join(folder, 'noise'))).find((r) => r.status !== 'skipped')!.sample as string;
      const text = await readFile(join(folder, 'x.yaml'), 'utf8');
      await writeFile(join(folder, 'x.yaml'), text.replace('[noise]', '[{ use: ./crash.mjs }]'));
      await writeFile(
        join(folder, 'crash.mjs'),
        `export default {
          name: 'crash', title: 'ends the process on one sample', needs: 'none', kind: 'bounded', norms: ['linf'], modalities: 'any', targeted: false,
          defaults: {}, about: {}, paper: '', passes: () => ({ forwards: 0, backwards: 0 }),
          run: async ({ batch }) => {
            if (batch.some((s) => s.id === '${victim}')) process.exit(9);
            return batch.map(() => ({ status: 'failure' }));
          },
        };`,
      );
      const { code, stderr } = await provoke(['run', 'x.yaml', '--workers', '2'], folder);
      expect(stderr).not.toContain('error');
      expect(code).toBe(0);
      const rows = await rowsOf(join(folder, 'runs/x'));
      expect(rows).toHaveLength(15);
      const invalid = rows.filter((r) => r.status === 'invalid');
      expect(invalid).toHaveLength(3);
      expect(new Set(invalid.map((r) => r.reason))).toEqual(new Set(['a worker process ended with code 9']));
      expect(new Set(invalid.map((r) => r.sample))).toEqual(new Set([victim]));
    });
  });

  it('after SIGINT the workers end without a word, and leave nobody behind', async () => {
    await inFolder(async (folder) => {
      await project(folder, 40, 'attacks: [{ use: pgd, steps: 3000, restarts: 4, earlyStop: false }]');
      const { code, stderr } = await stopAfterFirstExample(folder, ['--workers', '2']);
      expect(code).toBe(130);
      expect(
        stderr
          .replace(/^note: .*\n/gm, '')
          .trim()
          .split('\n'),
      ).toEqual([
        'stopping after the current pass (again to stop at once)',
        'interrupted: finished units are kept in broken; go on with: provoke run x.yaml --out broken --resume',
      ]);
    });
  });

  it('--dry-run writes nothing; --fail-under ends with 100; --json prints the summary', async () => {
    await inFolder(async (folder) => {
      await project(folder, 6);
      const dry = await provoke(['run', 'x.yaml', '--dry-run'], folder);
      expect(dry.code).toBe(0);
      expect(dry.stdout).toContain('6 samples, 3 budgets, 3 units');
      expect(existsSync(join(folder, 'runs'))).toBe(false);
      const run = await provoke(['run', 'x.yaml', '--fail-under', '100', '--json'], folder);
      expect(run.code).toBe(100);
      expect(run.stderr).toContain('report: runs/x/report.html\n');
      const summary = JSON.parse(run.stdout) as Record_['summary'];
      expect(summary).toEqual((await recordOf(join(folder, 'runs/x'))).summary);
    });
  });

  it('--fail-under passes nothing that could not be judged, and waits for the last shard', async () => {
    await inFolder(async (folder) => {
      await project(folder, 4, 'attacks: [{ use: ./none.mjs }, { use: ./none.mjs }]');
      await writeFile(
        join(folder, 'none.mjs'),
        `export default {
          name: 'none', title: 'judges nothing', needs: 'none', kind: 'bounded', norms: ['linf'], modalities: 'any', targeted: false,
          defaults: {}, about: {}, paper: '', passes: () => ({ forwards: 0, backwards: 0 }),
          run: async ({ batch }) => batch.map(() => ({ status: 'invalid', reason: 'on purpose' })),
        };`,
      );
      await writeFile(
        join(folder, 'x.yaml'),
        (await readFile(join(folder, 'x.yaml'), 'utf8')).replace('path: photos', 'path: flat'),
      );
      await mkdir(join(folder, 'flat'));
      for (const [i, label] of ['happy', 'sad'].entries())
        await writeFile(join(folder, 'flat', `${i}.png`), await readFile(join(folder, 'photos', label, `${i}.png`)));
      const shard = await provoke(['run', 'x.yaml', '--fail-under', '10', '--shard', '1/2'], folder);
      expect(shard.stderr).toContain('note: --fail-under is judged when the last shard is in, this run is partial\n');
      expect(shard.code).toBe(0);
      const whole = await provoke(['run', 'x.yaml', '--fail-under', '10', '--shard', '2/2', '--resume'], folder);
      expect(whole.stdout).toContain('2 samples, clean agreement 100%');
      expect(whole.stdout).not.toContain('NaN');
      expect(whole.code).toBe(100);
    });
  });
});

/** An attack that finds nothing, and not before the file is gone: however slow the machine, the run it is in does not end by itself. */
const heldAttack = (gate: string): string => `import { existsSync } from 'node:fs';
  export default {
    name: 'held', title: 'waits', needs: 'none', kind: 'bounded', norms: ['linf'], modalities: 'any', targeted: false,
    defaults: {}, about: {}, paper: '', passes: () => ({ forwards: 0, backwards: 0 }),
    run: async ({ batch, signal }) => {
      while (existsSync(${JSON.stringify(gate)})) {
        signal.throwIfAborted();
        await new Promise((r) => setTimeout(r, 10));
      }
      return batch.map(() => ({ status: 'failure' }));
    },
  };`;

/** Starts a run, sends the signal when the first unit file is there, and waits for the end. */
async function stopAfterFirstUnit(folder: string, signal: NodeJS.Signals): Promise<number | null> {
  const launcher = fileURLToPath(new URL('../../../bin/provoke.js', import.meta.url));
  const child = spawn(process.execPath, [launcher, 'run', 'x.yaml', '--out', 'broken'], { cwd: folder, stdio: 'ignore' });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const units = join(folder, 'broken/units');
  while (!existsSync(units) || (await readdir(units)).filter((f) => f.endsWith('.json')).length === 0)
    await new Promise((r) => setTimeout(r, 5));
  child.kill(signal);
  return ended;
}

/** Starts a run, sends SIGINT to it when the first example is there, and waits until its workers have closed its stderr too. */
async function stopAfterFirstExample(folder: string, args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const launcher = fileURLToPath(new URL('../../../bin/provoke.js', import.meta.url));
  const child = spawn(process.execPath, [launcher, 'run', 'x.yaml', '--out', 'broken', ...args], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  while (!existsSync(join(folder, 'broken/adversarial'))) await new Promise((r) => setTimeout(r, 5));
  await new Promise((r) => setTimeout(r, 500));
  child.kill('SIGINT');
  return { code: await ended, stderr };
}
