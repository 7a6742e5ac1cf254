/** @file Study text to a checked study whose parts, victims and data belong together. */
import { suggestion, UserError } from '../../core/errors.ts';
import { parts } from '../../judgement/systems/spiking/index.ts';
import type { Part } from '../../judgement/systems/spiking/study.ts';
import { inPlace, readDocument } from '../document.ts';
import { optionComplaint } from './option-complaint.ts';
import { type StudyFile, studySchema } from './schema.ts';

export interface PlannedPart {
  readonly part: Part<unknown>;
  /** Of its chapter, where the study names it. */
  readonly title?: string | undefined;
  readonly victims: readonly string[];
  readonly samples: number;
  readonly options: unknown;
}

export interface Study extends Omit<StudyFile, 'parts'> {
  readonly parts: readonly PlannedPart[];
}

/** Parses and checks a study file (YAML). Throws a UserError with line and column. */
export function parseStudy(text: string, source: string): Study {
  const { value, where } = readDocument(studySchema, text, source, {
    isMap: 'a study is a map with system, data, victims and parts',
    start: 'start from examples/spiking/quick.yaml',
    see: 'see docs/spiking.md for a complete study',
    page: 'docs/spiking.md',
  });
  const refuse = (path: readonly PropertyKey[], message: string, remedy: string): never => {
    throw inPlace(where(path), new UserError(message, remedy));
  };
  for (const [name, { data }] of Object.entries(value.victims))
    if (!Object.hasOwn(value.data, data))
      refuse(['victims', name, 'data'], `there are no data "${data}"`, suggestion(data, Object.keys(value.data)));
  const planned = value.parts.map(({ part: name, title, victims, samples, ...stated }, i): PlannedPart => {
    const part = Object.hasOwn(parts, name) ? (parts[name] as unknown as Part<unknown>) : undefined;
    if (part === undefined)
      return refuse(['parts', i, 'part'], `there is no part "${name}"`, suggestion(name, Object.keys(parts)));
    for (const [k, victim] of victims.entries())
      if (!Object.hasOwn(value.victims, victim))
        refuse(['parts', i, 'victims', k], `there is no victim "${victim}"`, suggestion(victim, Object.keys(value.victims)));
    const options = part.options.safeParse(stated);
    if (options.success) return { part, title, victims, samples, options: options.data };
    const { path, message, remedy } = optionComplaint(part, stated, options.error.issues);
    return refuse(['parts', i, ...path], message, remedy);
  });
  return { ...value, parts: planned };
}
