/** @file What examples do to inputs made of events, and whether they last when somebody cuts the saved recording anew. */
import { UserError } from '../../core/errors.ts';
import type { Stream } from '../../core/tensor/random.ts';
import { framesOf, isCutByNumber, rebinNaively } from '../../kit/data/events/binning.ts';
import { exchanged } from '../../kit/data/events/exchanged.ts';
import type { EventClip } from '../../kit/data/events/stream.ts';
import { reached } from '../../kit/losses/loss.ts';
import { type ClipShape, flipFigures, flipsBetween } from '../../kit/metrics/flips.ts';
import { clipShapeOf } from '../../kit/model/clip-shape.ts';
import type { Inputs } from '../../kit/model/model.ts';
import { argmax, type Probe } from '../../kit/model/oracle.ts';
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
  context: Pick<UnitContext, 'model' | 'oracle' | 'examples'>,
  fooling: readonly Reread[],
  random: (of: number) => Stream,
): Promise<Map<number, Facts>> {
  const shapes = Object.entries(context.model.inputs).flatMap(([name, spec]): [string, ClipShape][] => {
    const shape = clipShapeOf(spec);
    return shape === undefined ? [] : [[name, shape]];
  });
  if (shapes.length === 0) return new Map();
  const examples: Example[] = [];
  for (const one of fooling) examples.push({ ...one, recordings: (await context.examples.recordings?.(one.path)) ?? {} });
  const lasting = await lastingOf(context, examples, random);
  return new Map(
    examples.map((example) => {
      const facts = shapes.map(([name, shape]) => [name, factsOf(example, name, shape, lasting.get(example.of) ?? null)]);
      return [example.of, Object.fromEntries(facts) as Facts];
    }),
  );
}

interface Example extends Reread {
  /** By input name. */
  readonly recordings: Readonly<Record<string, EventClip>>;
}

function factsOf({ subject, inputs, recordings }: Example, name: string, shape: ClipShape, lasts: boolean | null): EventFacts {
  const { sample } = subject;
  const original = sample.inputs[name]!;
  const { added, deleted, ...places } = flipFigures(flipsBetween(original, inputs[name]!, shape), original, shape);
  const [clean, changed] = [sample.events?.[name], recordings[name]];
  const events = clean === undefined || changed === undefined ? undefined : exchanged(clean.stream, changed.stream);
  return {
    pixelsAdded: added,
    pixelsDeleted: deleted,
    eventsAdded: events?.added.length ?? null,
    eventsRemoved: events?.removed.length ?? null,
    rebinned: events === undefined ? null : lasts,
    ...places,
  };
}

/** Whether examples fool the model when their recordings are cut anew, for those whose clean recordings are cut by number. */
async function lastingOf(
  { oracle }: Pick<UnitContext, 'oracle'>,
  examples: readonly Example[],
  random: (of: number) => Stream,
): Promise<Map<number, boolean>> {
  const lasting = new Map<number, boolean>();
  const anew: (Probe & Pick<Example, 'subject'>)[] = [];
  for (const { of, subject, inputs, recordings } of examples) {
    const numbered = Object.entries(recordings).filter(([name]) => {
      const clean = subject.sample.events?.[name];
      return clean !== undefined && isCutByNumber(clean);
    });
    if (numbered.length === 0) continue;
    const cut: Record<string, Float32Array> = {};
    for (const [name, clip] of numbered) {
      const frames = cutAnew(clip);
      if (frames === undefined) lasting.set(of, false);
      else cut[name] = frames;
    }
    if (!lasting.has(of)) anew.push({ of, subject, inputs: { ...inputs, ...cut } });
  }
  const logits = await oracle(undefined, random).logits(anew);
  for (const [k, { of, subject }] of anew.entries())
    lasting.set(of, logits[k]!.every(Number.isFinite) && reached(subject.goal, argmax(logits[k]!)));
  return lasting;
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
