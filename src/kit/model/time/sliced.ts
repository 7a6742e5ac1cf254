/** @file The forward session of a model cut into slices of time, so that inputs which begin alike share the work up to where they part. */
import type { Graph } from '../../../core/onnx/graph.ts';
import { inferShapes } from '../../../core/onnx/passes/shapes.ts';
import { type Sliced, sliceTime } from '../../../core/onnx/passes/time/slices.ts';
import type { Runtime, Session } from '../../../core/runtime/runtime.ts';
import { stream } from '../../../core/tensor/random.ts';
import { sizeOf } from '../../../core/tensor/tensor.ts';
import { packChunk } from '../batches.ts';
import { drawn } from '../find-coupling.ts';
import { logitsName, type Model } from '../model.ts';
import { needsPairs } from '../pairs.ts';
import { scratch } from './rows.ts';
import { planShared, runShared } from './shared-forward.ts';
import {
  type NotSliced,
  type SlicedForward,
  type SliceSession,
  sliceStarts,
  type TimeInput,
  timeInput,
} from './slice-session.ts';

/** Cuts a model's graph (logits the only output, as `form` runs it) into slices, or says why it cannot be. */
export async function sliceModel(model: Model, form: Graph, runtime: Pick<Runtime, 'execute'>): Promise<Sliced> {
  const input = timeInput(model);
  if ('reason' in input) return input;
  const request = {
    name: input.name,
    timeAxis: input.spec.layout.indexOf('T'),
    output: logitsName(model),
    starts: sliceStarts(input.steps),
  };
  return sliceTime(form, await inferShapes(form, runtime.execute), request);
}

/** The whole forward pass, and the name of its logits. */
interface Whole {
  readonly session: Session;
  readonly logits: string;
}

/**
 * Opens a session for every slice, and runs them once beside the whole: where a bit differs they are closed again, and that is the reason.
 */
export async function openSliced(model: Model, form: Graph, runtime: Runtime, whole: Whole): Promise<SlicedForward | NotSliced> {
  const sliced = await sliceModel(model, form, runtime);
  if ('reason' in sliced) return sliced;
  const slices: SliceSession[] = [];
  for (const slice of sliced.slices) {
    const batched = slice.graph.inputs.map((v) => v.name);
    slices.push({ slice, session: await runtime.open(slice.graph), pairs: needsPairs(slice.graph, batched) });
  }
  const forward = { slices, logits: logitsName(model), scratch: scratch() };
  if (await agrees(model, forward, whole)) return forward;
  await closeSliced(forward);
  return { reason: 'the runtime rounds differently when the steps are run apart' };
}

/** Frees the runtime's memory. */
export async function closeSliced(forward: SlicedForward | NotSliced): Promise<void> {
  if ('reason' in forward) return;
  for (const { session } of forward.slices) await session.release();
}

/** Shares of ones in the clips that slices are checked with, where an input is binary. */
const densities = [0.05, 0.3];

/** Whether drawn inputs, and such as begin like one and end like another, get the same bits from the slices as from the whole. */
async function agrees(model: Model, forward: SlicedForward, whole: Whole): Promise<boolean> {
  const input = timeInput(model) as TimeInput;
  const starts = forward.slices.map(({ slice }) => slice.steps[0]);
  const clips = densities.map((density, n) => {
    const values = drawn(model, `slices ${n}`)[input.name]!;
    const { bounds, domain } = input.spec;
    if (domain !== 'binary' || bounds === 'unbounded') return values;
    const uniform = stream('slices', n);
    return values.map(() => (uniform.uniform() < density ? 1 : 0));
  });
  const probes = clips.flatMap((clip, n) => [clip, ...starts.map((start) => spliced(clip, clips[1 - n]!, input, start))]);
  const asked = probes.map((values) => ({ of: 0, inputs: { [input.name]: values } }));
  const plan = planShared(asked, input, starts, { maxBatch: 3 });
  const { logits } = await runShared(model, forward, asked, input, plan, { maxBatch: 3 });
  const chunk = { start: 0, count: asked.length, size: asked.length };
  const results = await whole.session.run(
    packChunk(
      model,
      asked.map((probe) => probe.inputs),
      chunk,
    ),
  );
  const { data, dims } = results[whole.logits]!;
  return (
    dims.length === 2 && dims[0] === asked.length && logits.flatMap((row) => [...row]).every((v, i) => Object.is(v, data[i]))
  );
}

/** A clip whose steps from `start` on are those of another one. */
function spliced(clip: Float32Array, other: Float32Array, { spec, axis, steps }: TimeInput, start: number): Float32Array {
  const inner = sizeOf(spec.shape.slice(axis + 1));
  return clip.map((v, i) => (Math.floor(i / inner) % steps >= start ? other[i]! : v));
}
