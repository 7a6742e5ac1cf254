/** A model of two streams whose budgets are measured differently, from the experiment file to the page. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunRecord } from '../../../src/app/experiment/results.ts';
import type { Row } from '../../../src/kit/record/row.ts';
import { inFolder, provoke } from './provoke.ts';
import { writeStreams } from './streams.ts';

it('every input keeps to its own norm and eps, and table, record and page say both', () =>
  inFolder(async (folder) => {
    const threat = 'threat: { rgb: { norm: linf, eps: [2/255, 16/255] }, skeleton: { norm: l2, eps: [0.1, 0.8] } }';
    await writeStreams(folder, [threat, 'attacks: [noise, { use: pgd, steps: 10 }]']);
    const { code, stdout, stderr } = await provoke(['run', 'x.yaml'], folder);
    expect(code, stderr).toBe(0);
    const record = JSON.parse(await readFile(join(folder, 'runs/x/run.json'), 'utf8')) as RunRecord;
    const norm = { rgb: 'linf', skeleton: 'l2' };
    const { cells, worstCase } = record.summary;
    expect(worstCase.map((w) => [w.norm, w.eps])).toEqual([
      [norm, { rgb: 2 / 255, skeleton: 0.1 }],
      [norm, { rgb: 16 / 255, skeleton: 0.8 }],
    ]);
    const exported = await provoke(['export', 'runs/x', '--jsonl'], folder);
    const rows = exported.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
    const broken = rows.filter((row) => row.attack === 'pgd' && row.eps.skeleton === 0.8 && row.status === 'success');
    expect(broken.length).toBeGreaterThan(5);
    for (const { norms } of broken) {
      // whole steps, in float32
      expect(norms.rgb!.linf * 255).toBeLessThanOrEqual(16 + 1e-4);
      expect(norms.skeleton!.l2).toBeLessThanOrEqual(0.8 * (1 + 2e-6));
    }
    const mean = (size: (row: Row) => number) => broken.reduce((sum, row) => sum + size(row), 0) / broken.length;
    const cell = cells.find(
      (c) => c.attack === 'pgd' && JSON.stringify(c.eps) === JSON.stringify({ rgb: 16 / 255, skeleton: 0.8 }),
    )!;
    expect(cell.norm).toEqual(norm);
    expect(cell.success).toBe(broken.length);
    const { rgb, skeleton } = cell.meanNorm as Record<string, number>;
    expect(rgb).toBeCloseTo(
      mean((row) => row.norms.rgb!.linf),
      10,
    );
    expect(skeleton).toBeCloseTo(
      mean((row) => row.norms.skeleton!.l2),
      10,
    );
    const said = `rgb ${Number((rgb! * 255).toPrecision(3))}/255, skeleton ${Number(skeleton!.toPrecision(3))}`;
    expect(stdout).toMatch(/pgd +rgb linf, skeleton l2 +rgb 16\/255, skeleton 0\.8 /);
    expect(stdout).toContain(said);
    const page = await readFile(join(folder, 'runs/x/report.html'), 'utf8');
    const heading = page.match(/<h1[^>]*>(.*?)<\/h1>/s)![1]!.replace(/<[^>]+>/g, '');
    expect(heading).toContain('A change of at most rgb L∞ 16/255, skeleton L2 0.8 ');
    const table = page.match(/<table class="cells".*?<\/table>/s)![0];
    expect(table).toContain('rgb L∞ 2/255, skeleton L2 0.1');
    expect(table).toContain(said);
    expect(page).toContain('budgets by input (rgb L∞, skeleton L2)');
  }));
