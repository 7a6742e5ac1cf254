/**
 * @file A synthetic corpus of labelled sequences that look like what wearables record: several channels, a few seconds, kinds of action as classes.
 *
 * It is made to hold both kinds of evidence a classifier can use, so that attacks and defences have something to show:
 * - *robust*: large rhythmic movement. Classes differ in tempo, in the second component, in the phase relations between channels and in the
 *   envelope. Subjects differ in tempo, style and gain, and some of another action is mixed into every recording, so that this alone does not
 *   tell all samples apart.
 * - *not robust*: a ripple of about a seventh of the movement's standard deviation, planted on purpose: its frequency and its lag from channel to
 *   channel are the class's own, in every recording. Networks find it, because it is more reliable than the movement; whoever may change every
 *   value by about its size can erase it and put another class's in its place.
 *
 * Loudness says nothing: every channel of every class has the same loudness before the subject's gain. Nothing here was measured on a person:
 * numbers obtained with it are about methods, not about people.
 */
import { UserError } from '../../../core/errors.ts';
import { type Stream, stream } from '../../../core/tensor/random.ts';
import { type Action, actions } from './actions.ts';
import { type Place, placeOf, type Split } from './splits.ts';

export interface SequenceOptions {
  seed?: number;
  /** Classes: the first so many of `actions`. */
  classes?: number;
  channels?: number;
  /** Time steps. */
  steps?: number;
  /** Steps per second. */
  rate?: number;
  /** People; seven in ten train, the rest validate and test. */
  subjects?: number;
  /** Largest share of another action in a recording; each one's is uniform from 0. Above one half the other is the louder one. */
  mixed?: number;
  /** Amplitude of the class's ripple. */
  ripple?: number;
  /** Standard deviation of the sensor's white noise. */
  noise?: number;
}

export const sequenceDefaults: Required<SequenceOptions> = {
  seed: 0,
  classes: 6,
  channels: 6,
  steps: 128,
  rate: 50,
  subjects: 40,
  mixed: 0.45,
  ripple: 0.15,
  noise: 0.06,
};

export interface Sequence extends Place {
  readonly subject: string;
  /** [channels, steps], row-major; the movement of one channel has standard deviation about 1. */
  readonly values: Float32Array;
}

/** Checks the options and fills in defaults. Throws a UserError that names the option. */
export function sequenceSettings(options: SequenceOptions = {}): Required<SequenceOptions> {
  const settings = { ...sequenceDefaults, ...options };
  const { classes, subjects, channels, steps } = settings;
  const refuse = (what: string, remedy: string): never => {
    throw new UserError(what, remedy);
  };
  if (classes < 2 || classes > actions.length)
    refuse(`there are 2 to ${actions.length} classes, not ${classes}`, `choose --classes ${sequenceDefaults.classes}`);
  if (subjects < 10) refuse(`${subjects} subjects cannot be divided among three splits`, 'choose --subjects 10 or more');
  if (channels > 64) refuse(`${channels} channels are too many`, 'choose --channels 64 or fewer');
  if (steps < 32 || steps > 4096) refuse(`sequences have 32 to 4096 steps, not ${steps}`, 'choose --steps 128');
  return settings;
}

export const sequenceClasses = (classes: number): string[] => actions.slice(0, classes).map((action) => action.name);

/** Sample `index` of the corpus: a pure function of the index and the settings, whatever else is made. */
export function makeSequence(index: number, settings: Required<SequenceOptions>): Sequence {
  const { seed, classes, subjects, steps, channels } = settings;
  const place = placeOf(index, classes);
  const draw = stream(seed, 'sequences', index);
  const number = subjectOf(place.split, subjects, draw);
  const values = new Float32Array(channels * steps);
  const person = habits(seed, number);
  const take = performance(place.label, person, settings, draw);
  for (let c = 0; c < channels; c++) values.set(channel(c, take, person, settings, draw), c * steps);
  return { ...place, subject: `subject-${String(number).padStart(2, '0')}`, values };
}

/** The first people train, the next validate, the last test: no one is in two splits. */
function subjectOf(split: Split, subjects: number, draw: Stream): number {
  const held = Math.max(1, Math.round(0.15 * subjects));
  const training = subjects - 2 * held;
  if (split === 'train') return draw.integer(training);
  return training + (split === 'test' ? held : 0) + draw.integer(held);
}

/** What a person brings to every recording. */
interface Habits {
  readonly tempo: number;
  readonly gain: (channel: number) => number;
  /** Turns by which a channel is ahead of the table. */
  readonly lead: (channel: number) => number;
  /** Factor on the second component. */
  readonly second: number;
  readonly noise: number;
  readonly drift: number;
}

function habits(seed: number, subject: number): Habits {
  const draw = stream(seed, 'subject', subject);
  return {
    tempo: Math.exp(0.1 * draw.normal()),
    second: Math.exp(0.25 * draw.normal()),
    noise: Math.exp(0.2 * draw.normal()),
    drift: 0.1 + 0.2 * draw.uniform(),
    gain: (c) => Math.exp(0.2 * stream(seed, 'subject', subject, 'gain', c).normal()),
    lead: (c) => 0.05 * stream(seed, 'subject', subject, 'lead', c).normal(),
  };
}

/** An action's phase, in turns, and loudness at every step. */
interface Rhythm {
  readonly action: Action;
  readonly turns: Float64Array;
  readonly envelope: Float64Array;
}

/** One recording. */
interface Performance {
  readonly action: Action;
  readonly main: Rhythm;
  /** Another action, done by the way, and its share. */
  readonly other: Rhythm;
  readonly share: number;
  readonly gain: number;
  /** Factor on the class's ripple frequency, close to 1. */
  readonly tune: number;
  /** Turns by which the ripple is ahead. */
  readonly hum: number;
}

function performance(label: number, person: Habits, settings: Required<SequenceOptions>, draw: Stream): Performance {
  const { classes, mixed } = settings;
  const action = actions[label]!;
  const by = actions[(label + 1 + draw.integer(classes - 1)) % classes]!;
  return {
    action,
    main: rhythm(action, person, settings, draw),
    other: rhythm(by, person, settings, draw),
    share: mixed * draw.uniform(),
    gain: Math.exp(0.15 * draw.normal()),
    tune: 1 + 0.01 * draw.normal(),
    hum: draw.uniform(),
  };
}

function rhythm(action: Action, person: Habits, { steps, rate }: Required<SequenceOptions>, draw: Stream): Rhythm {
  const tempo = action.tempo * person.tempo * Math.exp(0.08 * draw.normal());
  const start = draw.uniform();
  const speedUp = 0.08 * draw.normal();
  const moment = Math.round(steps * (0.25 + 0.5 * draw.uniform()));
  const turns = new Float64Array(steps);
  const envelope = new Float64Array(steps).fill(1);
  const sway = { depth: 0.25 * draw.uniform(), turn: draw.uniform() };
  for (let t = 0; t < steps; t++) {
    const share = t / steps;
    turns[t] = start + (tempo / rate) * t * (1 + speedUp * (share - 0.5));
    envelope[t] = 1 + sway.depth * Math.cos(2 * Math.PI * (share + sway.turn));
    if (action.envelope === 'pulses') envelope[t] = envelope[t]! * Math.exp(2.5 * (Math.cos(2 * Math.PI * turns[t]!) - 1));
    if (action.envelope === 'event') {
      const away = (t - moment) / (0.1 * rate);
      envelope[t] = envelope[t]! * (1 + 2 * Math.exp(-away * away));
      if (t > moment) turns[t] = turns[t]! + 0.5;
    }
  }
  return { action, turns, envelope };
}

/** Values of channel c: the action with some of another mixed in, unit loudness times the gains; then ripple, drift and noise. */
function channel(
  c: number,
  { action, main, other, share, gain, tune, hum }: Performance,
  person: Habits,
  { steps, rate, ripple, noise }: Required<SequenceOptions>,
  draw: Stream,
): Float32Array {
  const lead = person.lead(c) + 0.05 * draw.normal();
  const [own, foreign] = [stroke(c, main, lead, person), stroke(c, other, lead, person)];
  const movement = unitLoudness(own.map((v, t) => (1 - share) * v + share * foreign[t]!));
  const scale = person.gain(c) * gain;
  const [wander, slope] = [draw.uniform(), draw.normal()];
  return Float32Array.from({ length: steps }, (_, t) => {
    const small = ripple * Math.cos(2 * Math.PI * ((action.ripple * tune * t) / rate + hum + action.lag * c));
    const slow = person.drift * (Math.cos(2 * Math.PI * (0.2 * (t / rate) + wander)) + slope * (t / steps - 0.5));
    return movement[t]! * scale + small + slow + noise * person.noise * draw.normal();
  });
}

/** The movement of one action in channel c, at unit loudness. */
function stroke(c: number, { action, turns, envelope }: Rhythm, lead: number, person: Habits): Float64Array {
  const table = action.channels[c % action.channels.length]!;
  const ahead = lead + 0.37 * Math.floor(c / action.channels.length);
  return unitLoudness(
    turns.map((turn, t) => {
      let value = 0;
      for (const [k, { ratio, weight, phase }] of table.entries())
        value += (k === 0 ? weight : weight * person.second) * Math.cos(2 * Math.PI * (ratio * (turn + ahead) + phase));
      return value * envelope[t]!;
    }),
  );
}

/** Mean 0 and standard deviation 1: how loud an action is shall not betray it. */
function unitLoudness(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const loudness = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  return values.map((v) => (v - mean) / loudness);
}
