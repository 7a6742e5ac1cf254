/** @file Flips in words. */
import type { ClipShape } from '../../../kit/metrics/flips.ts';
import { clipShapeOf } from '../../../kit/model/clip-shape.ts';
import type { EventFacts, EventSummary } from '../../../kit/record/event-facts.ts';
import { count, number, percent } from '../format.ts';
import type { ReportData } from '../report-data.ts';
import type { RunIndex } from '../run-index.ts';

/** The only attacked input, where it holds binary frames of events. */
export function eventInput({ model }: ReportData): { readonly name: string; readonly shape: ClipShape } | undefined {
  const attacked = Object.entries(model.inputs).filter(([, { role }]) => role === 'attacked');
  const [only] = attacked;
  const shape = attacked.length === 1 ? clipShapeOf(only![1]) : undefined;
  return shape === undefined ? undefined : { name: only![0], shape };
}

/** What a flip is, and how many successes last when cut anew; undefined where the run is not about flips. */
export function flipSentence(data: ReportData, index: RunIndex): string | undefined {
  const input = eventInput(data);
  if (input === undefined || index.headline?.norm !== 'l0') return undefined;
  const { steps, channels, height, width } = input.shape;
  const what = `A sample is ${count(steps)} frames of ${width} × ${height} pixels in ${count(channels)} polarities, each on or off. A flip switches one: it puts in an event where none was, or takes out all of that pixel in that frame.`;
  const cut = index.samples.flatMap((sample) => {
    const row = index.worst(sample, index.headline!);
    const rebinned = row?.status === 'success' ? row.events?.[input.name]?.rebinned : null;
    return rebinned === null || rebinned === undefined ? [] : [rebinned];
  });
  if (cut.length === 0) return what;
  const lasting = cut.filter(Boolean).length;
  return `${what} Examples were saved as recordings and cut by the windows of the clean ones; cut anew by number of events, ${lasting === 0 ? 'none' : count(lasting)} of ${count(cut.length)} still ${lasting === 1 ? 'fools' : 'fool'} the model.`;
}

const yes = (value: boolean): string => (value ? 'still fools the model' : 'no longer fools the model');

/** Lines of a table about one example. */
export function factLines(facts: EventFacts): [string, string][] {
  const { pixelsAdded, pixelsDeleted, eventsAdded, eventsRemoved, rebinned } = facts;
  const where = placeWords(facts);
  return [
    ['Pixels', `${count(pixelsAdded)} added, ${count(pixelsDeleted)} deleted`],
    ...(eventsAdded === null || eventsRemoved === null
      ? []
      : [['Events', `${count(eventsAdded)} put in, ${count(eventsRemoved)} taken out`] as [string, string]]),
    ...(rebinned === null ? [] : [['Cut anew by number', yes(rebinned)] as [string, string]]),
    ...(where === '' ? [] : [['Where the flips are', where] as [string, string]]),
  ];
}

type Places = Readonly<Record<'timeClustering' | 'nearestNeighbour' | 'besideEvents', number | null>>;

/** Where flips lie, in a few clauses; chance is 1 for both figures of clustering. */
export function placeWords({ timeClustering, nearestNeighbour, besideEvents }: Places): string {
  return [
    timeClustering === null
      ? ''
      : `${inTime(timeClustering)} (the variance of their number per frame is ${number(timeClustering, 2)} times that of chance)`,
    nearestNeighbour === null
      ? ''
      : `${inSpace(nearestNeighbour)} (the nearest other flip is at ${number(nearestNeighbour, 2)} times the distance of chance)`,
    besideEvents === null ? '' : `${percent(besideEvents)} of added pixels touch an event of the clean frame`,
  ]
    .filter((text) => text !== '')
    .join('; ');
}

const inTime = (ratio: number): string =>
  ratio > 2 ? 'gathered in some frames' : ratio < 0.5 ? 'spread evenly over the frames' : 'spread over the frames as by chance';

const inSpace = (ratio: number): string =>
  ratio < 0.8 ? 'close to each other' : ratio > 1.2 ? 'kept apart from each other' : 'no closer to each other than by chance';

/** One attack's successes, as sentences. */
export function summaryWords({ medians }: EventSummary): string {
  const { pixelsAdded, pixelsDeleted } = medians;
  const kind =
    pixelsAdded === null || pixelsDeleted === null
      ? ''
      : pixelsDeleted === 0
        ? 'mostly adds pixels; '
        : pixelsAdded === 0
          ? 'mostly deletes pixels; '
          : '';
  const words = `${kind}${placeWords(medians)}`;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
