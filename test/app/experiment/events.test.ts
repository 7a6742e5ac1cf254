/** Examples of recordings: saved as event files, judged by what is read back, and cut anew without the clean windows. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flatColumns } from '../../../src/app/experiment/results.ts';
import { runUnit } from '../../../src/app/experiment/unit.ts';
import type { ExampleStore } from '../../../src/app/experiment/unit-context.ts';
import { exampleStore } from '../../../src/app/host/examples.ts';
import { fileSample } from '../../../src/app/host/predict-files.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32, i64 } from '../../../src/core/tensor/tensor.ts';
import { cut, framesOf } from '../../../src/kit/data/events/binning.ts';
import { readClip, writeClip } from '../../../src/kit/data/events/saved-clip.ts';
import type { EventClip } from '../../../src/kit/data/events/stream.ts';
import { summarise } from '../../../src/kit/metrics/summary.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import type { Model } from '../../../src/kit/model/model.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import type { Row } from '../../../src/kit/record/row.ts';
import type { Attack, Job } from '../../../src/methods/attacks/attack.ts';
import { streamOf } from '../../kit/data/events/arbitrary.ts';
import { features, modelOf } from '../../kit/model/toys.ts';

const runtime = createRuntime(ort, { threads: 1 });
const shape = [2, 2, 2, 3];
const size = 24;

/** Class 1 where the frames, each value weighed, sum to more than a half. */
function weighing(weights: Readonly<Record<number, number>>): Model {
  const g = graphBuilder();
  const x = g.input('x', ['N', ...shape]);
  const w = new Float32Array(2 * size);
  for (const [i, weight] of Object.entries(weights)) w[2 * Number(i) + 1] = weight;
  const flat = g.op('Reshape', [x, g.constant(i64([-1, size]))]);
  g.op('Gemm', [flat, g.constant(f32(w, [size, 2])), g.constant(f32([0, -0.5], [2]))], {}, 'logits');
  g.output('logits', ['N', 2]);
  const spec = features(shape, 'NTCHW', {
    modality: 'events',
    domain: 'binary',
    storage: 'binary',
    bounds: { lower: 0, upper: 1 },
  });
  return modelOf(g.build(), { x: spec }, 2);
}

/** Six events, three in each of two frames: ON at the first row, later OFF at the second. */
const clip: EventClip = cut(
  streamOf(3, 2, [
    [0, 0, 1, 0],
    [1, 0, 1, 10],
    [2, 0, 1, 20],
    [0, 1, 0, 30],
    [1, 1, 0, 40],
    [2, 1, 0, 50],
  ]),
  { frames: 2 },
);
const clean = framesOf(clip);

/** Proposes the frames with some values flipped. */
const flipping = (...places: number[]): Attack =>
  ({
    name: 'flipping',
    title: '',
    needs: 'scores',
    kind: 'minimal',
    norms: ['l0'],
    modalities: 'any',
    targeted: false,
    defaults: {},
    about: {},
    passes: () => ({ forwards: 0, backwards: 0 }),
    paper: '',
    run: async (job: Job<'scores'>) =>
      job.batch.map(({ inputs }) => ({
        status: 'success' as const,
        inputs: { x: inputs.x!.map((v, i) => (places.includes(i) ? 1 - v : v)) },
      })),
  }) as unknown as Attack;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'provoke-events-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Given {
  readonly events?: EventClip;
  store?(store: ExampleStore): ExampleStore;
}

async function rowOf(model: Model, attack: Attack, { events, store = (s) => s }: Given): Promise<Row> {
  const sessions = openSessions(model, runtime);
  try {
    const { rows } = await runUnit({
      model,
      oracle: () => createOracle(sessions, { maxBatch: 4 }),
      samples: [
        { id: 'a', group: 'a', label: 0, inputs: { x: clean }, ...(events === undefined ? {} : { events: { x: events } }) },
      ],
      problems: [],
      planned: { label: attack.name, attack, options: {} },
      budgets: [{ norm: { x: 'l0' }, eps: { x: 6 } }],
      goal: { kind: 'untargeted' },
      seed: 0,
      examples: store(exampleStore(folder, model)),
      signal: new AbortController().signal,
      progress: () => undefined,
    });
    return rows[0]!;
  } finally {
    await sessions.release();
  }
}

// in frame 0, OFF at (0, 0): nothing fired there
const added = 0;
// in frame 0, ON at (2, 0): fired last
const deleted = 8;

describe('an example of a recording', () => {
  it('is an event file that, cut by the windows it names, is what was judged; pixels and events are counted', async () => {
    const model = weighing({ [added]: 1, [deleted]: -1 });
    const row = await rowOf(model, flipping(added, deleted), { events: clip });
    expect(row.status).toBe('success');
    expect(row.example).toMatch(/\.aedat$/);
    expect(row.original).toMatch(/\.aedat$/);
    expect(row.norms.x!.l0).toBe(2);
    expect(row.events!.x).toMatchObject({ pixelsAdded: 1, pixelsDeleted: 1, eventsAdded: 1, eventsRemoved: 1, besideEvents: 1 });
    const read = (await readClip(await readFile(join(folder, row.example!)), row.example!))!;
    expect(framesOf(read)).toEqual(clean.map((v, i) => (i === added || i === deleted ? 1 - v : v)));
    expect([...read.edges]).toEqual([...clip.edges]);
    const again = await fileSample(join(folder, row.example!), model);
    expect(again.inputs.x).toEqual(framesOf(read));
  });

  it('whose file lacks the event that fools the model is a failure: the file is judged, not the attack’s word', async () => {
    const dropping = (store: ExampleStore): ExampleStore => ({
      ...store,
      async save(name, inputs, recorded) {
        const path = await store.save(name, inputs, recorded);
        const file = join(folder, path);
        const { stream, ...windows } = (await readClip(await readFile(file), path))!;
        const kept = [...stream.t.keys()].filter((i) => !(stream.p[i] === 0 && stream.y[i] === 0));
        const lossy = {
          ...stream,
          x: Uint16Array.from(kept, (i) => stream.x[i]!),
          y: Uint16Array.from(kept, (i) => stream.y[i]!),
          p: Uint8Array.from(kept, (i) => stream.p[i]!),
          t: Float64Array.from(kept, (i) => stream.t[i]!),
        };
        await writeFile(file, writeClip({ ...windows, stream: lossy }).bytes);
        return path;
      },
    });
    const model = weighing({ [added]: 1 });
    expect((await rowOf(model, flipping(added), { events: clip })).status).toBe('success');
    const row = await rowOf(model, flipping(added), { events: clip, store: dropping });
    expect(row.status).toBe('failure');
    expect(row.floatSuccess).toBe(true);
    expect(row.events).toBeUndefined();
  });

  it('lasts when cut anew by number where its events stay in their frames, and does not where others move over', async () => {
    // one in, one out: still three events in the first frame
    const even = await rowOf(weighing({ [added]: 1 }), flipping(added, deleted), { events: clip });
    expect(even.events!.x!.rebinned).toBe(true);
    // one in, all others out: the first frame then takes an event of the second, OFF at (0, 1), which weighs against
    const odd = await rowOf(weighing({ [added]: 1, 3: -1 }), flipping(added, 6, 7, 8), { events: clip });
    expect(odd.status).toBe('success');
    expect(odd.events!.x!.rebinned).toBe(false);
    const cell = summarise([even, { ...odd, sample: 'b' }]).cells[0]!;
    expect(cell.events).toMatchObject({ rebinnable: 2, rebinned: 1, rebinnedRate: 0.5 });
    expect(cell.events!.medians).toMatchObject({ pixelsAdded: 1, pixelsDeleted: 2, eventsAdded: 1, eventsRemoved: 2 });
  });

  it('cut by time is not cut anew by number', async () => {
    const timed = cut(
      streamOf(3, 2, [
        [0, 0, 1, 0],
        [1, 0, 1, 10],
        [2, 0, 1, 20],
        [2, 0, 1, 21],
        [0, 1, 0, 31],
        [1, 1, 0, 32],
        [2, 1, 0, 62],
      ]),
      { frames: 2, by: 'time' },
    );
    expect(framesOf(timed)).toEqual(clean);
    const row = await rowOf(weighing({ [added]: 1 }), flipping(added), { events: timed });
    expect(row.events!.x).toMatchObject({ eventsAdded: 1, eventsRemoved: 0, rebinned: null });
    expect(summarise([row]).cells[0]!.events!.rebinnedRate).toBeNull();
  });

  it('that came as frames is saved as numbers, its flips are counted all the same', async () => {
    const row = await rowOf(weighing({ [added]: 1 }), flipping(added), {});
    expect(row.example).toMatch(/\.npz$/);
    expect(row.events!.x).toMatchObject({
      pixelsAdded: 1,
      pixelsDeleted: 0,
      eventsAdded: null,
      eventsRemoved: null,
      rebinned: null,
    });
  });
});

it('tables have a column for each figure, and none where no input is made of events', async () => {
  const row = await rowOf(weighing({ [added]: 1 }), flipping(added), { events: clip });
  const columns = (rows: readonly Row[]) => new Map(flatColumns(rows).map(({ name, data }) => [name, data]));
  const { events: _, ...plain } = row;
  const both = columns([row, plain]);
  expect(both.get('pixelsAdded')).toEqual([1, null]);
  expect(both.get('eventsAdded')).toEqual([1, null]);
  expect(both.get('rebinned')).toEqual([row.events!.x!.rebinned, null]);
  expect(columns([plain]).has('rebinned')).toBe(false);
});

it('a recording that cannot be cut anew at all does not last', async () => {
  // all but one event deleted: two frames cannot be made of it
  const row = await rowOf(weighing({ 6: -1, 7: 0, 8: 0, 15: 1 }), flipping(6, 7, 8, 16, 17), { events: clip });
  expect(row.status).toBe('success');
  expect(row.events!.x).toMatchObject({ eventsAdded: 0, eventsRemoved: 5, rebinned: false });
});

it('a recording whose times are not whole microseconds is judged by the archive it is saved as', async () => {
  const { x, y, p, t } = clip.stream;
  const fine = cut({ width: 3, height: 2, x, y, p, t: t.map((time) => time + 0.5) }, { frames: 2 });
  const model = weighing({ [added]: 1 });
  const row = await rowOf(model, flipping(added, deleted), { events: fine });
  expect([row.status, row.events!.x!.eventsAdded, row.events!.x!.eventsRemoved]).toEqual(['success', 1, 1]);
  expect(row.example).toMatch(/\.events\.npz$/);
  const again = await fileSample(join(folder, row.example!), model);
  expect(again.inputs.x).toEqual(clean.map((v, i) => (i === added || i === deleted ? 1 - v : v)));
});
