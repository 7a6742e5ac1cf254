/** @file What a study of spiking nets is made of: victims, and parts that say which runs they need and what the rows of those runs mean. */
import type { Row } from '../../../kit/record/row.ts';
import type { SpikesReference } from '../../../kit/spiking/choose.ts';
import type { Norm } from '../../../kit/threat/threat.ts';
import type { Chapter } from '../../chapter.ts';
import type { OptionSchema } from './options.ts';

/** A choice for `spikes:`, as an experiment file states it. */
export type SpikeChoice = SpikesReference;

export interface Victim {
  readonly name: string;
  /** The surrogate it was trained with, which an attacker does not know: the skyline. */
  readonly trained?: SpikeChoice | undefined;
  /** How it was trained against attacks, where it was. */
  readonly defence?: string | undefined;
}

/** An attack as an experiment file names it. */
export interface AttackEntry {
  readonly use: string;
  readonly as: string;
  readonly spikes?: SpikeChoice;
  readonly [option: string]: unknown;
}

/** One run of a part: a victim under a threat and a list of attacks. */
export interface PartRun {
  readonly victim: string;
  readonly threat: { readonly norm: Norm; readonly eps: readonly (number | string)[] };
  readonly attacks: readonly AttackEntry[];
  /** Most queries of an attack on a sample. */
  readonly queries?: number;
}

export interface FinishedRun extends PartRun {
  readonly rows: readonly Row[];
  /** Elements of the attacked input. */
  readonly elements: number;
  /** What the data say of themselves, where they are synthetic. */
  readonly synthetic: string | null;
}

export interface Part<Options = never> {
  readonly name: string;
  readonly title: string;
  readonly options: OptionSchema<Options>;
  /** The runs it needs on these victims, one or none for each. */
  runs(victims: readonly Victim[], options: Options): PartRun[];
  /** Refuses options that do not fit a victim whose attacked inputs have so many elements; throws a UserError. */
  check?(victim: string, elements: number, options: Options): void;
  /** What the finished runs, in the same order, come to. */
  conclude(runs: readonly FinishedRun[], victims: readonly Victim[], options: Options): Chapter;
}
