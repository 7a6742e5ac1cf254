/** Attacks that are nothing but a list of questions, on a model whose class 1 leads class 0 by the first element of "x" less a half. */
import { stream } from '../../../../src/core/tensor/random.ts';
import type { Loss } from '../../../../src/kit/losses/loss.ts';
import { lpThreat } from '../../../../src/kit/threat/lp.ts';
import type { Threat } from '../../../../src/kit/threat/threat.ts';
import type { Job } from '../../../../src/methods/attacks/attack.ts';
import type { Drive } from '../../../../src/methods/attacks/frame/drive.ts';
import { drive } from '../../../../src/methods/attacks/frame/drive.ts';
import { type Joint, jointOf } from '../../../../src/methods/attacks/frame/joint.ts';
import type { Answer, Attempt, Question } from '../../../../src/methods/attacks/frame/question.ts';
import { specOf } from '../../../kit/threat/spec.ts';
import { jobOf, linearOracle, type Recording, sampleOf, untargeted } from '../linear.ts';

export type Point = readonly [number, number];

/** Logits [1/2, a] at (a, b): class 0, the original's, leads by 1/2 - a. */
export const half = (): Recording =>
  linearOracle(
    {
      x: [
        [0, 0],
        [1, 0],
      ],
    },
    [0.5, 0],
  );

/** A change of (a, b) is as large as the larger of the two; nothing is in its way. */
export const free = (eps = 1): Threat => lpThreat(specOf([2], { bounds: 'unbounded' }), { norm: 'linf', eps });

export const upwards: Loss = { label: 0, margin: -1 };

export const ask = (
  points: readonly Point[],
  how: Question['ask'] = 'logits',
  more: { readonly scouting?: boolean; readonly done?: number } = {},
): Question => {
  const at = points.map((point) => Float32Array.from(point));
  const { scouting = false, done } = more;
  const rest = { at, ...(scouting ? { scouting: true as const } : {}), ...(done === undefined ? {} : { done }) };
  return how === 'gradient' ? { ask: how, losses: at.map(() => upwards), ...rest } : { ask: how, ...rest };
};

/** An attempt that asks these questions whatever the answers; they are written to `heard`. */
export function* asking(questions: readonly Question[], heard: Answer[] = []): Attempt {
  for (const question of questions) heard.push(yield question);
}

/** A job over samples at the origin, all to leave class 0. */
export const jobOver = <O>(oracle: O, samples = 1, more: Partial<Job<'gradient'>> = {}) => {
  const batch = Array.from({ length: samples }, (_, k) => sampleOf(`s${k}`, { x: new Float32Array(2) }));
  const job = jobOf(
    oracle,
    batch,
    batch.map(() => untargeted(0)),
    batch.map(() => ({ x: free() })),
  );
  return { ...job, random: (of: number, restart: number) => stream(batch[of]!.id, restart), ...more, oracle };
};

/** What the driver makes of one sample's questions. */
export async function outcomeOf(
  questions: readonly Question[],
  {
    keep = 'smallest',
    confidence,
    oracle = half(),
    queries,
  }: Partial<Pick<Drive<Joint>, 'keep' | 'confidence'>> & {
    readonly oracle?: Recording;
    readonly queries?: number;
  } = {},
) {
  const heard: Answer[] = [];
  const job = jobOver(oracle, 1, queries === undefined ? {} : { queries: [queries] });
  const [outcome] = await drive(job, {
    space: jointOf,
    keep,
    ...(confidence === undefined ? {} : { confidence }),
    attempt: () => asking(questions, heard),
  });
  const example = outcome!.inputs && [...outcome!.inputs.x!];
  return { ...outcome!, example, heard: heard.length, asked: oracle.probes.length };
}
