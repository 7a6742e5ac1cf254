/** @file What a report is made from: plain data, so that a run just finished and a run read back from disk print the same page. */
import type { EventClip } from '../../kit/data/events/stream.ts';
import type { Problem } from '../../kit/data/source.ts';
import type { ClipShape } from '../../kit/metrics/flips.ts';
import type { Model } from '../../kit/model/model.ts';
import type { Row } from '../../kit/record/row.ts';
import type { Summary } from '../../kit/record/summary.ts';
import type { Attack, Need } from '../../methods/attacks/attack.ts';

/** An attack of the run; `name` is what rows and cells call it. */
export interface AttackInfo {
  readonly name: string;
  /** What people call it, e.g. "PGD"; the name, in capitals up to four letters, where absent. */
  readonly label?: string;
  readonly title: string;
  /** 'none' marks a control: it never looks at the model. */
  readonly needs: Need;
  readonly kind: 'bounded' | 'minimal';
  readonly paper: string;
  /** Of a suite: the attacks it ran, in order. */
  readonly executes?: ReturnType<NonNullable<Attack['parts']>>;
}

/** One check of the audit, as run.json keeps it. */
export interface AuditEntry {
  readonly id: string;
  readonly severity: 'fail' | 'warn' | 'info';
  readonly verdict: 'pass' | 'raised' | 'unknown';
  readonly value: number | string | null;
  readonly threshold: number | string | null;
  readonly remedy: string;
}

/** PNG files of one sample; `adversarial` and `difference` only where there is an example. */
export interface ImagePictures {
  readonly kind: 'image';
  readonly original: Uint8Array;
  readonly adversarial?: Uint8Array;
  /** The change times `gain` around mid grey (see differencePixels). */
  readonly difference?: Uint8Array;
  readonly gain?: number;
}

/** Numbers of one sample where there is nothing to look at: channel after channel, `length` values each. */
export interface SignalPictures {
  readonly kind: 'signal';
  readonly channels: number;
  readonly length: number;
  /** What a value measures. */
  readonly unit: string;
  readonly original: Float32Array;
  readonly adversarial?: Float32Array;
}

/** Binary frames of events, [T, C, H, W]. */
export interface EventPictures {
  readonly kind: 'events';
  readonly shape: ClipShape;
  readonly original: Float32Array;
  readonly adversarial?: Float32Array;
  /** What the frames were cut from, where the data are recordings. */
  readonly recordings?: { readonly original: EventClip; readonly adversarial?: EventClip };
}

export type Pictures = ImagePictures | SignalPictures | EventPictures;

export interface ReportData {
  readonly name: string;
  /** Version of provoke. */
  readonly version: string;
  /** When the run ended, ISO 8601. */
  readonly date: string;
  /** The merged experiment, YAML. */
  readonly experiment: string;
  /** 'untargeted', or the goal in words, e.g. 'targeted: sad'. */
  readonly goal: string;
  readonly seed: number;
  readonly model: Pick<Model, 'name' | 'sha256' | 'classes' | 'inferred' | 'inputs' | 'coupling'> & { readonly note?: string };
  readonly data: {
    readonly name: string;
    readonly n: number;
    readonly sha256?: string;
    /** Where the labels come from, one sentence. */
    readonly labelsAre: string;
    /** True where the labels are the model's own clean predictions: every accuracy is then an agreement. */
    readonly agreement: boolean;
    /** How the data were generated, where they were. */
    readonly synthetic?: string;
    /** What one sample is called, in the plural, e.g. "faces"; from the modality where absent. */
    readonly noun?: string;
    readonly problems: readonly Problem[];
  };
  readonly attacks: readonly AttackInfo[];
  readonly summary: Summary;
  /** Ordered by sample, as the data give them. */
  readonly rows: readonly Row[];
  /** Empty: not audited. */
  readonly audit: readonly AuditEntry[];
  /** Substitutes in force (surrogates, twins), one sentence each. */
  readonly substitutes: readonly string[];
  /** Nodes no gradient passes, one sentence each. */
  readonly cuts: readonly string[];
  /** What the run had to adapt, e.g. a halved batch, one sentence each. */
  readonly notes: readonly string[];
  readonly timings: readonly { readonly what: string; readonly seconds: number }[];
  readonly versions: Readonly<Record<string, string>>;
  /** Pictures of the sample of a row: the original, and the row's example where it has one. */
  readonly picture?: (row: Row) => Promise<Pictures | undefined>;
}
