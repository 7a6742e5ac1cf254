/** @file What the finished runs of a study come to, chapter by chapter. */
import type { Chapter } from '../../judgement/chapter.ts';
import type { FinishedRun } from '../../judgement/systems/spiking/study.ts';
import { attackedElements } from '../../kit/model/model.ts';
import type { Performed } from '../experiment/perform.ts';
import type { Study } from './parse.ts';
import { type StudyRun, victimsOf } from './plan.ts';

/** A run of the study that has been performed, and where. */
export interface FinishedStudyRun extends StudyRun {
  readonly performed: Performed;
}

/** A chapter per part, in the order of the file. */
export const conclude = (study: Study, finished: readonly FinishedStudyRun[]): Chapter[] =>
  study.parts.map((planned) => {
    const runs = finished.filter(({ part }) => part === planned);
    const chapter = planned.part.conclude(runs.map(finishedRun), victimsOf(study, planned.victims), planned.options);
    return { ...chapter, title: planned.title ?? chapter.title };
  });

const finishedRun = ({ run, performed: { record, rows } }: FinishedStudyRun): FinishedRun => ({
  ...run,
  rows,
  elements: attackedElements(record.model),
  synthetic: record.data.synthetic,
});
