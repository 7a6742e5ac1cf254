/** @file `provoke/nn`: networks as graphs, and their training. */
export type { Options, OptionValue } from '../options.ts';
export {
  type Architecture,
  type ArchitectureFamily,
  buildNetwork,
  inputSignals,
  logitsOutput,
  type Network,
} from './architecture.ts';
export { architectures, findArchitecture } from './architectures/registry.ts';
export {
  eachPart,
  fanInUniform,
  filled,
  glorot,
  he,
  type Initialiser,
  normal,
  orthogonal,
  truncatedNormal,
  uniform,
} from './initialisers.ts';
export { gelu, leakyRelu, relu, sigmoid, silu, softplus, tanh } from './layers/activations.ts';
export {
  type AttentionOptions,
  attentionDefaults,
  type EncoderOptions,
  encoderBlock,
  selfAttention,
} from './layers/attention.ts';
export { type BatchNormOptions, batchNorm, batchNormDefaults } from './layers/batch-norm.ts';
export { type ConvolutionOptions, convolution, convolutionDefaults, depthwise, separable } from './layers/convolution.ts';
export { type DenseOptions, dense, denseDefaults } from './layers/dense.ts';
export { type DropoutOptions, dropout } from './layers/dropout.ts';
export { embedding } from './layers/embedding.ts';
export { groupNorm, instanceNorm, layerNorm, type NormOptions, normDefaults } from './layers/norms.ts';
export { averagePool, globalAverage, globalMax, maxPool, type PoolOptions, timeAverage } from './layers/pooling.ts';
export { learnedPositions, sinusoidalPositions } from './layers/positions.ts';
export { gru, lstm, type RecurrentOptions, recurrentDefaults, rnn } from './layers/recurrent.ts';
export { basicBlock, bottleneck, type ResidualOptions } from './layers/residual.ts';
export { flatten, overTime, permute, reshape } from './layers/shape.ts';
export { latencyCode, poissonCode, repeated } from './layers/spiking/encoders.ts';
export { type NeuronKind, type NeuronOptions, neuron, neuronDefaults } from './layers/spiking/neuron.ts';
export { integrator, type ReadoutKind, readout } from './layers/spiking/readouts.ts';
export { type ResidualKind, type SpikingBlockOptions, spikingBlock } from './layers/spiking/residual.ts';
export { codes, spike, spikes } from './layers/spiking/spike.ts';
export { thresholdNorm } from './layers/spiking/threshold-norm.ts';
export { trainingCurves, trainingSurrogate } from './layers/spiking/training-curves.ts';
export {
  chain,
  inputSignal,
  type Layer,
  type Mode,
  type Net,
  type NetOptions,
  type NoiseInput,
  named,
  openNet,
  type Signal,
  sequential,
  type Written,
} from './net.ts';
export { standard } from './objectives/cross-entropy.ts';
export { type CrossEntropyOptions, crossEntropy, hinge, kl, meanSquare, softCrossEntropy } from './objectives/losses.ts';
export type { Objective, ObjectiveScene } from './objectives/objective.ts';
export type { Optimiser, UpdateScene } from './optimisers/optimiser.ts';
export { findOptimiser, optimisers } from './optimisers/registry.ts';
export { type Schedule, scheduleOf, schedules } from './schedules.ts';
export { makeStep } from './step.ts';
export { type Step, type StepOptions, stepNames } from './step-terms.ts';
export {
  type Batch,
  type NotFinite,
  openTrainer,
  type State,
  type StepResult,
  type Trainer,
} from './trainer.ts';
