/** Minimum-norm attacks and the query limit through `provoke run`, from the file to the table. */
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../src/app/experiment/results.ts';
import type { Row } from '../../../src/kit/record/row.ts';
import { closestAttack } from './closest.ts';
import { inFolder, provoke } from './provoke.ts';
import { writeStreams } from './streams.ts';

const oneNorm = 'threat: { rgb: { norm: l2, eps: [0.05, 0.2, 0.8] }, skeleton: { norm: l2, eps: [0.1, 0.4, 1.6] } }';

type Line = Record<string, unknown>;
async function tableOf(run: string): Promise<Line[]> {
  const bytes = await readFile(join(run, 'samples.parquet'));
  const rows = (await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
  })) as Line[];
  return rows.map(({ seconds: _, ...row }) => row);
}

async function rowsOf(run: string, folder: string): Promise<Row[]> {
  const { stdout } = await provoke(['export', run, '--jsonl'], folder);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

describe('a minimum-norm attack over two inputs', () => {
  it('gives the same table in one process, in two workers, in batches of 1 and in two shards with resume; distances are those of all budgets', () =>
    inFolder(async (folder) => {
      await writeStreams(folder, [oneNorm, 'attacks: [{ use: ./closest.mjs }]']);
      await writeFile(join(folder, 'closest.mjs'), closestAttack);
      await writeFile(join(folder, 'b1.yaml'), `${await readFile(join(folder, 'x.yaml'), 'utf8')}batch: 1\n`);
      const dry = await provoke(['run', 'x.yaml', '--dry-run'], folder);
      // 20 samples: the clean pass, 22 forwards of the attack once, the example as proposed, and at three budgets 20 lengths and a last look
      expect(dry.stdout).toMatch(new RegExp(`closest +2 +${20 * (1 + 22 + 1 + 3 * 21)} +20 `));
      for (const [name, ...args] of [
        ['one', 'x.yaml'],
        ['workers', 'x.yaml', '--workers', '2'],
        ['batch', 'b1.yaml'],
        ['shards', 'x.yaml', '--shard', '1/2'],
        ['shards', 'x.yaml', '--shard', '2/2', '--resume'],
      ]) {
        const { code, stderr } = await provoke(['run', ...args, '--out', name!], folder);
        expect(code, `${name}: ${stderr}`).toBe(0);
      }
      const table = await tableOf(join(folder, 'one'));
      for (const name of ['workers', 'batch', 'shards']) expect(await tableOf(join(folder, name)), name).toEqual(table);
      const rows = await rowsOf('one', folder);
      expect(rows).toHaveLength(60);
      const found = rows.filter((row) => row.distance !== null);
      expect(found.length).toBeGreaterThan(30);
      for (const row of found) {
        const again = table.find((line) => line.sample === row.sample && line.eps === JSON.stringify(row.eps))!;
        expect(again.distance).toBe(row.distance);
        expect(again.foundAt).toBe(2);
        expect(row.floatSuccess).toBe(
          row.distance! <= Math.hypot(row.eps.rgb!, row.eps.skeleton! / 2) * (1 + 1e-6) && row.floatSuccess,
        );
        if (row.status === 'success')
          for (const name of ['rgb', 'skeleton']) expect(row.norms[name]!.l2).toBeLessThanOrEqual(row.eps[name]! * (1 + 2e-6));
      }
      expect(new Set(rows.map((row) => row.status))).toEqual(new Set(['success', 'failure']));
      const costs = rows.map((row) => [row.eps.rgb, row.queries > 0, row.trace !== undefined]);
      expect(costs.filter(([eps]) => eps === 0.05).every(([, queries, trace]) => queries && trace)).toBe(true);
      expect(costs.filter(([eps]) => eps !== 0.05).some(([, queries, trace]) => queries || trace)).toBe(false);
    }));

  it('is refused before the run where their norms differ', () =>
    inFolder(async (folder) => {
      const threat = 'threat: { rgb: { norm: linf, eps: 8/255 }, skeleton: { norm: l2, eps: 0.4 } }';
      await writeStreams(folder, [threat, 'attacks: [{ use: ./closest.mjs }]']);
      await writeFile(join(folder, 'closest.mjs'), closestAttack);
      for (const command of ['validate', 'run']) {
        const { code, stderr } = await provoke([command, 'x.yaml'], folder);
        expect(code).toBe(2);
        expect(stderr).toContain(
          'error: attack closest looks for the smallest change over all inputs, which needs one norm: "rgb" has linf, "skeleton" has l2\n  give all inputs one norm, or choose a bounded attack: provoke list attacks\n',
        );
      }
    }));
});

describe('queries: N', () => {
  it('is a ceiling of every attack at every budget, is recorded, and makes another experiment', () =>
    inFolder(async (folder) => {
      await writeStreams(folder, [oneNorm, 'attacks: [{ use: pgd, steps: 20, restarts: 3, earlyStop: false }]']);
      expect((await provoke(['run', 'x.yaml', '--out', 'free'], folder)).code).toBe(0);
      expect(Math.max(...(await rowsOf('free', folder)).map((row) => row.queries))).toBeGreaterThan(7);
      await appendFile(join(folder, 'x.yaml'), 'queries: 7\n');
      expect((await provoke(['run', 'x.yaml', '--out', 'free', '--resume'], folder)).stderr).toContain(
        "another experiment's run",
      );
      expect((await provoke(['run', 'x.yaml', '--out', 'held'], folder)).code).toBe(0);
      const queries = (await rowsOf('held', folder)).map((row) => row.queries);
      expect(Math.max(...queries)).toBeLessThanOrEqual(7);
      expect(Math.max(...queries)).toBeGreaterThan(3);
      const record = JSON.parse(await readFile(join(folder, 'held/run.json'), 'utf8')) as RunRecord;
      expect(record.experiment.queries).toBe(7);
      const dry = await provoke(['run', 'x.yaml', '--dry-run'], folder);
      expect(dry.stdout).toMatch(new RegExp(`pgd +2 +${20 * (1 + 3 * (7 + 3))} +${20 * 3 * 7} `));
      const bad = (await readFile(join(folder, 'x.yaml'), 'utf8')).replace('queries: 7', 'queries: 0');
      await writeFile(join(folder, 'bad.yaml'), bad);
      expect((await provoke(['validate', 'bad.yaml'], folder)).stderr).toContain('queries');
    }));
});
