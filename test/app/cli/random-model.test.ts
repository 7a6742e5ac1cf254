/** A model that draws random numbers through `provoke run`: its rows can be repeated like any other's. */
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { inFolder, provokeInTurn } from './provoke.ts';
import { writeStreams } from './streams.ts';

const lines = [
  'threat: { rgb: { norm: linf, eps: [4/255, 32/255] }, skeleton: { norm: l2, eps: [0.1, 0.8] } }',
  'attacks: [{ use: pgd, steps: 6 }]',
];

async function tableOf(run: string): Promise<Record<string, unknown>[]> {
  const file = Uint8Array.from(await readFile(join(run, 'samples.parquet'))).buffer;
  return (await parquetReadObjects({ file })).map(({ seconds: _, ...row }) => row);
}

describe('a model with dropout that is never off', () => {
  it('gives the same rows in batches of 16 and of 1, and where a run is resumed (D15)', () =>
    inFolder(async (folder) => {
      await writeStreams(folder, lines, { dropout: 0.3 });
      const run = async (...lines: string[][]) => {
        for (const { code, stderr } of await provokeInTurn(lines.map((args) => ({ args: ['run', ...args], cwd: folder })))) {
          expect(code, stderr).toBe(0);
          expect(stderr).toContain('the model draws random numbers, at Dropout');
        }
      };
      await run(['x.yaml', '--out', 'whole'], ['x.yaml', '--out', 'parts', '--shard', '2/2']);
      const rows = await tableOf(join(folder, 'whole'));
      expect(rows).toHaveLength(40);
      expect(new Set(rows.map((row) => row.status))).toEqual(new Set(['success', 'failure']));

      await appendFile(join(folder, 'x.yaml'), 'batch: 1\n');
      await run(['x.yaml', '--out', 'single'], ['x.yaml', '--out', 'parts', '--resume']);
      expect(await tableOf(join(folder, 'single'))).toEqual(rows);
      expect(await tableOf(join(folder, 'parts'))).toEqual(rows);
    }));
});
