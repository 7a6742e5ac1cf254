/** @file The direction in which a decision turns, estimated from labels alone. */
import type { Stream } from '../../core/tensor/random.ts';
import type { Joint } from './frame/joint.ts';
import type { Answer, Question } from './frame/question.ts';
import type { Ask } from './random-start.ts';

/** Numbers laid out at a time for one question of one sample: 16 MB, and 64 points or fewer beyond 65536 elements. */
const atOnce = 2 ** 22;
const mostPoints = 256;

/**
 * The Monte Carlo estimate of Chen, Jordan and Wainwright (equation 16): the mean of (phi - mean phi) v / (1 - 1 / count) over `count` directions v uniform
 * on the unit sphere, phi = 1 where u + delta v reaches the goal, -1 elsewhere. Where all are equal, phi alone is the weight.
 * Where the box cuts u + delta v off, v is what is left of it. At a point of a plane boundary the mean is the unit normal times
 * Gamma(d/2) / (sqrt(pi) Gamma((d+1)/2)), in any direction; on a curved one, up to terms of order delta.
 */
export function* boundaryNormal(
  { low, high }: Pick<Joint, 'low' | 'high'>,
  ask: Ask,
  stream: Stream,
  u: Float32Array,
  { delta, count }: { readonly delta: number; readonly count: number },
): Generator<Question, Float64Array, Answer> {
  const n = u.length;
  const signed = new Float64Array(n);
  const plain = new Float64Array(n);
  const piece = Math.max(1, Math.min(mostPoints, Math.floor(atOnce / n)));
  let total = 0;
  for (let from = 0; from < count; from += piece) {
    const points = Array.from({ length: Math.min(piece, count - from) }, () => around(low, high, stream, u, delta));
    const hits = yield* ask(points);
    for (const [k, point] of points.entries()) {
      const phi = hits[k] ? 1 : -1;
      total += phi;
      for (let i = 0; i < n; i++) {
        const v = (point[i]! - u[i]!) / delta;
        signed[i]! += phi * v;
        plain[i]! += v;
      }
    }
  }
  const mean = total / count;
  if (Math.abs(mean) === 1) return signed.map((value) => value / count);
  return signed.map((value, i) => (value - mean * plain[i]!) / (count - 1));
}

/** A point at distance delta from u, uniform among the directions that mask and bounds leave, cut off at the box. */
function around(low: Float32Array, high: Float32Array, stream: Stream, u: Float32Array, delta: number): Float32Array {
  const n = u.length;
  const point = new Float32Array(n);
  let square = 0;
  for (let i = 0; i < n; i++) {
    if (low[i] === high[i]) continue;
    const normal = stream.normal();
    point[i] = normal;
    square += normal * normal;
  }
  const length = square === 0 ? 0 : delta / Math.sqrt(square);
  for (let i = 0; i < n; i++) {
    const moved = u[i]! + length * point[i]!;
    const most = high[i]!;
    const least = low[i]!;
    point[i] = moved > most ? most : moved < least ? least : moved;
  }
  return point;
}
