/** @file Which probes of one sample begin alike: a tree over slices of time, whose rows are run once for all probes that share them. */
import type { Probe } from '../oracle.ts';

/** The distinct beginnings up to the end of one slice. */
export interface Level {
  /** Per row the row of the slice before that it goes on from; -1 in the first slice. */
  readonly parents: readonly number[];
  /** Per row a probe that begins so. */
  readonly probes: readonly number[];
}

export interface Prefixes {
  readonly levels: readonly Level[];
  /** Per probe its row in every slice. */
  readonly paths: readonly (readonly number[])[];
}

/** What a sample holds in the steps of one slice. */
export type Frames = (probe: number, slice: number) => Float32Array;

/** Finds equal beginnings among the probes of each sample; frames are equal where all their bits are. */
export function prefixesOf(probes: readonly Pick<Probe, 'of'>[], slices: number, frames: Frames): Prefixes {
  const levels: Level[] = [];
  const paths = probes.map((): number[] => []);
  // in the slice before: one row per sample to begin with
  const samples = [...new Set(probes.map(({ of }) => of))];
  let before = probes.map(({ of }) => samples.indexOf(of));
  for (let s = 0; s < slices; s++) {
    const sharers = new Map<number, number>();
    for (const row of before) sharers.set(row, (sharers.get(row) ?? 0) + 1);
    const branches = new Map<number, Branch>();
    const parents: number[] = [];
    const members: number[] = [];
    const rowOf = (k: number): number => {
      const parent = before[k]!;
      const add = (): number => {
        parents.push(s === 0 ? -1 : parent);
        return members.push(k) - 1;
      };
      // whoever goes on alone has nobody to be compared with
      if (sharers.get(parent) === 1) return add();
      const words = wordsOf(frames(k, s));
      const isLike = (row: number): boolean => same(words, wordsOf(frames(members[row]!, s)));
      const branch = branches.get(parent);
      if (branch === undefined) {
        const row = add();
        branches.set(parent, { first: row, others: new Map() });
        return row;
      }
      if (isLike(branch.first)) return branch.first;
      const hash = hashOf(words);
      const alike = branch.others.get(hash) ?? [];
      const known = alike.find(isLike);
      if (known !== undefined) return known;
      const row = add();
      branch.others.set(hash, [...alike, row]);
      return row;
    };
    before = probes.map((_, k) => {
      const row = rowOf(k);
      paths[k]!.push(row);
      return row;
    });
    levels.push({ parents, probes: members });
  }
  return { levels, paths };
}

/** The rows that go on from one: most are like the first, the others are found by their hash. */
interface Branch {
  readonly first: number;
  readonly others: Map<number, number[]>;
}

/** Groups of at most `most` probes, those with long common beginnings together. */
export function grouped({ paths }: Pick<Prefixes, 'paths'>, most: number): number[][] {
  const order = paths.map((_, k) => k).sort((a, b) => compare(paths[a]!, paths[b]!) || a - b);
  const size = Math.max(1, Math.floor(most));
  return Array.from({ length: Math.ceil(order.length / size) }, (_, i) => order.slice(i * size, (i + 1) * size));
}

/** The rows that a group of probes needs in a slice, each once. */
export const rowsAt = ({ paths }: Pick<Prefixes, 'paths'>, group: readonly number[], slice: number): number[] => [
  ...new Set(group.map((k) => paths[k]![slice]!)),
];

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((row, s) => row !== b[s]);
  return at < 0 ? 0 : a[at]! - b[at]!;
}

const wordsOf = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

/** FNV-1a over 32-bit words. */
function hashOf(words: Uint32Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < words.length; i++) hash = Math.imul(hash ^ words[i]!, 0x01000193);
  return hash;
}

function same(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
