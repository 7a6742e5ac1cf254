/** @file Who performs and in what light: invented people and lightings, each a function of the seed and its own name. */
import { stream } from '../../../../../core/tensor/random.ts';
import type { Manner } from './movements.ts';

/** As in the recordings of DVS128 Gesture: 29 people, the first 23 of them for training. */
export const people = 29;
export const trainingPeople = 23;

export interface Person {
  /** user01 ... user29. */
  readonly name: string;
  /** Pixels per upper arm, for a picture 1 wide. */
  readonly scale: number;
  /** Where the middle between the shoulders is, in parts of the picture. */
  readonly place: readonly [number, number];
  readonly forearm: number;
  /** Radius of an arm in upper arms. */
  readonly arm: number;
  readonly torso: number;
  readonly head: number;
  readonly tempo: number;
  readonly manner: Omit<Manner, 'whim'>;
  /** How much lighter (or, below 0, darker) than the background the parts are, in log intensity. */
  readonly shades: { readonly torso: number; readonly sleeve: number; readonly skin: number };
  /** Upper arms that the body sways. */
  readonly sway: number;
}

/** Person 1..29. */
export function personOf(seed: number, number: number): Person {
  const draw = stream(seed, 'gestures', 'person', number);
  const around = (mean: number, spread: number) => mean * Math.exp(spread * draw.normal());
  // dark clothes before a light wall, or the other way round; sleeves and skin differ from the torso, or an arm before it could not be seen
  const sign = draw.uniform() < 0.5 ? -1 : 1;
  const torso = sign * (0.35 + 0.5 * draw.uniform());
  const sleeve = torso + (draw.uniform() < 0.5 ? -1 : 1) * (0.3 + 0.3 * draw.uniform());
  // mostly light hands: the polarity at their front then tells, with the order in time, which way they go
  const skin = (draw.uniform() < 0.92 ? 1 : -1) * (0.45 + 0.5 * draw.uniform());
  return {
    name: `user${String(number).padStart(2, '0')}`,
    scale: around(0.165, 0.1),
    place: [0.5 + 0.05 * draw.normal(), 0.43 + 0.04 * draw.normal()],
    forearm: around(0.95, 0.07),
    arm: around(0.17, 0.15),
    torso: around(0.62, 0.1),
    head: around(0.38, 0.08),
    tempo: around(1, 0.17),
    manner: {
      reach: around(1, 0.13),
      drop: 0.12 * draw.normal(),
      oval: around(1, 0.12),
      mirrored: draw.uniform() < 0.15,
    },
    shades: { torso, sleeve, skin: Math.abs(skin - torso) < 0.3 ? skin + 0.5 * Math.sign(skin) : skin },
    sway: 0.03 + 0.05 * draw.uniform(),
  };
}

export interface Lighting {
  readonly name: string;
  /** Intensity of the background. */
  readonly level: number;
  /** Factor on all contrasts. */
  readonly contrast: number;
  /** Relative change of the light from the left edge to the right. */
  readonly slope: number;
  /** Things that move behind the person, on average. */
  readonly bustle: number;
  /** Spontaneous events per second and pixel. */
  readonly noise: number;
}

/** Called as those of DVS128 Gesture; what they do is invented. */
export const lightings: readonly Lighting[] = [
  { name: 'fluorescent', level: 0.35, contrast: 0.9, slope: 0.2, bustle: 0.6, noise: 0.1 },
  { name: 'led', level: 0.45, contrast: 1.1, slope: -0.3, bustle: 0.6, noise: 0.1 },
  { name: 'natural', level: 0.4, contrast: 0.75, slope: 0.6, bustle: 1.5, noise: 0.2 },
  { name: 'fluorescent_led', level: 0.5, contrast: 1, slope: 0, bustle: 0.8, noise: 0.1 },
  { name: 'lab', level: 0.25, contrast: 0.8, slope: -0.5, bustle: 1, noise: 0.25 },
];
