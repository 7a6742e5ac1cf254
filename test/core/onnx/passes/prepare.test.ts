import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { reseed } from '../../../../bench/models/reseed.ts';
import { UserError } from '../../../../src/core/errors.ts';
import { float, graphBuilder } from '../../../../src/core/onnx/builder.ts';
import { feedsOf, type Graph, opsetOf } from '../../../../src/core/onnx/graph.ts';
import { foldedOnly, prepare } from '../../../../src/core/onnx/passes/prepare.ts';
import { readModel } from '../../../../src/core/onnx/reader.ts';
import { writeModel } from '../../../../src/core/onnx/writer.ts';
import { f32, i64, numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { difference, execute, normal, normalFeeds, opsOf, throughFile } from './compare.ts';

/** A small net as exporters of opset 9 wrote it: constants as nodes, a shape read at run time, BatchNormalization, SAME padding, weights among the inputs. */
function oldNet(): Graph {
  const g = graphBuilder({ opset: 9, irVersion: 3 });
  const x = g.input('x', ['N', 2, 7, 7]);
  g.input('kernel', [4, 2, 3, 3]);
  g.constant(normal([4, 2, 3, 3], 'kernel'), 'kernel');
  const conv = g.op('Conv', [x, 'kernel'], { auto_pad: 'SAME_UPPER', strides: [2, 2] });
  const constant = (value: number): string => g.op('ConstantOfShape', [g.constant(i64([4]))], { value: f32([value]) });
  const norm = g.op('BatchNormalization', [conv, constant(2), constant(-0.5), constant(0.25), constant(4)], {
    epsilon: float(0.125),
  });
  const active = g.op('Clip', [norm], { min: float(0), max: float(0.8) });
  const sizes = g.op('Shape', [active]);
  const rows = g.op('Gather', [sizes, g.op('Constant', [], { value: i64([0], []) })], { axis: 0 });
  const shape = g.op('Concat', [g.op('Unsqueeze', [rows], { axes: [0] }), g.op('Constant', [], { value: i64([-1]) })], {
    axis: 0,
  });
  const flat = g.op('Reshape', [active, shape]);
  g.op(
    'Softmax',
    [g.op('Dropout', [g.op('Gemm', [flat, g.constant(normal([64, 3], 'w'), 'w'), g.constant(normal([3], 'b'), 'b')])])],
    {},
    'y',
  );
  g.output('y', ['N', 3]);
  return throughFile(g.build());
}

const light = (name: string): Graph =>
  readModel(readFileSync(new URL(`../../../../bench/models/light/light_${name}.onnx`, import.meta.url)));

describe('prepare', () => {
  it('keeps what the model computes, and leaves nothing but plain opset 18', async () => {
    const before = oldNet();
    const after = throughFile(await prepare(before, execute));
    expect(opsetOf(after)).toBe(18);
    expect(after.irVersion).toBeGreaterThanOrEqual(8);
    expect(feedsOf(after)).toEqual(after.inputs);
    expect(after.inputs.map((v) => v.name)).toEqual(['x']);
    expect(opsOf(after)).toEqual(['Conv', 'Clip', 'Reshape', 'Gemm', 'Dropout', 'Softmax']);
    expect(after.nodes[0]!.attributes.get('pads')).toEqual({ type: 'ints', value: [1, 1, 1, 1] });
    for (const batch of [1, 3]) expect(await difference(before, after, normalFeeds(before, batch))).toBeLessThan(1e-5);
  });

  it('gives the same bits without folding BatchNormalization', async () => {
    const before = oldNet();
    const after = await prepare(before, execute, { batchNorm: false });
    expect(opsOf(after)).toContain('BatchNormalization');
    expect(await difference(before, after, normalFeeds(before, 3))).toBe(0);
  });

  it('changes nothing the second time', async () => {
    const once = await prepare(oldNet(), execute);
    const twice = await prepare(once, execute);
    expect(writeModel(twice)).toEqual(writeModel(once));
    expect(writeModel(await prepare(throughFile(once), execute))).toEqual(writeModel(once));
  });

  it('says which sizes it tried when the runtime cannot run the model', async () => {
    const g = graphBuilder();
    g.op('Conv', [g.input('x', ['N', 1, 'H', 'W']), g.constant(normal([1, 1, 9, 9], 'k'))], {}, 'y');
    g.op('Add', ['y', g.op('Shape', ['y'])], {}, 'z');
    g.op('BatchNormalization', ['y', ...['s', 'b', 'm', 'v'].map((n) => g.constant(f32([1]), n))], {}, 'w');
    g.output('w', ['N', 1, null, null]);
    const error: unknown = await prepare(g.build(), execute).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain('x [2,1,2,2]');
    expect((error as UserError).remedy).toContain('fix every size but the batch');
  });

  for (const name of ['squeezenet', 'shufflenet', 'inception_v1', 'inception_v2', 'resnet50', 'densenet121']) {
    it(`prepares the light ${name} with random weights and keeps its result`, async () => {
      const seeded = reseed(await foldedOnly(light(name), execute), 7);
      const after = await prepare(seeded, execute);
      expect(opsetOf(after)).toBe(18);
      expect(opsOf(after)).not.toContain('BatchNormalization');
      expect(opsOf(after)).not.toContain('ConstantOfShape');
      expect(await difference(seeded, after, normalFeeds(seeded))).toBeLessThan(1e-5);
    });
  }

  it('keeps the stored result of a light model to the bit', async () => {
    const before = light('squeezenet');
    expect(await difference(before, await prepare(before, execute), normalFeeds(before))).toBe(0);
  });
});

describe('reseed', () => {
  it('draws the same numbers again, others for another seed, and none that is stored', async () => {
    const folded = await foldedOnly(light('squeezenet'), execute);
    const [a, b, c] = [reseed(folded, 1), reseed(folded, 1), reseed(folded, 2)];
    const first = folded.nodes.find((n) => n.op === 'Conv')!.inputs[1]!;
    expect(a.initializers.get(first)).toEqual(b.initializers.get(first));
    expect(a.initializers.get(first)).not.toEqual(c.initializers.get(first));
    const bound = Math.sqrt(6 / (3 * 3 * 3));
    const values = numbersOf(a.initializers.get(first)!);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
    const variance = values.reduce((s, v) => s + v * v, 0) / values.length;
    expect(Math.abs(variance / (bound ** 2 / 3) - 1)).toBeLessThan(0.1);
  });

  it('follows the published formula, as test/oracles/reseed.py computes it (arguments 5 0 1.4142135623730951 6)', () => {
    const g = graphBuilder();
    g.op('Conv', [g.input('x', ['N', 1, 3, 3]), g.constant(f32(new Float32Array(6), [2, 1, 3, 1]))], {}, 'y');
    g.untypedOutput('y');
    const [weight] = [...reseed(g.build(), 5).initializers.values()];
    const digest = createHash('sha256')
      .update(new Uint8Array((weight!.data as Float32Array).buffer))
      .digest('hex');
    expect(digest).toMatchInlineSnapshot(`"5fea743e943997df1f5be7abd8d51e6b144a5ba11550c2aa388f0ebcd7fc6080"`);
  });
});
