import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeNpy } from '../../src/core/tensor/npy.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { f32, sizeOf } from '../../src/core/tensor/tensor.ts';
import { gradientArgs, proveGradient } from '../app/cli/gradient-proof.ts';
import { type Ended, type Line, provokeInTurn } from '../app/cli/provoke.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/onnx/export/${name}`, import.meta.url));

interface Facts {
  readonly differentiable: boolean;
  readonly cuts: readonly unknown[];
  readonly fixedBatch: number | null;
  readonly classes: readonly string[];
  readonly inputs: Readonly<Record<string, { layout: string; shape: readonly number[] }>>;
  readonly output: { readonly kind: string };
}

const exported = [
  { file: 'pytorch-dynamo.onnx', input: 'image', layout: 'NCHW', shape: [3, 24, 24], classes: 7, kind: 'logits' },
  { file: 'pytorch-torchscript.onnx', input: 'image', layout: 'NCHW', shape: [3, 24, 24], classes: 7, kind: 'logits' },
  { file: 'pytorch-dynamo-batch1.onnx', input: 'image', layout: 'NCHW', shape: [3, 24, 24], classes: 7, kind: 'logits' },
  { file: 'pytorch-torchscript-batch1.onnx', input: 'image', layout: 'NCHW', shape: [3, 24, 24], classes: 7, kind: 'logits' },
  { file: 'keras.onnx', input: 'image', layout: 'NHWC', shape: [24, 24, 3], classes: 7, kind: 'probabilities' },
  { file: 'sklearn-mlp.onnx', input: 'X', layout: 'NC', shape: [12], classes: 3, kind: 'probabilities' },
  { file: 'sklearn-two-classes.onnx', input: 'X', layout: 'NC', shape: [12], classes: 2, kind: 'probabilities' },
  { file: 'hf-vit.onnx', input: 'image', layout: 'NCHW', shape: [3, 24, 24], classes: 7, kind: 'logits' },
  { file: 'hf-wav2vec2.onnx', input: 'audio', layout: 'NC', shape: [1600], classes: 4, kind: 'logits' },
] as const;

describe('a file exported as docs/export.md says', () => {
  let parent = '';
  const ended = new Map<string, { inspected: Ended; attacked: Ended; written: Ended }>();
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), 'provoke-test-'));
    const lines: Line[] = [];
    for (const { file, layout, shape } of exported) {
      const cwd = join(parent, file);
      await mkdir(cwd);
      await copyFile(fixture(file), join(cwd, file));
      const random = stream('sample', file);
      const values = Float32Array.from({ length: sizeOf(shape) }, () => random.uniform());
      await writeFile(join(cwd, 'sample.npy'), writeNpy(f32(values, shape)));
      const eps = layout === 'NC' ? '4' : '64/255';
      const attack = ['attack', file, 'sample.npy', '--attack', 'pgd', '--eps', eps, '--json'];
      for (const args of [['inspect', file, '--json'], attack, gradientArgs(file)]) lines.push({ args, cwd });
    }
    const all = await provokeInTurn(lines);
    exported.forEach(({ file }, i) => {
      const [inspected, attacked, written] = all.slice(3 * i);
      ended.set(file, { inspected: inspected!, attacked: attacked!, written: written! });
    });
  });
  afterAll(() => rm(parent, { recursive: true, force: true }));

  it.each(exported)(
    '$file: inspect finds a gradient and a free batch, attack runs',
    ({ file, input, layout, shape, classes, kind }) => {
      const { inspected, attacked } = ended.get(file)!;
      expect(inspected.stderr).toBe('');
      const facts = JSON.parse(inspected.stdout) as Facts;
      expect(facts).toMatchObject({ differentiable: true, cuts: [], fixedBatch: null, output: { kind } });
      expect(facts.inputs[input]).toMatchObject({ layout, shape });
      expect(facts.classes).toHaveLength(classes);
      expect(attacked.code).toBe(0);
      const rows = JSON.parse(attacked.stdout) as { status: string; backwards: number }[];
      expect(rows).toHaveLength(1);
      expect(['success', 'failure']).toContain(rows[0]!.status);
      expect(rows[0]!.backwards).toBeGreaterThan(0);
    },
  );

  it.each(exported)('$file: gradient is right, in the default domain, at any batch', ({ file, input, classes }) =>
    proveGradient(join(parent, file), file, { input, classes, directions: 3, written: ended.get(file)!.written }),
  );
});
