/** @file A study as ordinary experiments, one for each part and victim. */
import type { PartRun, Victim } from '../../judgement/systems/spiking/study.ts';
import { inPlace } from '../document.ts';
import { type ExperimentFile, experimentSchema } from '../experiment/schema.ts';
import type { PlannedPart, Study } from './parse.ts';

export interface StudyRun {
  /** Name of its folder: part and victim, the part numbered where there are several of its kind. */
  readonly name: string;
  readonly part: PlannedPart;
  readonly run: PartRun;
  readonly experiment: ExperimentFile;
}

/** Where the data of each name lie. */
export type Places = Readonly<Record<string, string>>;

export const victimsOf = ({ victims }: Pick<Study, 'victims'>, names: readonly string[]): Victim[] =>
  names.map((name) => ({ name, trained: victims[name]!.trained, defence: victims[name]!.defence }));

/** The place of a part in front of a message. */
export const placeOf = ({ part }: PlannedPart): string => `part ${part.name}: `;

function runsOf(study: Study, planned: PlannedPart): PartRun[] {
  try {
    return planned.part.runs(victimsOf(study, planned.victims), planned.options);
  } catch (error) {
    throw inPlace(placeOf(planned), error);
  }
}

/** The experiments of a study, part after part. Throws a UserError for an attack that is not there. */
export function planStudy(study: Study, places: Places): StudyRun[] {
  const names = study.parts.map((planned, i) => {
    const same = study.parts.filter((other) => other.part === planned.part);
    const before = study.parts.slice(0, i).filter((other) => other.part === planned.part).length;
    return same.length === 1 ? planned.part.name : `${planned.part.name}-${before + 1}`;
  });
  return study.parts.flatMap((part, i) =>
    runsOf(study, part).map((run): StudyRun => {
      const { model, data } = study.victims[run.victim]!;
      const { synth: _, path: __, ...stated } = study.data[data]!;
      const name = `${names[i]}-${run.victim}`;
      return {
        name,
        part,
        run,
        experiment: experimentSchema.parse({
          name,
          model: typeof model === 'string' ? { path: model } : model,
          data: { ...stated, path: places[data], limit: part.samples },
          threat: run.threat,
          attacks: run.attacks,
          seed: study.seed,
          ...(run.queries === undefined ? {} : { queries: run.queries }),
        }),
      };
    }),
  );
}
