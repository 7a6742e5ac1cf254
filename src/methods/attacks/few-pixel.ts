/**
 * Few-pixel attack: differential evolution over which few pixels change and to what. Only scores are asked for.
 * Paper: Su, Vargas, Sakurai, "One pixel attack for fooling deep neural networks", IEEE Trans. Evolutionary Computation 2019; DE/rand/1 of Storn and Price 1997.
 * Threat model: scores, l0. eps counts changed elements, as everywhere; a pixel is all channels at a place (a position of a picture or clip, a time step of a
 * signal, a joint at a time step, an event bin, an element of a feature vector), so c channels cost c of eps and floor(eps / c) pixels are changed at most:
 * `pixels: auto` is that number, a smaller one is a choice. Where eps does not pay for one pixel, single elements are changed.
 * Each input has its own eps and its own pixels; all are evolved together.
 * Values range over the bounds; without bounds over what the sample itself holds in that input (1 up and down where that is one value). Binary inputs flip.
 * Deviations: the lead of the label is lowered, which never saturates as its probability does; positions and values start uniformly (the paper draws values
 * from a normal); genes that leave their range are drawn anew; a population that
 * has converged makes room for a new one; a sample leaves at its first success. The base of a mutant is the best candidate, as in the
 * public code by which the paper is known, not a random one, which finds less at equal queries (`base: random`); that code's generations too (75; the paper:
 * 100), the paper's F = .5 and population, whatever the number of pixels.
 */
import { leadOf } from '../../kit/losses/loss.ts';
import { firstOf, fraction, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { evolve } from './evolution.ts';
import { drive } from './frame/drive.ts';
import { productOf } from './frame/product.ts';
import { logits } from './frame/question.ts';
import { pixelsOf } from './regions/pixels.ts';

const defaults = {
  pixels: 'auto' as number | string,
  population: 400,
  generations: 75,
  mutation: 0.5,
  recombination: 1,
  base: 'best',
};

/** Most numbers, and most points, of one question. */
const room = 2 ** 18;
const together = 64;

export const fewPixel: Attack<'scores', typeof defaults> = {
  name: 'few-pixel',
  title: 'differential evolution of a few pixels, time steps, joints or bins; asks for scores only',
  needs: 'scores',
  kind: 'bounded',
  norms: ['l0'],
  modalities: 'any',
  targeted: true,
  defaults,
  about: {
    pixels: 'pixels changed at most, or auto: as many as eps pays for, eps / channels; eps is the limit in any case',
    population: 'candidates that live at a time',
    generations: 'times every candidate meets a mutant; a mutant is one query',
    mutation: 'F, the factor of a difference of two candidates',
    recombination: 'CR, the chance of a gene to be taken from the mutant',
    base: 'what the difference is added to: best (the best candidate) or random (any other), which takes longer and is less easily trapped',
  },
  check: ({ pixels, population, generations, mutation, recombination, base }) =>
    firstOf(
      pixels === 'auto' || (Number.isInteger(pixels) && Number(pixels) >= 1)
        ? undefined
        : `pixels is ${pixels}, but must be "auto" or a whole number of at least 1`,
      wholeFrom(4, 'population', population),
      wholeFrom(1, 'generations', generations),
      mutation > 0 && mutation <= 2 ? undefined : `mutation is ${mutation}, but must be above 0 and at most 2`,
      fraction('recombination', recombination),
      oneOf(['random', 'best'], 'base', base),
    ),
  passes: ({ population, generations }) => ({ forwards: population * (generations + 1), backwards: 0 }),
  paper: 'Su et al. 2019, arXiv 1710.08864',
  run: (job, { pixels, population, generations, ...evolving }) =>
    drive(job, {
      space: productOf,
      keep: 'first',
      *attempt({ space, goal, random, left }) {
        const most = pixels === 'auto' ? Number.POSITIVE_INFINITY : Number(pixels);
        const inputs = space.parts.map((part) => pixelsOf(part, most));
        const genes = inputs.reduce((sum, input) => sum + input.genes, 0);
        if (genes === 0) return;
        const points = Array.from(
          { length: Math.max(1, Math.min(together, population, Math.floor(room / space.n))) },
          () => new Float32Array(space.n),
        );
        const write = (individual: Float64Array, u: Float32Array): void => {
          u.fill(0);
          let from = 0;
          for (const input of inputs) {
            input.write(individual.subarray(from, from + input.genes), u);
            from += input.genes;
          }
        };
        const stream = random(0).fork('few-pixel');
        const begin = () => evolve({ genes, population, ...evolving }, stream);
        let evolution = begin();
        let fresh = true;
        for (let generation = 0; generation <= generations; generation++) {
          const born = fresh ? evolution.individuals : evolution.mutants();
          const leads: number[] = [];
          while (leads.length < population) {
            const asked = points.slice(0, Math.max(1, Math.min(population - leads.length, left())));
            asked.forEach((u, k) => {
              write(born[leads.length + k]!, u);
            });
            const done = (generation + leads.length / population) / (generations + 1);
            for (const z of yield* logits(asked, done)) leads.push(leadOf(goal, z));
          }
          evolution.select(born, leads);
          fresh = evolution.converged();
          if (fresh) evolution = begin();
        }
      },
    }),
};
