/** @file Keeps how an attack on one sample goes, in at most a few dozen numbers. */
import type { Trace } from '../../../kit/record/trace.ts';

/** Most entries of a trace; beyond, every second one is dropped and half as many are kept from then on. The last question is always kept. */
export const traceLength = 64;

export interface Tracer {
  add(queries: number, lead: number, best: number): void;
  trace(): Trace;
}

/** A trace that thins itself out as it grows. */
export function tracer(): Tracer {
  type Entry = readonly [number, number, number];
  let kept: Entry[] = [];
  let last: Entry | undefined;
  let stride = 1;
  let count = 0;
  const known = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return {
    add(...entry) {
      last = entry;
      if (count++ % stride !== 0) return;
      kept.push(entry);
      if (kept.length < traceLength) return;
      kept = kept.filter((_, i) => i % 2 === 0);
      stride *= 2;
    },
    trace() {
      const all = last === undefined || kept.at(-1) === last ? kept : [...kept, last];
      return {
        queries: all.map(([queries]) => queries),
        lead: all.map(([, lead]) => known(lead)),
        best: all.map(([, , best]) => known(best)),
      };
    },
  };
}
