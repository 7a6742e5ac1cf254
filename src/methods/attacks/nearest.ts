/** @file Projections of a minimum-norm attack: into the ball of a norm and the box at once. */
import type { Room } from '../../kit/threat/ball.ts';
import { balls } from '../../kit/threat/lp.ts';
import type { Joint } from './frame/joint.ts';

/**
 * A change of size at most eps inside the box, close to u; eps may be infinite. In linf, l1 and l0 it is the nearest one; in l2 the ball comes
 * first and the box after it. What is handed over is used up.
 */
export function nearest({ norm, low, high }: Pick<Joint, 'norm' | 'low' | 'high'>, u: Float64Array, eps: number): Float32Array {
  const room: Room = (i, sign) => (sign > 0 ? high[i]! : -low[i]!);
  const near = balls[norm].project(u, eps, room);
  const inside = new Float32Array(near.length);
  for (let i = 0; i < near.length; i++) {
    const value = near[i]!;
    inside[i] = value > high[i]! ? high[i]! : value < low[i]! ? low[i]! : value;
  }
  return inside;
}

/** The size of the farthest corner of the box: no change is larger. */
export function farthest({ norm, low, high }: Pick<Joint, 'norm' | 'low' | 'high'>): number {
  return balls[norm].size(Float64Array.from(low, (value, i) => Math.max(-value, high[i]!)));
}
