import type { EventStream } from './stream.ts';

/** How many events one recording has that another has not, and the reverse; events count as the same where time, place and polarity agree. */
export function exchanged(before: EventStream, after: EventStream): { readonly added: number; readonly removed: number } {
  let [added, removed] = [0, 0];
  let [i, j] = [0, 0];
  while (i < before.t.length || j < after.t.length) {
    const now = Math.min(before.t[i] ?? Number.POSITIVE_INFINITY, after.t[j] ?? Number.POSITIVE_INFINITY);
    const more = new Map<string, number>();
    for (; before.t[i] === now; i++) more.set(keyOf(before, i), (more.get(keyOf(before, i)) ?? 0) - 1);
    for (; after.t[j] === now; j++) more.set(keyOf(after, j), (more.get(keyOf(after, j)) ?? 0) + 1);
    for (const n of more.values()) {
      added += Math.max(0, n);
      removed += Math.max(0, -n);
    }
  }
  return { added, removed };
}

const keyOf = ({ x, y, p }: EventStream, i: number): string => `${x[i]} ${y[i]} ${p[i]}`;
