/** @file A made-up run for the report's tests: nothing in it was measured, and it says so. */

import type { AttackInfo, Pictures, ReportData } from '../../../src/app/report/report-data.ts';
import { summarise } from '../../../src/kit/metrics/summary.ts';
import type { Row } from '../../../src/kit/record/row.ts';

export const classes = ['neutral', 'happy', 'sad', 'angry', 'fearful', 'disgusted', 'surprised'];

export const attacks: AttackInfo[] = [
  { name: 'noise', title: 'Random noise of the same size', needs: 'none', kind: 'bounded', paper: 'control' },
  {
    name: 'fgsm',
    title: 'One step along the sign of the gradient',
    needs: 'gradient',
    kind: 'bounded',
    paper: 'Goodfellow et al., Explaining and harnessing adversarial examples. ICLR 2015. arXiv:1412.6572',
  },
  {
    name: 'pgd',
    title: 'Projected gradient descent',
    needs: 'gradient',
    kind: 'bounded',
    paper: 'Madry et al., Towards deep learning models resistant to adversarial attacks. ICLR 2018. arXiv:1706.06083',
  },
];

const epsilons = [1, 2, 4, 8].map((k) => k / 255);

/** A number in 0..1 that depends on its arguments only. */
const dice = (...keys: number[]): number => {
  const x = Math.sin(keys.reduce((sum, key, i) => sum + key * (12.9898 + 65.233 * i), 1)) * 43758.5453;
  return x - Math.floor(x);
};

const probabilities = (top: number, peak: number, seed: number): number[] => {
  const rest = classes.map((_, k) => (k === top ? 0 : 0.05 + dice(seed, k)));
  const sum = rest.reduce((a, b) => a + b, 0);
  return rest.map((value, k) => (k === top ? peak : ((1 - peak) * value) / sum));
};

export interface FixtureOptions {
  readonly n?: number;
  readonly name?: (i: number) => string;
}

/** Rows of n samples: sample 3 is wrong before any attack, sample 5 breaks the noise control's judgement; the larger the budget the more fall. */
export function fixtureRows({ n = 12, name = (i) => `face-${String(i + 1).padStart(2, '0')}` }: FixtureOptions = {}): Row[] {
  const rows: Row[] = [];
  attacks.forEach((attack, a) => {
    for (let i = 0; i < n; i++) {
      const label = i % 4;
      const clean = i === 3 ? (label + 1) % 7 : label;
      const threshold = [14, 4.4, 2.4][a]! * (0.3 + 1.5 * dice(i, 7));
      const other = (clean + 1 + Math.floor(6 * dice(i, 1))) % 7;
      for (const eps of epsilons) {
        const broken = i === 5 && attack.name === 'noise';
        const status = broken ? 'invalid' : i === 3 ? 'skipped' : 255 * eps >= threshold ? 'success' : 'failure';
        const found = epsilons.find((value) => 255 * value >= threshold)!;
        rows.push({
          sample: name(i),
          group: `person-${Math.floor(i / 2)}`,
          label,
          cleanPrediction: clean,
          attack: attack.name,
          norm: { input: 'linf' },
          eps: { input: eps },
          status,
          ...(broken ? { reason: 'the child process ran out of memory' } : {}),
          prediction: status === 'success' ? other : clean,
          floatSuccess: status === 'success',
          norms: {
            input:
              status === 'success'
                ? { linf: found, l2: found * 150, l1: found * 30000, l0: 36000 }
                : { linf: 0, l2: 0, l1: 0, l0: 0 },
          },
          distance: null,
          cleanProbabilities: probabilities(clean, 0.6 + 0.39 * dice(i, 2), i),
          probabilities:
            status === 'success'
              ? probabilities(other, 0.5 + 0.45 * dice(i, a), i + 100)
              : probabilities(clean, 0.6 + 0.39 * dice(i, 2), i),
          forwards: attack.name === 'pgd' ? 22 : 2,
          backwards: [0, 1, 20][a]!,
          queries: attack.name === 'pgd' ? 42 : 3,
          seconds: 0.02 + 0.03 * a,
          original: `adversarial/${name(i)}/original.png`,
          ...(status === 'success' ? { example: `adversarial/${name(i)}/${attack.name}-${Math.round(found * 255)}.png` } : {}),
        });
      }
    }
  });
  return rows;
}

/** A one-pixel PNG. */
export const pixel = Uint8Array.from(
  atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='),
  (c) => c.charCodeAt(0),
);

const picture = async (row: Row): Promise<Pictures> =>
  row.example === undefined
    ? { kind: 'image', original: pixel }
    : { kind: 'image', original: pixel, adversarial: pixel, difference: pixel, gain: 10 };

/** The whole made-up run. */
export function fixture(change: Partial<ReportData> = {}, rows = fixtureRows()): ReportData {
  return {
    name: 'made-up-run',
    version: '0.0.0-test',
    date: '2030-01-02T03:04:05.000Z',
    experiment:
      'name: made-up-run\nmodel: { use: face-api/expression }\nthreat: { norm: linf, eps: [1/255, 2/255, 4/255, 8/255] }\nattacks: [noise, fgsm, pgd]\nseed: 7\n',
    goal: 'untargeted',
    seed: 7,
    model: {
      name: 'made-up/expression',
      sha256: 'f'.repeat(64),
      classes,
      inferred: ['bounds 0..1, from the first node'],
      note: 'Weights made up for a test.',
      coupling: 'none',
      inputs: {
        input: {
          shape: [3, 112, 112],
          layout: 'NCHW',
          dtype: 'float32',
          modality: 'image',
          unit: 'RGB intensity',
          role: 'attacked',
          domain: 'continuous',
          bounds: { lower: 0, upper: 1 },
          storage: 'uint8',
        },
      },
    },
    data: {
      name: 'made-up/faces',
      n: 12,
      labelsAre: 'Invented for a test.',
      agreement: false,
      synthetic: 'rows invented for a test',
      noun: 'faces',
      problems: [],
    },
    attacks,
    summary: summarise(rows),
    rows,
    audit: [],
    substitutes: [],
    cuts: [],
    notes: [],
    timings: [{ what: 'run', seconds: 12.5 }],
    versions: { onnxruntime: '0.0.0-test', node: 'v0' },
    picture,
    ...change,
  };
}
