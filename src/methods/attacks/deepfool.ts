/**
 * DeepFool: Newton's method for the nearest decision boundary, stepping onto the nearest tangent plane until the class changes.
 * Paper: Moosavi-Dezfooli, Fawzi, Frossard, "DeepFool: a simple and accurate method to fool deep neural networks", CVPR 2016, algorithm 2 and section 3.3.
 * Threat model: white box, minimum norm in l2 and linf.
 * The steps are summed, and the model is asked at (1 + overshoot) times the sum, clipped to the bounds, as in the authors' code and in foolbox 3.3.4.
 * mode reference is that code: steps as if there were no bounds, each 1e-4 longer than to the plane. Ours steps onto the plane inside the bounds and
 * chooses the plane that is nearest there; the 1e-4, which means something else in every unit, is replaced: a step after which the logits are the
 * same is followed by one twice as long. A goal with a target steps to the target's boundary with its strongest rival.
 */
import { reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { firstOf, notNegative, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { type Joint, jointOf } from './frame/joint.ts';
import { logits } from './frame/question.ts';
import type { FlatNorm } from './hyperplane.ts';
import { rivalsOf } from './rivals.ts';
import { nearerInBox, nearerPlain, nearestTangent, type Tangent, tangentsOf } from './tangents.ts';

const defaults = { steps: 50, overshoot: 0.02, candidates: 10, mode: 'ours' };

export const deepfool: Attack<'gradient', typeof defaults> = {
  name: 'deepfool',
  title: 'steps onto the nearest linearised boundary until the class changes',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l2', 'linf'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    steps: 'most steps; few are needed',
    overshoot: 'how far beyond the boundary the whole change goes, as a share of it',
    candidates: 'classes looked at, the highest ranked first, the right one included',
    mode: 'ours (steps inside the bounds) or reference (as in foolbox and by the authors)',
  },
  check: ({ steps, overshoot, candidates, mode }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      notNegative('overshoot', overshoot),
      wholeFrom(2, 'candidates', candidates),
      oneOf(['ours', 'reference'], 'mode', mode),
    ),
  passes({ steps, candidates }, { classes }) {
    const planes = tangentsOf(candidates - 1, classes);
    return { forwards: 1 + steps * (planes + 1), backwards: steps * planes };
  },
  paper: 'Moosavi-Dezfooli et al. 2016, arXiv 1511.04599',
  run: (job, { steps, overshoot, candidates, mode }) =>
    drive(job, {
      space: jointOf,
      keep: 'smallest',
      *attempt({ goal, space, classes }) {
        const norm = space.norm as FlatNorm;
        const total = new Float64Array(space.n);
        let u: Float32Array = new Float32Array(space.n);
        let [z] = yield* logits([u]);
        const rivals = rivalsOf(goal.label, z!).slice(0, candidates - 1);
        let push = 1;
        for (let k = 0; k < steps && !reached(goal, argmax(z!)); k++) {
          const at = { classes, done: k / steps };
          let step: Float64Array;
          if (mode === 'ours') {
            const plane = yield* nearestTangent(goal, rivals, u, nearerInBox(norm, u, space), at);
            if (plane!.found.size === 0) return;
            step = plane!.found.d;
          } else {
            const plane = yield* nearestTangent(goal, rivals, u, nearerPlain(norm), at);
            step = plainStep(norm, plane!.tangent);
          }
          for (let i = 0; i < total.length; i++) total[i]! += push * step[i]!;
          u = overshot(total, overshoot, space);
          const [next] = yield* logits([u]);
          const still = mode === 'ours' && next!.every((value, c) => value === z![c]);
          push = still ? 2 * push : 1;
          z = next!;
        }
      },
    }),
};

function overshot(total: Float64Array, overshoot: number, { low, high }: Joint): Float32Array {
  const u = new Float32Array(total.length);
  for (let i = 0; i < u.length; i++) u[i] = Math.min(high[i]!, Math.max(low[i]!, (1 + overshoot) * total[i]!));
  return u;
}

/** The step that knows no bounds; norms are guarded by 1e-8 as in foolbox. */
function plainStep(norm: FlatNorm, { w, gap }: Tangent): Float64Array {
  let sum = 0;
  for (let i = 0; i < w.length; i++) sum += norm === 'l2' ? w[i]! * w[i]! : Math.abs(w[i]!);
  const dual = (norm === 'l2' ? Math.sqrt(sum) : sum) + 1e-8;
  const length = Math.abs(gap) / dual + 1e-4;
  return Float64Array.from(w, (slope) => length * (norm === 'l2' ? slope / dual : Math.sign(slope)));
}
