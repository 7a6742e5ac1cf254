import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readEvents, writeEvents } from '../../../src/kit/data/events/formats.ts';
import { inMemory } from '../../../src/kit/data/events/sequential.ts';
import { rowsOf, streamOf } from '../../kit/data/events/arbitrary.ts';
import { inFolder, provokeInTurn } from './provoke.ts';

const stream = streamOf(128, 128, [
  [1, 2, 1, 10],
  [3, 4, 0, 20],
]);

test('provoke convert turns event files into each other, and refuses what it cannot', () =>
  inFolder(async (cwd) => {
    await writeFile(join(cwd, 'a.aedat'), writeEvents(stream, 'aedat-3.1'));
    const convert = (...args: string[]) => ({ args: ['convert', ...args], cwd });
    const [npz, csv, old, ending, version, sensor, foreign, unused] = await provokeInTurn([
      convert('a.aedat', '-o', 'a.npz'),
      convert('a.npz', '-o', 'a.csv'),
      convert('a.csv', '-o', 'b.aedat', '--aedat', '2.0', '--sensor', '128x128'),
      convert('a.npz', '-o', 'a.txt'),
      convert('a.npz', '-o', 'c.aedat', '--aedat', '4.0'),
      convert('a.csv', '-o', 'c.npz'),
      convert('a.aedat', '-o', 'c.npz', '--dt', '1e-4', '--read', 'sum'),
      convert('a.aedat', '-o', 'c.npz', '--aedat', '2.0'),
    ]);
    expect([npz!.code, csv!.code, old!.code]).toEqual([0, 0, 0]);
    expect(npz!.stdout).toBe('a.npz: 2 events, 128 x 128, NumPy archive with x, y, p, t\n');
    expect(rowsOf(await readEvents(inMemory(await readFile(join(cwd, 'b.aedat'))), 'b.aedat'))).toEqual(rowsOf(stream));
    expect([ending, version, sensor, foreign, unused].map((ended) => ended!.code)).toEqual([2, 2, 2, 2, 2]);
    expect(ending!.stderr).toContain('"a.txt" does not end like an event file');
    expect(version!.stderr).toContain('there is no version of .aedat files to write "4.0"');
    expect(sensor!.stderr).toContain('"a.csv" does not say how large the sensor is');
    expect(foreign!.stderr).toContain(
      '--dt, --read are for NIR networks, and "a.aedat" is an event file\n  leave them out; event files have --convention, --aedat, --sensor',
    );
    expect(unused!.stderr).toContain('--aedat is for .aedat files that are written, and "c.npz" is none');
    expect(await readdir(cwd)).not.toContain('c.npz');
  }));
