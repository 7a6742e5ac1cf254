/** @file The report of a run directory. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sizeOf } from '../../core/tensor/tensor.ts';
import { isClipFile } from '../../kit/data/events/saved-clip.ts';
import type { ClipShape } from '../../kit/metrics/flips.ts';
import { clipShapeOf } from '../../kit/model/clip-shape.ts';
import { describeSubstitutes } from '../../kit/model/element-types.ts';
import { type InputSpec, sampleAxis } from '../../kit/model/model.ts';
import type { Row } from '../../kit/record/row.ts';
import { experimentText, type RunRecord } from '../experiment/results.ts';
import { isPicture, readExample, readRecording } from '../host/examples.ts';
import { writeWhole } from '../host/files.ts';
import { decodeImage, encodePng } from '../host/images.ts';
import { differencePixels } from './pictures.ts';
import { renderReport } from './render.ts';
import type { Pictures, ReportData } from './report-data.ts';

/** How strongly the difference pictures exaggerate. */
const gain = 10;

/** Writes report.html into the run directory and returns its path. */
export async function writeReport(folder: string, record: RunRecord, rows: readonly Row[]): Promise<string> {
  const path = join(folder, 'report.html');
  await writeWhole(path, await renderReport(reportData(folder, record, rows)));
  return path;
}

function reportData(folder: string, record: RunRecord, rows: readonly Row[]): ReportData {
  const { model, data, experiment } = record;
  return {
    name: record.name,
    version: record.versions.provoke ?? '',
    date: record.created,
    experiment: experimentText(experiment),
    goal: typeof experiment.goal === 'string' ? experiment.goal : `targeted: ${experiment.goal.targeted}`,
    seed: record.seed,
    model,
    data: {
      name: data.name,
      n: record.counts.samples,
      sha256: data.sha256,
      labelsAre: data.labelsAre,
      agreement: !data.labelled,
      ...(data.synthetic === null ? {} : { synthetic: data.synthetic }),
      problems: record.problems,
    },
    attacks: record.attacks.map(({ label, title, needs, kind, paper, executes }) => ({
      name: label,
      title,
      needs,
      kind,
      paper,
      ...(executes === undefined ? {} : { executes }),
    })),
    summary: record.summary,
    rows,
    audit: record.audit,
    substitutes: describeSubstitutes(record.substitutes),
    cuts: record.cuts.map((c) => `${c.op} "${c.node}": its derivative is zero almost everywhere, the gradient ends there`),
    notes: record.notes,
    timings: [{ what: 'run', seconds: record.seconds }],
    versions: record.versions,
    picture: (row) => pictures(folder, record, row),
  };
}

/** Frames, and the recordings behind them where they were saved as such. */
async function eventPictures(
  folder: string,
  { model }: RunRecord,
  { original, example }: Row,
  shape: ClipShape,
): Promise<Pictures> {
  const name = Object.keys(model.inputs)[0]!;
  const frames = async (path: string) => (await readExample(folder, model.inputs, path))[name]!;
  const recorded = isClipFile(original!) && (example === undefined || isClipFile(example));
  return {
    kind: 'events',
    shape,
    original: await frames(original!),
    ...(example === undefined ? {} : { adversarial: await frames(example) }),
    ...(recorded && {
      recordings: {
        original: await readRecording(folder, original!),
        ...(example === undefined ? {} : { adversarial: await readRecording(folder, example) }),
      },
    }),
  };
}

async function pictures(folder: string, record: RunRecord, row: Row): Promise<Pictures | undefined> {
  const { model } = record;
  const [name, spec] = Object.entries(model.inputs)[0]!;
  if (row.original === undefined || !existsSync(join(folder, row.original))) return undefined;
  const shape = clipShapeOf(spec);
  if (shape !== undefined) return eventPictures(folder, record, row, shape);
  if (!isPicture(spec)) {
    const original = (await readExample(folder, model.inputs, row.original))[name]!;
    const adversarial = row.example === undefined ? undefined : (await readExample(folder, model.inputs, row.example))[name]!;
    return {
      kind: 'signal',
      channels: channelCount(spec),
      length: original.length / channelCount(spec),
      unit: spec.unit,
      original: channelsFirst(spec, original),
      ...(adversarial ? { adversarial: channelsFirst(spec, adversarial) } : {}),
    };
  }
  const original = await readFile(join(folder, row.original));
  if (row.example === undefined) return { kind: 'image', original };
  const adversarial = await readFile(join(folder, row.example));
  const [before, after] = [await decodeImage(original), await decodeImage(adversarial)];
  const difference = await encodePng({ ...before, data: differencePixels(before.data, after.data, gain) });
  return { kind: 'image', original, adversarial, difference, gain };
}

const channelCount = (spec: InputSpec): number => spec.shape[sampleAxis(spec, 'C')] ?? 1;

/** Values of one sample, channel after channel. */
function channelsFirst(spec: InputSpec, values: Float32Array): Float32Array {
  const axis = sampleAxis(spec, 'C');
  if (axis <= 0) return values;
  const [before, channels, after] = [sizeOf(spec.shape.slice(0, axis)), channelCount(spec), sizeOf(spec.shape.slice(axis + 1))];
  return Float32Array.from(values, (_, i) => {
    const [channel, rest] = [Math.floor(i / (before * after)), i % (before * after)];
    return values[(Math.floor(rest / after) * channels + channel) * after + (rest % after)]!;
  });
}
