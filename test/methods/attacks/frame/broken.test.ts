/** @file Values that are not finite, errors, limits: what ends an attempt, and what is left of it then. */
import { describe, expect, it } from 'vitest';
import type { Probe } from '../../../../src/kit/model/oracle.ts';
import { drive } from '../../../../src/methods/attacks/frame/drive.ts';
import { jointOf } from '../../../../src/methods/attacks/frame/joint.ts';
import type { Attempt, Question } from '../../../../src/methods/attacks/frame/question.ts';
import type { Recording } from '../linear.ts';
import { ask, asking, half, jobOver, outcomeOf, type Point, upwards } from './line.ts';

type Fault = 'logits' | 'gradient' | 'loss';

/** `half`, but where b is 7 one kind of answer is NaN. */
function faulty(fault: Fault): Recording {
  const sound = half();
  const broken = ({ inputs }: Probe): boolean => inputs.x![1] === 7;
  const nan = (values: Float32Array): Float32Array => values.map(() => Number.NaN);
  const logitsAt = (asked: readonly Probe[], z: readonly Float32Array[]) =>
    z.map((values, k) => (fault === 'logits' && broken(asked[k]!) ? nan(values) : values));
  return {
    ...sound,
    logits: async (asked) => logitsAt(asked, await sound.logits(asked)),
    labels: async (asked) =>
      (await sound.labels(asked)).map((label, k) => (fault === 'logits' && broken(asked[k]!) ? -1 : label)),
    async gradient(asked, losses) {
      const { loss, logits, gradient } = await sound.gradient(asked, losses);
      return {
        loss: loss.map((value, k) => (fault === 'loss' && broken(asked[k]!) ? Number.NaN : value)),
        logits: logitsAt(asked, logits),
        gradient: gradient.map((g, k) => (fault === 'gradient' && broken(asked[k]!) ? { x: nan(g.x!) } : g)),
      };
    },
  };
}

const faults: readonly (readonly [Fault, Question['ask'], RegExp])[] = [
  ['logits', 'logits', /^the logits are not finite$/],
  ['logits', 'labels', /^the logits are not finite$/],
  ['logits', 'gradient', /^the logits are not finite$/],
  ['gradient', 'gradient', /^the gradient of input "x" is not finite at step 2$/],
  ['loss', 'gradient', /^the loss is not finite at step 2$/],
];
const [nowhere, found, better, bad]: Point[] = [
  [0, 0],
  [2, 2],
  [1, 1],
  [0, 7],
];

describe.each(faults)('%s that are NaN, asked for %s', (fault, how, reason) => {
  const run = (keep: 'first' | 'smallest', ...questions: Point[][]) =>
    outcomeOf(
      questions.map((points) => ask(points, how)),
      { keep, oracle: faulty(fault) },
    );

  it('make the sample invalid, and nothing more is asked', async () => {
    const { status, reason: why, example, heard, asked } = await run('smallest', [nowhere!], [bad!], [found!]);
    expect({ status, example, heard, asked }).toEqual({ status: 'invalid', example: undefined, heard: 1, asked: 2 });
    expect(why).toMatch(reason);
  });

  it('leave an example that was found before as the result, whatever might have come', async () => {
    const { status, example, asked, reason: why } = await run('smallest', [found!], [bad!], [better!]);
    expect({ status, example, asked, why }).toEqual({ status: 'success', example: [2, 2], asked: 2, why: undefined });
  });

  it.each(['first', 'smallest'] as const)('in the question in which an example comes first, keep it (%s)', async (keep) => {
    expect(await run(keep, [nowhere!], [found!, bad!])).toMatchObject({ status: 'success', example: [2, 2], asked: 3 });
  });
});

describe('NaN at a scouting point', () => {
  it('counts like any other', async () => {
    const { status } = await outcomeOf([ask([bad!], 'logits', { scouting: true }), ask([found!])], { oracle: faulty('logits') });
    expect(status).toBe('invalid');
  });
});

describe('a limit of queries', () => {
  const questions = [
    ask([[0, 0]]),
    ask([
      [2, 2],
      [3, 3],
    ]),
    ask([[1, 1]]),
  ];

  it.each([
    [0, 0, 'failure', undefined],
    [1, 1, 'failure', undefined],
    [2, 1, 'failure', undefined],
    [3, 3, 'success', [2, 2]],
    [4, 4, 'success', [1, 1]],
    [99, 4, 'success', [1, 1]],
  ] as const)(
    'of %i: %i are spent, for a question that would go over it is not asked',
    async (queries, spent, status, example) => {
      expect(await outcomeOf(questions, { queries })).toMatchObject({ asked: spent, status, ...(example && { example }) });
    },
  );

  it('is each sample’s own, from where the attack begins; left() says what remains', async () => {
    const oracle = half();
    const at = (of: number): Probe => ({ of, inputs: { x: new Float32Array(2) } });
    await oracle.labels([at(0), at(0), at(1)]);
    const left: number[][] = [[], [], []];
    const job = jobOver(oracle, 3, { queries: [2, 0, 5] });
    await drive(job, {
      space: jointOf,
      keep: 'smallest',
      *attempt(trial): Attempt {
        for (;;) {
          left[trial.of]!.push(trial.left());
          yield ask([[0, 0]]);
        }
      },
    });
    expect(left).toEqual([[2, 1, 0], [0], [5, 4, 3, 2, 1, 0]]);
    expect([0, 1, 2].map((of) => oracle.counts(of).queries)).toEqual([4, 1, 5]);
  });

  it('lets an attempt that is cut off clean up', async () => {
    let cleaned = false;
    await drive(jobOver(half(), 1, { queries: [1] }), {
      space: jointOf,
      keep: 'smallest',
      *attempt(): Attempt {
        try {
          yield* asking(questions);
        } finally {
          cleaned = true;
        }
      },
    });
    expect(cleaned).toBe(true);
  });
});

describe('errors', () => {
  const running = (attempt: (of: number) => Attempt, oracle = half()) =>
    drive(jobOver(oracle, 2), { space: jointOf, keep: 'smallest', attempt: ({ of }) => attempt(of) });

  it.each([0, 1])('in an attempt surface, after %i questions', async (questions) => {
    function* failing(of: number): Attempt {
      for (let k = 0; k < questions; k++) yield ask([[0, 0]]);
      if (of === 1) throw new Error('a slip of the pen');
    }
    await expect(running(failing)).rejects.toThrow('a slip of the pen');
  });

  it('of the oracle surface', async () => {
    const oracle = { ...half(), logits: () => Promise.reject(new Error('out of memory')) };
    await expect(running(() => asking([ask([[0, 0]])]), oracle)).rejects.toThrow('out of memory');
  });

  it('losses that do not fit the points are refused, not read as another sample’s', async () => {
    const question: Question = { ask: 'gradient', at: [new Float32Array(2), new Float32Array(2)], losses: [upwards] };
    await expect(running(() => asking([question]))).rejects.toThrow('gradients at 2 points with 1 losses');
  });

  it('a point of the wrong length is refused', async () => {
    await expect(running(() => asking([{ ask: 'logits', at: [new Float32Array(3)] }]))).rejects.toThrow(
      '3 elements in a space of 2',
    );
  });
});
