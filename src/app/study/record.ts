/** @file What a study keeps of itself beside its runs: study.json, from which its pages are written. */
import { availableParallelism } from 'node:os';
import type { Chapter } from '../../judgement/chapter.ts';
import { runtimeVersion } from '../host/runtime.ts';
import { version } from '../host/version.ts';
import { duration } from '../report/format.ts';
import type { FinishedStudyRun } from './conclude.ts';
import type { Study } from './parse.ts';

export interface StudyRecord {
  readonly name: string;
  readonly system: string;
  /** ISO 8601. */
  readonly date: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Logical processors of the machine. */
  readonly processors: number;
  readonly seed: number;
  /** Sum over all runs, without what earlier tries had done. */
  readonly seconds: number;
  /** Whether earlier tries had done some of it. */
  readonly resumed: boolean;
  readonly chapters: readonly Chapter[];
  readonly runs: readonly {
    readonly name: string;
    /** Relative to the study's folder. */
    readonly report: string;
    readonly model: string;
    readonly sha256: string;
    /** As the study calls it: where it lay is nobody's business. */
    readonly data: string;
    readonly synthetic: string | null;
    readonly samples: number;
    readonly cleanAccuracy: number;
    readonly seconds: number;
    readonly notes: readonly string[];
  }[];
}

/** How long it took, as far as that is known. */
export const timeText = ({ seconds, resumed }: Pick<StudyRecord, 'seconds' | 'resumed'>): string =>
  `${duration(seconds)}${resumed ? ' besides what had been done before' : ''}`;

/** The record of a study all of whose runs are finished. */
export function recordOf(
  name: string,
  study: Study,
  chapters: readonly Chapter[],
  finished: readonly FinishedStudyRun[],
): StudyRecord {
  const runs = finished.map(({ name: run, run: { victim }, performed: { record } }) => ({
    name: run,
    report: `runs/${run}/report.html`,
    model: record.model.name,
    sha256: record.model.sha256,
    data: dataName(study, victim),
    synthetic: record.data.synthetic,
    samples: record.counts.samples,
    cleanAccuracy: record.summary.cleanAccuracy,
    seconds: record.seconds,
    notes: [...record.model.inferred, ...record.notes],
  }));
  return {
    name,
    system: study.system,
    date: new Date().toISOString(),
    versions: {
      provoke: version,
      onnxruntime: runtimeVersion,
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
    },
    processors: availableParallelism(),
    seed: study.seed,
    seconds: runs.reduce((sum, run) => sum + run.seconds, 0),
    resumed: finished.some(({ performed }) => performed.record.counts.resumed > 0),
    chapters,
    runs,
  };
}

function dataName({ victims, data }: Study, victim: string): string {
  const name = victims[victim]!.data;
  const { usage } = data[name]!;
  return usage === undefined ? name : `${name} (${usage})`;
}

/** What the data of the runs say of themselves where they are synthetic, as sentences. */
export const syntheticNotes = ({ runs }: Pick<StudyRecord, 'runs'>): string[] =>
  [...new Set(runs.flatMap(({ synthetic }) => synthetic ?? []))].map(
    (note) => `${note.charAt(0).toUpperCase()}${note.slice(1)}${/[.!?]$/.test(note) ? '' : '.'}`,
  );
