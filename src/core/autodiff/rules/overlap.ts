/** @file Frames laid over a line, each a step after the one before, and added up where they overlap: the transpose of cutting the line into frames. */
import type { DType } from '../../tensor/tensor.ts';
import type { Scene } from '../rule.ts';
import { pad } from './spread.ts';

export interface Frames {
  /** Number of frames. */
  readonly frames: number;
  /** Elements of each. */
  readonly size: number;
  readonly step: number;
  /** Elements of the line. */
  readonly length: number;
  readonly dtype: DType;
}

/** Above so many frames over one element, each element is added to its place instead of whole pieces. */
const mostPieces = 32;

/** `value` [.., frames, size] (any axes of the same elements) added up to [-1, length]. */
export function overlapped(scene: Scene, value: string, into: Frames): string {
  const { g } = scene;
  const { frames, size, step, length } = into;
  const lines = g.op('Reshape', [value, g.ints([-1, frames, size])]);
  const pieces = Math.ceil(size / step);
  if (pieces > mostPieces) return scattered(scene, lines, into);
  const whole = pad(scene, lines, 3, [{ axis: 2, before: 0, after: pieces * step - size }]);
  const cut = pieces === 1 ? [whole] : g.ops('Split', [whole, g.ints(new Array<number>(pieces).fill(step))], pieces, { axis: 2 });
  // piece j of frame f lies on row f + j of the line cut into steps
  const rows = cut.map((piece, j) => pad(scene, piece, 3, [{ axis: 1, before: j, after: pieces - 1 - j }]));
  const sum = rows.length === 1 ? rows[0]! : g.op('Sum', rows);
  const covered = (frames + pieces - 1) * step;
  return pad(scene, g.op('Reshape', [sum, g.ints([-1, covered])]), 2, [{ axis: 1, before: 0, after: length - covered }]);
}

function scattered(scene: Scene, lines: string, { frames, size, step, length, dtype }: Frames): string {
  const { g } = scene;
  const flat = g.op('Reshape', [lines, g.ints([-1, frames * size])]);
  const positions = g.ints(Array.from({ length: frames * size }, (_, i) => Math.floor(i / size) * step + (i % size)));
  const indices = g.op('Expand', [positions, g.op('Shape', [flat])]);
  const zeros = scene.full(g.op('Concat', [g.op('Shape', [flat], { end: 1 }), g.ints([length])], { axis: 0 }), 0, dtype);
  return g.op('ScatterElements', [zeros, indices, flat], { axis: 1, reduction: 'add' });
}
