/** @file The figure: a head, a torso and two arms of two limbs each, painted for a pose. */
import { type Canvas, type Point, paintLimb } from '../canvas.ts';
import { type Movement, type Pose, shoulder } from './movements.ts';
import type { Person } from './people.ts';

export interface Shades {
  readonly torso: number;
  readonly sleeve: number;
  readonly skin: number;
}

export interface Stance {
  readonly person: Person;
  readonly shades: Shades;
  readonly bend: Movement['bend'];
  /** Where the middle between the shoulders is, in pixels. */
  readonly centre: Point;
  /** Pixels per upper arm. */
  readonly unit: number;
}

/** Paints the figure over what is there; the arms are before the torso. */
export function paintFigure(canvas: Canvas, { person, shades, bend, centre, unit }: Stance, pose: Pose): void {
  const at = ([x, y]: Point): Point => [centre[0] + unit * x, centre[1] + unit * y];
  const limb = (from: Point, to: Point, radius: number, shade: number) =>
    paintLimb(canvas, at(from), at(to), unit * radius, shade);
  limb([0, person.torso - 0.12], [0, 2.6], person.torso, shades.torso);
  limb([-shoulder + 0.1, 0.05], [shoulder - 0.1, 0.05], 0.2, shades.torso);
  limb([0, -0.62], [0, -0.74], person.head, shades.skin);
  for (const [side, hand, elbow] of [
    [-1, pose.right, bend[0]],
    [1, pose.left, bend[1]],
  ] as const) {
    const joint = elbowOf(hand, person.forearm, elbow);
    const out = ([x, y]: Point): Point => [side * (shoulder + x), y];
    limb([side * shoulder, 0], out(joint.elbow), person.arm, shades.sleeve);
    limb(out(joint.elbow), out(joint.hand), 0.85 * person.arm, shades.skin);
    limb(out(joint.hand), out(joint.hand), 1.3 * person.arm, shades.skin);
  }
}

/** The elbow of an arm with an upper arm of length 1, and the hand, which is nearer where the arm is too short. */
export function elbowOf(hand: Point, forearm: number, bend: 1 | -1): { elbow: Point; hand: Point } {
  const far = Math.hypot(...hand);
  const distance = Math.min(Math.max(far, 1.05 * Math.abs(1 - forearm) + 0.05), 0.99 * (1 + forearm));
  const [x, y]: Point = far === 0 ? [0, 1] : [hand[0] / far, hand[1] / far];
  const along = (1 + distance * distance - forearm * forearm) / (2 * distance);
  const aside = bend * Math.sqrt(Math.max(0, 1 - along * along));
  return { elbow: [along * x + aside * y, along * y - aside * x], hand: [distance * x, distance * y] };
}
