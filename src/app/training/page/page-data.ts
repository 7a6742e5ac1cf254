/** @file What the page of a training is made from: plain data. */

import type { Problem } from '../../../kit/data/source.ts';
import type { InputSpec } from '../../../kit/model/model.ts';
import type { Evaluation } from '../../../kit/nn/export/evaluate.ts';
import type { Provenance } from '../../../kit/nn/export/provenance.ts';
import type { EpochRecord } from '../../../kit/nn/fit/history.ts';
import type { Norm } from '../../../kit/threat/threat.ts';

/** How many of n test samples an attack could not turn. */
export interface Robustness {
  readonly split: Evaluation['split'];
  readonly data: string;
  /** How the samples were made, where they are not recordings. */
  readonly synthetic?: string;
  /** The attack and its strength, e.g. "pgd, 20 steps". */
  readonly attack: string;
  readonly norm: Norm;
  /** One number, or one by input. */
  readonly eps: number | Readonly<Record<string, number>>;
  /** Samples the attack was given, those the model got wrong before included. */
  readonly n: number;
  /** Recognised without the attack. */
  readonly clean: number;
  /** Recognised whatever the attack did. */
  readonly right: number;
}

export interface TrainingPage {
  readonly name: string;
  readonly version: string;
  /** ISO 8601. */
  readonly date: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly classes: readonly string[];
  /** The recipe as YAML, defaults filled in. */
  readonly recipe: string;
  readonly model: string;
  /** The defence by name, or undefined for standard training. */
  readonly defence?: string;
  readonly history: readonly EpochRecord[];
  /** The epoch the weights are from, counted from 1. */
  readonly bestEpoch: number;
  /** What of the validation data chose it. */
  readonly metric: string;
  readonly stoppedEarly: boolean;
  readonly seconds: number;
  readonly provenance: Provenance;
  readonly robustness?: Robustness;
  readonly problems: readonly Problem[];
  /** What whoever reads the figures should know. */
  readonly notes: readonly string[];
  /** Files beside the page. */
  readonly files: readonly (readonly [name: string, what: string])[];
}
