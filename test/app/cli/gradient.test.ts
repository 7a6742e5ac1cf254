import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { elementType } from '../../../src/core/onnx/dtypes.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, i64 } from '../../../src/core/tensor/tensor.ts';
import { proveGradient } from './gradient-proof.ts';
import { linearImageModel, weights } from './models.ts';
import { inFolder, provoke, provokeInTurn } from './provoke.ts';

/** Images to classes through a Reshape whose target says 1 for the batch, as a `view(1, -1)` at batch 1 is exported. */
function fixedBatchModel(): Uint8Array {
  const g = graphBuilder({ name: 'fixed' });
  const image = g.input('image', [1, 3, 8, 8]);
  const seen = g.op('Conv', [image, g.constant(weights('k', [4, 3, 3, 3]))], { kernel_shape: [3, 3], strides: [2, 2] });
  const flat = g.op('Reshape', [g.op('Tanh', [seen]), g.ints([1, 36])]);
  g.op('Gemm', [flat, g.constant(weights('w', [36, 5])), g.constant(weights('b', [5]))], {}, 'scores');
  g.output('scores', [1, 5]);
  return writeModel(g.build());
}

/** A classifier that squashes its pixels in half precision. */
function halfModel(): Uint8Array {
  const g = graphBuilder({ name: 'half' });
  const image = g.input('image', ['N', 3, 8, 8]);
  const half = g.op('Cast', [image], { to: elementType('float16') });
  const squashed = g.op('Cast', [g.op('Tanh', [half])], { to: elementType('float32') });
  g.op('MatMul', [g.op('Flatten', [squashed]), g.constant(weights('w', [192, 3]))], {}, 'scores');
  g.output('scores', ['N', 3]);
  return writeModel(g.build());
}

/** Sequences [time, batch, channel] to classes per time step, [time, batch, class]. */
function timeMajorModel(batch: string | number): Uint8Array {
  const g = graphBuilder({ name: 'time-major' });
  const x = g.input('x', [6, batch, 4]);
  const hidden = g.op('Tanh', [g.op('MatMul', [x, g.constant(weights('w', [4, 8]))])]);
  g.op('MatMul', [hidden, g.constant(weights('v', [8, 3]))], {}, 'scores');
  g.output('scores', [6, batch, 3]);
  return writeModel(g.build());
}

const timeMajor = `inputs: { x: { layout: TNC, modality: physiology, bounds: [-1, 1] } }
output: { name: scores, kind: logits, layout: TNC }
`;

describe('provoke gradient', () => {
  it('of a model with a symbolic batch', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'model.onnx'), linearImageModel());
      await proveGradient(folder, 'model.onnx', { input: 'image', classes: 3 });
    }));

  it('of a model exported at batch 1, with that 1 in a Reshape: the batch becomes free', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'model.onnx'), fixedBatchModel());
      await proveGradient(folder, 'model.onnx', { input: 'image', classes: 5 });
    }));

  it.each([
    ['a symbolic', 'n'],
    ['a fixed', 1],
  ] as const)('of a time-major model with %s batch, as its manifest says', (_, batch) =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'model.onnx'), timeMajorModel(batch));
      await writeFile(join(folder, 'model.yaml'), timeMajor);
      await proveGradient(folder, 'model.onnx', { input: 'x', classes: 3, range: [-1, 1] });
    }),
  );

  it('of a model in half precision is that of its float32 copy, and says so', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'model.onnx'), halfModel());
      const { code, stdout } = await provoke(['gradient', 'model.onnx', '-o', 'g.onnx', '--loss', 'margin'], folder);
      expect(stdout).toContain('substitute: float32 copy of a float16 model at scores\n');
      expect(code).toBe(0);
      const inspected = await provoke(['inspect', 'model.onnx'], folder);
      expect(inspected.stdout).toContain('computes in float32, float16\n');
      expect(inspected.stdout).toContain('substitute: float32 copy of a float16 model at scores\n');

      const pixels = f32(
        Float32Array.from({ length: 192 }, (_, i) => (i % 64) / 64),
        [1, 3, 8, 8],
      );
      const session = await createRuntime(ort).open(await readFile(join(folder, 'g.onnx')));
      const { scores, grad_image: slopes } = await session.run({ image: pixels, label: i64([0]) });
      await session.release();
      const [, second, third] = scores!.data as Float32Array;
      const rival = second! > third! ? 1 : 2;
      const w = weights('w', [192, 3]).data;
      for (const [i, slope] of (slopes!.data as Float32Array).entries())
        expect(slope).toBeCloseTo((1 - Math.tanh(pixels.data[i]!) ** 2) * (w[3 * i]! - w[3 * i + rival]!), 5);
    }));

  it.each(['Identity', 'Add', 'Mul'])(
    'of a model that also counts in integers (%s) is that of the rest, and the end is named',
    (op) =>
      inFolder(async (folder) => {
        const g = graphBuilder({ name: 'counts' });
        const seen = g.op('MatMul', [g.op('Flatten', [g.input('image', ['N', 3, 8, 8])]), g.constant(weights('w', [192, 3]))]);
        const whole = g.op('Cast', [seen], { to: elementType('int32') }, 'whole');
        const counted = g.op(op, op === 'Identity' ? [whole] : [whole, whole]);
        g.op('Add', [seen, g.op('Cast', [counted], { to: elementType('float32') })], {}, 'scores');
        g.output('scores', ['N', 3]);
        await writeFile(join(folder, 'model.onnx'), writeModel(g.build()));
        const lines = [
          ['gradient', 'model.onnx', '-o', 'g.onnx', '--loss', 'margin'],
          ['inspect', 'model.onnx'],
        ];
        const [made, inspected] = await provokeInTurn(lines.map((args) => ({ args, cwd: folder })));
        expect(made).toMatchObject({ code: 0, stderr: '' });
        expect(inspected!.stdout).toContain('the gradient ends at 1 node(s):\n  Cast "whole"');

        const pixels = f32(new Float32Array(192).fill(0.5), [1, 3, 8, 8]);
        const session = await createRuntime(ort).open(await readFile(join(folder, 'g.onnx')));
        const { scores, grad_image: slopes } = await session.run({ image: pixels, label: i64([0]) });
        await session.release();
        const [, second, third] = scores!.data as Float32Array;
        const rival = second! > third! ? 1 : 2;
        const w = weights('w', [192, 3]).data;
        for (const [i, slope] of (slopes!.data as Float32Array).entries())
          expect(slope).toBeCloseTo(w[3 * i]! - w[3 * i + rival]!, 5);
      }),
  );

  it('never takes the place of the model or its manifest, however they are spelled', () =>
    inFolder(async (folder) => {
      const bytes = linearImageModel();
      await writeFile(join(folder, 'model.onnx'), bytes);
      await symlink('model.onnx', join(folder, 'link.onnx'));
      await writeFile(join(folder, 'model.yaml'), '{}');
      const outs = [['./model.onnx'], ['link.onnx'], ['model.yaml', '--manifest', 'model.yaml']];
      const ended = await provokeInTurn(outs.map((out) => ({ args: ['gradient', 'model.onnx', '-o', ...out], cwd: folder })));
      for (const [i, { code, stderr }] of ended.entries()) {
        const [out] = outs[i]!;
        expect(stderr).toBe(`error: --out: "${out}" is what the gradient is made from\n  give the gradient a name of its own\n`);
        expect(code).toBe(2);
      }
      expect(new Uint8Array(await readFile(join(folder, 'model.onnx')))).toEqual(new Uint8Array(bytes));
      expect(await readFile(join(folder, 'model.yaml'), 'utf8')).toBe('{}');
    }));

  it('names an unknown loss and an unknown input', () =>
    inFolder(async (folder) => {
      await writeFile(join(folder, 'model.onnx'), linearImageModel());
      const loss = await provoke(['gradient', 'model.onnx', '-o', 'g.onnx', '--loss', 'hinge'], folder);
      expect(loss).toMatchObject({ code: 2, stderr: 'error: --loss: there is no loss "hinge"\n  one of: ce, margin\n' });
      const wrt = await provoke(['gradient', 'model.onnx', '-o', 'g.onnx', '--wrt', 'imge'], folder);
      expect(wrt.code).toBe(2);
      expect(wrt.stderr).toContain('has no input "imge" to differentiate by');
    }));
});
