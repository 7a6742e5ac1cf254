/**
 * @file Sparse sign steps whose number of elements follows that of the best point: APGD in l1 (Croce and Hein, "Mind the box: l1-APGD for sparse
 * adversarial attacks on image classifiers", ICML 2021).
 */
import { nthSmallest } from '../../core/tensor/select.ts';
import type { Part } from './frame/space.ts';
import type { Gait } from './pacer.ts';

const { fround } = Math;

export const sparse: Gait = {
  /** Normal numbers over the range of every element. */
  start(part, stream) {
    const { x, threat } = part;
    const { lower, upper } = threat.box;
    const without = unboundedDeviation(part);
    return Float32Array.from(x, (_, i) => {
      const range = upper[i]! - lower[i]!;
      return stream.normal() * (Number.isFinite(range) ? range : without * (threat.scale?.[i] ?? 1));
    });
  },
  pacer(part, { steps, grown }) {
    const { x } = part;
    const threat = part.threat.at(grown * part.threat.eps);
    const { eps, scale } = threat;
    const n = x.length;
    const free = freeElements(part);
    const window = Math.max(1, Math.floor(0.04 * steps));
    const slopes = new Float64Array(n);
    let share = 1;
    let walked = 0;
    let changed = 0;
    let top = 0;
    /** Shares of elements in float32, as the original counts them: floor() would differ by an element otherwise. */
    const topOf = (count: number): number => fround(fround(count / free) / 1.5);
    return {
      enter(u) {
        const entered = threat.project(x, u);
        changed = countChanged(x, entered);
        top = topOf(changed);
        return entered;
      },
      move(next, u, _, gradient) {
        for (let i = 0; i < n; i++) slopes[i] = Math.abs(gradient[i]! * (scale?.[i] ?? 1));
        const rank = Math.min(free - 1, Math.max(0, Math.floor(fround(fround(1 - top) * free))));
        const least = nthSmallest(slopes.slice(), n - free + rank);
        let count = 0;
        for (let i = 0; i < n; i++) if (slopes[i]! >= least && slopes[i]! > 0) count++;
        const each = count === 0 ? 0 : (share * eps) / count;
        for (let i = 0; i < n; i++) {
          const chosen = slopes[i]! >= least;
          next[i] = chosen ? u[i]! + each * Math.sign(gradient[i]!) * (scale?.[i] ?? 1) : u[i]!;
        }
        next.set(threat.project(x, next));
      },
      hear({ bestAt }) {
        walked++;
        if (walked < window) return false;
        walked = 0;
        const count = countChanged(x, bestAt);
        const sparser = fround(count / changed) < fround(0.95);
        share = sparser ? 1 : Math.max(0.1, share / 1.5);
        changed = count;
        top = topOf(count);
        return sparser;
      },
    };
  },
};

/** Elements whose value differs from the original's. */
function countChanged(x: Float32Array, u: Float32Array): number {
  let count = 0;
  for (let i = 0; i < x.length; i++) if (fround(x[i]! + u[i]!) !== x[i]) count++;
  return count;
}

/** At least one, so that ranks exist where the mask forbids everything. */
const freeElements = ({ x, threat: { mask } }: Part): number =>
  mask === undefined
    ? x.length
    : Math.max(
        1,
        mask.reduce((sum, value) => sum + value, 0),
      );

/**
 * Where there is no range to draw from: normal numbers of this deviation, projected to 3 eps, keep 4.6 % of their elements (those beyond two
 * deviations, by 0.01698 deviations each in the mean), as unit ones do at the original's eps of 12 on 3072 elements.
 */
const unboundedDeviation = (part: Part): number => (3 * part.threat.eps) / (0.01698 * freeElements(part));
