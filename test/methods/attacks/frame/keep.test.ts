/** @file Which of the points shown to the model is the result. The original leads by 1/2 - a at (a, b); sizes are max(|a|, |b|). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drive } from '../../../../src/methods/attacks/frame/drive.ts';
import { jointOf } from '../../../../src/methods/attacks/frame/joint.ts';
import { logits } from '../../../../src/methods/attacks/frame/question.ts';
import type { Keep } from '../../../../src/methods/attacks/frame/walker.ts';
import { ask, half, jobOver, outcomeOf, type Point } from './line.ts';

const size = ([a, b]: Point): number => Math.max(Math.abs(a), Math.abs(b));
/** The earliest of those for which `of` is least. */
const least = (points: readonly Point[], of: (point: Point) => number): Point | undefined =>
  points.reduce<Point | undefined>((best, point) => (best === undefined || of(point) < of(best) ? point : best), undefined);
const result: Readonly<Record<Keep, (reaching: readonly Point[]) => Point | undefined>> = {
  first: ([point]) => point,
  widest: (reaching) => least(reaching, ([a]) => -a),
  smallest: (reaching) => least(reaching, size),
};

/** Few different values, so that ties are common. */
const point = fc.tuple(fc.integer({ min: -2, max: 3 }), fc.integer({ min: -2, max: 3 }));
const question = fc.record({
  points: fc.array(point, { minLength: 1, maxLength: 4 }),
  how: fc.constantFrom('logits' as const, 'gradient' as const),
  scouting: fc.boolean(),
});

describe.each(['first', 'widest', 'smallest'] as const)('%s', (keep) => {
  it('is chosen among all points that reach the goal by the confidence, the earlier of equals; scouting points do not count', () =>
    fc.assert(
      fc.asyncProperty(fc.array(question, { maxLength: 6 }), fc.constantFrom(0, 0.5, 1.5), async (asked, confidence) => {
        const reaches = ([a]: Point): boolean => a > 0.5 && a - 0.5 >= confidence;
        const candidates = asked.map(({ points, scouting }) => (scouting ? [] : points.filter(reaches)));
        const firstHit = candidates.findIndex(({ length }) => length > 0);
        const questions = asked.map(({ points, how, scouting }) => ask(points, how, { scouting }));
        const { status, example, foundAt, asked: spent } = await outcomeOf(questions, { keep, confidence });

        expect(example).toEqual(result[keep](candidates.flat()));
        expect(status).toBe(firstHit < 0 ? 'failure' : 'success');
        const cost = (until: number): number => asked.slice(0, until).reduce((sum, { points }) => sum + points.length, 0);
        expect(foundAt).toBe(firstHit < 0 ? undefined : cost(firstHit + 1));
        expect(spent).toBe(cost(keep === 'first' && firstHit >= 0 ? firstHit + 1 : asked.length));
      }),
      { numRuns: 50 },
    ));
});

describe('an attack that asks for labels alone', () => {
  const questions = [
    [[0, 0]],
    [
      [2, 2],
      [1, 1],
    ],
    [
      [3, 3],
      [1, 0],
    ],
  ].map((points) => ask(points as unknown as Point[], 'labels'));

  it.each([
    ['first', [2, 2]],
    ['smallest', [1, 1]],
  ] as const)('keeps the %s, and its trace knows no lead', async (keep, expected) => {
    const { example, trace } = await outcomeOf(questions, { keep });
    expect(example).toEqual(expected);
    expect(trace!.lead.every((lead) => lead === null)).toBe(true);
  });
});

describe('what is kept', () => {
  it('is a copy: the attack may go on writing into its own array', async () => {
    const u = Float32Array.of(1, 0);
    const [outcome] = await drive(jobOver(half()), {
      space: jointOf,
      keep: 'smallest',
      *attempt() {
        yield* logits([u]);
        u.fill(-1);
        yield* logits([u]);
      },
    });
    expect([...outcome!.inputs!.x!]).toEqual([1, 0]);
  });

  it('a boundary is not beyond: at equal logits the first class is predicted, and that is the original', async () => {
    expect((await outcomeOf([ask([[0.5, 0]])])).status).toBe('failure');
  });
});

describe('the trace', () => {
  it('of a smallest change has the size found so far, scouting points left out; lead is the first point of a question', async () => {
    const { trace } = await outcomeOf([
      ask([[3, 3]], 'logits', { scouting: true }),
      ask([
        [0, 0],
        [2, 2],
      ]),
      ask([[1, 1]]),
    ]);
    expect(trace).toEqual({ queries: [1, 3, 4], lead: [-2.5, 0.5, -0.5], best: [null, 2, 1] });
  });

  it('of a bounded attack has the smallest lead so far, whether it was kept or not', async () => {
    const questions = [ask([[3, 3]], 'logits', { scouting: true }), ask([[0, 0]]), ask([[-1, 0]]), ask([[1, 0]])];
    const { trace, status } = await outcomeOf(questions, { keep: 'widest', confidence: 9 });
    expect(trace).toEqual({ queries: [1, 2, 3, 4], lead: [-2.5, 0.5, 1.5, -0.5], best: [null, 0.5, 0.5, -0.5] });
    expect(status).toBe('failure');
  });
});
