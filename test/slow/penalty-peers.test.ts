/** @file Whole runs of C&W and EAD against foolbox, adversarial-library and ART on one oracle (test/oracles/attacks/penalty.py), by the sizes they end at. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Inputs } from '../../src/kit/model/model.ts';
import { cw } from '../../src/methods/attacks/cw.ts';
import { ead } from '../../src/methods/attacks/ead.ts';
import { attackNet, golden, median, openNet } from '../methods/attacks/shared.ts';

/** Sizes by peer; null where it failed. */
type Sizes = Readonly<Record<string, readonly (number | null)[]>>;
const data = golden<{
  readonly full: { readonly searches: number; readonly steps: number; readonly c0: number };
  readonly nets: Readonly<Record<'smooth' | 'relu', { readonly cwFull: Sizes; readonly eadFull: Sizes }>>;
}>('penalty.json');

const mean = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0) / all.length;
const known = (sizes: readonly (number | null)[]): number[] => sizes.map((size) => size ?? Number.POSITIVE_INFINITY);
const l1 = (delta: Float32Array): number => delta.reduce((sum, d) => sum + Math.abs(d), 0);
const l2 = (delta: Float32Array): number => Math.hypot(...delta);

describe.each(['smooth', 'relu'] as const)('on the net %s', async (name) => {
  const net = await openNet(name);
  afterAll(() => net.release());
  const recorded = data.nets[name];
  const sizesOf = (outcomes: readonly { readonly inputs?: Inputs }[], size: (delta: Float32Array) => number): number[] =>
    outcomes.map(({ inputs }, k) => {
      if (inputs === undefined) return Number.POSITIVE_INFINITY;
      const x = Object.values(net.batch[k]!.inputs)[0]!;
      return size(Object.values(inputs)[0]!.map((value, i) => value - x[i]!));
    });

  it('C&W in full: mode reference as the peers, our own no larger', async () => {
    const run = async (mode: string) => {
      const outcomes = await attackNet(net, cw, { norm: 'l2', eps: 1, options: { ...data.full, mode } });
      return sizesOf(outcomes, l2);
    };
    const [reference, ours] = [await run('reference'), await run('ours')];
    for (const peer of ['foolbox', 'advLib']) {
      const theirs = known(recorded.cwFull[peer]!);
      reference.forEach((size, k) => {
        expect(Math.abs(size / theirs[k]! - 1)).toBeLessThan(0.01);
      });
      expect(median(ours)).toBeLessThan(median(theirs) * 1.001);
      expect(mean(ours)).toBeLessThan(mean(theirs) * 1.001);
    }
  });

  it('EAD in full: as foolbox with its beta, smaller than foolbox and ART with ours', async () => {
    const run = async (options: Record<string, number>) =>
      sizesOf(await attackNet(net, ead, { norm: 'l1', eps: 1, options: { ...data.full, ...options } }), l1);
    const [same, ours] = [await run({ beta: 0.01 }), await run({})];
    const [foolbox, art] = [known(recorded.eadFull.foolbox!), known(recorded.eadFull.art!)];
    expect(Math.abs(median(same) / median(foolbox) - 1)).toBeLessThan(0.02);
    expect(median(ours)).toBeLessThan(median(foolbox));
    expect(median(ours)).toBeLessThan(median(art));
    expect(median(ours)).toBeLessThan(1.01 * median(known(recorded.eadFull.foolboxBeta03!)));
  });
});
