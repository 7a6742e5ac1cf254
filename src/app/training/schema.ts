/** @file The recipe file of a training: what may stand in it, and what each part means. The JSON Schema for editors is generated from here. */
import { z } from 'zod';
import { bounds, layout } from '../../kit/model/manifest.ts';
import { epsValue, fileData, fileName, namedData, norm } from '../experiment/schema.ts';

/** NAME, or { use: NAME, ...options }: what a registry holds by name. */
const choice = (what: string) =>
  z
    .union([z.string(), z.looseObject({ use: z.string() })])
    .describe(`${what}. Its name, or { use: NAME } with its options beside`);

const input = z.strictObject({
  shape: z.array(z.int().positive()).min(1).describe('sizes of one sample, without the batch'),
  layout: layout
    .refine((letters) => letters.startsWith('N'), 'begins with N: the batch comes first')
    .describe('a letter per axis, the batch first, e.g. NCHW, NCT, NC'),
  modality: z
    .enum(['image', 'video', 'audio', 'skeleton', 'physiology', 'events', 'features'])
    .default('features')
    .describe('what kind of data it is'),
  unit: z.string().optional().describe('what a value measures, e.g. "grey intensity"'),
  role: z.enum(['attacked', 'given']).default('attacked').describe('whether an attacker may change it'),
  domain: z.union([z.enum(['continuous', 'binary']), z.strictObject({ levels: z.int().min(2) })]).default('continuous'),
  bounds: bounds.default('unbounded').describe('the least and the largest value, e.g. [0, 1], or unbounded'),
  storage: z
    .enum(['uint8', 'pcm16', 'float32', 'binary'])
    .default('float32')
    .describe('how a sample is kept on disk, and so what an adversarial one is rounded to'),
});

const share = z.number().positive().optional().describe('part of every batch that comes from here, relative to the others');
const dataEntry = z.union([namedData, fileData]);
const trainEntry = z.union([namedData.extend({ share }), fileData.extend({ share })]);

const budget = z.strictObject({
  norm: norm.default('linf').describe('how the size of a perturbation is measured'),
  eps: epsValue,
});

export const recipeSchema = z.strictObject({
  name: fileName.optional().describe("what the model and its folder are called; the file's name where left out"),
  model: choice('the network (provoke list architectures)'),
  inputs: z
    .record(z.string(), input)
    .refine((inputs) => Object.keys(inputs).length > 0, 'a model needs an input')
    .describe('the inputs of the model by name, as in a manifest'),
  classes: z
    .array(z.string())
    .min(2)
    .refine((names) => new Set(names).size === names.length, 'names a class twice')
    .describe('the classes, in the order of the scores'),
  data: z
    .strictObject({
      train: z.union([trainEntry, z.array(trainEntry).min(1)]).describe('what is trained on; a list is mixed into every batch'),
      validation: dataEntry.describe('chooses the epoch whose weights are kept'),
      test: dataEntry.optional().describe('measured once, when training is over'),
    })
    .describe('labelled samples: train, validation and, where there are some, test'),
  augment: z
    .array(choice('a random change of the training samples (provoke list augmentations)'))
    .default([])
    .describe('random changes of the training samples, one after the other'),
  optimiser: choice('the optimiser (provoke list optimisers)').default({ use: 'adamw' }),
  schedule: choice('the course of the learning rate (provoke list schedules)').default({ use: 'constant' }),
  loss: z
    .strictObject({
      smoothing: z.number().min(0).lt(1).default(0).describe('share of the label spread over all classes'),
    })
    .default({ smoothing: 0 })
    .describe('cross-entropy; a defence brings a loss of its own'),
  defence: choice('adversarial training against `threat` (provoke list defences); standard training where left out').optional(),
  threat: z
    .union([budget, z.record(z.string(), budget)])
    .optional()
    .describe('the attacker a defence trains against, and robust accuracy is measured under; several inputs: a map by name'),
  epochs: z.int().positive().describe('passes over the training data'),
  batch: z.int().positive().describe('samples of one step'),
  ema: z.number().gt(0).lt(1).optional().describe('keep an exponential average of the weights with this decay, and use it'),
  clip: z.number().positive().optional().describe('largest length of the whole gradient; longer ones are shortened to it'),
  earlyStop: z
    .strictObject({
      patience: z.int().positive().describe('epochs without a better one before training ends'),
      metric: z.enum(['loss', 'accuracy', 'recall']).optional().describe('what of the validation data is watched'),
    })
    .optional()
    .describe('end training when it no longer gets better; the weights of the best epoch are kept with and without'),
  seed: z.int().nonnegative().default(0).describe('decides first values, order, augmentation, dropout and what a defence draws'),
});

export type Recipe = z.infer<typeof recipeSchema>;
export type Choice = Recipe['model'];
export type TrainReference = z.infer<typeof trainEntry>;

/** The schema as JSON Schema (draft 2020-12), for editors. */
export const recipeJsonSchema = (): unknown => z.toJSONSchema(recipeSchema, { io: 'input' });
