/** @file Steps of sign or direction with momentum, halved at checkpoints: APGD in linf and l2 (Croce and Hein 2020, algorithm 1). */
import type { Threat } from '../../kit/threat/threat.ts';
import type { Part } from './frame/space.ts';
import { type MomentumStep, momentumL2, momentumLinf } from './momentum-step.ts';
import type { Gait, Pacing } from './pacer.ts';

const keep = 0.75;

/** On the surface of the ball: uniform numbers (linf) or normal ones (l2) over their norm. */
export const halving: Gait = {
  start({ x, threat }, stream) {
    const { norm, eps, mask, scale } = threat;
    const direction = Float64Array.from(x, () => (norm === 'linf' ? 2 * stream.uniform() - 1 : stream.normal()));
    if (mask !== undefined) for (let i = 0; i < x.length; i++) direction[i]! *= mask[i]!;
    let size = 0;
    for (const value of direction) size = norm === 'linf' ? Math.max(size, Math.abs(value)) : size + value * value;
    const factor = eps / ((norm === 'linf' ? size : Math.sqrt(size)) + 1e-12);
    return Float32Array.from(direction, (value, i) => value * factor * (scale?.[i] ?? 1));
  },
  pacer(part, pacing) {
    const { x, threat } = part;
    const move = moveOf(part);
    const schedule = halvingSchedule(pacing);
    return {
      enter: (u) => threat.project(x, u),
      move(next, u, before, gradient, first) {
        move(next, u, before, gradient, { eps: threat.eps, length: schedule.share() * threat.eps, keep: first ? 1 : keep });
      },
      hear: schedule.hear,
    };
  },
};

/**
 * Step lengths as shares of eps, from 2 on. At checkpoints the length is halved where no more than rho of the window's steps raised the loss, or where
 * the best loss stood still since a checkpoint that did not halve.
 */
export function halvingSchedule({ steps, rho }: Pick<Pacing, 'steps' | 'rho'>): {
  share(): number;
  readonly hear: (news: { readonly loss: number; readonly before: number; readonly best: number }) => boolean;
} {
  const windows = windowsOf(steps);
  let window = windows.next().value;
  let share = 2;
  let walked = 0;
  let rises = 0;
  let halved = true;
  let bestThen = Number.NEGATIVE_INFINITY;
  return {
    share: () => share,
    hear({ loss, before, best }) {
      if (loss > before) rises++;
      walked++;
      if (walked < window) return false;
      halved = rises <= rho * window || (!halved && bestThen >= best);
      if (halved) share /= 2;
      bestThen = best;
      window = windows.next().value;
      walked = 0;
      rises = 0;
      return halved;
    },
  };
}

/** How many steps lie between checkpoints: 22 % of all, then windows that shrink by 3 % down to 6 %, without end. */
export function* windowsOf(steps: number): Generator<number, never> {
  const whole = (share: number): number => Math.max(1, Math.floor(share * steps));
  for (let window = whole(0.22); ; window = Math.max(window - whole(0.03), whole(0.06))) yield window;
}

type Move = (next: Float32Array, u: Float32Array, before: Float32Array, gradient: Float32Array, step: MomentumStep) => void;

function moveOf({ x, threat }: Part): Move {
  if (threat.scale !== undefined) return inParts(threat, x);
  const ends = threat.ends(x);
  const fused = threat.norm === 'linf' ? momentumLinf : momentumL2;
  return (next, u, before, gradient, step) => fused(next, u, before, gradient, ends, step);
}

/** The same move by the threat's own means, which know of the scale. */
function inParts(threat: Threat, x: Float32Array): Move {
  return (next, u, before, gradient, { length, keep }) => {
    const stepped = threat.advance(x, u, gradient, length);
    for (let i = 0; i < next.length; i++) next[i] = u[i]! + keep * (stepped[i]! - u[i]!) + (1 - keep) * (u[i]! - before[i]!);
    next.set(threat.project(x, next));
  };
}
