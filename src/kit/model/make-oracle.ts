/** @file Oracles over a model's sessions: questions are packed into batches, counted per sample, and answered the same whatever the batch. */
import { UserError } from '../../core/errors.ts';
import type { Feeds } from '../../core/runtime/runtime.ts';
import { type Stream, stream } from '../../core/tensor/random.ts';
import type { Tensor } from '../../core/tensor/tensor.ts';
import { coefficientOf, lossFeeds } from '../losses/graph.ts';
import { headNames } from '../losses/heads.ts';
import type { Loss } from '../losses/loss.ts';
import { type Chunk, chunks, pack, packChunk, unpack } from './batches.ts';
import { meanOf, overDraws, type Shot } from './draws.ts';
import type { Inputs } from './model.ts';
import { type Counts, type DecisionOracle, type GradientOracle, labelOf, type Probe, type ScoreOracle } from './oracle.ts';
import type { ForwardSession, GradientHeads, GradientSession, ModelSessions } from './sessions.ts';
import { sharedScores } from './time/shared-scores.ts';

export interface OracleOptions {
  /** Most samples of one run; a fixed batch and a coupled batch have their own rule (batches.ts). */
  readonly maxBatch: number;
  /** Looked at before every run; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Most queries per sample. */
  readonly queryBudget?: number;
  /** Of a model that draws random numbers: the mean of so many draws answers every question. Default 1. */
  readonly draws?: number;
  /** The stream of a sample's draws; by default that of its index. Every question goes on to the next draws. */
  readonly random?: ((of: number) => Stream) | undefined;
  /** Run what points of a sample have in common up to some time step once, where the model allows it; the answers are the same bits. Default true. */
  readonly shareSteps?: boolean;
  /** Answer with zeros where every path of the gradient is cut, as a measurement of time may; otherwise that is refused. */
  readonly zeroGradients?: boolean;
}

/** Thrown before anything runs when a call would take a sample past its budget; nothing of that call is counted. */
export class QueryBudgetExceeded extends Error {
  override readonly name = 'QueryBudgetExceeded';
  constructor(
    /** Index of the sample in the attack's batch. */
    readonly sample: number,
    readonly budget: number,
  ) {
    super(`sample ${sample} has used its budget of ${budget} queries`);
  }
}

const nothing: Counts = { forwards: 0, backwards: 0, queries: 0 };

/**
 * An oracle that answers for labels, logits and gradients. Values that are not finite are handed on as they are: the caller judges them.
 * Padding is not counted. Errors of the runtime carry the model's name.
 */
export function createOracle(sessions: ModelSessions, options: OracleOptions): GradientOracle {
  const { model } = sessions;
  const classes = model.classes.length;
  const spent = new Map<number, Counts>();
  /** What stand-ins remember, per sample and key: left by the questions before, and by the one that is being answered. */
  const remembered = new Map<number, Recall>();
  const latest = new Map<number, { readonly probe: number; readonly recall: Recall }>();
  const counts = (of: number): Counts => spent.get(of) ?? nothing;
  const sharing = options.shareSteps === false ? undefined : sharedScores(sessions, options);
  const charge = ({ of, first }: Shot, backwards: number, steps = sharing?.wholePass()): void => {
    const before = counts(of);
    spent.set(of, {
      forwards: before.forwards + 1,
      backwards: before.backwards + backwards,
      queries: before.queries + (first ? 1 : 0),
      ...(steps === undefined ? {} : { steps: (before.steps ?? before.forwards * sharing!.wholePass()!) + steps }),
    });
  };
  const admit = (probes: readonly Probe[]): void => {
    const { queryBudget: budget } = options;
    if (budget === undefined) return;
    const asked = new Map<number, number>();
    for (const { of } of probes) {
      const queries = (asked.get(of) ?? counts(of).queries) + 1;
      if (queries > budget) throw new QueryBudgetExceeded(of, budget);
      asked.set(of, queries);
    }
  };

  /** Runs the shots chunk by chunk and hands each chunk's results to `take`. */
  const run = async (
    shots: readonly Shot[],
    { session, pairs, logits }: ForwardSession,
    backwards: number,
    more: (chunk: Chunk) => Feeds,
    take: (results: Record<string, Tensor>, chunk: Chunk) => void,
  ): Promise<void> => {
    const samples = shots.map((p) => p.inputs);
    for (const chunk of chunks(model, samples, { maxBatch: options.maxBatch, pairs })) {
      options.signal?.throwIfAborted();
      const feeds = { ...packChunk(model, samples, chunk), ...more(chunk) };
      const results = await session.run(feeds).catch((cause: unknown) => {
        throw new Error(`${model.name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
      const dims = results[logits]!.dims;
      if (dims.length !== 2 || dims[0] !== chunk.size || dims[1] !== classes)
        throw new UserError(
          `${model.name}: the logits "${logits}" of ${chunk.size} samples have shape [${dims}], expected [${chunk.size},${classes}]`,
          'state the layout of inputs and output and the class names in the manifest',
        );
      for (let i = 0; i < chunk.count; i++) charge(shots[chunk.start + i]!, backwards);
      take(results, chunk);
    }
  };
  const rows = (values: Tensor, count: number): Float32Array[] =>
    Array.from({ length: count }, (_, i) => (values.data as Float32Array).slice(i * classes, (i + 1) * classes));

  const scoresOf = async (shots: readonly Shot[]): Promise<readonly Float32Array[]> => {
    const shared = await sharing?.ask(shots);
    if (shared !== undefined) {
      for (const [k, shot] of shots.entries()) charge(shot, 0, shared.steps[k]);
      return shared.logits;
    }
    const forward = await sessions.forward();
    const answers: Float32Array[] = [];
    await run(
      shots,
      forward,
      0,
      () => ({}),
      (results, chunk) => {
        answers.push(...rows(results[forward.logits]!, chunk.count));
      },
    );
    return answers;
  };

  const slopesWith = async (heads: GradientHeads, shots: readonly Shot[], losses: readonly Loss[]): Promise<Slope[]> => {
    const opened = await sessions.gradient(heads);
    if (options.zeroGradients !== true) refuseZeros(model.name, opened);
    const answers: Slope[] = [];
    const feedsOf = (chunk: Chunk): Feeds => {
      const members = Array.from({ length: chunk.size }, (_, i) => losses[chunk.start + Math.min(i, chunk.count - 1)]!);
      const feeds = lossFeeds(members, classes);
      const names = opened.lossInputs;
      const sampleOf = (i: number): number => shots[chunk.start + Math.min(i, chunk.count - 1)]!.of;
      const recalled = opened.memories.map(({ key, input, spec, initial }) => {
        const values = Array.from({ length: chunk.size }, (_, i) => remembered.get(sampleOf(i))?.get(key) ?? initial);
        return [input, pack(values, spec)] as const;
      });
      return {
        [names.label]: feeds.label,
        [names.target]: feeds.target,
        [names.coefficients]: feeds.coefficients,
        [names.linear]: feeds.linear,
        ...Object.fromEntries(recalled),
      };
    };
    await run(shots, opened, 1, feedsOf, (results, chunk) => {
      const scores = rows(results[opened.logits]!, chunk.count);
      for (let i = 0; i < chunk.count; i++) {
        const { of, probe } = shots[chunk.start + i]!;
        // by the order of the question, not of its runs, which the heads of batch mates may change
        if (opened.memories.length > 0 && probe >= (latest.get(of)?.probe ?? 0))
          latest.set(of, {
            probe,
            recall: new Map(opened.memories.map(({ key, output, spec }) => [key, unpack(results[output]!, spec, i)])),
          });
        const gradient = Object.fromEntries(
          Object.entries(opened.gradients).map(([name, output]) => [name, unpack(results[output]!, model.inputs[name]!, i)]),
        );
        answers.push({ loss: (results[opened.loss]!.data as Float32Array)[i]!, logits: scores[i]!, gradient });
      }
    });
    return answers;
  };

  const slopesOf = async (shots: readonly Shot[], losses: readonly Loss[]): Promise<Slope[]> => {
    const kinds = losses.map(headsOf);
    const [kind = 'ce', ...others] = new Set(kinds);
    if (others.length === 0) return slopesWith(kind, shots, losses);
    if (model.coupling === 'batch') return slopesWith('all', shots, losses);
    // each probe is answered by the session its own loss needs, whatever its batch mates ask
    const answers: Slope[] = [];
    for (const heads of [kind, ...others]) {
      const mine = kinds.flatMap((k, i) => (k === heads ? [i] : []));
      const part = await slopesWith(
        heads,
        mine.map((i) => shots[i]!),
        mine.map((i) => losses[i]!),
      );
      for (const [k, i] of mine.entries()) answers[i] = part[k]!;
    }
    return answers;
  };

  const answering = (draws: number): GradientOracle => {
    if (!Number.isInteger(draws) || draws < 1) throw new Error(`draws is ${draws}, expected a whole number of at least 1`);
    const shooting = {
      model,
      draws,
      maxBatch: options.maxBatch,
      drawn: (of: number) => counts(of).forwards,
      random: options.random ?? ((of) => stream('model', of)),
    };
    const logits: ScoreOracle['logits'] = async (probes) => {
      admit(probes);
      return overDraws(probes, shooting, scoresOf, meanOf);
    };
    return {
      classes,
      counts,
      logits,
      labels: async (probes) => (await logits(probes)).map(labelOf),
      async gradient(probes, losses) {
        if (losses.length !== probes.length) throw new Error(`${probes.length} probes need as many losses, got ${losses.length}`);
        admit(probes);
        for (const { of, anew } of probes) if (anew) remembered.delete(of);
        latest.clear();
        const ask = (shots: readonly Shot[]) =>
          slopesOf(
            shots,
            shots.map(({ probe }) => losses[probe]!),
          );
        const answers = await overDraws(probes, shooting, ask, meanSlope);
        for (const [of, { recall }] of latest) remembered.set(of, recall);
        return {
          loss: answers.map((a) => a.loss),
          logits: answers.map((a) => a.logits),
          gradient: answers.map((a) => a.gradient),
        };
      },
      ...(model.randoms === undefined ? {} : { drawing: answering }),
    };
  };
  return answering(model.randoms === undefined ? 1 : (options.draws ?? 1));
}

/** What was remembered under each key. */
type Recall = ReadonlyMap<string, Float32Array>;

/** The answer for one shot. */
interface Slope {
  readonly loss: number;
  readonly logits: Float32Array;
  readonly gradient: Inputs;
}

const meanSlope = (all: readonly Slope[]): Slope => ({
  loss: all.reduce((sum, { loss }) => sum + loss, 0) / all.length,
  logits: meanOf(all.map(({ logits }) => logits)),
  gradient: Object.fromEntries(Object.keys(all[0]!.gradient).map((name) => [name, meanOf(all.map((a) => a.gradient[name]!))])),
});

/** An attack that follows a gradient of zeros proves nothing, and would report a model no attack can move. */
function refuseZeros(model: string, { gradients, unreached, cuts }: GradientSession): void {
  if (unreached.length < Object.keys(gradients).length) return;
  const [first] = cuts;
  const to = unreached.map((name) => `"${name}"`).join(', ');
  if (first === undefined)
    throw new UserError(
      `${model}: the scores do not depend on ${to} through anything that has a derivative`,
      'attack another input (manifest: role), or attack without gradients',
    );
  const more = cuts.length === 1 ? '' : ` and ${cuts.length - 1} more`;
  throw new UserError(
    `${model}: the gradient by ${to} is zero everywhere, for every path is cut, at ${first.op} "${first.node}"${more} (provoke inspect lists them)`,
    `declare a surrogate (surrogates: { match: { op: ${first.op} }, use: straight-through }) or a twin, or attack without gradients`,
  );
}

/** The smallest gradient session that offers a loss. */
const headsOf = (loss: Loss): GradientHeads =>
  headNames.every((head) => head === 'ce' || coefficientOf(loss, head) === 0) ? 'ce' : 'all';

/** Only labels: the logits and gradients of the oracle behind it are out of reach. */
export const decisionView = (oracle: DecisionOracle): DecisionOracle => ({
  classes: oracle.classes,
  labels: (probes) => oracle.labels(probes),
  counts: (of) => oracle.counts(of),
});

/** Only labels and logits. */
export const scoreView = (oracle: ScoreOracle): ScoreOracle => ({
  ...decisionView(oracle),
  logits: (probes) => oracle.logits(probes),
});
