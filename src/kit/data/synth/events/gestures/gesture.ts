/**
 * @file Synthetic gestures in the manner of the DVS128 Gesture recordings: invented people, 11 kinds of gesture, 5 lightings, filmed by a simulated
 * event camera. Clips last 1.5 s (real ones about 6 s). Which way an arm circles cannot be told from where the events are, only from their polarity and their order in time.
 */
import { UserError } from '../../../../../core/errors.ts';
import { type Stream, stream } from '../../../../../core/tensor/random.ts';
import type { EventStream } from '../../../events/stream.ts';
import { type Camera, type Frame, film, makeCamera } from '../camera.ts';
import { type Canvas, canvasOf, paintLimb } from '../canvas.ts';
import { paintFigure } from './figure.ts';
import { mannerOf, movements } from './movements.ts';
import { type Lighting, lightings, type Person, people, personOf, trainingPeople } from './people.ts';

export interface GestureOptions {
  seed?: number;
  /** Width and height of the sensor in pixels. */
  size?: number;
  /** Seconds of a clip. */
  duration?: number;
}

export const gestureDefaults: Required<GestureOptions> = { seed: 0, size: 128, duration: 1.5 };

export const gestureClasses: readonly string[] = movements.map(({ name }) => name);

/** Pictures per second that the camera's input is computed for, on a sensor 64 wide: limbs move by about half a pixel between them. */
const rate = 200;

export interface Gesture {
  /** Index of the class. */
  readonly label: number;
  readonly person: string;
  readonly lighting: string;
  readonly split: 'train' | 'test';
  /** Times count from 0. */
  readonly events: EventStream;
}

/** Recordings that differ in who is seen in what light. */
export const recordings = people * lightings.length;

/** Who is seen in recording 0..144, and where: neighbours differ in both, and every fifth or so is for testing, so that a small corpus has both splits. */
export function recordingOf(index: number): { person: number; lighting: Lighting; split: 'train' | 'test' } {
  // 5 and 29 have no common divisor, so both run through all pairs
  const person = ((index * 11) % people) + 1;
  return { person, lighting: lightings[index % lightings.length]!, split: person <= trainingPeople ? 'train' : 'test' };
}

/** Checks the options and fills in defaults. Throws a UserError that names the option. */
export function gestureSettings(options: GestureOptions = {}): Required<GestureOptions> {
  const settings = { ...gestureDefaults, ...options };
  if (settings.size < 32 || settings.size > 128)
    throw new UserError(`a gesture is 32 to 128 pixels wide, not ${settings.size}`, 'choose --size 64 or --size 128');
  return settings;
}

export const gestureCamera = ({ seed, size }: Required<GestureOptions>): Camera =>
  makeCamera(size, size, stream(seed, 'gestures', 'camera'));

/** Clip `index`: classes take turns, a recording is one of each; a pure function of the index and the settings. */
export function makeGesture(index: number, settings: Required<GestureOptions>, camera = gestureCamera(settings)): Gesture {
  const label = index % movements.length;
  const { person: number, lighting, split } = recordingOf(Math.floor(index / movements.length) % recordings);
  const draw = stream(settings.seed, 'gestures', index);
  const person = personOf(settings.seed, number);
  const noisy: Camera = { ...camera, options: { ...camera.options, noise: lighting.noise } };
  const events = film(noisy, scene(label, person, lighting, settings, draw), draw.fork('noise'));
  return { label, person: person.name, lighting: lighting.name, split, events };
}

function* scene(
  label: number,
  person: Person,
  lighting: Lighting,
  { size, duration }: Required<GestureOptions>,
  draw: Stream,
): Generator<Frame> {
  const movement = movements[label]!;
  const manner = mannerOf(person.manner, draw);
  const tempo = movement.tempo * person.tempo * Math.exp(0.08 * draw.normal());
  const start = draw.uniform();
  const unit = size * person.scale * Math.exp(0.03 * draw.normal());
  const middle = person.place.map((p) => size * (p + 0.02 * draw.normal())) as [number, number];
  const [swayTurn, hurry] = [draw.uniform(), 0.2 * draw.normal()];
  const shade = (contrast: number) => Math.min(1, lighting.level * Math.exp(lighting.contrast * contrast));
  const shades = { torso: shade(person.shades.torso), sleeve: shade(person.shades.sleeve), skin: shade(person.shades.skin) };
  const wall = wallOf(size, lighting);
  const passers = passersOf(size, lighting, draw);
  const canvas = canvasOf(size, size);
  const frames = Math.round((duration * rate * size) / 64);
  for (let i = 0; i <= frames; i++) {
    const time = (duration * i) / frames;
    canvas.values.set(wall.values);
    for (const passer of passers) passer(canvas, time);
    const sway = person.sway * unit * Math.sin(2 * Math.PI * (0.4 * time + swayTurn));
    const turns = start + tempo * time * (1 + hurry * (time / duration - 0.5));
    paintFigure(
      canvas,
      { person, shades, bend: movement.bend, centre: [middle[0] + sway, middle[1] + 0.3 * sway], unit },
      movement.pose(turns, manner),
    );
    yield { time: Math.round(1e6 * time), intensity: canvas.values };
  }
}

/** The background, lit from one side. */
function wallOf(size: number, { level, slope }: Lighting): Canvas {
  const wall = canvasOf(size, size);
  for (let i = 0; i < wall.values.length; i++) wall.values[i] = level * Math.exp(slope * ((i % size) / size - 0.5));
  return wall;
}

type Passer = (canvas: Canvas, time: number) => void;

/** Things that move behind the person: faint upright shapes that drift or swing. */
function passersOf(size: number, { level, bustle }: Lighting, draw: Stream): Passer[] {
  const count = Math.floor(bustle + draw.uniform());
  return Array.from({ length: count }, (): Passer => {
    const [x, y, radius] = [draw.uniform(), 0.1 + 0.8 * draw.uniform(), 0.02 + 0.05 * draw.uniform()];
    const [speed, swing, pace] = [0.12 * draw.normal(), 0.06 * draw.uniform(), 0.3 + draw.uniform()];
    const [length, shade] = [
      0.1 + 0.3 * draw.uniform(),
      level * Math.exp((draw.uniform() < 0.5 ? -1 : 1) * (0.25 + 0.3 * draw.uniform())),
    ];
    return (canvas, time) => {
      const at = size * (x + speed * time + swing * Math.sin(2 * Math.PI * pace * time));
      paintLimb(canvas, [at, size * y], [at, size * (y + length)], size * radius, shade);
    };
  });
}
