/** @file `provoke study`: runs, pages, going on after an interruption, other data, and one clear message for what cannot be. */
import { cp, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inFolder, provokeInTurn } from './provoke.ts';
import { writeSpikingModel } from './spiking.ts';

const study = `
name: tiny
system: spiking
data: { seq: { format: sequences, path: seq, usage: test } }
victims: { one: { model: model.onnx, data: seq, trained: { use: atan, alpha: 2 } } }
parts:
  - { part: hidden-surrogate, victims: [one], samples: 8, eps: [0.5, 1], steps: 3, families: [atan], widths: [0.5, 1], pdsg: { PDSG: { use: pdsg } } }
  - { part: hardened, title: Trained against attacks, victims: [one], samples: 4, eps: [0.5], steps: 2, spikes: { PDSG: pdsg, narrow: { use: atan, width: 0.25 } } }
`;

const read = (...path: string[]) => readFile(join(...path), 'utf8');

describe('provoke study', () => {
  it('makes a run per part and victim, and one page; given again it takes what is finished; data come from elsewhere', () =>
    inFolder(async (folder) => {
      await writeSpikingModel(folder);
      await writeFile(join(folder, 'study.yaml'), study);
      await cp(join(folder, 'seq'), join(folder, 'other'), { recursive: true });
      const args = ['study', 'study.yaml', '--out', 'out', '--workers', '1'];
      const [listed, first] = await provokeInTurn([
        { args: ['study', 'study.yaml', '--dry-run'], cwd: folder },
        { args, cwd: folder },
      ]);
      expect(listed!.stdout).toMatch(/hidden-surrogate-one +one +seq +8 +5 +0\.5, 1/);
      expect(first!.code, first!.stderr).toBe(0);
      expect(first!.stdout.trimEnd().split('\n').at(-1)).toBe(`report: ${join('out', 'study.html')}`);
      expect((await readdir(join(folder, 'out', 'runs'))).sort()).toEqual(['hardened-one', 'hidden-surrogate-one']);

      const record = JSON.parse(await read(folder, 'out', 'study.json'));
      expect(record.chapters.map(({ title }: { title: string }) => title)).toEqual([
        'Hidden surrogates',
        'Trained against attacks',
      ]);
      expect(record.runs.map(({ samples }: { samples: number }) => samples)).toEqual([8, 4]);
      // as the study calls them, not where they lay
      expect(record.runs.map(({ data }: { data: string }) => data)).toEqual(['seq (test)', 'seq (test)']);
      expect(JSON.stringify(record)).not.toContain(folder);
      const run = JSON.parse(await read(folder, 'out', 'runs', 'hidden-surrogate-one', 'run.json'));
      expect(run.attacks.map(({ label }: { label: string }) => label)).toEqual([
        'noise',
        'atan x0.5',
        'atan x1',
        'PDSG',
        'own surrogate',
      ]);
      const page = await read(folder, 'out', 'study.html');
      expect(page).toContain('href="runs/hardened-one/report.html"');
      expect(page).toContain('aria-label="one: success against eps"');
      expect(page).toContain('aria-label="one: robust accuracy against eps"');
      expect(await read(folder, 'out', 'study.md')).toContain('| PDSG: as strong as the best fixed surrogate');

      // without the file of one unit only that one runs again
      const units = join(folder, 'out', 'runs', 'hardened-one', 'units');
      const [unit] = await readdir(units);
      await rename(join(units, unit!), join(folder, 'unit.json'));
      await rename(join(folder, 'seq'), join(folder, 'gone'));
      const [again, without] = await provokeInTurn([
        { args: [...args, '--data', 'seq=other'], cwd: folder },
        { args: ['study', 'study.yaml', '--out', 'fresh'], cwd: folder },
      ]);
      // other data are another experiment: the folder is not mixed
      expect(again!.code).toBe(2);
      expect(again!.stderr).toContain("holds another experiment's run");
      expect(without!.code).toBe(2);
      expect(without!.stderr).toContain('seq');
      await rename(join(folder, 'gone'), join(folder, 'seq'));
      const [resumed] = await provokeInTurn([{ args, cwd: folder }]);
      expect(resumed!.code, resumed!.stderr).toBe(0);
      const later = JSON.parse(await read(folder, 'out', 'study.json'));
      expect(later.chapters).toEqual(record.chapters);
      expect(JSON.parse(await read(folder, 'out', 'runs', 'hardened-one', 'run.json')).counts.resumed).toBeGreaterThan(0);
    }));

  it('bad input: one clear message each, with line and column', () =>
    inFolder(async (folder) => {
      await writeSpikingModel(folder);
      const broken = {
        part: study.replace('part: hardened', 'part: hardend'),
        victim: study.replace('victims: [one], samples: 4', 'victims: [two], samples: 4'),
        data: study.replace('data: seq, trained', 'data: sec, trained'),
        option: study.replace('steps: 2, spikes', 'stpes: 2, spikes'),
        nowhere: study.replace('path: seq, ', ''),
        spikes: study.replace('narrow: { use: atan', 'narrow: { use: atn'),
        model: study.replace('model.onnx', 'modle.onnx'),
        type: study.replace('pdsg: { PDSG: { use: pdsg } }', 'pdsg: PDSG'),
        value: study.replace('use: atan, width: 0.25', 'use: atan, width: wide'),
      };
      for (const [name, text] of Object.entries(broken)) await writeFile(join(folder, `${name}.yaml`), text);
      await writeFile(join(folder, 'study.yaml'), study);
      const lines = [
        ...Object.keys(broken).map((name) => ['study', `${name}.yaml`, '--out', name]),
        ['study', 'study.yaml', '--data', 'pictures=seq'],
        ['study', 'study.yaml', '--data', 'seq'],
        ['study', 'study.yaml', '--data', 'seq=nowhere', '--dry-run'],
      ];
      const ended = await provokeInTurn(lines.map((args) => ({ args, cwd: folder })));
      expect(ended.map(({ code }) => code)).toEqual(lines.map(() => 2));
      const [part, victim, data, option, nowhere, spikes, model, type, value, name, path, gone] = ended.map(
        ({ stderr }) => stderr,
      );
      expect(part).toMatch(/part\.yaml:8:\d+: parts\.1\.part: there is no part "hardend"/);
      expect(victim).toMatch(/victim\.yaml:8:\d+: parts\.1\.victims\.0: there is no victim "two"/);
      expect(data).toMatch(/data\.yaml:5:\d+: victims\.one\.data: there are no data "sec"/);
      expect(option).toMatch(/option\.yaml:8:\d+: parts\.1\.stpes: part hardened has no option "stpes"/);
      expect(type).toMatch(
        /type\.yaml:7:\d+: parts\.0\.pdsg: part hidden-surrogate: pdsg must be a map of labels to surrogates.*, but pdsg is "PDSG"/,
      );
      expect(value).toMatch(/part hardened: .*width.* "wide"/);
      expect(nowhere).toContain('needs either a path or synth');
      expect(spikes).toContain('there is no surrogate of spikes "atn"');
      expect(name).toContain('--data pictures=seq: the study has no data "pictures"');
      expect(model).toContain('victims.one: the model "modle.onnx" does not exist');
      expect(path).toContain('--data seq: a name and a path are needed');
      expect(gone).toMatch(/data "seq": ".*nowhere" does not exist\n {2}check the path, or name another with --data seq=PATH/);
      // nothing has been begun
      expect((await readdir(folder)).filter((entry) => !/\.(yaml|onnx)$/.test(entry))).toEqual(['seq']);
    }));

  it('a corpus made with other options than the study states is not taken for the one it asks for', () =>
    inFolder(async (folder) => {
      await writeSpikingModel(folder);
      const generated = (options: string) =>
        study.replace(
          'format: sequences, path: seq, usage: test',
          `format: cifar10, usage: test, synth: { corpus: pictures, ${options} }`,
        );
      await provokeInTurn([{ args: ['synth', 'pictures', '-o', 'out/data/seq', '--count', '60', '--seed', '1'], cwd: folder }]);
      const stated = ['count: 60, seed: 1', 'count: 60, seed: 2', 'seed: 1'];
      for (const [i, options] of stated.entries()) await writeFile(join(folder, `${i}.yaml`), generated(options));
      const [same, seed, count] = await provokeInTurn(
        stated.map((_, i) => ({ args: ['study', `${i}.yaml`, '--out', 'out', '--dry-run'], cwd: folder })),
      );
      expect(same!.code, same!.stderr).toBe(0);
      expect([seed!.code, count!.code]).toEqual([2, 2]);
      expect(seed!.stderr).toMatch(/data "seq": ".*" was made with seed 1, and the study states 2\n {2}remove /);
      expect(count!.stderr).toMatch(/was made with count 60, and the study states \d+/);
    }));
});
