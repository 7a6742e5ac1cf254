/** @file The plain recurrent net (Elman 1990): h = f(x W^T + h' R^T + b), h' the state before. */
import type { Rule } from '../../rule.ts';
import { activationsOf, clipped } from './activations.ts';
import { assemble, type Share } from './assemble.ts';
import { plus } from './recurrence.ts';
import { at, strandsOf } from './strand.ts';

/** dz = dh f'(z), dh' = dz R; f' from the states themselves would do for tanh only, so z is computed again, for all moments at once. */
export const rnn: Rule = (dys, node, scene) => {
  if (dys.every((dy) => dy === undefined)) return [];
  const strands = strandsOf(node, scene, 1, dys);
  const functions = activationsOf(node, ['Tanh'], strands.length);
  const shares = strands.map((s, d): Share => {
    const f = clipped(functions[d]![0]!, node);
    const z = s.unpadded(s.moments(s.fromState(s.before, 0, 1, s.fromInput(s.bias())), s.hidden));
    const weights = s.part(at.r);
    const { carried, made } = s.recur('against', {
      carried: [s.dh.last ?? (s.dh.each === undefined ? s.zeros() : undefined)],
      sequences: [s.dh.each, f.slope(s.m, z, f.value(s.m, z))],
      step: (pen, [next], [here, slope]) => {
        const dz = pen.m.mul(plus(pen.m, next, here)!, slope!);
        return { carried: [pen.matMul(dz, weights)], made: [dz] };
      },
    });
    return { fromInput: made[0]!, fromState: made[0]!, h: carried[0]! };
  });
  return assemble(node, scene, strands, shares, 1);
};
