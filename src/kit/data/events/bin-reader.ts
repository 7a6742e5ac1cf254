/** @file Frames of recordings that need not fit into memory. */
import { type BinOptions, binDefaults, mark, noLength, sharesOf } from './binning.ts';
import { type EventReader, firstAt } from './chunk.ts';

/**
 * Frames [frames, 2, height, width] of a recording, which is read twice: to count and to bin. The same numbers as framesOf(cut(...)) gives, and it
 * throws as `cut` does.
 */
export async function binReader(reader: EventReader, options: BinOptions = {}, name = 'the recording'): Promise<Float32Array> {
  const { frames, by, values: counts } = { ...binDefaults, ...options };
  const { width, height } = reader;
  let [events, first, last] = [0, 0, 0];
  for await (const { t, count } of reader.chunks()) {
    if (events === 0) first = t[0]!;
    last = t[count - 1]!;
    events += count;
  }
  const [share, span] = sharesOf({ count: events, first, last }, { frames, by }, name);
  const out = new Float32Array(frames * 2 * height * width);
  let before = 0;
  let frame = -1;
  let begun = Number.NaN;
  for await (const chunk of reader.chunks()) {
    const { t, count } = chunk;
    for (let i = 0; i < count; ) {
      const now =
        by === 'number' ? Math.min(frames - 1, Math.floor((before + i) / share)) : windowOf(t[i]!, { first, span, frames });
      if (now !== frame) {
        if (t[i] === begun) throw noLength(name, frame, before + i, begun);
        [frame, begun] = [now, t[i]!];
      }
      const next = by === 'number' ? (now + 1) * share - before : firstAt(t, first + (now + 1) * span);
      const end = now === frames - 1 ? count : Math.min(count, next);
      mark(out, chunk, { first: i, end, frame, width, height, counts });
      i = end;
    }
    before += count;
  }
  return out;
}

/** The window a time lies in, by the edges `cut` computes: of times between microseconds the quotient alone may be one off. */
function windowOf(time: number, { first, span, frames }: Readonly<Record<'first' | 'span' | 'frames', number>>): number {
  let window = Math.min(frames - 1, Math.floor((time - first) / span));
  while (window < frames - 1 && time >= first + (window + 1) * span) window++;
  while (window > 0 && time < first + window * span) window--;
  return window;
}
