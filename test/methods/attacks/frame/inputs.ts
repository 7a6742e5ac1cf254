/** Samples of one or two inputs with random budgets, scales, masks and bounds, originals outside the bounds included. */
import fc from 'fast-check';
import type { Sample } from '../../../../src/kit/model/model.ts';
import { lpThreat } from '../../../../src/kit/threat/lp.ts';
import type { Norm, Threat } from '../../../../src/kit/threat/threat.ts';
import { specOf } from '../../../kit/threat/spec.ts';
import { sampleOf } from '../linear.ts';

export interface Scene {
  readonly sample: Sample;
  readonly threats: Readonly<Record<string, Threat>>;
  /** Elements of all inputs. */
  readonly n: number;
}

export const norms = ['linf', 'l2', 'l1', 'l0'] as const;
export const anyNorm = fc.constantFrom(...norms);
const anyBounds = fc.constantFrom('unbounded' as const, { lower: 0, upper: 1 }, { lower: -2.1179, upper: 2.64 });
/** Thousandths: neither -0 nor numbers so small that nothing is left of them in float32. */
const number = (min: number, max: number) =>
  fc.integer({ min: Math.round(1000 * min), max: Math.round(1000 * max) }).map((value) => value / 1000);
const floats = (min: number, max: number, length: number) =>
  fc.array(number(min, max), { minLength: length, maxLength: length }).map((values) => Float32Array.from(values));

const anyInput = (norm: Norm) =>
  fc.integer({ min: 1, max: 5 }).chain((n) =>
    fc.record({
      x: floats(-3, 3, n),
      bounds: anyBounds,
      eps: norm === 'l0' ? fc.integer({ min: 1, max: 4 }) : number(0.1, 2),
      scale: fc.option(floats(0.25, 4, n), { nil: undefined }),
      mask: fc.option(
        fc.array(fc.constantFrom(0, 1), { minLength: n, maxLength: n }).map((m) => Float32Array.from(m)),
        { nil: undefined },
      ),
    }),
  );

/** The inputs are named b and a, in that order: names are not sorted anywhere. */
export const sceneOf = (norm: fc.Arbitrary<Norm> = anyNorm): fc.Arbitrary<Scene> =>
  norm
    .chain((p) => fc.tuple(fc.constant(p), fc.array(anyInput(p), { minLength: 1, maxLength: 2 })))
    .map(([p, inputs]) => {
      const named = inputs.map((input, k) => [k === 0 ? 'b' : 'a', input] as const);
      return {
        sample: sampleOf('s', Object.fromEntries(named.map(([name, { x }]) => [name, x]))),
        n: inputs.reduce((sum, { x }) => sum + x.length, 0),
        threats: Object.fromEntries(
          named.map(([name, { x, bounds, eps, scale, mask }]) => {
            const limits = { ...(scale && { scale }), ...(mask && { mask }) };
            return [name, lpThreat(specOf([x.length], { bounds }), { norm: p, eps, ...limits })];
          }),
        ),
      };
    });

/** As many vectors as asked for, of a scene's length. */
export const withVectors = (scene: fc.Arbitrary<Scene>, count: number, reach = 8) =>
  scene.chain((made) =>
    fc.tuple(fc.constant(made), fc.array(floats(-reach, reach, made.n), { minLength: count, maxLength: count })),
  );

export const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** The inputs of a space of changes at u, by name. */
export function written(
  space: {
    readonly parts: readonly { readonly name: string; readonly x: Float32Array }[];
    write(u: Float32Array, into: Record<string, Float32Array>): void;
  },
  u: Float32Array,
): Record<string, Float32Array> {
  const into = Object.fromEntries(space.parts.map(({ name, x }) => [name, new Float32Array(x.length).fill(Number.NaN)]));
  space.write(u, into);
  return into;
}

/** A vector cut into its inputs, by name. */
export const cutBy = (
  { parts }: { readonly parts: readonly { readonly name: string; readonly from: number; readonly to: number }[] },
  u: Float32Array,
): Record<string, Float32Array> => Object.fromEntries(parts.map(({ name, from, to }) => [name, u.slice(from, to)]));

/** Elements at which inputs have moved against a mask, or out of the bounds; an original outside them may stay, or come nearer. */
export const forbidden = ({ sample, threats }: Scene, points: Readonly<Record<string, Float32Array>>): string[] =>
  Object.entries(points).flatMap(([name, point]) => {
    const { mask, box } = threats[name]!;
    const x = sample.inputs[name]!;
    const fine = (value: number, i: number): boolean =>
      (mask?.[i] !== 0 || value === x[i]) && value >= Math.min(box.lower[i]!, x[i]!) && value <= Math.max(box.upper[i]!, x[i]!);
    return Array.from(point, (value, i) => (fine(value, i) ? [] : [`${name}[${i}] is ${value}`])).flat();
  });
