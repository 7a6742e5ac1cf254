/** @file The contract of an attack: a pure function from a job and options to one proposal per sample. */
import type { Stream } from '../../core/tensor/random.ts';
import type { Goal } from '../../kit/losses/loss.ts';
import type { Modality, Sample } from '../../kit/model/model.ts';
import type { DecisionOracle, GradientOracle, ScoreOracle } from '../../kit/model/oracle.ts';
import type { OptionValue } from '../../kit/options.ts';
import type { Outcome } from '../../kit/record/outcome.ts';
import type { Norm, Threat } from '../../kit/threat/threat.ts';

export interface OracleFor {
  gradient: GradientOracle;
  scores: ScoreOracle;
  decision: DecisionOracle;
  none: undefined;
}

export type Need = keyof OracleFor;

export interface Job<N extends Need> {
  readonly oracle: OracleFor[N];
  readonly batch: readonly Sample[];
  /** Goal of each sample. */
  readonly goals: readonly Goal[];
  /** Budget of each sample, by attacked input; of a minimal attack the largest one asked for. */
  readonly threats: readonly Readonly<Record<string, Threat>>[];
  /** The random stream of sample i, restart r: nothing is shared between samples. */
  random(sample: number, restart: number): Stream;
  /** Most queries each sample may cost from here on; without them an attack asks what its options say. */
  readonly queries?: readonly number[];
  readonly signal: AbortSignal;
  progress(done: number, of: number): void;
}

export type { OptionValue };

/** What cost and parts of an attack depend on beside its options, and whether it can run at all. */
export interface Facts {
  readonly classes: number;
  /** Of all attacked inputs, each once. */
  readonly norms: readonly Norm[];
  /** Whether an attacked input holds only two values; no by default. */
  readonly binary?: boolean;
  /** Whether the model draws random numbers; no by default. */
  readonly random?: boolean;
  /** Whether an element of an attacked input has no bound; no by default. */
  readonly unbounded?: boolean;
  /** Of all attacked inputs together; an attack whose cost depends on it says what it takes for granted where it is not known. */
  readonly elements?: number;
}

export interface Passes {
  readonly forwards: number;
  readonly backwards: number;
}

/** Whether an attack's examples hold only the two values of a binary input. */
export const flips = ({ domains, flipsIn }: Pick<Attack, 'domains' | 'flipsIn'>, norm: Norm): boolean =>
  domains === undefined || domains.includes('binary') || (flipsIn?.includes(norm) ?? false);

/** Whether an attack can do nothing but flip the values of binary inputs. */
export const onlyFlips = ({ domains }: Pick<Attack, 'domains'>): boolean =>
  domains !== undefined && !domains.includes('continuous');

export interface Attack<
  N extends Need = Need,
  Options extends Readonly<Record<string, OptionValue>> = Readonly<Record<string, OptionValue>>,
> {
  readonly name: string;
  /** One line for `provoke list attacks`. */
  readonly title: string;
  readonly needs: N;
  /** bounded: runs once per budget; minimal: runs once, budgets are thresholds on what it found. */
  readonly kind: 'bounded' | 'minimal';
  readonly norms: readonly Norm[];
  readonly modalities: readonly Modality[] | 'any';
  /**
   * Inputs whose values its examples keep to; any where it does not say. One whose examples lie between the two values of a binary input says
   * 'continuous': rounding would decide what a bounded one finds there. (What a minimal one finds is lengthened until rounding spares it.)
   */
  readonly domains?: readonly ('continuous' | 'binary')[];
  /** Norms in which the examples of a 'continuous' attack hold nothing but the two values of a binary input after all. */
  readonly flipsIn?: readonly Norm[];
  readonly targeted: boolean;
  /** The one place a default is written; command line, schema and docs read it. */
  readonly defaults: Options;
  readonly about: Readonly<Record<keyof Options, string>>;
  /** Why an option's value cannot be used, or undefined. */
  check?(options: Options): string | undefined;
  /** Throws a UserError where the options do not go with model and threat; asked before anything runs. */
  admit?(options: Options, facts: Facts): void;
  /** The most one sample can cost at one budget: what `--dry-run` counts with. */
  passes(options: Options, facts: Facts): Passes;
  /** Of a suite: the attacks it runs in order, under what names and options: recorded with every run. */
  parts?(
    options: Options,
    facts: Facts,
  ): readonly { readonly name: string; readonly attack: string; readonly options: Readonly<Record<string, OptionValue>> }[];
  readonly paper: string;
  run(job: Job<N>, options: Options): Promise<Outcome[]>;
}
