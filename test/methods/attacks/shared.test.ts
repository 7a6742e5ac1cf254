/** The shared nets answer here as they did in PyTorch, and an attack runs over each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { argmax } from '../../../src/kit/model/oracle.ts';
import { attackNamed } from '../../../src/methods/attacks/registry.ts';
import { attackNet, farthest, median, type Net, type NetName, openNet } from './shared.ts';

describe.each(['smooth', 'relu', 'sequence', 'two-stream'] as NetName[])('the net %s', (name) => {
  let net: Net;
  beforeAll(async () => {
    net = await openNet(name);
  });
  afterAll(() => net.release());

  it('has the logits of PyTorch, and every sample right', async () => {
    const logits = await net.oracle().logits(net.batch.map(({ inputs }, of) => ({ of, inputs })));
    expect(logits.map(argmax)).toEqual(net.labels);
    for (const [k, row] of logits.entries()) expect(farthest(row, net.logits[k]!)).toBeLessThan(1e-5);
  });

  it('falls to gradient steps in a large budget, and stands in a small one', async () => {
    const fallen = async (eps: number) =>
      (await attackNet(net, attackNamed('pgd'), { norm: 'linf', eps })).filter(({ status }) => status === 'success').length;
    expect(await fallen(0.5)).toBe(24);
    expect(await fallen(0.0002)).toBe(0);
  });
});

it('a median with failures counts them as infinite', () => {
  expect(median([3, 1, Number.POSITIVE_INFINITY])).toBe(3);
  expect(median([1, 3, 5, Number.POSITIVE_INFINITY])).toBe(4);
  expect(median([1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
});
