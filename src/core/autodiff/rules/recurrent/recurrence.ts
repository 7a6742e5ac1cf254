/** @file One step repeated over time: written out while the length is known and short, as a Scan otherwise. */
import type { KnownDim } from '../../../onnx/passes/shapes.ts';
import { type Algebra, algebra } from '../../algebra.ts';
import type { Scene } from '../../rule.ts';

/** What a step writes its nodes with. */
export interface Pen {
  readonly m: Algebra;
  /** a b, where b is a matrix from outside. */
  matMul(a: string, b: string): string;
  /** Side by side along the last axis. */
  concat(parts: readonly string[]): string;
}

type Optional = string | undefined;

/** The sum of what is not zero. */
export function plus(m: Algebra, ...values: readonly Optional[]): Optional {
  const present = values.filter((v) => v !== undefined);
  return present.length === 0 ? undefined : present.reduce((a, b) => m.add(a, b));
}

/** What comes out of a step: the new carried values, and what is kept of this step. */
interface Stepped {
  readonly carried: readonly string[];
  readonly made: readonly string[];
}

export interface Recurrence {
  /** Float value whose dtype all of this has, and its length in time. */
  readonly like: string;
  readonly time: KnownDim;
  /** [1, N, H]: what zeros to start from look like. */
  readonly zeros: () => string;
  /** Whether the last moment comes first. */
  readonly backwards: boolean;
  /** Values at the start, [1, N, H]; undefined for zero. */
  readonly carried: readonly Optional[];
  /** [T, N, .], read moment by moment; undefined ones are handed on as such. */
  readonly sequences: readonly Optional[];
  /** The step; a carried value is undefined where it is known to be zero. */
  readonly step: (pen: Pen, carried: readonly Optional[], now: readonly Optional[]) => Stepped;
}

/** Carried values after the last step [1, N, H], and what the steps made, [T, N, .] in order of time. */
export interface Recurred {
  readonly carried: readonly string[];
  readonly made: readonly string[];
}

/**
 * Longest sequence that is written out. A step costs the same either way (LSTM of 256, batch 16: 9 moments 2.5 ms written out, 2.7 as a Scan; 100
 * moments 30 ms both), but 940 nodes take 300 ms to open where 46 take 13.
 */
export const recurrenceDefaults = { longestUnrolled: 16 } as const;

/** Repeats `step` over time. */
export const recur = (scene: Scene, r: Recurrence): Recurred =>
  r.time !== null && r.time <= recurrenceDefaults.longestUnrolled ? unrolled(scene, r, r.time) : scanned(scene, r);

const penOf = (scene: Scene, like: string): Pen => ({
  m: algebra(scene, like),
  matMul: (a, b) => scene.g.op('MatMul', [a, b]),
  concat: (parts) => scene.g.op('Concat', parts, { axis: -1 }),
});

function unrolled(scene: Scene, r: Recurrence, time: number): Recurred {
  const { g } = scene;
  const pen = penOf(scene, r.like);
  const sizes = g.ints(Array.from({ length: time }, () => 1));
  const moments = r.sequences.map((s) => (s === undefined || time === 1 ? [s] : g.ops('Split', [s, sizes], time, { axis: 0 })));
  const made: string[][] = [];
  let carried: readonly Optional[] = r.carried;
  for (let i = 0; i < time; i++) {
    const t = r.backwards ? time - 1 - i : i;
    const next = r.step(
      pen,
      carried,
      moments.map((m) => (m[0] === undefined ? undefined : m[t])),
    );
    carried = next.carried;
    made[t] = [...next.made];
  }
  const joined = made[0]!.map((_, k) =>
    time === 1
      ? made[0]![k]!
      : g.op(
          'Concat',
          made.map((m) => m[k]!),
          { axis: 0 },
        ),
  );
  return { carried: carried as readonly string[], made: joined };
}

function scanned(scene: Scene, r: Recurrence): Recurred {
  const { g } = scene;
  const body = g.body(g.fresh('step'));
  const inside: Scene = { ...scene, g: body, number: (value) => body.number(value) };
  const sequences = r.sequences.filter((s) => s !== undefined);
  const first = r.carried.map((c) => g.op('Squeeze', [c ?? r.zeros(), g.ints([0])]));
  const states = r.carried.map(() => body.input(g.fresh('carried'), [null, null], inside.dtype(r.like)));
  const now = r.sequences.map((s) =>
    s === undefined ? undefined : body.input(g.fresh('now'), [null, null], inside.dtype(r.like)),
  );
  const next = r.step(penOf(inside, r.like), states, now);
  for (const name of [...next.carried, ...next.made])
    body.output(body.op('Identity', [name]), [null, null], inside.dtype(r.like));
  const direction = r.backwards ? 1 : 0;
  const outputs = g.ops('Scan', [...first, ...sequences], next.carried.length + next.made.length, {
    body: { type: 'graph', value: body.build() },
    num_scan_inputs: sequences.length,
    scan_input_directions: sequences.map(() => direction),
    scan_output_directions: next.made.map(() => direction),
  });
  return {
    carried: outputs.slice(0, next.carried.length).map((c) => g.op('Unsqueeze', [c, g.ints([0])])),
    made: outputs.slice(next.carried.length),
  };
}
