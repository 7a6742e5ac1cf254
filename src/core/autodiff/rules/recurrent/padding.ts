/** @file Rows of different lengths (sequence_lens): where each one ends, and how it is turned round. */
import { i64 } from '../../../tensor/tensor.ts';
import type { Scene } from '../../rule.ts';
import { type Size, sizeList } from '../sizes.ts';

export interface Padding {
  /** Booleans [T, N, 1]: moments before the end of their row. */
  readonly inside: string;
  /** Booleans [T, N, 1]: the last moment of each row; none in a row of length 0. */
  readonly last: string;
  /** Each row of a [T, N, .] value back to front, its padding left where it is: twice is once nothing. */
  turn(value: string): string;
}

/** What the lengths (int32 [N]) of a node say; `time` is T. */
export function paddingOf(lengths: string, time: Size, scene: Scene): Padding {
  const { g } = scene;
  const whole = g.op('Cast', [lengths], { to: 7 });
  const moments = momentsOf(time, scene);
  const perMoment = (value: string) => g.op('Unsqueeze', [value, g.ints([2])]);
  return {
    inside: perMoment(g.op('Less', [moments, whole])),
    last: perMoment(g.op('Equal', [moments, g.op('Sub', [whole, g.ints([1])])])),
    turn: (value) => g.op('ReverseSequence', [value, whole], { time_axis: 0, batch_axis: 1 }),
  };
}

/** 0 to T - 1 as a column. */
function momentsOf(time: Size, scene: Scene): string {
  const { g } = scene;
  if (typeof time === 'number') return g.constant(i64([...Array(time).keys()], [time, 1]));
  const count = g.op('Squeeze', [sizeList(scene, [time])]);
  return g.op('Unsqueeze', [g.op('Range', [g.constant(i64([0], [])), count, g.constant(i64([1], []))]), g.ints([1])]);
}
