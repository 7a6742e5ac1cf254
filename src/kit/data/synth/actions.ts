/** @file The classes of the synthetic sequences: how each kind of action moves the six channels. */

/** One periodic component of a channel: `ratio` times the action's tempo. */
export interface Component {
  readonly ratio: number;
  readonly weight: number;
  /** Turns by which it leads the first channel's. */
  readonly phase: number;
}

export interface Action {
  readonly name: string;
  /** Strokes per second. */
  readonly tempo: number;
  /** Components of channel c; channels beyond the table repeat it with another phase. */
  readonly channels: readonly (readonly Component[])[];
  /** Loudness over the window: steady; a pulse per stroke; one event at a random time, after which the rhythm has lost half a turn. */
  readonly envelope: 'steady' | 'pulses' | 'event';
  /** Hz of the small component that betrays the class. */
  readonly ripple: number;
  /** Turns by which the ripple of a channel is ahead of that of the one before. */
  readonly lag: number;
}

const part = (ratio: number, weight: number, phase: number): Component => ({ ratio, weight, phase });

/** The same two components in every channel, channel c leading by `turns[c]`. */
const wave = (turns: readonly number[], second: Component): Component[][] =>
  turns.map((turn) => [part(1, 1, turn), part(second.ratio, second.weight, second.phase + second.ratio * turn)]);

/** In the order of their class codes. */
export const actions: readonly Action[] = [
  {
    name: 'walk',
    tempo: 1.7,
    channels: wave([0, 0.5, 0, 0.5, 0, 0.5], part(2, 0.5, 0.1)),
    envelope: 'steady',
    ripple: 10,
    lag: 0 / 8,
  },
  {
    name: 'run',
    tempo: 2.6,
    channels: wave([0, 0.5, 0.25, 0.75, 0, 0.5], part(2, 0.7, 0.3)),
    envelope: 'steady',
    ripple: 12,
    lag: 1 / 8,
  },
  {
    name: 'jump',
    tempo: 1.2,
    channels: wave([0, 0, 0, 0.5, 0.5, 0.5], part(3, 0.4, 0)),
    envelope: 'pulses',
    ripple: 14,
    lag: 2 / 8,
  },
  {
    name: 'wave',
    tempo: 2.2,
    channels: wave([0, 0.25, 0.5, 0.75, 0, 0.25], part(3, 0.2, 0.25)),
    envelope: 'steady',
    ripple: 16,
    lag: 3 / 8,
  },
  {
    name: 'sit',
    tempo: 0.6,
    channels: wave([0, 0, 0.5, 0.5, 0.25, 0.25], part(4, 0.4, 0)),
    envelope: 'steady',
    ripple: 18,
    lag: 4 / 8,
  },
  {
    name: 'stumble',
    tempo: 1.7,
    channels: wave([0, 0.5, 0, 0.5, 0, 0.5], part(2, 0.5, 0.1)),
    envelope: 'event',
    ripple: 20,
    lag: 5 / 8,
  },
  {
    name: 'climb',
    tempo: 1.1,
    channels: wave([0, 0.5, 0.5, 0, 0.25, 0.75], part(2, 1, 0.5)),
    envelope: 'steady',
    ripple: 22,
    lag: 6 / 8,
  },
  {
    name: 'turn',
    tempo: 0.9,
    channels: wave([0, 0.125, 0.25, 0.375, 0.5, 0.625], part(3, 0.7, 0.4)),
    envelope: 'event',
    ripple: 24,
    lag: 7 / 8,
  },
];
