/** @file A study from its file to its pages: data made where they are generated, every run performed or resumed, then concluded. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { attackedElements } from '../../kit/model/model.ts';
import { inPlace } from '../document.ts';
import { performRun } from '../experiment/perform.ts';
import type { ModelReference } from '../experiment/schema.ts';
import { loadAttacks } from '../host/attacks.ts';
import { writeWhole } from '../host/files.ts';
import { conclude, type FinishedStudyRun } from './conclude.ts';
import { studyMarkdown } from './markdown.ts';
import { studyPage } from './page.ts';
import type { Study } from './parse.ts';
import { type Places, placeOf, planStudy } from './plan.ts';
import { recordOf, type StudyRecord } from './record.ts';

export interface StudyOrder {
  readonly name: string;
  readonly study: Study;
  /** Folder that relative paths of models start from. */
  readonly base: string;
  readonly folder: string;
  readonly places: Places;
  readonly workers: number;
  readonly threads: number;
  readonly device: string;
}

export interface StudyAttending {
  readonly signal: AbortSignal;
  /** Runs done, their parts included, of all; what is going on; seconds left where known. */
  progress(done: number, of: number, now: string): void;
  say(sentence: string): void;
}

/** Performs a study; finished units of earlier tries are kept. Writes study.json, study.md and study.html into the folder. */
export async function performStudy(order: StudyOrder, { signal, progress, say }: StudyAttending): Promise<StudyRecord> {
  const { name, study, base, folder, places, workers, threads, device } = order;
  const planned = planStudy(study, places);
  // what cannot be named is refused before the first run, not after hours
  for (const { part, run, experiment } of planned) {
    refuseMissing(run.victim, experiment.model, base);
    try {
      await loadAttacks(experiment.attacks, base);
    } catch (error) {
      throw inPlace(placeOf(part), error);
    }
  }
  const finished: FinishedStudyRun[] = [];
  for (const [i, run] of planned.entries()) {
    const { name: runName, experiment, part } = run;
    const performed = await performRun(
      {
        experiment,
        base,
        folder: join(folder, 'runs', runName),
        name: runName,
        workers,
        threads,
        device,
        resume: true,
        overwrite: false,
      },
      {
        signal,
        opened({ model }) {
          part.part.check?.(planned[i]!.run.victim, attackedElements(model), part.options);
          for (const sentence of model.inferred) say(`${runName}: ${sentence}`);
        },
        progress: (done, of, now) => progress(i + done / Math.max(1, of), planned.length, `${runName}: ${now}`),
      },
    );
    finished.push({ ...run, performed });
  }
  const record = recordOf(name, study, conclude(study, finished), finished);
  await writeWhole(join(folder, 'study.json'), `${JSON.stringify(record, null, 2)}\n`);
  await writeWhole(join(folder, 'study.md'), studyMarkdown(record));
  await writeWhole(join(folder, 'study.html'), await studyPage(record));
  return record;
}

function refuseMissing(victim: string, model: ModelReference, base: string): void {
  if (!('path' in model) || existsSync(resolve(base, model.path))) return;
  throw new UserError(
    `victims.${victim}: the model "${model.path}" does not exist`,
    `check the path (looked in ${resolve(base, model.path)})`,
  );
}
