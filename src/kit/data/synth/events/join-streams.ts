import type { EventStream } from '../../events/stream.ts';

/** Recordings of one sensor one after the other, each moved to its start in microseconds; each has to end before the next one starts. */
export function joinStreams(parts: readonly { readonly events: EventStream; readonly start: number }[]): EventStream {
  const length = parts.reduce((sum, { events }) => sum + events.t.length, 0);
  const { width, height } = parts[0]!.events;
  const [x, y, p, t] = [new Uint16Array(length), new Uint16Array(length), new Uint8Array(length), new Float64Array(length)];
  let at = 0;
  for (const { events, start } of parts) {
    x.set(events.x, at);
    y.set(events.y, at);
    p.set(events.p, at);
    for (let i = 0; i < events.t.length; i++) t[at + i] = start + events.t[i]!;
    at += events.t.length;
  }
  return { width, height, x, y, p, t };
}
