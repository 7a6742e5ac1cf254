/** @file What an evaluation comes to, apart from how it is printed: chapters of sentences, tables and charts, and the claims they speak to. */

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

export interface ChartPoint {
  readonly x: number;
  /** 0..1. */
  readonly share: number;
  /** Ends of its interval. */
  readonly lower?: number;
  readonly upper?: number;
}

/** A line of a chart. */
export interface ChartSeries {
  readonly name: string;
  /** At least one, ascending in x. */
  readonly points: readonly ChartPoint[];
  /** A distribution: 0 before the first point, and level from each point to the next. */
  readonly step?: true;
  /** `main` is bold, its interval always visible; `reference` is what others are compared with, or could not have been; `plain` where nothing is said. */
  readonly emphasis?: 'main' | 'reference' | 'plain';
}

export interface ChartMark {
  readonly x: number;
  readonly label: string;
}

/** Shares against something. */
export interface Chart {
  readonly title: string;
  readonly caption: string;
  readonly x: {
    readonly title: string;
    readonly scale: 'linear' | 'log';
    /** Round numbers where they are not given. */
    readonly ticks?: readonly ChartMark[];
    /** The ends of the axis; those of points and marks where they are not given. */
    readonly from?: number;
    readonly to?: number;
  };
  /** At least one, the main one first: later lines lie on top. */
  readonly series: readonly ChartSeries[];
  /** Places on the axis that matter: drawn as lines, and where distributions are read off. */
  readonly marks?: readonly ChartMark[];
}

export interface Chapter {
  readonly title: string;
  readonly paragraphs: readonly string[];
  readonly tables: readonly Table[];
  readonly charts?: readonly Chart[];
  readonly claims: readonly Claim[];
}
