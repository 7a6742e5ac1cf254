/** @file What an evaluation comes to, apart from how it is printed: chapters of sentences and tables, and the claims they speak to. */

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  /** As many cells as the head; numbers already written. */
  readonly rows: readonly (readonly string[])[];
}

/** A sentence of a paper, and what became of it here. */
export interface Claim {
  readonly claim: string;
  /** What was tested, on what, with how many samples. */
  readonly tested: string;
  readonly verdict: 'holds' | 'holds in part' | 'does not hold' | 'not tested';
  /** The figures, or what would be needed. */
  readonly because: string;
}

export interface Chapter {
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly tables: readonly Table[];
  readonly claims: readonly Claim[];
}
