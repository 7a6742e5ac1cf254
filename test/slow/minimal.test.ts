/** Minimum-norm attacks and the query limit through `provoke run`, from the file to the table. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/app/experiment/results.ts';
import type { Row } from '../../src/kit/record/row.ts';
import { closestAttack } from '../app/cli/closest.ts';
import { type Ended, inFolder, provokeInTurn } from '../app/cli/provoke.ts';
import { writeStreams } from '../app/cli/streams.ts';

const oneNorm = 'threat: { rgb: { norm: l2, eps: [0.05, 0.2, 0.8] }, skeleton: { norm: l2, eps: [0.1, 0.4, 1.6] } }';

type Line = Record<string, unknown>;
async function tableOf(run: string): Promise<Line[]> {
  const bytes = await readFile(join(run, 'samples.parquet'));
  const rows = (await parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
  })) as Line[];
  return rows.map(({ seconds: _, ...row }) => row);
}

const rowsIn = (jsonl: string): Row[] =>
  jsonl
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

describe('a minimum-norm attack over two inputs', () => {
  it('gives the same table in one process, in two workers, in batches of 1 and in two shards with resume; distances are those of all budgets', () =>
    inFolder(async (folder) => {
      await writeStreams(folder, [oneNorm, 'attacks: [{ use: ./closest.mjs }]']);
      await writeFile(join(folder, 'closest.mjs'), closestAttack);
      await writeFile(join(folder, 'b1.yaml'), `${await readFile(join(folder, 'x.yaml'), 'utf8')}batch: 1\n`);
      const lines = [
        'run x.yaml --dry-run',
        'run x.yaml --out one',
        'run x.yaml --out workers --workers 2',
        'run b1.yaml --out batch',
        'run x.yaml --out shards --shard 1/2',
        'run x.yaml --out shards --shard 2/2 --resume',
        'export one --jsonl',
      ];
      const ended = await provokeInTurn(lines.map((line) => ({ args: line.split(' '), cwd: folder })));
      for (const [i, { code, stderr }] of ended.entries()) expect(code, `${lines[i]}: ${stderr}`).toBe(0);
      // 20 samples: the clean pass, 22 forwards of the attack once, the example as proposed, and at three budgets 20 lengths and a last look
      expect(ended[0]!.stdout).toMatch(new RegExp(`closest +2 +${20 * (1 + 22 + 1 + 3 * 21)} +20 `));
      const table = await tableOf(join(folder, 'one'));
      for (const name of ['workers', 'batch', 'shards']) expect(await tableOf(join(folder, name)), name).toEqual(table);
      const rows = rowsIn(ended[6]!.stdout);
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
      for (const { code, stderr } of await provokeInTurn(
        ['validate', 'run'].map((command) => ({ args: [command, 'x.yaml'], cwd: folder })),
      )) {
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
      const inTurn = (...lines: string[]) => provokeInTurn(lines.map((line) => ({ args: line.split(' '), cwd: folder })));
      const queriesOf = ({ stdout }: Ended) => rowsIn(stdout).map((row) => row.queries);
      const [free, table] = await inTurn('run x.yaml --out free', 'export free --jsonl');
      expect(free!.code).toBe(0);
      expect(Math.max(...queriesOf(table!))).toBeGreaterThan(7);
      const text = await readFile(join(folder, 'x.yaml'), 'utf8');
      await writeFile(join(folder, 'x.yaml'), `${text}queries: 7\n`);
      await writeFile(join(folder, 'bad.yaml'), `${text}queries: 0\n`);
      const [other, ran, exported, dry, bad] = await inTurn(
        'run x.yaml --out free --resume',
        'run x.yaml --out held',
        'export held --jsonl',
        'run x.yaml --dry-run',
        'validate bad.yaml',
      );
      expect(other!.stderr).toContain("another experiment's run");
      expect(ran!.code).toBe(0);
      const queries = queriesOf(exported!);
      expect(Math.max(...queries)).toBeLessThanOrEqual(7);
      expect(Math.max(...queries)).toBeGreaterThan(3);
      const record = JSON.parse(await readFile(join(folder, 'held/run.json'), 'utf8')) as RunRecord;
      expect(record.experiment.queries).toBe(7);
      expect(dry!.stdout).toMatch(new RegExp(`pgd +2 +${20 * (1 + 3 * (7 + 3))} +${20 * 3 * 7} `));
      expect(bad!.stderr).toContain('queries');
    }));
});
