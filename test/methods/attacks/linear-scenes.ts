/** Linear models whose smallest change is known, in several units, with bounds and without; and what an attack finds there. */
import { expect } from 'vitest';
import { stream } from '../../../src/core/tensor/random.ts';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import type { InputSpec } from '../../../src/kit/model/model.ts';
import { argmax } from '../../../src/kit/model/oracle.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Norm, ThreatOptions } from '../../../src/kit/threat/threat.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { readOptions } from '../../../src/methods/attacks/index.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { type Room, smallest } from './exact.ts';
import { jobOf, linearOracle, randomWeights, sampleOf, untargeted } from './linear.ts';

type Options = Readonly<Record<string, number | string | boolean>>;
type Bounds = InputSpec['bounds'];
type Rows = readonly (readonly number[])[];

export const n = 20;
const inf = Number.POSITIVE_INFINITY;
const unit: Bounds = { lower: 0, upper: 1 };

/** The fewest elements of a change within the room with <w, d> > gap: those whose whole way gains most. */
function fewest(w: readonly number[], gap: number, { low, high }: Room): number {
  const gains = w.map((slope, i) => (slope === 0 ? 0 : slope * (slope > 0 ? high[i]! : low[i]!))).sort((a, b) => b - a);
  let sum = 0;
  const count = gains.findIndex((gain) => {
    sum += gain;
    return sum > gap;
  });
  return count < 0 ? inf : count + 1;
}

/** The smallest change away from class `label` of z = W x + b. */
export function optimum(norm: Norm, { weights, bias, x, label, room }: Scene): number {
  const z = weights.map((row, c) => row.reduce((sum, w, i) => sum + w * x[i]!, bias[c]!));
  const others = weights.flatMap((row, c) => {
    if (c === label) return [];
    const slope = row.map((w, i) => w - weights[label]![i]!);
    const gap = z[label]! - z[c]!;
    return [norm === 'l0' ? fewest(slope, gap, room) : smallest(norm, slope, gap, room)];
  });
  return Math.min(...others);
}

export interface Scene {
  readonly weights: Rows;
  readonly bias: readonly number[];
  readonly x: Float32Array;
  readonly label: number;
  readonly room: Room;
  readonly spec: InputSpec;
}

export interface Facts {
  readonly classes?: number;
  readonly bounds?: Bounds;
  /** Where between the bounds the original lies: near the middle, on the bounds too, or only on them. */
  readonly values?: 'middle' | 'tight' | 'binary';
  /** From bound to bound, or what stands for it: values are in this unit, weights per unit. */
  readonly width?: number;
  readonly seed?: number;
}

export function sceneOf({ classes = 2, bounds = unit, values = 'middle', width = 1, seed = 0 }: Facts): Scene {
  const random = stream('minimum norm', classes, seed);
  const weights = randomWeights(classes, n, 'minimum norm', classes, seed).map((row) => row.map((w) => w / width));
  const [least, most] = bounds === 'unbounded' ? [-inf, inf] : [bounds.lower as number, bounds.upper as number];
  const from = bounds === 'unbounded' ? 0 : least;
  const x = Float32Array.from({ length: n }, () => {
    const value = random.uniform();
    if (bounds === 'unbounded') return width * value;
    return (
      from +
      width * { middle: 0.4 + 0.2 * value, tight: Math.min(1, Math.max(0, 2 * value - 0.5)), binary: +(value > 0.5) }[values]
    );
  });
  const z = weights.map((row) => row.reduce((sum, w, i) => sum + w * x[i]!, 0));
  const label = argmax(Float32Array.from(z));
  const room = { low: Array.from(x, (value) => least - value), high: Array.from(x, (value) => most - value) };
  const bias = weights.map((_, c) => (c === label ? (values === 'middle' ? 0.5 : 2) : 0));
  return { weights, bias, x, label, room, spec: specOf([n], { bounds }) };
}

interface Found {
  readonly size: number;
  readonly change: Float32Array;
}

export async function found(
  attack: Attack,
  norm: Norm,
  scene: Scene,
  given: Options = {},
  limits: Pick<ThreatOptions, 'mask' | 'scale'> = {},
  goal: Goal = untargeted(scene.label),
): Promise<Found> {
  const oracle = linearOracle({ x: scene.weights }, scene.bias);
  const threat = lpThreat(scene.spec, { norm, eps: 1, ...limits });
  const [outcome] = await attack.run(
    jobOf(oracle, [sampleOf('a', { x: scene.x })], [goal], [{ x: threat }]),
    readOptions(attack, given),
  );
  const { inputs } = outcome!;
  if (inputs === undefined) return { size: inf, change: new Float32Array(scene.x.length) };
  const [prediction] = await oracle.labels([{ of: 0, inputs }]);
  expect(goal.kind === 'targeted' ? prediction === goal.target : prediction !== goal.label).toBe(true);
  const change = inputs.x!.map((value, i) => value - scene.x[i]!);
  return { size: threat.size(change), change };
}
