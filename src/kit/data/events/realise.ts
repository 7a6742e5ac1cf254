/** @file From changed frames back to a recording that, cut by the same windows, shows exactly them. */
import type { Stream } from '../../../core/tensor/random.ts';
import { frameShape, tied } from './binning.ts';
import type { EventClip, EventStream } from './stream.ts';

export interface Realised {
  /** The changed recording with the windows of the old one (ties counted anew: events at an edge may have gone). */
  readonly clip: EventClip;
  /** Events that were put in, and taken out. */
  readonly added: number;
  readonly removed: number;
}

/**
 * The recording behind changed binary frames [frames, 2, height, width]. Where a pixel was cleared all its events in that window go; where one was set
 * one event comes, at a uniform whole microsecond of the window, drawn from `random` by frame and pixel (so it does not depend on what else changed).
 * All other events stay, in their order. Throws an Error for frames that are not binary or of another size.
 */
export function realise(clip: EventClip, changed: Float32Array, random: Stream): Realised {
  const { stream, from, edges } = clip;
  if (clip.counts !== 'binary') throw new Error('only binary frames can be turned into events');
  const [frames, , height, width] = frameShape(clip);
  const size = 2 * height * width;
  if (changed.length !== frames * size) throw new Error(`${changed.length} values for frames of ${frames * size}`);
  const out: Kept = { x: [], y: [], p: [], t: [] };
  let [added, removed] = [0, 0];
  const outside = (first: number, end: number) => {
    for (let i = first; i < end; i++) keep(out, stream, i);
  };
  outside(0, from[0]!);
  const starts = [out.t.length];
  for (let frame = 0; frame < frames; frame++) {
    const [first, end] = [from[frame]!, from[frame + 1]!];
    const fired = new Uint8Array(size);
    for (let i = first; i < end; i++) fired[pixelOf(stream, i)] = 1;
    const fresh = newEvents(changed.subarray(frame * size, (frame + 1) * size), fired, (pixel) =>
      timeIn(edges[frame]!, edges[frame + 1]!, random.fork(frame * size + pixel).uniform()),
    );
    added += fresh.length;
    let next = 0;
    const before = (time: number) => {
      for (; next < fresh.length && fresh[next]!.time < time; next++) insert(out, stream, fresh[next]!);
    };
    for (let i = first; i < end; i++) {
      if (changed[frame * size + pixelOf(stream, i)] === 0) {
        removed++;
        continue;
      }
      before(stream.t[i]!);
      keep(out, stream, i);
    }
    before(Number.POSITIVE_INFINITY);
    starts.push(out.t.length);
  }
  outside(from[frames]!, stream.t.length);
  const made: EventStream = {
    width,
    height,
    x: Uint16Array.from(out.x),
    y: Uint16Array.from(out.y),
    p: Uint8Array.from(out.p),
    t: Float64Array.from(out.t),
  };
  return { clip: { stream: made, from: starts, edges, counts: 'binary', ...tied(made.t, starts, edges) }, added, removed };
}

interface Kept {
  readonly x: number[];
  readonly y: number[];
  readonly p: number[];
  readonly t: number[];
}

interface Fresh {
  readonly pixel: number;
  readonly time: number;
}

const pixelOf = ({ width, height, x, y, p }: EventStream, i: number): number => (p[i]! * height + y[i]!) * width + x[i]!;

function keep(out: Kept, { x, y, p, t }: EventStream, i: number): void {
  out.x.push(x[i]!);
  out.y.push(y[i]!);
  out.p.push(p[i]!);
  out.t.push(t[i]!);
}

function insert(out: Kept, { width, height }: EventStream, { pixel, time }: Fresh): void {
  out.x.push(pixel % width);
  out.y.push(Math.floor(pixel / width) % height);
  out.p.push(Math.floor(pixel / (width * height)));
  out.t.push(time);
}

/** Events for the pixels that are set and did not fire, in order of time. */
function newEvents(wanted: Float32Array, fired: Uint8Array, timeOf: (pixel: number) => number): Fresh[] {
  const fresh: Fresh[] = [];
  for (let pixel = 0; pixel < wanted.length; pixel++) {
    const value = wanted[pixel]!;
    if (value !== 0 && value !== 1) throw new Error(`a binary frame holds ${value}`);
    if (value === 1 && fired[pixel] === 0) fresh.push({ pixel, time: timeOf(pixel) });
  }
  return fresh.sort((a, b) => a.time - b.time);
}

/** A time in [from, to), whole where the window holds a whole one; `u` is in [0, 1). */
function timeIn(from: number, to: number, u: number): number {
  const [low, high] = [Math.ceil(from), Math.ceil(to)];
  if (high > low) return low + Math.floor(u * (high - low));
  const time = from + u * (to - from);
  return time < to ? time : from;
}
