/** @file Random attacks against the libraries they are known from, at equal queries, on the same nets, five seeds each (test/oracles/attacks/{square,few_pixel}.py). */
import { describe, expect, it } from 'vitest';
import type { Norm } from '../../src/kit/threat/threat.ts';
import { attackNamed } from '../../src/methods/attacks/registry.ts';
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
      expect(Math.abs(mean(ours) - mean(fallen))).toBeLessThan(2);
    });

    it('ours: more fall on average than with the best seed of the peer', async () => {
      expect(mean(await fallenOf(net, 'square', norm, eps, { queries }))).toBeGreaterThan(Math.max(...fallen));
    });
  },
);

describe.each(golden<{ cases: readonly FewPixelCase[] }>('few-pixel.json').cases)(
  "torchattacks' OnePixel on $net, $pixels pixels",
  ({ net, pixels, population, generations, fallen }) => {
    const run = (base: string) => fallenOf(net, 'few-pixel', 'l0', 3 * pixels, { population, generations, base });

    it('ours: more fall on average', async () => {
      expect(mean(await run('best'))).toBeGreaterThan(mean(fallen));
    });

    it("the paper's base: as many to less than two samples of 24", async () => {
      expect(Math.abs(mean(await run('random')) - mean(fallen))).toBeLessThan(2);
    });
  },
);
