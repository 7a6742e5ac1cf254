/** @file What a model file cannot say of itself: a sidecar manifest (YAML or JSON), or the same inside the ONNX metadata. */
import { parse } from 'yaml';
import { z } from 'zod';
import { suggestion, UserError } from '../../core/errors.ts';
import type { StepOptions } from '../../core/onnx/passes/unroll-steps.ts';
import { idioms } from '../../core/spikes/idioms.ts';
import type { StatedSpikes } from '../../core/spikes/stated.ts';
import type { InputSpec, Model } from './model.ts';

const end = z.union([z.number(), z.array(z.number()).min(1)]);

/** `bounds` as a file states them. */
export const bounds = z.union([
  z.literal('unbounded'),
  z.tuple([end, end]).transform(([lower, upper]) => ({ lower, upper })),
  z.strictObject({ lower: end, upper: end }),
]);

/** `layout` as a file states it. */
export const layout = z
  .string()
  .regex(/^[A-Z]*$/, 'one capital letter per axis, e.g. NCHW')
  .refine((letters) => new Set(letters).size === letters.length, 'names one axis twice');

const inputSchema = z.strictObject({
  shape: z.array(z.int().positive()).optional(),
  layout: layout.optional(),
  modality: z.enum(['image', 'video', 'audio', 'skeleton', 'physiology', 'events', 'features']).optional(),
  unit: z.string().optional(),
  role: z.enum(['attacked', 'given']).optional(),
  domain: z.union([z.enum(['continuous', 'binary']), z.strictObject({ levels: z.int().min(2) })]).optional(),
  bounds: bounds.optional(),
  storage: z.enum(['uint8', 'pcm16', 'float32', 'binary']).optional(),
});

const name = z.string().min(1);

const spikesSchema = z.strictObject({
  layers: z.union([z.literal('all'), z.array(name).min(1), z.array(z.array(name).min(1)).min(1)]).optional(),
  idioms: z.array(z.enum(idioms)).optional(),
  timeAxis: z.int().min(0).optional(),
  none: z.boolean().optional(),
  states: z.record(name, name).optional(),
  steps: z.int().min(1).optional(),
  frames: z.boolean().optional(),
});

const manifestSchema = z.strictObject({
  name: z.string().optional(),
  inputs: z.record(z.string(), inputSchema).optional(),
  classes: z.array(z.string()).min(1).optional(),
  output: z
    .strictObject({
      name: z.string().optional(),
      kind: z.enum(['logits', 'probabilities']).optional(),
      layout: layout.refine((letters) => letters.includes('N') && letters.includes('C'), 'names the axes N and C').optional(),
    })
    .optional(),
  coupling: z.enum(['none', 'batch']).optional(),
  spikes: spikesSchema.optional(),
  note: z.string().optional(),
});

type Stated<T> = { readonly [Field in keyof T]?: T[Field] | undefined };

/** What may be stated of one input. In a file, `bounds` is a pair, an object with lower and upper, or "unbounded"; `shape` is that of one sample, without the batch. */
export type ManifestInput = Stated<Omit<InputSpec, 'dtype'>>;

/** What may be stated of a model; whatever is left out is inferred, and the inference is printed. */
export interface Manifest {
  readonly name?: string | undefined;
  readonly inputs?: Readonly<Record<string, ManifestInput>> | undefined;
  readonly classes?: readonly string[] | undefined;
  /** `layout` names every axis of the output: those beside N and C are averaged. */
  readonly output?: Stated<{ name: string; kind: 'logits' | 'probabilities'; layout: string }> | undefined;
  readonly coupling?: Model['coupling'] | undefined;
  /** Which comparisons are spikes, where links in time do not tell (core/spikes/recognise.ts), or that there are none; and, of a file that holds a single step, how it goes on (core/onnx/passes/unroll-steps.ts). */
  readonly spikes?: (StatedSpikes & Stated<StepOptions>) | undefined;
  readonly note?: string | undefined;
}

/**
 * Reads a manifest from YAML (or JSON) text, or from the object it was parsed to. `source` is what errors call it.
 * Throws a UserError that names the field.
 */
export function readManifest(from: unknown, source: string): Manifest {
  const content = typeof from === 'string' ? parsed(from, source) : from;
  const result = manifestSchema.safeParse(content ?? {});
  if (result.success) return result.data;
  const issue = deepest(result.error.issues[0]!);
  const where = issue.path.map(String).join('.');
  throw new UserError(
    `${source}: ${where === '' ? 'the manifest' : where}: ${issue.message}`,
    issue.code === 'unrecognized_keys'
      ? suggestion(issue.keys[0]!, fieldsAt(where))
      : 'see the manifest reference in the documentation',
  );
}

/** The issue of a union's most specific alternative: what a reader can act on. */
function deepest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== 'invalid_union') return issue;
  const inner = issue.errors.flat().sort((a, b) => b.path.length - a.path.length)[0];
  return inner === undefined || inner.path.length === 0 ? issue : deepest({ ...inner, path: [...issue.path, ...inner.path] });
}

const fieldsAt = (where: string): string[] =>
  where === ''
    ? Object.keys(manifestSchema.shape)
    : where === 'output'
      ? Object.keys(manifestSchema.shape.output.unwrap().shape)
      : where.endsWith('bounds')
        ? ['lower', 'upper']
        : where === 'spikes'
          ? Object.keys(spikesSchema.shape)
          : Object.keys(inputSchema.shape);

function parsed(text: string, source: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new UserError(`${source} is not YAML: ${cause instanceof Error ? cause.message : cause}`, 'mend the syntax', { cause });
  }
}

/**
 * The manifest a model file carries in its metadata_props, or undefined: either one entry `provoke` with the whole manifest as JSON or YAML, or
 * entries `provoke.FIELD` and `provoke.inputs.NAME.FIELD` with the value of one field each (these win over the single entry).
 */
export function manifestOf(metadata: ReadonlyMap<string, string>, source: string): Manifest | undefined {
  const entries = [...metadata].filter(([key]) => key === 'provoke' || key.startsWith('provoke.'));
  if (entries.length === 0) return undefined;
  const whole = metadata.get('provoke');
  const root = whole === undefined ? {} : object(parsed(whole, `${source}, metadata "provoke"`));
  for (const [key, text] of entries) {
    if (key === 'provoke') continue;
    const path = pathOf(key.slice('provoke.'.length));
    const last = path.pop()!;
    let at = root;
    for (const step of path) {
      at[step] = object(at[step]);
      at = at[step] as Record<string, unknown>;
    }
    at[last] = isText(last, path) ? text : parsed(text, `${source}, metadata "${key}"`);
  }
  return readManifest(root, `${source}, metadata`);
}

/** Fields that are text whatever they look like (a note may hold a colon). */
const isText = (field: string, path: readonly string[]): boolean =>
  ['name', 'note', 'unit'].includes(field) && (path.length !== 1 || path[0] === 'output');

/** Input names may hold dots themselves: what stands between `inputs.` and the last dot is the name, unless no field of an input follows. */
function pathOf(key: string): string[] {
  const rest = key.startsWith('inputs.') ? key.slice('inputs.'.length) : undefined;
  if (rest === undefined) return key.split('.');
  const dot = rest.lastIndexOf('.');
  return dot > 0 && Object.hasOwn(inputSchema.shape, rest.slice(dot + 1))
    ? ['inputs', rest.slice(0, dot), rest.slice(dot + 1)]
    : ['inputs', rest];
}

const object = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};

/** `over` wins field by field; inputs and output are merged the same way. */
export function mergeManifests(under: Manifest = {}, over: Manifest = {}): Manifest {
  const inputs: Record<string, ManifestInput> = { ...under.inputs };
  for (const [name, stated] of Object.entries(over.inputs ?? {})) inputs[name] = { ...inputs[name], ...stated };
  return {
    ...under,
    ...over,
    inputs,
    ...(under.output || over.output ? { output: { ...under.output, ...over.output } } : {}),
  };
}
