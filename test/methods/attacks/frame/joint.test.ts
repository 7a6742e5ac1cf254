/** @file The space of a smallest change: one plain vector and norm, whatever scales, masks, bounds and inputs are behind it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lpThreat } from '../../../../src/kit/threat/lp.ts';
import { jointOf } from '../../../../src/methods/attacks/frame/joint.ts';
import { specOf } from '../../../kit/threat/spec.ts';
import { sampleOf } from '../linear.ts';
import { cutBy, dot, forbidden, norms, sceneOf, withVectors, written } from './inputs.ts';

const runs = { numRuns: 50 };
const free = (n: number) => specOf([n], { bounds: 'unbounded' });
const zeros = (...lengths: number[]) => sampleOf('s', Object.fromEntries(lengths.map((n, k) => [`i${k}`, new Float32Array(n)])));

describe('write', () => {
  it('stays within mask and bounds for any u; an original outside the bounds goes no further out', () =>
    fc.assert(
      fc.property(withVectors(sceneOf(), 1), ([scene, [u]]) => {
        expect(forbidden(scene, written(jointOf(scene.sample, scene.threats), u!))).toEqual([]);
      }),
      runs,
    ));

  it('of u = 0 is the original', () =>
    fc.assert(
      fc.property(sceneOf(), ({ sample, threats, n }) => {
        expect(written(jointOf(sample, threats), new Float32Array(n))).toEqual(sample.inputs);
      }),
      runs,
    ));

  it('is x + unit u where nothing is in the way; unit = scale times eps over the first input’s', () => {
    const threats = {
      i0: lpThreat(free(2), { norm: 'l2', eps: 0.5, scale: Float32Array.of(1, 8) }),
      i1: lpThreat(free(2), { norm: 'l2', eps: 2, scale: Float32Array.of(3, 1), mask: Float32Array.of(1, 0) }),
    };
    expect(written(jointOf(zeros(2, 2), threats), Float32Array.of(1, 1, 1, 1))).toEqual({
      i0: Float32Array.of(1, 8),
      i1: Float32Array.of(12, 0),
    });
  });
});

describe('pull', () => {
  it('is the transpose of write: <g, J u> = <pull g, u>', () =>
    fc.assert(
      fc.property(withVectors(sceneOf(), 2, 2), ([{ sample, threats }, [u, g]]) => {
        // with all bounds out of the way, and originals at 0, write is linear
        const unbounded = Object.fromEntries(
          Object.entries(threats).map(([name, { norm, eps, scale, mask, input }]) => {
            const limits = { ...(scale && { scale: Float32Array.from(scale) }), ...(mask && { mask }) };
            return [name, lpThreat({ ...input, bounds: 'unbounded' }, { norm, eps, ...limits })];
          }),
        );
        const origin = sampleOf(
          's',
          Object.fromEntries(Object.entries(sample.inputs).map(([k, x]) => [k, new Float32Array(x.length)])),
        );
        const space = jointOf(origin, unbounded);
        const change = written(space, u!);
        const gradient = cutBy(space, g!);
        const names = Object.keys(change);
        const there = names.reduce((sum, name) => sum + dot(gradient[name]!, change[name]!), 0);
        const size = names.reduce((sum, name) => sum + dot(gradient[name]!.map(Math.abs), change[name]!.map(Math.abs)), 0);
        expect(Math.abs(dot(space.pull(gradient), u!) - there)).toBeLessThanOrEqual(4e-7 * size);
      }),
      runs,
    ));
});

describe('low, high and clip', () => {
  it('are a box around 0 without NaN whose ends are the bounds; clip goes to its nearest point', () =>
    fc.assert(
      fc.property(withVectors(sceneOf(), 1), ([{ sample, threats }, [u]]) => {
        const space = jointOf(sample, threats);
        const clipped = space.clip(u!);
        for (let i = 0; i < space.n; i++) {
          const [low, high] = [space.low[i]!, space.high[i]!];
          expect(low <= 0 && high >= 0).toBe(true);
          expect(clipped[i]).toBe(u![i]! < low ? low : u![i]! > high ? high : u![i]!);
        }
        // what clip cuts off write would have cut off too, up to the rounding of the ends
        const [before, after] = [written(space, u!), written(space, clipped)];
        for (const name of Object.keys(before)) {
          for (const [i, value] of before[name]!.entries()) expect(after[name]![i]).toBeCloseTo(value, 5);
        }
      }),
      runs,
    ));
});

describe('size', () => {
  it('of a change of the first input is its size in its threat', () =>
    fc.assert(
      fc.property(withVectors(sceneOf(), 1, 1), ([{ sample, threats, n }, [u]]) => {
        const space = jointOf(sample, threats);
        const { name, to } = space.parts[0]!;
        const only = new Float32Array(n);
        only.set(u!.subarray(0, to));
        const delta = u!.slice(0, to).map((value, i) => value * (threats[name]!.scale?.[i] ?? 1));
        expect(space.size(only)).toBeCloseTo(threats[name]!.size(delta), 4);
      }),
      runs,
    ));

  it('is eps where every input alone is at its eps', () =>
    fc.assert(
      fc.property(
        fc.constantFrom('linf' as const, 'l2' as const, 'l1' as const),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        (norm, a, b) => {
          const threats = { i0: lpThreat(free(1), { norm, eps: a }), i1: lpThreat(free(1), { norm, eps: b }) };
          const space = jointOf(zeros(1, 1), threats);
          expect(space.eps).toBe(a);
          for (const u of [Float32Array.of(a, 0), Float32Array.of(0, a)]) {
            const change = written(space, u);
            expect(threats.i0.size(change.i0!) / a + threats.i1.size(change.i1!) / b).toBeCloseTo(1, 5);
            expect(space.size(u)).toBeCloseTo(space.eps, 5);
          }
        },
      ),
      runs,
    ));

  it.each(norms)('%s over two inputs is one norm', (norm) => {
    const threat = lpThreat(free(1), { norm, eps: 1 });
    const expected = { linf: 4, l2: 5, l1: 7, l0: 2 }[norm];
    expect(jointOf(zeros(1, 1), { i0: threat, i1: threat }).size(Float32Array.of(3, -4))).toBe(expected);
  });
});

describe('an input without a budget beside one that has one', () => {
  it.each(['unbounded', { lower: 0, upper: 1 }] as const)('stays as it is, and brings no NaN (bounds %j)', (bounds) => {
    const spec = specOf([2], { bounds });
    const sample = sampleOf('s', { i0: Float32Array.of(0, 1), i1: Float32Array.of(0, 1) });
    const space = jointOf(sample, { i0: lpThreat(spec, { norm: 'l2', eps: 1 }), i1: lpThreat(spec, { norm: 'l2', eps: 0 }) });
    expect([...space.low.subarray(2), ...space.high.subarray(2)]).toEqual([0, 0, 0, 0]);
    const u = space.clip(Float32Array.of(0.5, -0.5, 9, -9));
    expect([...u]).toEqual([0.5, -0.5, 0, 0]);
    expect(written(space, u)).toEqual({ i0: Float32Array.of(0.5, 0.5), i1: Float32Array.of(0, 1) });
  });
});

it('inputs with different norms are refused', () => {
  const threats = { i0: lpThreat(free(1), { norm: 'l2', eps: 1 }), i1: lpThreat(free(1), { norm: 'l1', eps: 1 }) };
  expect(() => jointOf(zeros(1, 1), threats)).toThrow('needs one norm');
});
