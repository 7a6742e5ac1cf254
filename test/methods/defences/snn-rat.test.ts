import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchCrafter } from '../../../src/kit/nn/fit/task.ts';
import { retract } from '../../../src/methods/defences/orthogonal.ts';
import { snnRat } from '../../../src/methods/defences/snn-rat.ts';
import { openDefence, samplesOf, twoInputs } from './toy.ts';

/** Entry by entry, as the formula stands. */
function slowly(w: readonly number[], rows: number, beta: number): number[] {
  const columns = w.length / rows;
  const at = (i: number, k: number): number => w[i * columns + k]!;
  return w.map((value, index) => {
    const [i, k] = [Math.floor(index / columns), index % columns];
    let product = 0;
    for (let j = 0; j < rows; j++) for (let l = 0; l < columns; l++) product += at(i, l) * at(j, l) * at(j, k);
    return (1 + beta) * value - beta * product;
  });
}

describe('retraction', () => {
  it('is the formula', () => {
    const size = fc.integer({ min: 1, max: 5 });
    fc.assert(
      fc.property(
        size,
        size,
        fc.double({ min: 0, max: 0.1, noNaN: true }),
        fc.infiniteStream(fc.integer({ min: -8, max: 8 })),
        (rows, columns, beta, numbers) => {
          const w = Array.from({ length: rows * columns }, () => numbers.next().value! / 8);
          const made = Float32Array.from(w);
          retract(made, rows, beta);
          for (const [i, value] of slowly(w, rows, beta).entries()) expect(made[i]).toBeCloseTo(value, 5);
        },
      ),
    );
  });

  it("goes down |W W' - I|^2 / 4, and leaves orthonormal rows alone", () => {
    const distance = (w: ArrayLike<number>, rows: number): number => {
      const columns = w.length / rows;
      let sum = 0;
      for (let i = 0; i < rows; i++)
        for (let j = 0; j < rows; j++) {
          let dot = 0;
          for (let k = 0; k < columns; k++) dot += w[i * columns + k]! * w[j * columns + k]!;
          sum += (dot - Number(i === j)) ** 2;
        }
      return sum;
    };
    const w = Float32Array.of(1.5, 0.2, -0.3, 0.4, 0.5, 0.9);
    const before = distance(w, 2);
    for (let step = 0; step < 400; step++) retract(w, 2, 0.05);
    expect(before).toBeGreaterThan(1);
    expect(distance(w, 2)).toBeLessThan(1e-8);
    const same = Float32Array.of(0.6, 0.8, -0.8, 0.6);
    retract(same, 2, 0.3);
    for (const [i, value] of [0.6, 0.8, -0.8, 0.6].entries()) expect(same[i]).toBeCloseTo(value, 6);
  });
});

describe('snn-rat', () => {
  const architecture = twoInputs();
  const threats = { face: { norm: 'linf', eps: 0.1 } } as const;
  const samples = samplesOf(architecture, 5);
  const where = { epoch: 0, step: 3, replay: 0 };
  const distanceOf = async (crafter: BatchCrafter, i: number): Promise<number> => {
    const { inputs } = await crafter.craft(samples, where);
    return Math.max(...inputs![i]!.face!.map((v, k) => Math.abs(v - samples[i]!.inputs.face![k]!)));
  };

  it('retracts every weight of two axes and more after a step, and nothing else', async () => {
    const { trainer, crafter } = await openDefence(architecture, snnRat as never, threats, { options: { beta: 0.05 } });
    const before = Object.fromEntries(
      Object.entries(trainer.state()).map(([name, { data, dims }]) => [name, { data: data.slice(), dims }]),
    );
    crafter.after!({} as never, where);
    for (const [name, { data, dims }] of Object.entries(before)) {
      const matrix = trainer.parameters.includes(name) && dims.length >= 2;
      const expected = matrix ? slowly([...(data as Float32Array)], dims[0]!, 0.05) : [...(data as Float32Array)];
      const made = trainer.state()[name]!.data as Float32Array;
      for (const [i, value] of expected.entries()) expect(made[i], name).toBeCloseTo(value, 5);
    }
    await Promise.all([crafter.release(), trainer.release()]);
  });

  it('attacks with one step of the whole eps, or within a radius that differs from sample to sample', async () => {
    const whole = await openDefence(architecture, snnRat as never, threats);
    for (const i of samples.keys()) expect(await distanceOf(whole.crafter, i)).toBeCloseTo(0.1, 6);
    await Promise.all([whole.crafter.release(), whole.trainer.release()]);
    const uniform = await openDefence(architecture, snnRat as never, threats, { options: { balls: 'uniform' } });
    const radii: number[] = [];
    for (const i of samples.keys()) radii.push(await distanceOf(uniform.crafter, i));
    expect(new Set(radii).size).toBe(samples.length);
    expect(Math.max(...radii)).toBeLessThanOrEqual(0.1);
    await Promise.all([uniform.crafter.release(), uniform.trainer.release()]);
  });
});
