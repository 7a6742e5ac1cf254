/** @file A trace is short however long the attack was. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { traceLength, tracer } from '../../../../src/methods/attacks/frame/trace.ts';

/** The trace of so many questions; the k-th spends its query 10 k. */
const traced = (questions: number) => {
  const trace = tracer();
  for (let k = 1; k <= questions; k++) trace.add(10 * k, -k, 1 / k);
  return trace.trace();
};

describe('a trace', () => {
  it('keeps every question of a short attack', () => {
    expect(traced(3)).toEqual({ queries: [10, 20, 30], lead: [-1, -2, -3], best: [1, 1 / 2, 1 / 3] });
    expect(traced(0)).toEqual({ queries: [], lead: [], best: [] });
  });

  it('of any length has first and last question, evenly spaced ones between, and few of them', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), (questions) => {
        const { queries, lead, best } = traced(questions);
        expect(queries[0]).toBe(10);
        expect(queries.at(-1)).toBe(10 * questions);
        expect(queries.length).toBeLessThanOrEqual(traceLength);
        expect(queries.length).toBeGreaterThanOrEqual(Math.min(questions, traceLength / 2));
        const steps = queries.slice(1).map((q, k) => q - queries[k]!);
        expect(new Set(steps.slice(0, -1)).size).toBeLessThanOrEqual(1);
        expect(steps.every((step) => step > 0 && step <= steps[0]!)).toBe(true);
        expect(lead).toEqual(queries.map((q) => -q / 10));
        expect(best).toEqual(queries.map((q) => 1 / (q / 10)));
      }),
    ));

  it('says null for what is not known', () => {
    const trace = tracer();
    trace.add(1, Number.NaN, Number.POSITIVE_INFINITY);
    expect(trace.trace()).toEqual({ queries: [1], lead: [null], best: [null] });
  });
});
