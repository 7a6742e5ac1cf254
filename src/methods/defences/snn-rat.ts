/**
 * Regularised adversarial training for spiking networks, a reconstruction: adversarial training, and after every step the weights of each layer are
 * pulled towards orthogonal rows, so that no layer enlarges the distance between the spikes of a sample and those of its adversarial example.
 * Paper: Ding, Bu, Yu, Huang, Liu, "SNN-RAT: Robustness-enhanced Spiking Neural Network through Regularized Adversarial Training", NeurIPS 2022,
 * OpenReview xwBdjfKt7_W. Reconstructed from its abstract and from what the authors' released code does: one gradient step of the whole eps with
 * normalisation by running statistics, then W <- (1 + beta) W - beta W W' W for every convolution and linear layer, beta 5e-4.
 * Threat model: white box, linf (the paper's), l2 or l1. `balls: uniform` draws the radius of each sample anew, for the paper's "multiple adversarial
 * neighbourhoods"; how the paper chooses them could not be read.
 * Deviations: layers of 200 rows and more are retracted whole (theirs: a random third of the rows); derivatives of spikes are those training goes through
 * (theirs: of the whole training or of rates).
 */
import { tensor } from '../../core/tensor/tensor.ts';
import type { Crafting } from '../../kit/nn/fit/task.ts';
import type { Mode } from '../../kit/nn/net.ts';
import { standard } from '../../kit/nn/objectives/cross-entropy.ts';
import type { Trainer } from '../../kit/nn/trainer.ts';
import { firstOf, notNegative, oneOf } from '../../kit/option-checks.ts';
import { stepLength } from '../attacks/option-checks.ts';
import type { Defence } from './defence.ts';
import { craftWith } from './inner.ts';
import { checkInner, innerAbout, innerDefaults } from './options.ts';
import { retract } from './orthogonal.ts';
import { checkThreats } from './threats.ts';

const defaults = { steps: 1, ...innerDefaults, beta: 5e-4, balls: 'whole' as string };

const ballKinds = ['whole', 'uniform'] as const;

export const snnRat: Defence<typeof defaults> = {
  name: 'snn-rat',
  title: 'learns from adversarial examples and keeps weights nearly orthogonal (spiking networks; a reconstruction)',
  paper: 'Ding et al. 2022, OpenReview xwBdjfKt7_W',
  counted: 'crafted',
  defaults,
  about: {
    ...innerAbout,
    alpha: 'length of a step in the units of the input, or auto: eps at one step, otherwise 2.5 eps / steps',
    beta: 'how far each step of training pulls weights towards orthogonal rows',
    balls: 'whole: eps for every sample; uniform: a radius drawn between 0 and eps, anew every time',
  },
  check: (options) => firstOf(checkInner(options), notNegative('beta', options.beta), oneOf(ballKinds, 'balls', options.balls)),
  make({ steps, alpha, mode, beta, balls }, threats) {
    checkThreats('snn-rat', threats);
    const attack = craftWith({
      name: 'snn-rat',
      threats,
      steps,
      alpha: ({ eps }) => stepLength(alpha, steps === 1 ? eps : (2.5 * eps) / steps),
      start: (_, x) => new Float32Array(x.length),
      ...(balls === 'uniform' ? { radius: (random) => random.uniform() } : {}),
      climbs: 'label',
      hands: 'inputs',
      mode: mode as Mode,
    });
    return { objective: standard(), crafting: retracting(attack, beta) };
  },
};

/** The same crafting, and after every step that was kept the weights are retracted. */
const retracting = (attack: Crafting, beta: number): Crafting => ({
  ...attack,
  async prepare(scene) {
    const crafter = await attack.prepare(scene);
    return { ...crafter, after: () => retractAll(scene.trainer, beta) };
  },
});

/** Every parameter of two and more axes: [out, ...in]. */
function retractAll(trainer: Trainer, beta: number): void {
  const state = trainer.state();
  const matrices = trainer.parameters.filter((name) => state[name]!.dims.length >= 2);
  trainer.set(
    Object.fromEntries(
      matrices.map((name) => {
        const { data, dims } = state[name]!;
        const weights = data.slice();
        retract(weights, dims[0]!, beta);
        return [name, tensor('float32', dims, weights)];
      }),
    ),
  );
}
