/** @file Events of one recording, in the convention everything else here keeps: x to the right, y downwards, p 1 where it became brighter, t in microseconds. */

export interface EventStream {
  readonly width: number;
  readonly height: number;
  readonly x: Uint16Array;
  readonly y: Uint16Array;
  /** 1: brighter (ON), 0: darker (OFF). */
  readonly p: Uint8Array;
  /** Microseconds, never falling. */
  readonly t: Float64Array;
}

/** A recording cut into frames: what a model sees, and the windows it was cut by, so that a changed clip can be cut in the same way. */
export interface EventClip {
  readonly stream: EventStream;
  /** Frame i holds events from[i] .. from[i + 1] (indices into the stream); one more than there are frames. */
  readonly from: readonly number[];
  /** Windows in microseconds: frame i covers [edges[i], edges[i + 1]); one more than there are frames. */
  readonly edges: Float64Array;
  /**
   * How many events at exactly edges[i] still belong to frame i - 1: cutting by number may part events of one microsecond. One entry per edge;
   * absent: none.
   */
  readonly ties?: readonly number[];
  readonly counts: 'binary' | 'count';
}
