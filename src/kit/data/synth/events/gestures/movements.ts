/**
 * @file The eleven kinds of gesture, as ways the hands go. Coordinates are relative to the arm's own shoulder in lengths of an upper arm: x away from
 * the body, y downwards. The figure faces the camera, so its right arm is on the left of the picture.
 */
import type { Stream } from '../../../../../core/tensor/random.ts';
import type { Point } from '../canvas.ts';

export interface Pose {
  readonly right: Point;
  readonly left: Point;
}

/** How a clip is performed: about 1 each where nothing is said. */
export interface Manner {
  /** Factor on the size of the movement. */
  readonly reach: number;
  /** Height by which it is done lower. */
  readonly drop: number;
  /** How much a circle is wider than high. */
  readonly oval: number;
  /** Whether the hands change roles where a gesture has a leading one. */
  readonly mirrored: boolean;
  /** Numbers in [0, 1) for the class that is defined by none: chosen for every clip. */
  readonly whim: readonly number[];
}

export interface Movement {
  readonly name: string;
  /** Turns per second of an average person. */
  readonly tempo: number;
  /** Side of the line from shoulder to hand that the elbow is on: 1 below and outside while the hand is low. */
  readonly bend: readonly [right: 1 | -1, left: 1 | -1];
  pose(turns: number, manner: Manner): Pose;
}

const turn = 2 * Math.PI;
const hanging: Point = [0.14, 1.82];

/** Where the two hands meet: both shoulders are this far from the middle. */
export const shoulder = 0.72;

/** One hand does something, the other hangs. */
const one = (side: 'right' | 'left', hand: Point): Pose =>
  side === 'right' ? { right: hand, left: hanging } : { right: hanging, left: hand };

const wave = (side: 'right' | 'left'): Movement => ({
  name: `${side} hand wave`,
  tempo: 1.5,
  bend: side === 'right' ? [-1, 1] : [1, -1],
  pose: (turns, { reach, drop }) => {
    const swing = Math.sin(turn * turns);
    return one(side, [0.6 + 0.55 * reach * swing, -0.85 + drop + 0.2 * reach * swing * swing]);
  },
});

/** `way` 1: clockwise in the picture. */
const circle = (side: 'right' | 'left', way: 1 | -1): Movement => ({
  name: `${side} arm ${way === 1 ? 'cw' : 'ccw'}`,
  tempo: 1.15,
  bend: [1, 1],
  pose: (turns, { reach, drop, oval }) => {
    const angle = turn * turns * way * (side === 'right' ? -1 : 1);
    return one(side, [0.45 + 0.95 * reach * oval * Math.cos(angle), -0.05 + drop + (0.95 * reach * Math.sin(angle)) / oval]);
  },
});

const clapping: Movement = {
  name: 'hand clapping',
  tempo: 1.8,
  bend: [1, 1],
  pose: (turns, { reach, drop }) => {
    const apart = 0.5 - 0.5 * Math.cos(turn * turns);
    const hand: Point = [-shoulder + 0.08 + 0.75 * reach * apart, 0.6 + drop];
    return { right: hand, left: hand };
  },
};

const armRoll: Movement = {
  name: 'arm roll',
  tempo: 1.5,
  bend: [1, 1],
  pose: (turns, { reach, drop, mirrored }) => {
    const angle = turn * turns * (mirrored ? -1 : 1);
    const [x, y] = [-shoulder + 0.12 - 0.22 * reach * Math.cos(angle), 0.42 * reach * Math.sin(angle)];
    return { right: [x, 0.7 + drop + y], left: [x, 0.7 + drop - y] };
  },
};

const airDrums: Movement = {
  name: 'air drums',
  tempo: 1.7,
  bend: [1, 1],
  pose: (turns, { reach, drop }) => {
    const hit = (at: number) => 0.42 * reach * (Math.cos(turn * at) + 0.25 * Math.cos(2 * turn * at));
    return { right: [0.02, 0.62 + drop + hit(turns)], left: [0.02, 0.62 + drop + hit(turns + 0.5)] };
  },
};

const airGuitar: Movement = {
  name: 'air guitar',
  tempo: 1.9,
  bend: [1, 1],
  pose: (turns, { reach, drop, mirrored }) => {
    const strum: Point = [-0.45 + 0.1 * reach * Math.sin(turn * turns), 1.1 + drop + 0.42 * reach * Math.sin(turn * turns)];
    const neck: Point = [0.85 + 0.12 * Math.sin(0.31 * turn * turns), 0.25 + drop + 0.1 * Math.cos(0.31 * turn * turns)];
    return mirrored ? { right: neck, left: strum } : { right: strum, left: neck };
  },
};

/** What people do when told to do anything: one of four, with details of their own. */
const other: Movement = {
  name: 'other gestures',
  tempo: 1.3,
  bend: [1, 1],
  pose: (turns, { reach, drop, whim }) => {
    const [kind, a, b, c] = whim as [number, number, number, number];
    const at = turn * turns;
    if (kind < 0.25) {
      const flap = Math.sin(at);
      const hand: Point = [1.2 + 0.2 * a, 0.3 + drop - 0.9 * reach * flap];
      return { right: hand, left: hand };
    }
    if (kind < 0.5) {
      const punch = (by: number): Point => [0.2 + 0.75 * reach * (0.5 + 0.5 * Math.sin(at + by)), 0.1 + drop + 0.3 * a];
      return { right: punch(0), left: punch(Math.PI) };
    }
    if (kind < 0.75) {
      const both = (phase: number): Point => [
        0.5 + 0.7 * reach * Math.cos(at + phase),
        -0.1 + drop + 0.7 * reach * Math.sin(at + phase),
      ];
      return { right: both(0), left: both(a < 0.5 ? 0 : Math.PI) };
    }
    const loop = (phase: number): Point => [
      0.2 + 0.6 * reach * Math.sin(at + phase),
      0.4 + drop + 0.6 * reach * Math.sin(2 * at + turn * b),
    ];
    return { right: loop(0), left: loop(turn * c) };
  },
};

/** In the order of the corpus's class codes 1..11. */
export const movements: readonly Movement[] = [
  clapping,
  wave('right'),
  wave('left'),
  circle('right', 1),
  circle('right', -1),
  circle('left', 1),
  circle('left', -1),
  armRoll,
  airDrums,
  airGuitar,
  other,
];

/** A manner drawn around a person's own. */
export const mannerOf = (person: Omit<Manner, 'whim'>, draw: Stream): Manner => ({
  reach: person.reach * Math.exp(0.1 * draw.normal()),
  drop: person.drop + 0.06 * draw.normal(),
  oval: person.oval * Math.exp(0.05 * draw.normal()),
  mirrored: person.mirrored,
  whim: Array.from({ length: 4 }, () => draw.uniform()),
});
