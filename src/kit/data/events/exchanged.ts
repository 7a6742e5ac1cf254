import type { EventStream } from './stream.ts';

/**
 * The events one recording has that another has not, as indices into `after`, and the reverse, as indices into `before`; ascending. Events are the same where
 * time, place and polarity agree.
 */
export function exchanged(
  before: EventStream,
  after: EventStream,
): { readonly added: readonly number[]; readonly removed: readonly number[] } {
  const added: number[] = [];
  const removed: number[] = [];
  let [i, j] = [0, 0];
  while (i < before.t.length || j < after.t.length) {
    const now = Math.min(before.t[i] ?? Number.POSITIVE_INFINITY, after.t[j] ?? Number.POSITIVE_INFINITY);
    const open = new Map<string, number[]>();
    for (; before.t[i] === now; i++) {
      const same = open.get(keyOf(before, i));
      if (same === undefined) open.set(keyOf(before, i), [i]);
      else same.push(i);
    }
    for (; after.t[j] === now; j++) if (open.get(keyOf(after, j))?.shift() === undefined) added.push(j);
    for (const left of open.values()) removed.push(...left);
  }
  return { added, removed: removed.sort((a, b) => a - b) };
}

const keyOf = ({ x, y, p }: EventStream, i: number): string => `${x[i]} ${y[i]} ${p[i]}`;
