/** @file Random attacks against the libraries they are known from, at equal queries, on the same nets, five seeds each (test/oracles/attacks/{square,few_pixel}.py). */
import { describe, expect, it } from 'vitest';
import type { Norm } from '../../src/kit/threat/threat.ts';
import { attackNamed } from '../../src/methods/attacks/registry.ts';
import { measured, spread } from '../methods/attacks/measured.ts';
import { attackNet, golden, type NetName, openNet } from '../methods/attacks/shared.ts';

interface SquareCase {
  readonly net: NetName;
  readonly norm: Norm;
  readonly eps: number;
  readonly queries: number;
  /** Of 24 samples, by seed. */
  readonly fallen: readonly number[];
}

interface FewPixelCase {
  readonly net: NetName;
  readonly pixels: number;
  readonly population: number;
  readonly generations: number;
  readonly fallen: readonly number[];
}

const mean = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0) / all.length;

const note = (attack: string, peer: string, what: string, counts: readonly (readonly number[])[], allowed: string): string =>
  measured({
    attack,
    peer,
    what: `${what}: of 24 samples fall, over five seeds each`,
    value: counts.map((all, k) => `${['ours', 'peer'][k]} ${spread(all)}`).join(', '),
    allowed,
  });

/** How many of the 24 samples fall, by seed. */
async function fallenOf(name: NetName, attack: string, norm: Norm, eps: number, options: Record<string, string | number>) {
  const net = await openNet(name);
  const fallen: number[] = [];
  for (let seed = 0; seed < 5; seed++) {
    const outcomes = await attackNet(net, attackNamed(attack), { norm, eps, options, seed });
    fallen.push(outcomes.filter(({ status }) => status === 'success').length);
  }
  await net.release();
  return fallen;
}

describe.each(golden<{ cases: readonly SquareCase[] }>('square.json').cases)(
  "auto-attack's Square on $net in $norm",
  ({ net, norm, eps, queries, fallen }) => {
    it('mode reference: as many fall on average, to less than two samples of 24', async () => {
      const ours = await fallenOf(net, 'square', norm, eps, { queries, mode: 'reference' });
      const what = `${norm} on ${net}, mode reference, ${queries} queries`;
      note('square', 'auto-attack a392200', what, [ours, fallen], 'means within 2');
      expect(Math.abs(mean(ours) - mean(fallen))).toBeLessThan(2);
    });

    it('ours: more fall on average than with the best seed of the peer', async () => {
      const found = await fallenOf(net, 'square', norm, eps, { queries });
      const what = `${norm} on ${net}, ours, ${queries} queries`;
      note('square', 'auto-attack a392200', what, [found, fallen], "mean above the peer's best seed");
      expect(mean(found)).toBeGreaterThan(Math.max(...fallen));
    });
  },
);

describe.each(golden<{ cases: readonly FewPixelCase[] }>('few-pixel.json').cases)(
  "torchattacks' OnePixel on $net, $pixels pixels",
  ({ net, pixels, population, generations, fallen }) => {
    const run = async (base: string, allowed: string) => {
      const found = await fallenOf(net, 'few-pixel', 'l0', 3 * pixels, { population, generations, base });
      note('few-pixel', 'torchattacks 3.5.1', `${pixels} pixels on ${net}, base ${base}`, [found, fallen], allowed);
      return found;
    };

    it('ours: more fall on average', async () => {
      expect(mean(await run('best', 'mean above'))).toBeGreaterThan(mean(fallen));
    });

    it("the paper's base: as many to less than two samples of 24", async () => {
      expect(Math.abs(mean(await run('random', 'means within 2')) - mean(fallen))).toBeLessThan(2);
    });
  },
);
