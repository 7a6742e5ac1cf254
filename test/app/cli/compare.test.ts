import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Comparison } from '../../../src/app/experiment/compare.ts';
import { closestAttack } from './closest.ts';
import { inFolder, provoke, provokeInTurn } from './provoke.ts';
import { writeStreams } from './streams.ts';

it('provoke compare: two runs, two attacks of one, JSON, and what it refuses', () =>
  inFolder(async (folder) => {
    const threat = 'threat: { rgb: { norm: l2, eps: [0.2, 0.8] }, skeleton: { norm: l2, eps: [0.4, 1.6] } }';
    await writeStreams(folder, [threat, 'attacks: [noise, { use: ./closest.mjs }, { use: pgd, steps: 10 }]']);
    await writeFile(join(folder, 'closest.mjs'), closestAttack);
    const text = await readFile(join(folder, 'x.yaml'), 'utf8');
    await writeFile(join(folder, 'weak.yaml'), text.replace('steps: 10', 'steps: 1, alpha: 0.01, randomStart: false'));
    await writeFile(
      join(folder, 'data2.mjs'),
      (await readFile(join(folder, 'data.mjs'), 'utf8')).replace("sha256: 'drawn'", "sha256: 'again'"),
    );
    await writeFile(join(folder, 'else.yaml'), text.replace('data.mjs', 'data2.mjs'));
    const runs = ['x', 'weak', 'else'].map((name) => ({ args: ['run', `${name}.yaml`], cwd: folder }));
    for (const { stderr } of await provokeInTurn(runs)) expect(stderr).not.toContain('error');
    const two = await provoke(['compare', 'runs/x', 'runs/weak', '--json'], folder);
    const { attacks, samples } = JSON.parse(two.stdout) as Comparison;
    expect(samples).toBe(20);
    expect(attacks.map(({ first, second }) => [first, second])).toEqual([
      ['noise', 'noise'],
      ['closest', 'closest'],
      ['pgd', 'pgd'],
      ['worst case', 'worst case'],
    ]);
    const [same, weaker] = [attacks[1]!, attacks[2]!];
    expect(same.distances).toMatchObject({ firstSmaller: 0, secondSmaller: 0, p: 1 });
    expect(weaker.budgets.at(-1)!.difference).toBeGreaterThan(0.3);
    expect(weaker.budgets.at(-1)!.p).toBeLessThan(0.05);
    const one = await provoke(['compare', 'runs/x', '--attack', 'closest', '--attack', 'pgd'], folder);
    expect(one.code).toBe(0);
    expect(one.stdout).toContain('two attacks of runs/x');
    expect(one.stdout).toMatch(/closest : pgd +l2 +rgb 0\.8, skeleton 1\.6 +20 /);
    for (const args of [['runs/x'], ['runs/x', './runs/../runs/x/']]) {
      const itself = await provoke(['compare', ...args], folder);
      expect([itself.code, itself.stderr]).toEqual([
        2,
        'error: one run is compared with itself\n  name another run, or two of its attacks: --attack pgd --attack apgd\n',
      ]);
    }
    expect((await provoke(['compare', 'runs/x', 'runs/else'], folder)).stderr).toContain(
      'error: the runs are over different data',
    );
  }));
