/** @file l2 of a binary input: the budget buys flips; some of them are taken back, from anywhere, and bought anew in one region. */
import type { Stream } from '../../../core/tensor/random.ts';
import type { Canvas, Painter } from './painter.ts';
import { drawRegion } from './region.ts';

export function flipper({ part, field, ends, u, kept, short }: Canvas): Painter {
  const { threat } = part;
  const flip = ends.low.map((low, i) => (low === 0 ? ends.high[i]! : low));
  const price = (i: number): number => (flip[i]! / (threat.scale?.[i] ?? 1)) ** 2;
  /** The rounding of a sum of squares, so that eps = sqrt(3) buys 3 flips. */
  const budget = threat.eps ** 2 * (1 + 1e-9);
  let flipped: number[] = [];
  let spent = 0;
  let proposal: { flipped: number[]; touched: number[]; spent: number } = { flipped, touched: [], spent };

  /** Flips elements of the list in random order while the budget lasts. */
  const buy = (candidates: number[], random: Stream): void => {
    for (let k = 0; k < candidates.length && proposal.spent < budget; k++) {
      swap(candidates, k, k + random.integer(candidates.length - k));
      const i = candidates[k]!;
      if (proposal.spent + price(i) > budget) continue;
      u[i] = flip[i]!;
      proposal.spent += price(i);
      proposal.flipped.push(i);
      proposal.touched.push(i);
    }
  };
  const all = Array.from(flip.keys()).filter((i) => flip[i] !== 0);
  return {
    free: all.filter((i) => price(i) <= budget).length,
    begin(random) {
      proposal = { flipped: [], touched: [], spent: 0 };
      buy(all, random);
      ({ flipped, spent } = proposal);
      kept.set(u);
    },
    propose(share, random) {
      const { columns, cells } = drawRegion(field, share, random, { least: 1, odd: false, short });
      const others = flipped.slice();
      const back = Math.min(others.length, Math.max(1, Math.round(share * others.length)));
      for (let k = 0; k < back; k++) swap(others, k, k + random.integer(others.length - k));
      const touched = others.splice(0, back);
      proposal = { flipped: others, touched, spent };
      for (const i of touched) {
        u[i] = 0;
        proposal.spent -= price(i);
      }
      const candidates: number[] = [];
      for (const column of columns) {
        for (const cell of cells) if (flip[column + cell] !== 0 && u[column + cell] === 0) candidates.push(column + cell);
      }
      buy(candidates, random);
      return proposal.touched.some((i) => u[i] !== kept[i]);
    },
    settle(keep) {
      const [from, to] = keep ? [u, kept] : [kept, u];
      for (const i of proposal.touched) to[i] = from[i]!;
      if (keep) ({ flipped, spent } = proposal);
    },
  };
}

function swap(list: number[], a: number, b: number): void {
  const held = list[a]!;
  list[a] = list[b]!;
  list[b] = held;
}
