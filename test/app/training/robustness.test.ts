/** What the files of a model say of its robust accuracy. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { files } from '../../../src/app/training/folder.ts';
import type { TrainingRecord } from '../../../src/app/training/train.ts';
import { inFolder } from '../cli/provoke.ts';
import { pictures, recipe, trainFile } from './tiny.ts';

it('the card says how many were recognised before the attack, that the data are synthetic, and that examples were rounded', async () => {
  await inFolder(async (at) => {
    await mkdir(join(at, 'data'));
    await writeFile(join(at, 'data', 'faces.csv'), pictures());
    await writeFile(join(at, 'data', 'faces.csv.synthetic.json'), JSON.stringify({ synthetic: 'synthetic noise' }));
    await writeFile(join(at, 'tiny.yaml'), recipe('threat: { norm: linf, eps: 4/255 }'));
    const out = join(at, 'models', 'tiny');
    const { card } = await trainFile(join(at, 'tiny.yaml'), out);
    const { robustness, provenance, synthetic } = JSON.parse(await readFile(join(out, files.record), 'utf8')) as TrainingRecord;
    expect(provenance.robustness).toEqual([robustness]);
    const [, table] = card.toString().split('### Robust accuracy');
    expect(table).toMatch(/^\n\nAn upper bound: the share of n samples that these attacks did not turn\./);
    expect(synthetic).toEqual({ train: ['synthetic noise'], validation: ['synthetic noise'] });
    const rows = table!.split('\n').filter((line) => line.startsWith('|'));
    expect(rows[0]).toMatch(/\| n \|$/);
    const cells = rows[2]!.split(' | ');
    expect(cells[0]).toMatch(/^\| validation: faces\.csv \(PublicTest\) \(synthetic noise\)$/);
    expect(cells[1]).toBe('pgd, 20 steps, 1 start, rounded as stored');
    expect(cells[4]).toBe(`${((100 * robustness!.clean) / robustness!.n).toFixed(1)} %`);
  });
});

it('a spiking network is attacked through the curve it was trained through, and trained again from its card', async () => {
  await inFolder(async (at) => {
    await mkdir(join(at, 'data'));
    await writeFile(join(at, 'data', 'faces.csv'), pictures());
    const spiking = '{ use: spiking-vgg, plan: "A,2,A,4,A,4", steps: 2, decayInput: false, surrogate: triangle, alpha: 1.5 }';
    const text = recipe('threat: { norm: linf, eps: 16/255 }')
      .replace(/^model: .*$/m, `model: ${spiking}`)
      .replace('epochs: 2', 'epochs: 6');
    await writeFile(join(at, 'tiny.yaml'), text);
    const first = await trainFile(join(at, 'tiny.yaml'), join(at, 'models', 'first'));
    const record = JSON.parse(await readFile(join(at, 'models', 'first', files.record), 'utf8')) as TrainingRecord;
    expect(record.robustness!.n).toBe(14);
    expect(record.robustness!.right).toBeLessThan(record.robustness!.clean!);
    expect(first.card.toString()).toContain('Surrogate derivatives: triangle, gamma 1.5');
    expect(first.model.includes('triangle')).toBe(false);
    const again = await trainFile(join(at, 'models', 'first', files.card), join(at, 'models', 'again'));
    expect(again.weights.equals(first.weights)).toBe(true);
  });
});
