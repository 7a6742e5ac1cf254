/** @file What examples do to inputs made of events, and whether they last when somebody cuts the saved recording anew. */
import { UserError } from '../../core/errors.ts';
import type { Stream } from '../../core/tensor/random.ts';
import { framesOf, isCutByNumber, rebinNaively } from '../../kit/data/events/binning.ts';
import { exchanged } from '../../kit/data/events/exchanged.ts';
import type { EventClip } from '../../kit/data/events/stream.ts';
import { reached } from '../../kit/losses/loss.ts';
import { flipFigures, flipsBetween } from '../../kit/metrics/flips.ts';
import { clipShapeOf } from '../../kit/model/clip-shape.ts';
import type { Inputs } from '../../kit/model/model.ts';
import { argmax } from '../../kit/model/oracle.ts';
import type { EventFacts } from '../../kit/record/event-facts.ts';
import type { Row } from '../../kit/record/row.ts';
import type { Subject } from './rows.ts';
import type { UnitContext } from './unit-context.ts';

/** A saved example that fools the model, as read back; `of` is its number. */
export interface Reread {
  readonly of: number;
  readonly subject: Subject;
  readonly path: string;
  readonly inputs: Inputs;
}

type Facts = NonNullable<Row['events']>;

/** By number of the example, for models with inputs made of events. `random`: the draws the verdict was spoken on. */
export async function eventFactsOf(
  { model, oracle, examples }: Pick<UnitContext, 'model' | 'oracle' | 'examples'>,
  fooling: readonly Reread[],
  random: (of: number) => Stream,
): Promise<Map<number, Facts>> {
  const shapes = Object.entries(model.inputs).flatMap(([name, spec]) => {
    const shape = clipShapeOf(spec);
    return shape === undefined ? [] : [[name, shape] as const];
  });
  const found = new Map<number, Facts>();
  if (shapes.length === 0) return found;
  const anew: { of: number; inputs: Inputs }[] = [];
  const lost = new Set<number>();
  for (const { of, subject, path, inputs } of fooling) {
    const { sample } = subject;
    const recordings = (await examples.recordings?.(path)) ?? {};
    const facts = shapes.map(([name, shape]): [string, EventFacts] => {
      const flips = flipsBetween(sample.inputs[name]!, inputs[name]!, shape);
      const { added, deleted, ...places } = flipFigures(flips, sample.inputs[name]!, shape);
      const [clean, changed] = [sample.events?.[name], recordings[name]];
      const known = clean === undefined || changed === undefined ? undefined : exchanged(clean.stream, changed.stream);
      return [
        name,
        {
          pixelsAdded: added,
          pixelsDeleted: deleted,
          eventsAdded: known?.added.length ?? null,
          eventsRemoved: known?.removed.length ?? null,
          rebinned: null,
          ...places,
        },
      ];
    });
    found.set(of, Object.fromEntries(facts));
    const numbered = Object.entries(recordings).filter(([name]) => {
      const clean = sample.events?.[name];
      return clean !== undefined && isCutByNumber(clean);
    });
    if (numbered.length === 0) continue;
    const frames = numbered.map(([name, clip]) => [name, cutAnew(clip)] as const);
    if (frames.some(([, values]) => values === undefined)) lost.add(of);
    else anew.push({ of, inputs: { ...inputs, ...(Object.fromEntries(frames) as Inputs) } });
  }
  const logits = await oracle(undefined, random).logits(anew);
  const verdicts = new Map<number, boolean>([...lost].map((of) => [of, false]));
  const goals = new Map(fooling.map(({ of, subject }) => [of, subject.goal]));
  for (const [k, { of }] of anew.entries())
    verdicts.set(of, logits[k]!.every(Number.isFinite) && reached(goals.get(of)!, argmax(logits[k]!)));
  for (const [of, rebinned] of verdicts)
    found.set(
      of,
      Object.fromEntries(
        Object.entries(found.get(of)!).map(([name, facts]) => [
          name,
          facts.eventsAdded === null ? facts : { ...facts, rebinned },
        ]),
      ),
    );
  return found;
}

/** The frames of a recording cut by number; undefined where it cannot be cut so: nobody could show it to the model. */
function cutAnew(clip: EventClip): Float32Array | undefined {
  try {
    return framesOf(rebinNaively(clip.stream, clip));
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
