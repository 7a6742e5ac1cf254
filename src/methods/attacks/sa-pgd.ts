/**
 * Stable adaptive projected gradient descent: steps along a running mean of normalised gradients over the root of that of their squares, none longer than a
 * length that is halved again and again. Made for spiking networks, whose gradients jump from point to point; it asks nothing of the model that PGD does not.
 * Paper: Wang, Zhao, Chen, Zhang, Zeng, "Towards reliable evaluation of adversarial robustness for spiking neural networks", arXiv 2512.22522, 2025: there with
 * the surrogate ASSG (`spikes: assg`).
 * Threat model: white box, linf. The first length is eps; it is halved at the checkpoints of APGD, whatever the loss did. The start is the first random
 * direction of APGD, on the surface of the ball.
 * Deviations: means are over the elements that may change, all axes of the sample, each input apart (the released code takes three axes, so that clips have
 * means per column); a zero gradient adds nothing instead of 0/0; with a scale, lengths and gradients are in its units; a sample leaves at its first success
 * unless earlyStop is false, and then the success with the largest margin is kept, not the last one. Of the losses of its code, DLR is left to APGD.
 */
import { firstOf, oneOf, wholeFrom } from '../../kit/option-checks.ts';
import type { Attack } from './attack.ts';
import { drive } from './frame/drive.ts';
import { productOf } from './frame/product.ts';
import { gradients, logits } from './frame/question.ts';
import type { Part } from './frame/space.ts';
import { halving, windowsOf } from './halving-pace.ts';
import { passesOf } from './iterate.ts';
import { losses } from './option-checks.ts';

const defaults = { steps: 100, restarts: 1, momentum: 0.5, squares: 0.8, loss: 'ce', earlyStop: true };

export const saPgd: Attack<'gradient', typeof defaults> = {
  name: 'sa-pgd',
  title: 'clipped steps along two running means of the gradient, for spiking networks',
  needs: 'gradient',
  kind: 'bounded',
  norms: ['linf'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    steps: 'gradient steps of each restart',
    restarts: 'random starts tried while a sample still stands',
    momentum: 'how much of the running sum of gradients is kept, 0 (none) to below 1',
    squares: 'how much of the running sum of their squares is kept, 0 (none) to below 1',
    loss: 'ce (cross-entropy) or margin (difference of logits)',
    earlyStop: 'stop at the first success; false walks on and keeps the success with the largest margin',
  },
  check: ({ steps, restarts, momentum, squares, loss }) =>
    firstOf(
      wholeFrom(1, 'steps', steps),
      wholeFrom(1, 'restarts', restarts),
      share('momentum', momentum),
      share('squares', squares),
      oneOf(Object.keys(losses), 'loss', loss),
    ),
  passes: ({ steps, restarts }) => passesOf(steps, restarts),
  paper: 'Wang et al. 2025, arXiv 2512.22522',
  run: (job, { steps, restarts, momentum, squares, loss, earlyStop }) =>
    drive(job, {
      space: productOf,
      keep: earlyStop ? 'first' : 'widest',
      *attempt({ goal, space, random }) {
        for (let restart = 0; restart < restarts; restart++) {
          const stream = random(restart);
          let u = space.project(space.each((part) => halving.start(part, stream.fork(part.name))));
          const paces = new Map(space.parts.map((part) => [part.name, paceOf(part, { momentum, squares })]));
          const lengths = shares(steps);
          for (let step = 0; step < steps; step++) {
            const done = (restart * steps + step) / (restarts * steps);
            const { gradient } = yield* gradients([u], [losses[loss]!(goal)], done, step === 0);
            const length = lengths.next().value;
            u = space.each(({ name }, v, g) => paces.get(name)!(v!, g!, length), u, gradient[0]!);
          }
          yield* logits([u]);
        }
      },
    }),
};

const share = (name: string, value: number): string | undefined =>
  value >= 0 && value < 1 ? undefined : `${name} is ${value}, but must be 0 or more and below 1`;

/** The length of every step over eps: 1, halved at the end of every window. */
function* shares(steps: number): Generator<number, never> {
  const windows = windowsOf(steps);
  for (let length = 1; ; length /= 2) for (let left = windows.next().value; left > 0; left--) yield length;
}

type Pace = (u: Float32Array, gradient: Float32Array, length: number) => Float32Array;

/** The steps of one input, which remember its gradients: u + clip(length m / sqrt(v), -length, length), back into ball and bounds. */
function paceOf({ x, threat }: Part, keep: { readonly momentum: number; readonly squares: number }): Pace {
  const { eps, mask, scale } = threat;
  const { low, high } = threat.ends(x);
  const free = mask?.reduce((sum, may) => sum + may, 0) ?? x.length;
  const m = new Float32Array(x.length);
  const v = new Float32Array(x.length);
  return (u, gradient, length) => {
    let [size, power] = [0, 0];
    for (let i = 0; i < m.length; i++) {
      const g = gradient[i]! * (scale?.[i] ?? 1);
      size += Math.abs(g);
      power += g * g;
    }
    const byMean = size === 0 ? 0 : free / size;
    const byPower = power === 0 ? 0 : free / power;
    const most = length * eps;
    const next = new Float32Array(m.length);
    for (let i = 0; i < m.length; i++) {
      const unit = scale?.[i] ?? 1;
      const g = gradient[i]! * unit;
      m[i] = keep.momentum * m[i]! + g * byMean;
      v[i] = keep.squares * v[i]! + g * g * byPower;
      const step = (m[i]! / (Math.sqrt(v[i]!) + 1e-12)) * most;
      const moved = Math.fround(u[i]! + Math.min(most, Math.max(-most, step)) * unit);
      next[i] = Math.min(high[i]!, Math.max(low[i]!, moved));
    }
    return next;
  };
}
