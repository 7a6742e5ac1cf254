/** @file What several seeds of several suites say of each other. */
import type { Attacked } from './victim.ts';

export interface Results {
  readonly samples: number;
  readonly right: readonly boolean[];
  readonly norm: string;
  readonly eps: number;
  readonly model: { readonly sha256: string; readonly classes: number };
  readonly data: string;
  readonly synthetic: string | null;
  readonly seeds: readonly number[];
  /** By seed. */
  readonly pgd10: readonly Attacked[];
  readonly autoattack: readonly Attacked[];
  readonly worstCase: readonly Attacked[];
  readonly original: { readonly version?: string; readonly runs?: readonly Attacked[] };
  readonly versions: Readonly<Record<string, string>>;
}

export interface Figures {
  /** Samples that stand, by suite and seed. */
  readonly standing: Readonly<Record<'pgd10' | 'autoattack' | 'worstCase' | 'original', readonly number[]>>;
  /** Samples on which the original disagrees with itself: the most over all pairs of its seeds. */
  readonly originalWithItself: number | null;
  /** Samples on which ours and the original disagree, seed by seed. */
  readonly oursWithOriginal: readonly number[] | null;
  /** The most over all pairs of one of our seeds and one of theirs. */
  readonly mostWithOriginal: number | null;
}

export function figuresOf({ pgd10, autoattack, worstCase, original }: Results): Figures {
  const count = (runs: readonly Attacked[] = []): number[] => runs.map(({ stands }) => stands.filter(Boolean).length);
  const theirs = original.runs;
  const pairs = theirs?.flatMap((a, i) => theirs.slice(i + 1).map((b) => differing(a, b)));
  return {
    standing: { pgd10: count(pgd10), autoattack: count(autoattack), worstCase: count(worstCase), original: count(theirs) },
    originalWithItself: pairs === undefined ? null : Math.max(...pairs),
    oursWithOriginal: theirs === undefined ? null : autoattack.map((run, k) => differing(run, theirs[k]!)),
    mostWithOriginal:
      theirs === undefined ? null : Math.max(...autoattack.flatMap((run) => theirs.map((their) => differing(run, their)))),
  };
}

const differing = (a: Attacked, b: Attacked): number =>
  a.stands.filter((stands, k) => Boolean(stands) !== Boolean(b.stands[k])).length;
