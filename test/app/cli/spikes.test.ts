/** @file `spikes:` from the command line: the default, what a run records of it, one-off commands, and one clear message for what cannot be. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { inFolder, provokeInTurn } from './provoke.ts';
import { writeSpikingModel } from './spiking.ts';

/** The spiking model, its data, and an experiment per `spikes`. */
async function writeAll(folder: string, spikes: Readonly<Record<string, string | undefined>>): Promise<void> {
  await writeSpikingModel(folder);
  for (const [name, choice] of Object.entries(spikes))
    await writeFile(
      join(folder, `${name}.yaml`),
      [
        `model: { path: model.onnx${choice === undefined ? '' : `, spikes: ${choice}`} }`,
        'data: { format: sequences, path: seq, usage: test }',
        'threat: { norm: linf, eps: [0.3, 1] }',
        'attacks: [{ use: pgd, steps: 4 }]',
        ...(name === 'single' ? ['batch: 1'] : []),
      ].join('\n'),
    );
}

async function tableOf(run: string): Promise<Record<string, unknown>[]> {
  const file = Uint8Array.from(await readFile(join(run, 'samples.parquet'))).buffer;
  return (await parquetReadObjects({ file })).map(({ seconds: _, ...row }) => row);
}

const recordOf = async (run: string) => JSON.parse(await readFile(join(run, 'run.json'), 'utf8'));

describe('spikes of a model from a file', () => {
  it('nothing said: pdsg-narrow with a reference set drawn from the data, recorded; rows do not depend on batches; another choice is another experiment', () =>
    inFolder(async (folder) => {
      await writeAll(folder, { default: undefined, single: undefined, atan: '{ use: atan, width: 0.5, reset: detach }' });
      const names = ['default', 'single', 'atan'];
      const ended = await provokeInTurn(names.map((name) => ({ args: ['run', `${name}.yaml`, '--out', name], cwd: folder })));
      for (const { code, stderr } of ended) expect(code, stderr).toBe(0);
      expect(ended[0]!.stderr).toContain('pdsg-narrow with its defaults stands in');
      expect(ended[2]!.stderr).not.toContain('stands in');

      const record = await recordOf(join(folder, 'default'));
      expect(record.spikes).toMatchObject({ use: 'pdsg-narrow', options: { statistics: 'auto', samples: 32, width: 0.2 } });
      expect(new Set(record.spikes.reference).size).toBe(12);
      expect(record.substitutes[0].label).toBe(
        'PDSG (statistics of the sample and 12 reference samples, width 0.2, tails of Cauchy, shift 0)',
      );
      const rows = await tableOf(join(folder, 'default'));
      expect(rows).toHaveLength(24);
      expect(new Set(rows.map((row) => row.status))).toEqual(new Set(['success', 'failure']));
      expect(await tableOf(join(folder, 'single'))).toEqual(rows);

      const other = await recordOf(join(folder, 'atan'));
      expect(other.spikes).toEqual({ use: 'atan', options: { alpha: 2, width: 0.5, reset: 'detach' }, reference: null });
      expect(new Set(other.substitutes.map((s: { label: string }) => s.label))).toEqual(
        new Set(['atan, alpha 2, width 0.5, reset detached']),
      );
      expect(other.identity).not.toBe(record.identity);
    }));

  it('an attack may have a choice of its own: the rows are those of a run whose model has that choice', () =>
    inFolder(async (folder) => {
      const choice = '{ use: atan, width: 0.5, reset: detach }';
      await writeAll(folder, { default: undefined, atan: choice, wrong: undefined });
      const file = async (name: string, attacks: string) => {
        const text = await readFile(join(folder, 'default.yaml'), 'utf8');
        await writeFile(join(folder, `${name}.yaml`), text.replace(/attacks: .*/, `attacks: ${attacks}`));
      };
      const pgd = (as: string, spikes: string) => `{ use: pgd, as: ${as}, steps: 4, spikes: ${spikes} }`;
      await file(
        'both',
        `[{ use: pgd, steps: 4 }, ${pgd('other', choice)}, ${pgd('coupled', '{ use: pdsg, statistics: batch }')}]`,
      );
      await file('wrong', '[{ use: noise, spikes: pdsg }]');
      const names = ['default', 'atan', 'both', 'wrong'];
      const ended = await provokeInTurn(names.map((name) => ({ args: ['run', `${name}.yaml`, '--out', name], cwd: folder })));
      expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 2]);
      expect(ended[3]!.stderr).toContain('attack noise looks at no gradient: spikes would change nothing');

      const rows = await tableOf(join(folder, 'both'));
      const of = (attack: string) => rows.filter((row) => row.attack === attack);
      const alone = (all: readonly Record<string, unknown>[]) =>
        all.map(({ attack: _, original: __, example: ___, ...row }) => row);
      expect(of('pgd')).toEqual(await tableOf(join(folder, 'default')));
      expect(alone(of('other'))).toEqual(alone(await tableOf(join(folder, 'atan'))));
      expect(of('coupled')).toHaveLength(24);
      const record = await recordOf(join(folder, 'both'));
      expect(record.attacks.map(({ spikes }: { spikes?: unknown }) => spikes)).toEqual([
        undefined,
        { use: 'atan', width: 0.5, reset: 'detach' },
        { use: 'pdsg', statistics: 'batch' },
      ]);
      expect(record.model.coupling).toBe('none');
    }));

  it('one-off commands say what stands in; the gradient as a model holds it, batch statistics included', () =>
    inFolder(async (folder) => {
      await writeAll(folder, {});
      const lines = [
        ['inspect', 'model.onnx'],
        ['gradient', 'model.onnx', '-o', 'sample.onnx'],
        ['gradient', 'model.onnx', '-o', 'batch.onnx', '--spikes', 'pdsg', 'statistics=batch', 'shift=0.25'],
        ['list', 'surrogates'],
      ];
      const [inspect, sample, batch, list] = await provokeInTurn(lines.map((args) => ({ args, cwd: folder })));
      for (const { code, stderr } of [inspect!, sample!, batch!, list!]) expect(code, stderr).toBe(0);
      expect(inspect!.stdout).toContain(
        'substitute: PDSG (sample statistics for want of a reference set, width 0.2, tails of Cauchy, shift 0) at ',
      );
      expect(sample!.stdout).toContain('substitute: PDSG (sample statistics');
      expect(batch!.stdout).toContain('substitute: PDSG (batch statistics, shift 0.25) at ');
      expect(list!.stdout).toMatch(/pdsg .*\n(.*\n)*.*atan .*alpha=2 width=1 reset=through/);
    }));

  it('bad input: one clear message each', () =>
    inFolder(async (folder) => {
      await writeAll(folder, { none: 'none', typo: 'pdgs', option: '{ use: pdsg, shfit: 1 }' });
      const run = (name: string) => ['run', `${name}.yaml`, '--out', name];
      const lines = [run('none'), run('typo'), run('option'), ['inspect', 'model.onnx', '--spikes', 'atan', 'alpha']];
      const ended = await provokeInTurn(lines.map((args) => ({ args, cwd: folder })));
      expect(ended.map(({ code }) => code)).toEqual([2, 2, 2, 2]);
      expect(ended[0]!.stderr).toContain('every path is cut');
      expect(ended[1]!.stderr).toContain('there is no surrogate of spikes "pdgs"');
      expect(ended[1]!.stderr).toContain('did you mean "pdsg"?');
      expect(ended[2]!.stderr).toContain('pdsg has no option "shfit"');
      expect(ended[3]!.stderr).toContain('--spikes: "alpha" is not key=value');
    }));
});
