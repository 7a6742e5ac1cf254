/** The smallest of the real exports (test/slow/exports.test.ts runs all), and that the check can fail. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { check } from '../../exports/check.ts';
import { suites } from '../../exports/records.ts';

const runtime = createRuntime(ort);
const nets = suites.flatMap((s) => s.nets).filter((net) => net.unit);

describe('a file as PyTorch exports it opens, follows the batch and has the gradient of PyTorch', () => {
  const cases = nets.flatMap((net) => net.files.map((file) => [file.file, net, file] as const));
  it.each(cases)('%s', async (_file, net, file) => {
    expect((await check(net, file, runtime)).wrong).toEqual([]);
  });
});

describe('the check notices', () => {
  const net = nets[0]!;
  const file = net.files[0]!;

  it('another input than the recorded one', async () => {
    const { wrong } = await check({ ...net, seeds: net.seeds.map((s) => s + 1000) }, file, runtime);
    expect(wrong.join()).toMatch(/outputs differ by .*gradient by .*: relative L2/);
  });

  it('other weights of the outputs', async () => {
    const { wrong } = await check({ ...net, cotangent: net.cotangent + 1 }, file, runtime);
    expect(wrong.join()).not.toMatch(/outputs differ/);
    expect(wrong.join()).toMatch(/gradient by .*: relative L2/);
  });
});
