/** @file The study file: data, victims and parts, of which ordinary runs and one page of results are made. The JSON Schema for editors is generated from here. */
import { z } from 'zod';
import { fileData, fileModel, fileName } from '../experiment/schema.ts';

const corpus = z
  .strictObject({
    corpus: z.string().describe('as provoke synth names it'),
    count: z.int().positive().optional(),
    seed: z.int().nonnegative().optional(),
    size: z.int().positive().optional(),
  })
  .describe('a generated corpus, made when it is first needed: the options of provoke synth');

const studyData = fileData
  .omit({ path: true, limit: true })
  .extend({
    path: z.string().optional().describe('relative to this file; --data NAME=PATH takes another'),
    synth: corpus.optional(),
  })
  .refine(({ path, synth }) => (path === undefined) !== (synth === undefined), 'needs either a path or synth');

const spikeChoice = z.union([z.string(), z.looseObject({ use: z.string() })]);

const victim = z.strictObject({
  model: z.union([z.string(), fileModel]).describe('an .onnx file relative to this file, or what `model:` of an experiment says'),
  data: z.string().describe('which of the data it is shown'),
  trained: spikeChoice.optional().describe('the surrogate it was trained with, which the attacker does not know: the skyline'),
  defence: z.string().optional().describe('how it was trained against attacks'),
});

const part = z.looseObject({
  part: z.string().describe('which part of the system'),
  title: z.string().min(1).optional().describe('of its chapter; default: that of its kind'),
  victims: z.array(z.string()).min(1).describe('the victims it is about'),
  samples: z.int().positive().describe('samples of each, drawn with the seed'),
});

export const studySchema = z.strictObject({
  name: fileName.optional(),
  system: z.literal('spiking').describe('the system the parts belong to'),
  seed: z.int().nonnegative().default(0),
  data: z.record(fileName, studyData),
  victims: z.record(fileName, victim),
  parts: z.array(part).min(1),
});

export type StudyFile = z.infer<typeof studySchema>;
export type StudyData = StudyFile['data'][string];

export const studyJsonSchema = (): unknown => z.toJSONSchema(studySchema, { io: 'input' });
