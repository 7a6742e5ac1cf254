import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/core/tensor/npy.ts';
import { f32 } from '../../src/core/tensor/tensor.ts';
import { linearImageModel } from '../app/cli/models.ts';
import { inFolder, provoke } from '../app/cli/provoke.ts';

const own = (name: string): string => fileURLToPath(new URL(`../../examples/own/${name}`, import.meta.url));

interface Record_ {
  readonly model: { readonly name: string; readonly classes: readonly string[] };
  readonly data: { readonly name: string; readonly synthetic: string | null; readonly labelsAre: string };
  readonly counts: { readonly samples: number; readonly problems: number; readonly resumed: number };
  readonly summary: { readonly cells: readonly { attack: string; eps: number; success: number }[] };
}
const recordOf = async (run: string): Promise<Record_> => JSON.parse(await readFile(join(run, 'run.json'), 'utf8')) as Record_;

/** An attack that proposes x + shift everywhere, whatever the budget. */
const shifting = (shift: number): string => `export default {
  name: 'shift', needs: 'none', kind: 'bounded', norms: ['linf'], modalities: 'any', targeted: true, defaults: {}, about: {},
  passes: () => ({ forwards: 0, backwards: 0 }),
  run: async ({ batch }) => batch.map(({ inputs }) => ({ status: 'success', inputs: { image: inputs.image.map((v) => v + ${shift}) } })),
};`;

const dataFile = `export default async () => ({
  name: 'two', labels: [], labelsAre: 'none', count: 2, sha256: 'x',
  item: async (i) => ({ id: String(i), group: 'g', inputs: { '': { kind: 'array', shape: [3, 8, 8], data: new Float32Array(192).fill(0.5) } } }),
});`;

async function project(folder: string, more: string): Promise<void> {
  await writeFile(join(folder, 'model.onnx'), linearImageModel());
  await writeFile(join(folder, 'data.mjs'), dataFile);
  await writeFile(join(folder, 'x.yaml'), `threat: { norm: linf, eps: 8/255 }\n${more}`);
}

const plain = 'model: { path: model.onnx }\ndata: { use: ./data.mjs }\nattacks: [{ use: ./attack.mjs }]\n';

describe('a model, data and an attack of one’s own', () => {
  it('run as the examples have it, in this process and in workers', () =>
    inFolder(async (folder) => {
      const dry = await provoke(['run', own('experiment.yaml'), '--dry-run'], folder);
      expect(dry.code).toBe(0);
      const { code, stderr } = await provoke(['run', own('experiment.yaml'), '--out', 'a'], folder);
      expect(stderr).not.toContain('error');
      expect(code).toBe(0);
      const record = await recordOf(join(folder, 'a'));
      expect(record.model).toMatchObject({ name: 'model', classes: ['calm', 'stressed'] });
      expect(record.data).toMatchObject({ name: 'recordings', labelsAre: 'the condition the generator was set to' });
      expect(record.data.synthetic).toContain('normal distributions');
      expect(record.counts).toMatchObject({ samples: 24, problems: 0 });
      const successes = (attack: string) => record.summary.cells.filter((c) => c.attack === attack).map((c) => c.success);
      // of 20 random directions the best is better than one, and a gradient better than both
      expect(successes('random-search').at(-1)).toBeGreaterThan(successes('noise').at(-1)!);
      expect(successes('pgd').at(-1)).toBeGreaterThanOrEqual(successes('random-search').at(-1)!);
      // on a linear model the frame's example finds what pgd finds, but for the last hundredths of the distance
      for (const [i, n] of successes('out-and-back').entries()) expect(n).toBeGreaterThanOrEqual(successes('random-search')[i]!);
      expect(successes('out-and-back').at(-1)).toBe(successes('pgd').at(-1));
      expect((await provoke(['run', own('experiment.yaml'), '--out', 'b', '--workers', '2'], folder)).code).toBe(0);
      expect((await recordOf(join(folder, 'b'))).summary).toEqual(record.summary);
      const bytes = await readFile(join(folder, 'a', 'samples.parquet'));
      const rows = (await parquetReadObjects({
        file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
      })) as { attack: string; sample: string; group: string }[];
      expect(new Set(rows.map((r) => r.group)).size).toBe(6);
    }));

  it('work on single files: inspect, predict, attack', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'window.npy'), writeNpy(f32([70, 2.4, 15, 33.2], [4])));
      const inspected = await provoke(['inspect', own('model.mjs')], folder);
      expect(inspected.stdout).toContain('physiology');
      expect(inspected.stdout).toContain('gradient: yes');
      const predicted = await provoke(['predict', own('model.mjs'), 'window.npy', '--json'], folder);
      const [{ classes }] = JSON.parse(predicted.stdout) as [{ classes: Record<string, number> }];
      expect(classes.calm! + classes.stressed!).toBeCloseTo(1, 6);
      const args = ['attack', own('model.mjs'), 'window.npy', '--attack', own('attack.mjs'), '--eps', '6', '--norm', 'l2'];
      const attacked = await provoke([...args, '--set', 'tries=40', '--json'], folder);
      const [row] = JSON.parse(attacked.stdout) as [{ attack: string; status: string; norms: { features: { l2: number } } }];
      expect(row).toMatchObject({ attack: 'random-search', status: 'success' });
      expect(row.norms.features.l2).toBeLessThanOrEqual(6 * (1 + 1e-6));
      const wrong = await provoke([...args, '--set', 'tries=0'], folder);
      expect(wrong).toMatchObject({ code: 2 });
      expect(wrong.stderr).toContain('tries must be a whole number, 1 or more');
    }));

  it('are part of what a run is: another code, or another manifest, is another run', () =>
    inFolder(async (folder) => {
      await project(folder, plain);
      await writeFile(join(folder, 'attack.mjs'), shifting(0.01));
      expect((await provoke(['run', 'x.yaml'], folder)).code).toBe(0);
      expect((await provoke(['run', 'x.yaml', '--resume'], folder)).code).toBe(0);
      expect((await recordOf(join(folder, 'runs/x'))).counts.resumed).toBe(1);
      await writeFile(join(folder, 'attack.mjs'), shifting(0.02));
      const changed = await provoke(['run', 'x.yaml', '--resume'], folder);
      expect(changed.stderr).toContain("holds another experiment's run");
      await writeFile(join(folder, 'attack.mjs'), shifting(0.01));
      await writeFile(join(folder, 'model.yaml'), 'inputs: { image: { bounds: [-1, 1] } }');
      const restated = await provoke(['run', 'x.yaml', '--resume'], folder);
      expect(restated.stderr).toContain("holds another experiment's run");
    }));

  it('cannot cheat: an example beyond the budget is no success, and the row says why', () =>
    inFolder(async (folder) => {
      await project(folder, plain);
      await writeFile(join(folder, 'attack.mjs'), shifting(0.4));
      expect((await provoke(['run', 'x.yaml'], folder)).code).toBe(0);
      const { summary } = await recordOf(join(folder, 'runs/x'));
      expect(summary.cells[0]).toMatchObject({ success: 0, invalid: 2 });
      const table = await provoke(['export', 'runs/x', '--csv'], folder);
      expect(table.stdout).toMatch(/input .*image.* exceeds the budget/);
    }));

  it.each([
    ['attack.mjs', 'export default { name: "x", run() {} };', 'exports no attack: needs, kind, norms'],
    ['attack.mjs', 'export const attack = 1;', 'exports no attack: name, needs'],
    ['attack.mjs', 'this is no code', 'cannot be loaded'],
    ['attack.mjs', shifting(0).replace('batch.map', 'batch.slice(1).map'), 'attack shift gave 1 outcomes for 2 samples'],
    [
      'data.mjs',
      'export default async () => ({ count: 3 });',
      'gives no data source: name, labels, labelsAre, item, sha256 missing',
    ],
    ['data.mjs', 'export default 3;', 'has no default export that is a function'],
    ['model.mjs', 'export default async () => ({});', 'gives no ONNX bytes'],
    [
      'model.mjs',
      `import { readFileSync } from 'node:fs';
       export default async () => ({ onnx: readFileSync(new URL('model.onnx', import.meta.url)), manifest: { clases: ['a'] } });`,
      'model.mjs, manifest: ',
    ],
  ])('%s that is wrong is named: %s', (file, code, message) =>
    inFolder(async (folder) => {
      await project(folder, file === 'model.mjs' ? plain.replace('path: model.onnx', 'use: ./model.mjs') : plain);
      await copyFile(own('attack.mjs'), join(folder, 'attack.mjs'));
      await writeFile(join(folder, file), code);
      const { code: exit, stderr } = await provoke(['run', 'x.yaml'], folder);
      expect(stderr).toContain(message);
      expect(exit).toBe(2);
    }),
  );
});
