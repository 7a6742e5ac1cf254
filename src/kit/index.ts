/** @file `provoke/kit`: models, oracles and losses, for programs that bring their own attack or their own loop. */

export type { DataSource, Problem, RawArray, RawImage, RawItem } from './data/source.ts';
export { type LossGraph, lossFeeds, withLoss } from './losses/graph.ts';
export { type Head, headsFor } from './losses/heads.ts';
export { crossEntropy, type Goal, type Loss, leadOf, reached } from './losses/loss.ts';
export { marginOf, scoreLoss } from './losses/score-loss.ts';
export { type Gain, type TrainingPair, trainingGain } from './metrics/gain.ts';
export { batchDefaults, type Cost, modelCost, suggestBatch } from './model/cost.ts';
export { describeSubstitutes, elementTypes } from './model/element-types.ts';
export { type GradientModelOptions, gradientModel, gradientModelDefaults, statedSubstitutes } from './model/gradient-model.ts';
export { createOracle, decisionView, type OracleOptions, QueryBudgetExceeded, scoreView } from './model/make-oracle.ts';
export { type Manifest, type ManifestInput, manifestOf, mergeManifests, readManifest } from './model/manifest.ts';
export {
  attackedInputs,
  type Bounds,
  type InputSpec,
  type Inputs,
  logitsName,
  type Modality,
  type Model,
  type Sample,
  type Storage,
} from './model/model.ts';
export { type OpenOptions, openModel } from './model/open.ts';
export {
  argmax,
  type Counts,
  type DecisionOracle,
  type GradientOracle,
  type Gradients,
  type Probe,
  type ScoreOracle,
} from './model/oracle.ts';
export { type Prediction, predict, softmax } from './model/predict.ts';
export { type ModelSessions, openSessions, type SessionOptions } from './model/sessions.ts';
export { type Exported, type ExportOptions, exportModel, type TrainingFacts } from './nn/export/export.ts';
export type { Provenance } from './nn/export/provenance.ts';
export { type Card, isCard, readCard } from './nn/export/read-card.ts';
export { readWeights, type Weights, writeWeights } from './nn/export/weights.ts';
export type { Outcome, Status } from './record/outcome.ts';
export type { Norm, Threat, ThreatOptions } from './threat/threat.ts';
