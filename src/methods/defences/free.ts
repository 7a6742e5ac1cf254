/**
 * Free adversarial training: every batch is stepped on m times, and the gradient of the step that updates the weights also moves the perturbation, which
 * is carried on to the next step and to the next batch.
 * Paper: Shafahi, Najibi, Ghiasi, Xu, Dickerson, Studer, Davis, Taylor, Goldstein, "Adversarial training for free!", NeurIPS 2019, algorithm 1; m 8,
 * a step of eps. The paper divides the epochs by m.
 * Threat model: white box, linf (the paper's), l2 or l1.
 * Deviations: what is carried is cut to the ball alone, and to mask and bounds where it meets a sample; in the authors' code the gradient is zero where
 * the bounds cut, here it is that of the cut sample. The gradient is that of the training step: batch statistics, dropout as drawn.
 * The perturbation belongs to a place in the batch, not to a sample: which samples meet decides what they meet.
 */
import { f32, sizeOf, type Tensor } from '../../core/tensor/tensor.ts';
import type { InputSpec } from '../../kit/model/model.ts';
import type { BatchCrafter, CraftScene } from '../../kit/nn/fit/task.ts';
import { standard } from '../../kit/nn/objectives/cross-entropy.ts';
import { firstOf, wholeFrom } from '../../kit/option-checks.ts';
import { lpThreat } from '../../kit/threat/lp.ts';
import { autoOrPositive, stepLength } from '../attacks/option-checks.ts';
import { allFinite, perInput, pointsAt } from '../attacks/point.ts';
import type { Defence, Threats } from './defence.ts';
import { checkInputs, checkThreats, threatsOf } from './threats.ts';

const defaults = { replays: 8, alpha: 'auto' as number | string };

export const free: Defence<typeof defaults> = {
  name: 'free',
  title: 'replays each batch and moves the perturbation with the gradient of the step itself',
  paper: 'Shafahi et al. 2019, arXiv 1904.12843',
  counted: 'crafted',
  defaults,
  about: {
    replays: 'steps on each batch (m); divide the epochs by it',
    alpha: 'length of a step of the perturbation in the units of the input, or auto: eps',
  },
  check: ({ replays, alpha }) => firstOf(wholeFrom(1, 'replays', replays), autoOrPositive('alpha', alpha)),
  make({ replays, alpha }, threats) {
    checkThreats('free', threats);
    return {
      objective: standard(),
      crafting: {
        name: 'free',
        wrtInputs: Object.keys(threats),
        prepare: async (scene) => carry(threats, replays, alpha, scene),
      },
    };
  },
};

/** Name of the carried perturbation of an input in checkpoints. */
const carriedName = (input: string): string => `free/${input}`;

function carry(threats: Threats, replay: number, alpha: number | string, { trainer, batch }: CraftScene): BatchCrafter {
  const { inputs } = trainer.architecture;
  checkInputs(inputs, threats);
  /** The ball around nothing: no bounds, no mask. */
  const balls = perInput(threats, (options, name) => {
    const unbounded: InputSpec = { ...inputs[name]!, bounds: 'unbounded' };
    const { mask: _, ...ball } = options;
    return lpThreat(unbounded, ball);
  });
  const origin = perInput(threats, (_, name) => new Float32Array(sizeOf(inputs[name]!.shape)));
  let carried: Readonly<Record<string, readonly Float32Array[]>> = perInput(origin, ({ length }) =>
    Array.from({ length: batch }, () => new Float32Array(length)),
  );
  return {
    replay,
    async craft(samples) {
      const deltas = samples.map((sample, i) =>
        perInput(threatsOf(inputs, threats, sample), (threat, name) => threat.project(sample.inputs[name]!, carried[name]![i]!)),
      );
      return { inputs: pointsAt(samples, deltas) };
    },
    after({ inputGradients }) {
      carried = perInput(carried, (deltas, name) => {
        const { data } = inputGradients[name]!;
        const size = origin[name]!.length;
        return deltas.map((delta, i) => {
          const slope = data.subarray(i * size, (i + 1) * size);
          if (slope.length === 0 || !allFinite(slope)) return delta;
          return balls[name]!.advance(origin[name]!, delta, slope, stepLength(alpha, threats[name]!.eps));
        });
      });
    },
    state: () =>
      Object.fromEntries(
        Object.entries(carried).map(([name, deltas]): [string, Tensor] => {
          const all = new Float32Array(batch * origin[name]!.length);
          for (const [i, delta] of deltas.entries()) all.set(delta, i * delta.length);
          return [carriedName(name), f32(all, [batch, ...inputs[name]!.shape])];
        }),
      ),
    restore(state) {
      carried = perInput(carried, (deltas, name) => {
        const held = state[carriedName(name)];
        if (held === undefined || held.data.length !== batch * origin[name]!.length)
          throw new Error(
            `the perturbation of input "${name}" that was kept is not that of ${batch} samples of [${inputs[name]!.shape}]`,
          );
        return deltas.map(({ length }, i) => (held.data as Float32Array).slice(i * length, (i + 1) * length));
      });
    },
    release: async () => {},
  };
}
