/** @file Logits of many probes at once, every common beginning run once. */
import type { Feeds } from '../../../core/runtime/runtime.ts';
import type { Tensor } from '../../../core/tensor/tensor.ts';
import { sizeOf } from '../../../core/tensor/tensor.ts';
import { batchAxis, type Model } from '../model.ts';
import type { Probe } from '../oracle.ts';
import { grouped, type Prefixes, prefixesOf, rowsAt } from './prefixes.ts';
import { packRows, pickRows, type Scratch, stepsOf } from './rows.ts';
import type { SlicedForward, SliceSession, TimeInput } from './slice-session.ts';

export interface SharedOptions {
  /** Most rows of one run. */
  readonly maxBatch: number;
  readonly signal?: AbortSignal;
}

/** Which runs answer a question. */
export interface SharedPlan {
  readonly prefixes: Prefixes;
  /** Indices of the probes that travel together. */
  readonly groups: readonly (readonly number[])[];
  /** Time steps that are run, over those of whole forward passes. */
  readonly share: number;
}

/** Finds out what can be shared when slices begin at `starts`. */
export function planShared(
  probes: readonly Probe[],
  input: TimeInput,
  starts: readonly number[],
  { maxBatch }: Pick<SharedOptions, 'maxBatch'>,
): SharedPlan {
  const ends = [...starts.slice(1), input.steps];
  const frames = (k: number, s: number): Float32Array =>
    stepsOf(probes[k]!.inputs[input.name]!, input.spec.shape, input.axis, [starts[s]!, ends[s]!]);
  const prefixes = prefixesOf(probes, starts.length, frames);
  const groups = grouped(prefixes, maxBatch);
  const run = groups.reduce(
    (sum, group) => sum + starts.reduce((n, start, s) => n + rowsAt(prefixes, group, s).length * (ends[s]! - start), 0),
    0,
  );
  return { prefixes, groups, share: run / (probes.length * input.steps) };
}

export interface SharedAnswers {
  /** Per probe, [classes]. */
  readonly logits: readonly Float32Array[];
  /** Per probe the time steps that were run on its account; what several share counts for the first of them. */
  readonly steps: readonly number[];
}

/** Runs a plan. Errors of the runtime carry the model's name. */
export async function runShared(
  model: Model,
  forward: SlicedForward,
  probes: readonly Probe[],
  input: TimeInput,
  plan: SharedPlan,
  options: SharedOptions,
): Promise<SharedAnswers> {
  const logits: Float32Array[] = [];
  const steps = probes.map(() => 0);
  for (const group of plan.groups) {
    const held = new Map<string, Held>();
    for (const [s, part] of forward.slices.entries()) {
      options.signal?.throwIfAborted();
      const rows = rowsAt(plan.prefixes, group, s);
      const level = plan.prefixes.levels[s]!;
      for (const row of rows) steps[level.probes[row]!]! += part.slice.steps[1] - part.slice.steps[0];
      const members = rows.map((row) => probes[level.probes[row]!]!);
      const feeds = {
        ...framesOf(input, part, members, forward.scratch),
        ...takenBy(part, s, rows, plan.prefixes, held, forward.scratch),
      };
      const results = await part.session.run(feeds).catch((cause: unknown) => {
        throw new Error(`${model.name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
      forward.scratch.giveBack(Object.values(feeds).map(({ data }) => data));
      drop(held, forward.slices, s);
      for (const { name } of part.slice.gives) held.set(name, { value: results[name]!, rows });
      if (s === forward.slices.length - 1) collect(results[forward.logits]!, rows, plan.prefixes, group, s, logits);
    }
  }
  return { logits, steps };
}

/** What a slice has handed on, and which row of the slice each of its rows is. */
interface Held {
  readonly value: Tensor;
  readonly rows: readonly number[];
}

/** A batch of 1 is padded by a repetition where the runtime would compute it otherwise. */
const padded = <T>(rows: readonly T[], pairs: boolean): readonly T[] =>
  pairs && rows.length === 1 ? [rows[0]!, rows[0]!] : rows;

/** The frames of these probes in the steps of a slice. */
function framesOf(
  { name, spec, axis }: TimeInput,
  { slice, pairs }: SliceSession,
  probes: readonly Probe[],
  scratch: Scratch,
): Feeds {
  const samples = padded(probes, pairs).map(({ inputs }) => stepsOf(inputs[name]!, spec.shape, axis, slice.steps));
  const shape = spec.shape.map((d, k) => (k === axis ? slice.steps[1] - slice.steps[0] : d));
  const data = scratch.take(samples[0]!, samples.length * sizeOf(shape));
  return { [name]: packRows(samples, shape, batchAxis(spec)!, data) };
}

/** What a slice takes from earlier ones, a row per row: that of the beginning it goes on from. */
function takenBy(
  { slice, pairs }: SliceSession,
  s: number,
  rows: readonly number[],
  { levels }: Prefixes,
  held: ReadonlyMap<string, Held>,
  scratch: Scratch,
): Feeds {
  const ancestors = rows.map((row) => {
    const path = [row];
    for (let level = s; level > 0; level--) path.unshift(levels[level]!.parents[path[0]!]!);
    return path;
  });
  return Object.fromEntries(
    slice.takes.map(({ name, from, batchAxis }) => {
      const { value, rows: made } = held.get(name)!;
      const place = new Map(made.map((row, i) => [row, i]));
      const picks = padded(
        ancestors.map((path) => place.get(path[from]!)!),
        pairs,
      );
      const size = (value.data.length / value.dims[batchAxis]!) * picks.length;
      return [name, pickRows(value, batchAxis, picks, scratch.take(value.data, size))];
    }),
  );
}

/** Forgets what no later slice takes. */
function drop(held: Map<string, Held>, slices: readonly SliceSession[], s: number): void {
  for (const name of [...held.keys()])
    if (!slices.slice(s + 1).some(({ slice }) => slice.takes.some((t) => t.name === name))) held.delete(name);
}

function collect(
  result: Tensor,
  rows: readonly number[],
  { paths }: Prefixes,
  group: readonly number[],
  s: number,
  into: Float32Array[],
): void {
  const classes = result.dims.at(-1)!;
  for (const k of group) {
    const row = rows.indexOf(paths[k]![s]!);
    into[k] = (result.data as Float32Array).slice(row * classes, (row + 1) * classes);
  }
}
