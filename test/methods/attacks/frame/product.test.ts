/** @file The space of a bounded attack: every input in its own norm, eps, mask and bounds; lengths are shares of eps. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stream } from '../../../../src/core/tensor/random.ts';
import { lpThreat } from '../../../../src/kit/threat/lp.ts';
import { type Product, productOf } from '../../../../src/methods/attacks/frame/product.ts';
import { specOf } from '../../../kit/threat/spec.ts';
import { sampleOf } from '../linear.ts';
import { cutBy, forbidden, norms, type Scene, sceneOf, withVectors, written } from './inputs.ts';

const runs = { numRuns: 50 };

/** What a function of one input's threat gives, input by input. */
const byInput = (
  { sample, threats }: Scene,
  f: (name: string, threat: Scene['threats'][string], x: Float32Array) => Float32Array,
) => Object.fromEntries(Object.entries(threats).map(([name, threat]) => [name, f(name, threat, sample.inputs[name]!)]));

/** Whether every input's change at u is inside its own budget, mask and bounds. */
function expectAllowed(scene: Scene, space: Product, u: Float32Array): void {
  const changes = cutBy(space, u);
  for (const [name, { eps, size }] of Object.entries(scene.threats)) {
    expect(size(changes[name]!)).toBeLessThanOrEqual(eps * (1 + 1e-6));
  }
  expect(forbidden(scene, written(space, u))).toEqual([]);
}

describe('project', () => {
  it('allows every input what its threat allows, and nothing it does not', () =>
    fc.assert(
      fc.property(withVectors(sceneOf(), 1), ([scene, [v]]) => {
        const space = productOf(scene.sample, scene.threats);
        const u = space.project(v!);
        const cuts = cutBy(space, v!);
        expect(cutBy(space, u)).toEqual(byInput(scene, (name, threat, x) => threat.project(x, cuts[name]!)));
        expectAllowed(scene, space, u);
        expect(space.size(u)).toBeLessThanOrEqual(1 + 1e-6);
      }),
      runs,
    ));
});

describe('step and advance', () => {
  const share = fc.constantFrom(0.1, 0.25, 1);

  it('a step is a share of every input’s own eps', () =>
    fc.assert(
      fc.property(withVectors(sceneOf(), 1), share, ([scene, [g]], by) => {
        const space = productOf(scene.sample, scene.threats);
        const cuts = cutBy(space, g!);
        const step = space.step(g!, by);
        expect(cutBy(space, step)).toEqual(byInput(scene, (name, threat) => threat.step(cuts[name]!, by * threat.eps)));
      }),
      runs,
    ));

  it('advance is the projection of point and step, bit for bit', () =>
    fc.assert(
      fc.property(withVectors(sceneOf(), 2), share, ([scene, [from, g]], by) => {
        const space = productOf(scene.sample, scene.threats);
        const u = space.project(from!);
        const step = space.step(g!, by);
        const moved = space.project(u.map((value, i) => value + step[i]!));
        // 0 and -0 are the same change
        const plain = (values: Float32Array): number[] => Array.from(values, (value) => value + 0);
        expect(plain(space.advance(u, g!, by))).toEqual(plain(moved));
        expectAllowed(scene, space, space.advance(u, g!, by));
      }),
      runs,
    ));

  it('inputs of different norms step each in its own', () => {
    const spec = specOf([2], { bounds: 'unbounded' });
    const threats = { rgb: lpThreat(spec, { norm: 'l2', eps: 10 }), joints: lpThreat(spec, { norm: 'linf', eps: 0.5 }) };
    const sample = sampleOf('s', { joints: new Float32Array(2), rgb: new Float32Array(2) });
    const space = productOf(sample, threats);
    expect([...space.step(Float32Array.of(3, 4, 1, -2), 0.5)]).toEqual([3, 4, 0.25, -0.25]);
  });
});

describe('size', () => {
  it('is the largest share of an eps that is used', () => {
    const spec = specOf([1], { bounds: 'unbounded' });
    const threats = { a: lpThreat(spec, { norm: 'l2', eps: 4 }), b: lpThreat(spec, { norm: 'linf', eps: 0.5 }) };
    const space = productOf(sampleOf('s', { a: new Float32Array(1), b: new Float32Array(1) }), threats);
    expect(space.size(Float32Array.of(3, 0.25))).toBe(0.75);
    expect(space.size(Float32Array.of(1, -0.5))).toBe(1);
  });

  it('is 0 for no change and infinite for any other where eps is 0', () => {
    const none = { x: lpThreat(specOf([1]), { norm: 'linf', eps: 0 }) };
    const space = productOf(sampleOf('s', { x: new Float32Array(1) }), none);
    expect(space.size(Float32Array.of(0))).toBe(0);
    expect(space.size(Float32Array.of(0.1))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('grown', () => {
  it('is the same space with every eps times the factor', () =>
    fc.assert(
      fc.property(withVectors(sceneOf(), 2), fc.constantFrom(1, 2, 3), ([{ sample, threats }, [v, g]], factor) => {
        const grown = productOf(sample, threats).grown(factor);
        const larger = Object.fromEntries(
          Object.entries(threats).map(([name, threat]) => [name, threat.at(factor * threat.eps)]),
        );
        const expected = productOf(sample, larger);
        expect(grown.parts.map(({ threat }) => threat.eps)).toEqual(expected.parts.map(({ threat }) => threat.eps));
        expect(grown.project(v!)).toEqual(expected.project(v!));
        expect(grown.step(g!, 0.5)).toEqual(expected.step(g!, 0.5));
      }),
      runs,
    ));
});

describe('random', () => {
  it('draws every input from a fork by its name: another input beside it changes nothing', () =>
    fc.assert(
      fc.property(sceneOf(), ({ sample, threats }) => {
        const all = productOf(sample, threats);
        const drawn = cutBy(all, all.random(stream('frame')));
        for (const [name, threat] of Object.entries(threats)) {
          expect(productOf(sample, { [name]: threat }).random(stream('frame'))).toEqual(drawn[name]);
          expect(threat.size(drawn[name]!)).toBeLessThanOrEqual(threat.eps * (1 + 1e-6));
          expect(drawn[name]!.every((value, i) => value === 0 || threat.mask?.[i] !== 0)).toBe(true);
        }
      }),
      runs,
    ));
});

describe('each', () => {
  it('hands every input its own stretch of every vector, and lays the results out again', () =>
    fc.assert(
      fc.property(withVectors(sceneOf(), 2), ([{ sample, threats }, [a, b]]) => {
        const space = productOf(sample, threats);
        const seen: string[] = [];
        const sum = space.each(
          (part, p, q) => {
            seen.push(part.name);
            expect([p!.length, q!.length]).toEqual([part.x.length, part.x.length]);
            return p!.map((value, i) => value + q![i]!);
          },
          a!,
          b!,
        );
        expect(sum).toEqual(a!.map((value, i) => value + b![i]!));
        expect(seen).toEqual(Object.keys(threats));
      }),
      runs,
    ));
});

describe('pull', () => {
  it('is the gradient itself, zero where the mask forbids', () =>
    fc.assert(
      fc.property(withVectors(sceneOf(), 1), ([{ sample, threats }, [g]]) => {
        const space = productOf(sample, threats);
        const masked = space.parts.flatMap(({ from, to, threat: { mask } }) => [
          ...(mask ?? new Float32Array(to - from).fill(1)),
        ]);
        expect([...space.pull(cutBy(space, g!))]).toEqual(Array.from(g!, (value, i) => (masked[i] === 0 ? 0 : value)));
      }),
      runs,
    ));
});

it.each(norms)('a mask of zeros leaves nothing to do in %s', (norm) => {
  const threats = { x: lpThreat(specOf([2]), { norm, eps: 1, mask: new Float32Array(2) }) };
  const space = productOf(sampleOf('s', { x: Float32Array.of(0.25, 0.75) }), threats);
  const far = Float32Array.of(1, -1);
  for (const u of [
    space.project(far),
    space.step(far, 1),
    space.random(stream('frame')),
    space.pull({ x: far }),
    space.low,
    space.high,
  ]) {
    expect(u.every((value) => value === 0)).toBe(true);
  }
});
