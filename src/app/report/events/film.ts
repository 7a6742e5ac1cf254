/** @file The frames of a clip side by side in one picture: a strip as it is, and a film where the page shows one frame of it at a time. */
import type { EventClip } from '../../../kit/data/events/stream.ts';
import { type ClipShape, flipsBetween } from '../../../kit/metrics/flips.ts';
import { html, type Markup } from '../html.ts';
import { indexedPng } from '../indexed-png.ts';
import { pngUri } from '../pictures.ts';
import { type Canvas, canvas, fill, ink, palette, ring, side } from './ink.ts';

/** Frames [T, 2, H, W] next to each other, a thin rule after each; `by` pixels of the picture for each of the sensor. */
function strip(frames: Float32Array, { steps, channels, height, width }: ClipShape, by: number): Canvas {
  const cell = (width + 1) * by;
  const on = canvas(steps * cell, height * by);
  for (let i = 0; i < frames.length; i++) {
    if (frames[i] === 0) continue;
    const [x, y, plane] = [i % width, Math.floor(i / width) % height, Math.floor(i / (width * height))];
    const colour = plane % channels === 0 ? ink.off : ink.on;
    const left = Math.floor(plane / channels) * cell + x * by;
    // where both polarities fired, the second is seen
    fill(on, left, y * by, by, by, colour);
  }
  // in the gap, which films leave out
  for (let step = 0; step < steps; step++) fill(on, (step + 1) * cell - by, 0, 1, height * by, ink.rule);
  return on;
}

/** Flips of each frame. */
export interface Marks {
  readonly added: readonly number[];
  readonly deleted: readonly number[];
}

export function marksOf(original: Float32Array, changed: Float32Array, shape: ClipShape): Marks {
  const added = new Array<number>(shape.steps).fill(0);
  const deleted = new Array<number>(shape.steps).fill(0);
  for (const flip of flipsBetween(original, changed, shape)) (flip.added ? added : deleted)[flip.step]!++;
  return { added, deleted };
}

/** The frame with most flips, the first of several. */
const busiest = ({ added, deleted }: Marks): number =>
  added.reduce((best, n, k) => (n + deleted[k]! > added[best]! + deleted[best]! ? k : best), 0);

interface Reel {
  readonly shape: ClipShape;
  /** The frame shown first. */
  readonly first: number;
  readonly name: string;
  /** The windows in milliseconds from the first, where they are known. */
  readonly clip?: Pick<EventClip, 'edges'> | undefined;
  readonly marks?: Marks;
  /** Spread out as a strip, until a script winds it up. */
  readonly open: boolean;
}

function reel(on: Canvas, { shape, first, name, clip, marks, open }: Reel): Markup {
  const { steps, width, height } = shape;
  const edges = clip && Array.from(clip.edges, (t) => Math.round((t - clip.edges[0]!) / 100) / 10);
  return html`<span class="reel${open && ' open'}" style="--n:${steps};--k:${first};--w:${(steps * (width + 1)) / width};--a:${width}/${height}" data-frames="${steps}" data-first="${first}"${
    marks !== undefined && html` data-added="${marks.added.join()}" data-deleted="${marks.deleted.join()}"`
  }${edges !== undefined && html` data-edges="${edges.join()}"`}><img src="${pngUri(indexedPng({ ...on, palette }))}" alt="${name}"></span>`;
}

export interface Clip {
  readonly shape: ClipShape;
  readonly frames: Float32Array;
  readonly recording?: EventClip | undefined;
}

/** The frames as they were. */
export const originalReel = ({ shape, frames, recording }: Clip, name: string, open = false): Markup =>
  reel(strip(frames, shape, 1), { shape, first: Math.floor(shape.steps / 2), name, clip: recording, open });

/** The changed frames, with flips marked: added filled, deleted hollow. */
export function markedReel({ shape, frames, recording }: Clip, original: Float32Array, name: string, open = false): Markup {
  const on = strip(frames, shape, side);
  const { added: all, deleted: gone } = { added: [] as number[][], deleted: [] as number[][] };
  for (const { step, x, y, added } of flipsBetween(original, frames, shape))
    (added ? all : gone).push([(step * (shape.width + 1) + x) * side, y * side]);
  for (const [left, top] of all) fill(on, left!, top!, side, side, ink.added);
  // a pixel where one polarity went and the other came keeps the mark of both
  for (const [left, top] of gone) ring(on, left!, top!, on.pixels[(top! + 1) * on.width + left! + 1]!);
  const marks = marksOf(original, frames, shape);
  return reel(on, { shape, first: busiest(marks), name, clip: recording, marks, open });
}
