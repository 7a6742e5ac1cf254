/**
 * The control: one random perturbation of the full budget. An attack that does not beat it has not attacked.
 * Paper: none.
 * Threat model: an attacker without any access to the model.
 * linf: a random sign times eps everywhere. l2, l1: uniform on the sphere of radius eps. l0: floor(eps) random elements, each moved uniformly in its range.
 * A point uniform *inside* an l2 or l1 ball would have nearly the same norm in high dimension; on the sphere the norm is equal exactly.
 * Where the bounds cut the perturbation off its norm falls below eps: the row holds the norm that was saved.
 */

import type { Stream } from '../../core/tensor/random.ts';
import type { Threat } from '../../kit/threat/threat.ts';
import type { Attack } from './attack.ts';
import { perInput, pointAt } from './point.ts';

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
        threat.project(sample.inputs[name]!, fullSize(threat, random(i, 0).fork(name))),
      );
      progress(i + 1, batch.length);
      return { status: 'success', inputs: pointAt(sample, deltas) };
    });
  },
};

function fullSize(threat: Threat, stream: Stream): Float32Array {
  const inside = threat.random(stream);
  if (threat.norm === 'linf') return threat.step(inside, threat.eps);
  const size = threat.size(inside);
  return threat.norm === 'l0' || size === 0 ? inside : inside.map((value) => value * (threat.eps / size));
}
