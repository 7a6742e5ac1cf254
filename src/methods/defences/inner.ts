/** @file Crafting by an attack on the current weights: what PGD-AT, FGSM-RS, TRADES and MART have in common. */
import type { Stream } from '../../core/tensor/random.ts';
import { stream } from '../../core/tensor/random.ts';
import type { Tensor } from '../../core/tensor/tensor.ts';
import type { Loss } from '../../kit/losses/loss.ts';
import { packChunk } from '../../kit/model/batches.ts';
import { createOracle } from '../../kit/model/make-oracle.ts';
import type { InputSpec, Inputs } from '../../kit/model/model.ts';
import type { GradientOracle } from '../../kit/model/oracle.ts';
import { drawNoise } from '../../kit/nn/fit/noise.ts';
import type { BatchCrafter, Crafted, Crafting, CraftScene, LabelledSample } from '../../kit/nn/fit/task.ts';
import { liveSessions } from '../../kit/nn/live.ts';
import type { Mode } from '../../kit/nn/net.ts';
import type { Threat } from '../../kit/threat/threat.ts';
import { perInput } from '../attacks/point.ts';
import { ascend, probesAt } from './ascend.ts';
import type { Threats } from './defence.ts';
import { divergenceFrom } from './divergence.ts';
import { checkInputs, threatsOf } from './threats.ts';

export interface InnerAttack {
  readonly name: string;
  readonly threats: Threats;
  readonly steps: number;
  alpha(threat: Threat): number;
  /** First perturbation of one input at `x`, not yet projected. */
  start(threat: Threat, x: Float32Array, random: Stream): Float32Array;
  /** Share of the budget that one sample is attacked with; 1 where left out. */
  radius?(random: Stream): number;
  /** label: cross-entropy to the true label; clean: divergence from the prediction on the clean sample. */
  readonly climbs: 'label' | 'clean';
  /** inputs: the points stand in for the samples; beside: they are further inputs of the objective, `adversarialName(NAME)`. */
  readonly hands: 'inputs' | 'beside';
  /** Of normalisation and dropout in the network that is attacked. */
  readonly mode: Mode;
}

/** The input of the step that holds the crafted values of an input. */
export const adversarialName = (input: string): string => `adversarial_${input}`;

/**
 * Every sample is attacked on its own: its random numbers follow from seed, id, defence and step. In training mode the network that is attacked
 * couples the batch, and has one dropout mask per sample and step.
 */
export function craftWith(attack: InnerAttack): Crafting {
  return { name: attack.name, prepare: (scene) => prepare(attack, scene) };
}

async function prepare(attack: InnerAttack, { trainer, runtime, seed, batch, signal }: CraftScene): Promise<BatchCrafter> {
  const { name, threats, mode } = attack;
  const { inputs } = trainer.architecture;
  checkInputs(inputs, threats);
  let noise: Readonly<Record<string, Tensor>> = {};
  const sessions = await liveSessions(
    onlyAttacked(trainer.architecture, threats),
    runtime,
    () => ({ ...trainer.weights({ raw: true }), ...noise }),
    { mode },
  );
  return {
    async craft(samples, where) {
      // the oracle runs a single sample twice
      const ids = samples.length === 1 ? [samples[0]!.id, samples[0]!.id] : samples.map(({ id }) => id);
      noise = drawNoise(sessions.noise, ids, { seed, step: where.step });
      const random = (of: number): Stream => stream(seed, samples[of]!.id, name, 'draws', where.step, where.replay);
      const oracle = createOracle(sessions, { maxBatch: batch, signal, random });
      const own = samples.map((sample) => {
        const share = attack.radius?.(stream(seed, sample.id, name, 'radius', where.step, where.replay)) ?? 1;
        return threatsOf(inputs, share === 1 ? threats : scaledBy(share, threats), sample);
      });
      const starts = samples.map((sample, i) =>
        perInput(own[i]!, (threat, input) => {
          const x = sample.inputs[input]!;
          const own = stream(seed, sample.id, name, where.step, where.replay, input);
          return threat.project(x, attack.start(threat, x, own));
        }),
      );
      const losses = await lossesOf(attack.climbs, oracle, samples);
      const points = await ascend(oracle, samples, own, { ...attack, starts, losses });
      return attack.hands === 'inputs' ? { inputs: points } : { extra: beside(points, inputs, threats) };
    },
    release: () => sessions.release(),
  };
}

async function lossesOf(
  climbs: InnerAttack['climbs'],
  oracle: GradientOracle,
  samples: readonly LabelledSample[],
): Promise<Loss[]> {
  if (climbs === 'label') return samples.map(({ label }) => ({ label, ce: 1 }));
  return (await oracle.logits(probesAt(samples.map((s) => s.inputs)))).map(divergenceFrom);
}

const scaledBy = (share: number, threats: Threats): Threats =>
  perInput(threats, (options) => ({ ...options, eps: share * options.eps }));

/** The same network, but with gradients for the inputs that have a budget alone. */
function onlyAttacked<A extends { readonly inputs: Readonly<Record<string, InputSpec>> }>(architecture: A, threats: Threats): A {
  const inputs = perInput(
    architecture.inputs,
    (spec, name): InputSpec => ({ ...spec, role: Object.hasOwn(threats, name) ? 'attacked' : 'given' }),
  );
  return { ...architecture, inputs };
}

function beside(
  points: readonly Inputs[],
  inputs: Readonly<Record<string, InputSpec>>,
  threats: Threats,
): NonNullable<Crafted['extra']> {
  const specs = perInput(threats, (_, name) => inputs[name]!);
  const packed = packChunk({ name: 'crafted', inputs: specs }, points, { start: 0, count: points.length, size: points.length });
  return Object.fromEntries(Object.entries(packed).map(([name, value]) => [adversarialName(name), value]));
}
