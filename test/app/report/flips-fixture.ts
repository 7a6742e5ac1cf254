/** @file A made-up run on recordings of events: nothing in it was measured. */
import type { Pictures, ReportData } from '../../../src/app/report/report-data.ts';
import { stream as randomStream } from '../../../src/core/tensor/random.ts';
import { cut, framesOf } from '../../../src/kit/data/events/binning.ts';
import { realise } from '../../../src/kit/data/events/realise.ts';
import { summarise } from '../../../src/kit/metrics/summary.ts';
import type { Row } from '../../../src/kit/record/row.ts';
import { streamOf } from '../../kit/data/events/arbitrary.ts';
import { fixture, fixtureRows } from './fixture.ts';

export const shape = { steps: 4, channels: 2, height: 8, width: 8 };

const clip = cut(
  streamOf(
    8,
    8,
    Array.from({ length: 80 }, (_, i) => [i % 8, (3 * i) % 8, i % 2, 1000 * i] as const),
  ),
  { frames: 4 },
);
const original = framesOf(clip);

/** Frames with so many flips, one after another from the first value on. */
export const flipped = (n: number): Float32Array => original.map((v, i) => (i < n ? 1 - v : v));

/** Budgets of 1, 2, 4 and 8 flips. */
export function flipRows(): Row[] {
  return fixtureRows().map((row): Row => {
    const eps = { events: Math.round(row.eps.input! * 255) };
    const base = { ...row, norm: { events: 'l0' as const }, eps };
    if (row.status !== 'success') return { ...base, norms: {} };
    const n = Math.round(row.norms.input!.linf * 255);
    return {
      ...base,
      norms: { events: { linf: 1, l2: Math.sqrt(n), l1: n, l0: n } },
      events: {
        events: {
          pixelsAdded: n,
          pixelsDeleted: 0,
          eventsAdded: n,
          eventsRemoved: 0,
          rebinned: n > 2,
          timeClustering: n < 2 ? null : 3.21,
          nearestNeighbour: n < 2 ? null : 0.4,
          besideEvents: 0.75,
        },
      },
    };
  });
}

const picture = async (row: Row): Promise<Pictures> => {
  if (row.example === undefined) return { kind: 'events', shape, original, recordings: { original: clip } };
  const adversarial = flipped(row.norms.events!.l0);
  const { clip: made } = realise(clip, adversarial, randomStream(0, 'made up'));
  return { kind: 'events', shape, original, adversarial, recordings: { original: clip, adversarial: made } };
};

export function flipFixture(change: Partial<ReportData> = {}): ReportData {
  const rows = flipRows();
  const { model, data } = fixture();
  const { noun: _, ...rest } = data;
  return fixture(
    {
      model: {
        ...model,
        inputs: {
          events: {
            shape: [4, 2, 8, 8],
            layout: 'NTCHW',
            dtype: 'float32',
            modality: 'events',
            unit: 'event',
            role: 'attacked',
            domain: 'binary',
            bounds: { lower: 0, upper: 1 },
            storage: 'binary',
          },
        },
      },
      data: rest,
      summary: summarise(rows),
      picture,
      ...change,
    },
    rows,
  );
}
