/** @file Recordings cut into frames, and cut again by the same windows. */
import { UserError } from '../../../core/errors.ts';
import { firstAt } from './chunk.ts';
import type { EventClip, EventStream } from './stream.ts';

export interface BinOptions {
  frames?: number;
  /** number: frames of as many events each, the last takes the rest; time: windows of the same length, the last takes the rest. */
  by?: 'number' | 'time';
  /** binary: 1 where there was an event; count: how many. */
  values?: 'binary' | 'count';
}

export const binDefaults: Required<BinOptions> = { frames: 10, by: 'number', values: 'binary' };

/** What cuts a recording: everything of a clip but the events. */
export type Windows = Pick<EventClip, 'edges' | 'ties' | 'counts'>;

/**
 * Cuts a recording into frames. By number: floor(N / frames) events each; edges are the times of the first events of the frames, the last edge is one
 * microsecond after the last event. By time: floor((last - first) / frames) microseconds each. `name` is what messages call the recording. Throws a
 * UserError where there are fewer events than frames or a window would have no length. Source: SpikingJelly 2.0.0, datasets/utils.py
 * (cal_fixed_frames_number_segment_index); windows without events, at which it fails, are empty frames here.
 */
export function cut(stream: EventStream, options: BinOptions = {}, name = 'the recording'): EventClip {
  const { frames, by, values } = { ...binDefaults, ...options };
  const { t } = stream;
  const count = t.length;
  const [share, span] = sharesOf({ count, first: t[0] ?? 0, last: t[count - 1] ?? 0 }, { frames, by }, name);
  const edges = new Float64Array(frames + 1);
  const from: number[] = [];
  for (let i = 0; i < frames; i++) {
    edges[i] = by === 'number' ? t[i * share]! : t[0]! + i * span;
    from.push(by === 'number' ? i * share : firstAt(t, edges[i]!));
    if (i > 0 && edges[i]! <= edges[i - 1]!) throw noLength(name, i - 1, from[i]!, edges[i]!);
  }
  edges[frames] = t[count - 1]! + 1;
  from.push(count);
  return { stream, from, edges, counts: values, ...tied(t, from, edges) };
}

/** How many events a frame takes by number, and how many microseconds by time. */
export function sharesOf(
  { count, first, last }: { readonly count: number; readonly first: number; readonly last: number },
  { frames, by }: Required<Pick<BinOptions, 'frames' | 'by'>>,
  name: string,
): [share: number, span: number] {
  if (count < frames)
    throw new UserError(
      `${name} has ${count} events, fewer than the ${frames} frames asked for`,
      'ask for fewer frames (frames: under data:), or leave the recording out',
    );
  const span = Math.floor((last - first) / frames);
  if (by === 'time' && span < 1)
    throw new UserError(
      `${name} lasts ${last - first} us: ${frames} windows would have no length`,
      'ask for fewer frames (frames: under data:), or leave the recording out',
    );
  return [Math.floor(count / frames), span];
}

/** A frame cut by number that begins and ends at one time. */
export const noLength = (name: string, frame: number, event: number, time: number): UserError =>
  new UserError(
    `${name}, event ${event}: frame ${frame} begins and ends at ${time} us, a window of no length`,
    'ask for fewer frames (frames: under data:), or cut by time (by: time)',
  );

/** Of every edge, the events at exactly that time which come before it. */
export function tied(t: Float64Array, from: readonly number[], edges: Float64Array): Pick<EventClip, 'ties'> {
  const ties = from.map((first, i) => Math.max(0, first - firstAt(t, edges[i]!)));
  return ties.some((n) => n > 0) ? { ties } : {};
}

/** Cuts a recording by the windows of another; what lies outside of them is in no frame. */
export function rebin(stream: EventStream, { edges, ties, counts }: Windows): EventClip {
  const from = Array.from(edges, (edge, i) => Math.min(stream.t.length, firstAt(stream.t, edge) + (ties?.[i] ?? 0)));
  return { stream, from, edges, counts, ...(ties === undefined ? {} : { ties }) };
}

/** Cuts a recording anew by number, as somebody would who does not know the windows. Throws as `cut` does. */
export const rebinNaively = (stream: EventStream, { edges, counts }: Windows, name?: string): EventClip =>
  cut(stream, { frames: edges.length - 1, by: 'number', values: counts }, name);

/** Whether the frames of a clip are those that cutting by number gives. */
export const isCutByNumber = ({ stream, from }: EventClip): boolean => {
  const share = Math.floor(stream.t.length / (from.length - 1));
  return from.every((first, i) => first === (i === from.length - 1 ? stream.t.length : i * share));
};

/** Shape of the frames of a clip: [frames, 2, height, width]. */
export const frameShape = ({ stream, edges }: EventClip): [number, number, number, number] => [
  edges.length - 1,
  2,
  stream.height,
  stream.width,
];

/** The frames of a clip, [frames, 2, height, width]; channel 0 OFF, channel 1 ON. */
export function framesOf(clip: EventClip): Float32Array {
  const { stream, from, counts } = clip;
  const [frames, , height, width] = frameShape(clip);
  const out = new Float32Array(frames * 2 * height * width);
  for (let frame = 0; frame < frames; frame++)
    mark(out, stream, { first: from[frame]!, end: from[frame + 1]!, frame, width, height, counts });
  return out;
}

interface Part {
  /** Events first .. end belong to the frame. */
  readonly first: number;
  readonly end: number;
  readonly frame: number;
  readonly width: number;
  readonly height: number;
  readonly counts: 'binary' | 'count';
}

/** Enters some events into their frame of `out` [frames, 2, height, width]. */
export function mark(out: Float32Array, { x, y, p }: Pick<EventStream, 'x' | 'y' | 'p'>, part: Part): void {
  const { first, end, frame, width, height, counts } = part;
  for (let i = first; i < end; i++) {
    const at = ((frame * 2 + p[i]!) * height + y[i]!) * width + x[i]!;
    out[at] = counts === 'binary' ? 1 : out[at]! + 1;
  }
}
