/** @file The experiment file: what may stand in it, and what each part means. The JSON Schema for editors is generated from here. */
import { z } from 'zod';
import { conventions } from '../../kit/data/events/convention.ts';

export const epsValue = z
  .union([z.number(), z.string()])
  .describe('budget, as a number or a fraction such as 8/255, in units of the input');
export const norm = z.enum(['linf', 'l2', 'l1', 'l0']);

const budget = z.strictObject({
  norm: norm.default('linf').describe('how the size of a perturbation is measured'),
  eps: z.union([epsValue, z.array(epsValue).min(1)]).describe('one budget or an ascending list'),
});

const substitute = z.strictObject({
  match: z
    .strictObject({ op: z.string().optional(), name: z.string().optional(), pattern: z.string().optional() })
    .describe('nodes it stands for: by op, by name, or by a regular expression on the name'),
  use: z.literal('straight-through').describe('what stands in for their derivative'),
});

export const spikes = z
  .union([z.string(), z.looseObject({ use: z.string() })])
  .describe(
    'what stands in for the derivative of spikes: a name (provoke list surrogates), or { use: NAME } with its options; none: nothing; default: pdsg-narrow',
  );

export const fileModel = z.strictObject({
  path: z.string().describe('an .onnx file, relative to this file'),
  manifest: z.string().optional().describe('a YAML or JSON manifest beside it (bounds, classes, layout ...)'),
  outputName: z.string().optional().describe('which output holds the class scores'),
  inputShapes: z
    .record(z.string(), z.array(z.number().int().positive()))
    .optional()
    .describe('sizes of symbolic axes, without the batch'),
  surrogates: z.array(substitute).optional(),
  spikes: spikes.optional(),
});

const namedModel = z.strictObject({
  use: z.string().describe('a built-in model (provoke list models), or ./file.mjs'),
  surrogates: z.array(substitute).optional(),
  spikes: spikes.optional(),
});

const dataCommon = {
  limit: z.number().int().positive().optional().describe('use at most so many samples, drawn with the seed'),
  labels: z.record(z.string(), z.string()).optional().describe("how the data's labels map to the model's classes"),
  resize: z
    .enum(['none', 'bilinear'])
    .optional()
    .describe('bring images to the size the model wants (default: none, other sizes are refused)'),
};

export const namedData = z.strictObject({
  use: z.string().describe('a built-in data set (provoke list data), or ./file.mjs'),
  ...dataCommon,
});
export const fileData = z.strictObject({
  format: z
    .string()
    .describe('image-folder, fer2013, cifar10, sequences, cifar10-dvs, dvs-gesture, n-mnist, events (provoke list data)'),
  path: z.string().describe('relative to this file'),
  usage: z
    .string()
    .optional()
    .describe(
      'the split to use. fer2013: Training, PublicTest or PrivateTest; others: train, test ... (docs/data-formats.md says which there are)',
    ),
  frames: z.number().int().positive().optional().describe('event files: frames a recording is cut into (default: 10)'),
  by: z
    .enum(['number', 'time'])
    .optional()
    .describe('event files: frames of as many events, or of the same length (default: number)'),
  values: z
    .enum(['binary', 'count'])
    .optional()
    .describe('event files: whether there was an event, or how many (default: binary)'),
  convention: z.enum(conventions).optional().describe('event files: whose reading of address bits is followed (default: jaer)'),
  downsample: z
    .number()
    .int()
    .positive()
    .optional()
    .describe('event files: so many pixels of the sensor in each direction become one (default: 1)'),
  sensor: z
    .tuple([z.number().int().positive(), z.number().int().positive()])
    .optional()
    .describe('event files that do not say it: width and height of the sensor'),
  ...dataCommon,
});

const attackEntry = z.union([
  z.string(),
  z.looseObject({
    use: z.string(),
    as: z.string().optional().describe('its name in tables, where one attack is used twice'),
    spikes: spikes
      .optional()
      .describe('what stands in for the derivative of spikes under this attack, in place of what the model says'),
  }),
]);

const goal = z.union([z.enum(['untargeted', 'least-likely', 'random']), z.strictObject({ targeted: z.string() })]);

/** A name that can be that of a folder. */
export const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dot, dash and underscore');

export const experimentSchema = z.strictObject({
  name: fileName.optional(),
  model: z.union([namedModel, fileModel]),
  data: z.union([namedData, fileData]),
  threat: z.union([budget, z.record(z.string(), budget)]),
  attacks: z.array(attackEntry).min(1),
  goal: goal.default('untargeted'),
  seed: z.number().int().nonnegative().default(0),
  queries: z
    .number()
    .int()
    .positive()
    .optional()
    .describe(
      'most queries an attack may spend on a sample at a budget (minimum-norm attacks: on a sample); default: as many as its options make it ask',
    ),
  batch: z.union([z.literal('auto'), z.number().int().positive()]).default('auto'),
  limits: z
    .strictObject({
      seconds: z
        .union([z.literal('auto'), z.number().nonnegative()])
        .default('auto')
        .describe('a unit of 16 samples is ended when it takes longer; 0: never; auto: a multiple of its measured cost'),
      memory: z
        .union([z.literal('auto'), z.literal(0), z.string().regex(/^\d+(\.\d+)?\s*(MB|GB)$/i, 'a size such as 600MB or 4GB')])
        .default('auto')
        .describe("most memory of a child process, e.g. 4GB; 0: no limit; auto: its share of three quarters of the machine's"),
    })
    .optional()
    .describe('what a model from a file may take before its process is ended'),
});

export type ExperimentFile = z.infer<typeof experimentSchema>;
export type ModelReference = ExperimentFile['model'];
export type DataReference = ExperimentFile['data'];
export type SubstituteReference = z.infer<typeof substitute>;

/** The schema as JSON Schema (draft 2020-12), for editors. */
export const experimentJsonSchema = (): unknown => z.toJSONSchema(experimentSchema, { io: 'input' });
