/**
 * The control: one random perturbation of the full budget. An attack that does not beat it has not attacked.
 * Paper: none.
 * Threat model: an attacker without any access to the model.
 * linf: a random sign times eps everywhere. l2, l1: uniform on the sphere of radius eps. l0: floor(eps) random elements, each moved uniformly in its range.
 * A binary input flips: in linf, from eps 1 on, where the sign points that way; else random elements while eps lasts, eps^2 of them in l2.
 * A point uniform *inside* an l2 or l1 ball would have nearly the same norm in high dimension; on the sphere the norm is equal exactly.
 * Where the bounds cut the perturbation off its norm falls below eps: the row holds the norm that was saved.
 */

import type { Stream } from '../../core/tensor/random.ts';
import { isBinary } from '../../kit/threat/grid.ts';
import type { Threat } from '../../kit/threat/threat.ts';
import type { Attack } from './attack.ts';
import { perInput, pointAt } from './point.ts';
import { endsOf } from './regions/ends.ts';

const defaults = {};

export const noise: Attack<'none', typeof defaults> = {
  name: 'noise',
  title: 'random perturbation of the full budget, the control every attack must beat',
  needs: 'none',
  kind: 'bounded',
  norms: ['linf', 'l2', 'l1', 'l0'],
  modalities: 'any',
  targeted: true,
  defaults,
  about: {},
  passes: () => ({ forwards: 0, backwards: 0 }),
  paper: 'none: a control',
  async run({ batch, threats, random, signal, progress }) {
    return batch.map((sample, i) => {
      signal.throwIfAborted();
      const deltas = perInput(threats[i]!, (threat, name) =>
        threat.project(sample.inputs[name]!, fullSize(threat, sample.inputs[name]!, random(i, 0).fork(name))),
      );
      progress(i + 1, batch.length);
      return { status: 'success', inputs: pointAt(sample, deltas) };
    });
  },
};

function fullSize(threat: Threat, x: Float32Array, stream: Stream): Float32Array {
  if (isBinary(threat.input) && threat.norm !== 'linf') return flips(threat, x, stream);
  const inside = threat.random(stream);
  if (threat.norm === 'linf') return threat.step(inside, threat.eps);
  const size = threat.size(inside);
  return threat.norm === 'l0' || size === 0 ? inside : inside.map((value) => value * (threat.eps / size));
}

/** Random elements flipped, as many as the budget pays for. */
function flips(threat: Threat, x: Float32Array, stream: Stream): Float32Array {
  const { low, high } = endsOf({ x, threat });
  const power = { l2: 2, l1: 1, l0: 0, linf: 0 }[threat.norm];
  const budget = threat.eps ** (power || 1) * (1 + 1e-9);
  const order = Array.from(x.keys());
  const delta = new Float32Array(x.length);
  let spent = 0;
  for (let k = 0; k < order.length; k++) {
    const other = k + stream.integer(order.length - k);
    const i = order[other]!;
    order[other] = order[k]!;
    const flip = low[i]! + high[i]!;
    const price = (Math.abs(flip) / (threat.scale?.[i] ?? 1)) ** power;
    if (flip === 0 || spent + price > budget) continue;
    delta[i] = flip;
    spent += price;
  }
  return delta;
}
