/** @file The contract of a defence: what training minimises, and what it does to a batch before the step. */
import type { Crafting } from '../../kit/nn/fit/task.ts';
import type { Objective } from '../../kit/nn/objectives/objective.ts';
import type { Configurable, Options } from '../../kit/options.ts';
import type { ThreatOptions } from '../../kit/threat/threat.ts';

/** The budget of each input that training is to withstand, by the input's name. A mask of a sample narrows it further. */
export type Threats = Readonly<Record<string, ThreatOptions>>;

export interface Defended {
  readonly objective: Objective;
  readonly crafting: Crafting;
}

export interface Defence<O extends Options = Options> extends Configurable<O> {
  /** One line for `provoke list defences`. */
  readonly title: string;
  readonly paper: string;
  readonly about: Readonly<Record<keyof O & string, string>>;
  /** The samples training accuracy is counted on: those the defence made, or the ones it made them from. */
  readonly counted: 'crafted' | 'clean';
  /** Throws a UserError where the threats cannot be trained against. */
  make(options: O, threats: Threats): Defended;
}
