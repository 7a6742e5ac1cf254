/**
 * Carlini and Wagner's l2 attack: Adam on the squared size plus c times what the logits still lack, and a search for c.
 * Paper: Carlini, Wagner, "Towards evaluating the robustness of neural networks", S&P 2017, sections V and VI.A (loss f6).
 * Threat model: white box, l2. Without bounds nothing holds an element back.
 * Deviations: elements move in the box itself and are clipped, where the paper goes through tanh, which has no slope at a value of exactly 0 or 1; sizes and
 * lr are shares of the width of the box (widths.ts); lr sinks to a hundredth along a cosine; a constant counts as large enough only where its search still
 * finds examples at its end, since Adam's first steps, lr in every element, overshoot the boundary with any c; the abort is every sample's own.
 * 1000 steps where the paper takes 10000: on nets of 200 elements 300 did as well.
 * mode reference goes through tanh from an original shrunk by 1e-6 into the box (elements without two bounds move plainly), at a constant lr, in the units of
 * the input, and any example counts for c, as in the authors' code.
 */
import { leadOf, reached } from '../../kit/losses/loss.ts';
import { argmax } from '../../kit/model/oracle.ts';
import { firstOf, notNegative, oneOf, positive, wholeFrom } from '../../kit/option-checks.ts';
import { annealed } from './annealing.ts';
import type { Attack } from './attack.ts';
import { constantSearch } from './constant-search.ts';
import { drive } from './frame/drive.ts';
import { type Joint, jointOf } from './frame/joint.ts';
import { gradients } from './frame/question.ts';
import { losses } from './option-checks.ts';
import { widthOf, widthsOf } from './widths.ts';

const defaults = { searches: 9, steps: 1000, lr: 0.01, kappa: 0, c0: 1e-3, abortEarly: true, mode: 'ours' };

export const cw: Attack<'gradient', typeof defaults> = {
  name: 'cw',
  title: 'smallest l2 change by Adam: its square plus c times the logits lacking, for the best c (Carlini and Wagner)',
  needs: 'gradient',
  kind: 'minimal',
  norms: ['l2'],
  modalities: 'any',
  domains: ['continuous'],
  targeted: true,
  defaults,
  about: {
    searches: 'constants c tried: ten times the last one until an example is found, then halves',
    steps: 'steps of Adam with each c; the paper takes 10000',
    lr: 'learning rate of Adam, as a share of the width of the box (mode reference: in the space of atanh)',
    kappa: 'by how much, in logits, an example must reach the goal',
    c0: 'first c',
    abortEarly: 'leave a c where a tenth of the steps brought less than 1/10000',
    mode: 'ours, or reference: through tanh as the authors do it',
  },
  check: ({ searches, steps, lr, kappa, c0, mode }) =>
    firstOf(
      wholeFrom(1, 'searches', searches),
      wholeFrom(1, 'steps', steps),
      positive('lr', lr),
      notNegative('kappa', kappa),
      positive('c0', c0),
      oneOf(['ours', 'reference'], 'mode', mode),
    ),
  passes: ({ searches, steps }) => ({ forwards: searches * steps, backwards: searches * steps }),
  paper: 'Carlini and Wagner 2017, arXiv 1608.04644',
  run: (job, { searches, steps, lr, kappa, c0, abortEarly, mode }) =>
    drive(job, {
      space: jointOf,
      keep: 'smallest',
      confidence: kappa,
      *attempt({ goal, space }) {
        const loss = losses.margin!(goal);
        const search = constantSearch(c0, searches);
        const every = Math.ceil(steps / 10);
        for (let s = 0; s < searches; s++) {
          const path = mode === 'reference' ? throughTanh(space, lr) : insideBox(space, lr, steps);
          let before = Number.POSITIVE_INFINITY;
          let foundAt = Number.NEGATIVE_INFINITY;
          let k = 0;
          for (; k < steps; k++) {
            const answer = yield* gradients([path.u], [loss], (s + k / steps) / searches);
            const z = answer.logits[0]!;
            const lacking = Math.max(0, leadOf(goal, z) + kappa);
            if (lacking === 0 && reached(goal, argmax(z))) foundAt = k;
            if (abortEarly && k % every === 0) {
              const objective = path.squares() + search.c * lacking;
              if (!(objective <= 0.9999 * before)) break;
              before = objective;
            }
            path.step(answer.gradient[0]!, lacking > 0 ? search.c : 0);
          }
          search.tried(foundAt >= (mode === 'reference' ? 0 : k - every / 2));
        }
      },
    }),
};

/** The way one c is taken by Adam. */
interface Path {
  readonly u: Float32Array;
  /** The squared size, in the units of the objective. */
  squares(): number;
  /** One step down the objective: squares minus c times a loss of this gradient by u. */
  step(gradient: Float32Array, c: number): void;
}

/** Adam's constants of the paper; the small one keeps the quotient finite. */
const [beta1, beta2, tiny] = [0.9, 0.999, 1e-8];

/** Adam over n elements: called with its learning rate at every step, it gives how far element i goes down a slope, `width` being its unit of length. */
function adam(n: number): (lr: number) => (i: number, slope: number, width: number) => number {
  const mean = new Float32Array(n);
  const square = new Float32Array(n);
  let k = 0;
  return (lr) => {
    const rate = lr / (1 - beta1 ** ++k);
    const unbias = 1 / Math.sqrt(1 - beta2 ** k);
    return (i, slope, width) => {
      mean[i] = beta1 * mean[i]! + (1 - beta1) * slope;
      square[i] = beta2 * square[i]! + (1 - beta2) * slope * slope;
      return (width * rate * mean[i]!) / (Math.sqrt(square[i]!) * unbias + tiny);
    };
  };
}

function insideBox(space: Joint, lr: number, steps: number): Path {
  const { n, low, high } = space;
  const widths = widthsOf(space);
  const unit = widthOf(widths) ** 2;
  const u = new Float32Array(n);
  const descent = adam(n);
  let k = 0;
  return {
    u,
    squares: () => squaresOf(u) / unit,
    step(gradient, c) {
      const down = descent(annealed(lr, lr / 100, k++ / steps));
      for (let i = 0; i < n; i++) {
        const width = widths[i]!;
        const slope = width * ((2 * u[i]!) / unit - c * gradient[i]!);
        const moved = u[i]! - down(i, slope, width);
        u[i] = moved < low[i]! ? low[i]! : moved > high[i]! ? high[i]! : moved;
      }
    },
  };
}

/** u_i = middle_i + half_i tanh(start_i + w_i), or width_i w_i where there are not two bounds. */
function throughTanh(space: Joint, lr: number): Path {
  const { n, low, high } = space;
  const widths = widthsOf(space);
  const bounded = widths.map((width, i) => (Math.fround(high[i]! - low[i]!) < Number.POSITIVE_INFINITY && width > 0 ? 1 : 0));
  const half = widths.map((width, i) => (bounded[i] ? width / 2 : width));
  const middle = widths.map((_, i) => (bounded[i] ? (low[i]! + high[i]!) / 2 : 0));
  const start = widths.map((_, i) => (bounded[i] ? Math.atanh((-middle[i]! / half[i]!) * (1 - 1e-6)) : 0));
  const u = new Float32Array(n);
  const w = new Float64Array(n);
  const tanh = new Float64Array(n);
  const descent = adam(n);
  const place = () => {
    for (let i = 0; i < n; i++) {
      tanh[i] = bounded[i] ? Math.tanh(start[i]! + w[i]!) : w[i]!;
      u[i] = Math.min(high[i]!, Math.max(low[i]!, middle[i]! + half[i]! * tanh[i]!));
    }
  };
  place();
  return {
    u,
    squares: () => squaresOf(u),
    step(gradient, c) {
      const down = descent(lr);
      for (let i = 0; i < n; i++) {
        const bent = bounded[i] ? 1 - tanh[i]! ** 2 : 1;
        w[i]! -= down(i, half[i]! * bent * (2 * u[i]! - c * gradient[i]!), 1);
      }
      place();
    },
  };
}

function squaresOf(u: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < u.length; i++) sum += u[i]! * u[i]!;
  return sum;
}
