import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { linearImageModel } from './models.ts';
import { inFolder, provoke, provokeInTurn } from './provoke.ts';

/** A folder with model.onnx and two images, one per class folder. */
async function workshop(folder: string): Promise<void> {
  await writeFile(join(folder, 'model.onnx'), linearImageModel());
  for (const [i, label] of ['happy', 'sad'].entries()) {
    await mkdir(join(folder, 'photos', label), { recursive: true });
    const image = sharp({
      create: { width: 8, height: 8, channels: 3, background: { r: 90 + 60 * i, g: 120, b: 200 - 90 * i } },
    });
    await writeFile(join(folder, 'photos', label, 'a.png'), await image.png().toBuffer());
  }
}

const ok = async (args: readonly string[], folder: string): Promise<string> => {
  const { code, stdout, stderr } = await provoke(args, folder);
  expect(stderr.replace(/^note: .*\n/gm, '')).toBe('');
  expect(code).toBe(0);
  return stdout;
};

describe('provoke', () => {
  it('predicts: JSON with input, classes and prediction, the probabilities of the built-in network', async () => {
    await inFolder(async (folder) => {
      const face = sharp({ create: { width: 112, height: 112, channels: 3, background: { r: 128, g: 100, b: 90 } } });
      await writeFile(join(folder, 'face.png'), await face.png().toBuffer());
      const [answer] = JSON.parse(await ok(['predict', 'face-api/expression', 'face.png', '--json'], folder)) as [
        { input: string; classes: Record<string, number>; prediction: string },
      ];
      expect(Object.keys(answer)).toEqual(['input', 'classes', 'prediction']);
      expect(answer.input).toBe('face.png');
      expect(Object.keys(answer.classes)).toEqual(['neutral', 'happy', 'sad', 'angry', 'fearful', 'disgusted', 'surprised']);
      const values = Object.values(answer.classes);
      expect(values.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
      expect(answer.classes[answer.prediction]).toBe(Math.max(...values));
    });
  });

  it('attacks single files: the saved example is inside the budget and predicted as the table says', async () => {
    await inFolder(async (folder) => {
      await workshop(folder);
      const args = [
        'attack',
        'model.onnx',
        'photos/happy/a.png',
        '--attack',
        'pgd',
        '--eps',
        '40/255',
        '--set',
        'steps=30',
        'loss=margin',
        '--json',
      ];
      const [row] = JSON.parse(await ok(args, folder)) as [
        { status: string; example: string; prediction: number; cleanPrediction: number; norms: { image: { linf: number } } },
      ];
      expect(row.status).toBe('success');
      expect(row.prediction).not.toBe(row.cleanPrediction);
      expect(row.norms.image.linf).toBeLessThanOrEqual(40 / 255 + 1e-7);
      const [again] = JSON.parse(await ok(['predict', 'model.onnx', join('attacked', row.example), '--json'], folder)) as [
        { prediction: string },
      ];
      expect(again.prediction).toBe(['happy', 'neutral', 'sad'][row.prediction]);
    });
  });

  it('keeps files of one name in two folders apart', async () => {
    await inFolder(async (folder) => {
      await workshop(folder);
      const args = [
        'attack',
        'model.onnx',
        'photos/happy/a.png',
        'photos/sad/a.png',
        '--attack',
        'noise',
        '--eps',
        '0',
        '--json',
      ];
      const rows = JSON.parse(await ok(args, folder)) as { sample: string; original: string }[];
      expect(rows.map((r) => r.sample)).toEqual(['a.png', 'photos/sad/a.png']);
      expect(new Set(rows.map((r) => r.original)).size).toBe(2);
    });
  });

  it('writes an experiment that runs, exports its table, and rebuilds its report', async () => {
    await inFolder(async (folder) => {
      await workshop(folder);
      expect(await ok(['init', 'model.onnx', 'photos'], folder)).toBe(
        'experiment.yaml written; next: provoke run experiment.yaml\n',
      );
      expect(await ok(['validate', 'experiment.yaml'], folder)).toContain(
        'experiment.yaml: valid; model on photos, 2 samples, 3 attacks, 4 budgets, 3 units',
      );
      await ok(['run', 'experiment.yaml'], folder);
      const csv = await ok(['export', 'runs/experiment', '--csv'], folder);
      expect(csv.trimEnd().split('\n')).toHaveLength(1 + 2 * 3 * 4);
      const jsonl = await ok(['export', 'runs/experiment', '--jsonl'], folder);
      expect(
        jsonl
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as unknown),
      ).toHaveLength(24);
      const before = await readFile(join(folder, 'runs/experiment/report.html'), 'utf8');
      await writeFile(join(folder, 'runs/experiment/report.html'), '');
      expect(await ok(['view', 'runs/experiment', '--no-open'], folder)).toBe('report: runs/experiment/report.html\n');
      expect(await readFile(join(folder, 'runs/experiment/report.html'), 'utf8')).toBe(before);
      const again = await provoke(['init', 'model.onnx', 'photos'], folder);
      expect(again.stderr).toBe('error: "experiment.yaml" exists\n  choose another name with --out, or --force to replace it\n');
    });
  });

  it('inspects: inputs, classes, cost and gradient as JSON', async () => {
    await inFolder(async (folder) => {
      await workshop(folder);
      const facts = JSON.parse(await ok(['inspect', 'model.onnx', '--json'], folder)) as Record<string, unknown>;
      expect(facts).toMatchObject({
        name: 'model',
        classes: ['happy', 'neutral', 'sad'],
        parameters: 192 * 3 + 3,
        macs: 192 * 3,
        differentiable: true,
        cuts: [],
      });
      expect(await ok(['inspect', 'model.onnx', '--graph'], folder)).toContain('Gemm');
    });
  });

  it('converts a TensorFlow.js model that then predicts', async () => {
    await inFolder(async (folder) => {
      const source = join(process.cwd(), 'node_modules/@vladmandic/human/models/emotion.json');
      await ok(['convert', source, '-o', 'emotion.onnx'], folder);
      const graph = readModel(await readFile(join(folder, 'emotion.onnx')));
      expect(graph.outputs).toHaveLength(1);
      expect(await ok(['validate', 'emotion.onnx'], folder)).toContain('loads in the runtime');
    });
  });

  it('lists what there is, and leaves nothing behind', async () => {
    await inFolder(async (folder) => {
      const things = [
        'attacks',
        'models',
        'data',
        'ops',
        'architectures',
        'optimisers',
        'schedules',
        'augmentations',
        'defences',
      ];
      const ended = await provokeInTurn(things.map((what) => ({ args: ['list', what, '--json'], cwd: folder })));
      const lists = ended.map(({ code, stdout, stderr }) => {
        expect([code, stderr]).toEqual([0, '']);
        return JSON.parse(stdout) as Record<string, string>[];
      });
      for (const list of lists) expect(list.length).toBeGreaterThan(2);
      const listed = lists[0]!;
      expect(listed.find(({ attack }) => attack === 'pgd')).toMatchObject({
        kind: 'bounded',
        needs: 'gradient',
        norms: 'linf l2',
        targeted: 'yes',
        'forwards, backwards': '21, 20',
      });
      expect(listed.filter(({ kind }) => kind === 'minimal').length).toBeGreaterThan(0);
      expect(await ok(['list', 'attacks'], folder)).toMatch(/\nnot here:\n {2}\S/);
      expect(await readdir(folder)).toEqual([]);
      const help = await ok(['--help'], folder);
      for (const command of [
        'init',
        'run',
        'predict',
        'attack',
        'inspect',
        'gradient',
        'convert',
        'validate',
        'export',
        'compare',
        'list',
        'view',
      ])
        expect(help).toContain(`\n  ${command} `);
      expect(await ok(['run', '--help'], folder)).toContain('Examples:');
      expect(existsSync(join(folder, 'runs'))).toBe(false);
    });
  });
});
