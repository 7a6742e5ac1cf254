/** @file What all spiking families share: the options of neurons, code, readout, normalisation and surrogate, and the layers they stand for. */
import { UserError } from '../../../../core/errors.ts';
import { firstOf, oneOf, positive, wholeFrom } from '../../../option-checks.ts';
import type { Architecture } from '../../architecture.ts';
import { batchNorm } from '../../layers/batch-norm.ts';
import { overTime } from '../../layers/shape.ts';
import { encoderKinds, latencyCode, poissonCode, repeated } from '../../layers/spiking/encoders.ts';
import { type NeuronKind, type NeuronOptions, neuron, neuronKinds } from '../../layers/spiking/neuron.ts';
import { type ReadoutKind, readout, readoutKinds } from '../../layers/spiking/readouts.ts';
import { codes } from '../../layers/spiking/spike.ts';
import { thresholdNorm } from '../../layers/spiking/threshold-norm.ts';
import { trainedThrough, trainingCurves, trainingSurrogate } from '../../layers/spiking/training-curves.ts';
import { chain, type Layer } from '../../net.ts';
import { arrangedInput, centred, withinUnit } from '../input.ts';

export const spikingDefaults = {
  steps: 4,
  neuron: 'lif',
  tau: 2,
  decayInput: true,
  threshold: 1,
  reset: 'hard',
  resetGradient: 'detach',
  encoder: 'auto',
  readout: 'rate',
  norm: 'tdbn',
  surrogate: 'atan',
  alpha: 'auto' as number | string,
  stretch: 1,
};

export type SpikingOptions = typeof spikingDefaults;

export const spikingAbout: Readonly<Record<keyof SpikingOptions, string>> = {
  steps: 'time steps a picture is shown; a clip brings its own',
  neuron: `${neuronKinds.join(', ')}: leaky integrate-and-fire, without the leak, with a threshold that rises, behind a leaky synapse`,
  tau: 'a potential keeps 1 - 1 / tau of itself per step',
  decayInput: 'divide what flows in by tau too',
  threshold: 'potential at which a neuron fires',
  reset: 'hard: a spike sets the potential to 0; soft: takes the threshold away',
  resetGradient: 'detach or through: whether derivatives of training pass through the reset',
  encoder: `what a picture becomes: ${encoderKinds.join(', ')}, or auto: direct; clips bring their own time`,
  readout: `${readoutKinds.join(', ')}: what the scores are read from`,
  norm: 'tdbn (to the threshold, over time and batch), batch or none',
  surrogate: `what stands for the derivative of a spike in training: ${trainingCurves.join(', ')}`,
  alpha: "the curve's own number (alpha, gamma, slope or half width), or auto: its usual value",
  stretch: 'the curve this many times as wide, over the same area',
};

const norms = ['tdbn', 'batch', 'none'] as const;

export const checkSpiking = (options: SpikingOptions): string | undefined =>
  firstOf(
    wholeFrom(1, 'steps', options.steps),
    oneOf(neuronKinds, 'neuron', options.neuron),
    options.tau >= 1 ? undefined : `tau is ${options.tau}, but must be at least 1`,
    positive('threshold', options.threshold),
    oneOf(['hard', 'soft'], 'reset', options.reset),
    oneOf(['detach', 'through'], 'resetGradient', options.resetGradient),
    oneOf(['auto', ...encoderKinds], 'encoder', options.encoder),
    oneOf(readoutKinds, 'readout', options.readout),
    oneOf(norms, 'norm', options.norm),
    oneOf(trainingCurves, 'surrogate', options.surrogate),
    options.alpha === 'auto' || (typeof options.alpha === 'number' && options.alpha > 0)
      ? undefined
      : `alpha is ${options.alpha}, but must be auto or a number above 0`,
    positive('stretch', options.stretch),
  );

export interface SpikingParts {
  /** The task's input, [C, H, W] or [T, C, H, W]. */
  readonly input: ReturnType<typeof arrangedInput>;
  /** The input to what `first` makes of it at every step, [N, T, ...]. */
  encoded(first: Layer): Layer;
  /** Currents [N, T, ...] to spikes. */
  readonly fire: Layer;
  /** Normalisation of currents; `alpha` as in thresholdNorm. */
  norm(alpha?: number): Layer;
  /** Spikes [N, T, ...] to logits. */
  readonly read: Layer;
  /** What training goes through: of the architecture, as they are. */
  readonly trained: Required<Pick<Architecture, 'surrogates' | 'trainedThrough' | 'trainingOnly'>>;
}

/** The layers the options name. Throws a UserError where the input does not suit them. */
export function spikingParts(
  family: string,
  task: Pick<Architecture, 'inputs' | 'classes'>,
  options: SpikingOptions,
): SpikingParts {
  const clip = Object.values(task.inputs).some((spec) => spec.layout.includes('T'));
  const input = arrangedInput(family, task, clip ? 'TCHW' : 'CHW');
  const { steps, encoder } = options;
  if (clip && encoder !== 'auto')
    throw new UserError(
      `input "${input.name}" (${input.spec.layout}) has its own time, and the encoder is ${encoder}`,
      'leave encoder out, or give the input as pictures',
    );
  const cells: NeuronOptions = {
    kind: options.neuron as NeuronKind,
    tau: options.tau,
    decayInput: options.decayInput,
    threshold: options.threshold,
    reset: options.reset as 'hard' | 'soft',
    resetGradient: options.resetGradient as 'detach' | 'through',
  };
  const norm = (alpha?: number): Layer => {
    if (options.norm === 'none') return (_, x) => x;
    return options.norm === 'tdbn' ? thresholdNorm(options.threshold, alpha) : batchNorm();
  };
  const coded = { poisson: poissonCode(steps), latency: latencyCode(steps) }[encoder];
  const encoded = (first: Layer): Layer => {
    if (clip) return overTime(input.spec.domain === 'binary' ? first : chain(centred(input.spec), first));
    if (coded === undefined) return chain(centred(input.spec), first, repeated(steps));
    return chain(withinUnit(encoder, input), coded, overTime(first));
  };
  return {
    input,
    encoded,
    fire: neuron(cells),
    norm,
    read: readout(options.readout as ReadoutKind, task.classes.length, cells),
    trained: {
      surrogates: [
        trainingSurrogate(options.surrogate, options.alpha, options.stretch),
        ...(encoder === 'poisson' ? [codes] : []),
      ],
      trainedThrough: trainedThrough(options.surrogate, options.alpha, options.stretch, options.resetGradient),
      trainingOnly,
    },
  };
}

/** Options that decide nothing but derivatives in training: a file that is handed out does not hold them. */
const trainingOnly = ['surrogate', 'alpha', 'stretch'] as const;
