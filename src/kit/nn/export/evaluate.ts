/** @file What an exported network says of a labelled set: counts per class, from the very file that is handed out. */
import { readModel } from '../../../core/onnx/reader.ts';
import type { Runtime } from '../../../core/runtime/runtime.ts';
import { stream } from '../../../core/tensor/random.ts';
import { crossEntropyOf } from '../../losses/score-loss.ts';
import { wilson } from '../../metrics/rates.ts';
import { packChunk } from '../../model/batches.ts';
import { drawsOf } from '../../model/draws.ts';
import { findRandoms } from '../../model/find-randoms.ts';
import type { Sample } from '../../model/model.ts';
import { argmax } from '../../model/oracle.ts';
import { type Architecture, logitsOutput } from '../architecture.ts';

/** Samples with labels, read one at a time. */
export interface LabelledSet {
  readonly name: string;
  readonly count: number;
  /** Hexadecimal sha256 of what the samples were made from. */
  readonly sha256: string;
  /** Set where the samples are not recordings: how they were made. */
  readonly synthetic?: string | undefined;
  sample(index: number): Promise<Sample>;
}

export type Split = 'train' | 'validation' | 'test';

export interface Evaluation {
  readonly split: Split;
  readonly data: string;
  readonly synthetic?: string | undefined;
  /** Samples judged. */
  readonly n: number;
  /** Clips, speakers, subjects or trials they belong to. */
  readonly groups: number;
  /** Mean cross-entropy, in nats. */
  readonly loss: number;
  /** Row: the label's class; column: the predicted one; counts. */
  readonly confusion: readonly (readonly number[])[];
}

export interface EvaluateOptions {
  readonly runtime: Runtime;
  readonly split: Split;
}

/** Samples per run. */
const batch = 64;

/** Runs an exported network (`onnx`, its bytes) on every sample of a set; what it draws follows from the sample's id. Throws where a sample has no label. */
export async function evaluate(
  onnx: Uint8Array,
  { name, inputs, classes }: Pick<Architecture, 'name' | 'inputs' | 'classes'>,
  set: LabelledSet,
  { runtime, split }: EvaluateOptions,
): Promise<Evaluation> {
  const confusion = classes.map(() => classes.map(() => 0));
  const groups = new Set<string>();
  let loss = 0;
  const { graph, randoms } = await findRandoms(readModel(onnx, { source: name }), runtime.execute, 'N');
  const session = await runtime.open(graph);
  try {
    for (let start = 0; start < set.count; start += batch) {
      const size = Math.min(batch, set.count - start);
      const samples = await Promise.all(Array.from({ length: size }, (_, i) => set.sample(start + i)));
      const feeds = packChunk(
        { name, inputs, randoms },
        samples.map((s) => ({ ...s.inputs, ...drawsOf(randoms, stream('evaluation', s.id), 0) })),
        { start: 0, count: size, size },
      );
      const logits = (await session.run(feeds))[logitsOutput]!.data as Float32Array;
      for (const [i, sample] of samples.entries()) {
        const { label } = sample;
        if (label === undefined || confusion[label] === undefined)
          throw new Error(`${set.name}: sample ${sample.id} has the label ${label}, the network has ${classes.length} classes`);
        const row = logits.subarray(i * classes.length, (i + 1) * classes.length);
        confusion[label]![argmax(row)]!++;
        loss += crossEntropyOf(row, label);
        groups.add(sample.group);
      }
    }
  } finally {
    await session.release();
  }
  return {
    split,
    data: set.name,
    ...(set.synthetic === undefined ? {} : { synthetic: set.synthetic }),
    n: set.count,
    groups: groups.size,
    loss: set.count === 0 ? 0 : loss / set.count,
    confusion,
  };
}

export interface ClassFigures {
  readonly name: string;
  /** Samples of the class. */
  readonly n: number;
  readonly predicted: number;
  readonly right: number;
  /** Share of its samples that are recognised, with the Wilson 95 % interval; undefined where the set has none. */
  readonly recall: number | undefined;
  readonly interval: readonly [number, number];
  /** Share of the predictions of this class that are right; undefined where it was never predicted. */
  readonly precision: number | undefined;
}

export interface Figures {
  readonly n: number;
  readonly accuracy: number;
  readonly interval: readonly [number, number];
  /** Unweighted average recall: the mean over the classes that occur. */
  readonly averageRecall: number;
  readonly classes: readonly ClassFigures[];
}

/** Rates of a confusion matrix (rows: labels). */
export function figuresOf(confusion: Evaluation['confusion'], classes: readonly string[]): Figures {
  const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const share = (part: number, of: number): number | undefined => (of === 0 ? undefined : part / of);
  const perClass = classes.map((name, c): ClassFigures => {
    const n = total(confusion[c]!);
    const predicted = total(confusion.map((row) => row[c]!));
    const right = confusion[c]![c]!;
    return {
      name,
      n,
      predicted,
      right,
      recall: share(right, n),
      interval: wilson(right, n),
      precision: share(right, predicted),
    };
  });
  const n = total(perClass.map((c) => c.n));
  const right = total(perClass.map((c) => c.right));
  const recalls = perClass.flatMap((c) => (c.recall === undefined ? [] : [c.recall]));
  return {
    n,
    accuracy: share(right, n) ?? 0,
    interval: wilson(right, n),
    averageRecall: share(total(recalls), recalls.length) ?? 0,
    classes: perClass,
  };
}
