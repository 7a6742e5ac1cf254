/** @file Defects of other libraries, found by reading and running them, and the tests that show ours does not share them: a title that names the number. */
import { readdirSync, readFileSync } from 'node:fs';

export interface Defect {
  readonly id: string;
  readonly peer: string;
  readonly defect: string;
  /** What ours must do; or, where no test of the product can show it, what is done instead. */
  readonly ours: string;
  /** Set for rules of review, which no test can break. */
  readonly rule?: true;
}

const row = (id: string, peer: string, defect: string, ours: string): Defect => ({ id, peer, defect, ours });

/** torchattacks 3.5.1, foolbox 3.3.4, ART 1.20.1, auto-attack a392200, RobustBench 78fcc9e, adversarial.js 9250949, cleverhans 4. */
export const defects: readonly Defect[] = [
  row(
    'D1',
    'torchattacks',
    'its AutoAttack runs APGD and FAB with 10 steps',
    'a suite runs the numbers of steps it states, and they are recorded',
  ),
  row('D2', 'foolbox', 'the l2 projection of its FMN leaves every norm as it is', 'a projection ends inside the ball'),
  row('D3', 'foolbox', 'C&W and EAD return a black image where they fail', 'a failure returns the original, and says so'),
  row('D4', 'torchattacks', "C&W's margin of the logits -1, -5, -7 is 0", 'it is 4'),
  row('D5', 'torchattacks', 'C&W cannot move values of exactly 0 or 1', 'it moves them'),
  row(
    'D6',
    'torchattacks',
    'one zero gradient freezes MI-FGSM for good',
    'the sample still moves; the mean runs over all axes of a sample',
  ),
  row('D7', 'foolbox', 'MI-FGSM accumulates signs', "the paper's rule"),
  row('D8', 'torchattacks', 'l2 attacks need four axes', 'any number of axes'),
  row(
    'D9',
    'torchattacks',
    'JSMA aims at class (y + 1) mod 10, with memory quadratic in the features',
    'any number of classes; memory linear',
  ),
  row('D10', 'torchattacks', 'targeted SPSA does not read its targets', 'a target changes what is optimised'),
  row(
    'D11',
    'auto-attack, torchattacks',
    'attacks seed the global generator',
    'every sample has a stream of its own, and nothing global is touched',
  ),
  row(
    'D12',
    'ART',
    'Square pays three forwards per query, and its margin is never negative',
    'one forward per query; the margin is',
  ),
  {
    ...row('D13', 'ART', 'a test allows errors larger than the value', 'a rule of review: no tolerance above 5 % of the value'),
    rule: true,
  },
  {
    ...row(
      'D14',
      'torchattacks',
      'the tests ask only that accuracy does not rise',
      'a rule of review: closed forms, peers and planted defects',
    ),
    rule: true,
  },
  row('D15', 'RobustBench', 'resuming an evaluation crashes', 'a run that is resumed gives the same rows'),
  row('D16', 'adversarial.js', 'JSMA may raise the true class', 'it never does'),
  row(
    'D17',
    'ART',
    "AutoAttack's documentation names attacks that it does not run",
    'the documentation of a suite is written from what it runs',
  ),
  row('D18', 'foolbox, torchattacks', 'results depend on the other samples of the batch', 'they do not, bit for bit'),
  row(
    'D19',
    'foolbox (mended)',
    'DDN returned the change, stepped twice and knew only 0..1',
    'what is returned is the input, inside bounds of any kind',
  ),
  row('D20', 'foolbox (mended)', 'EAD judged one point and returned another', 'what is returned is what was shown to the model'),
  row('D21', 'torchattacks (mended)', 'targeted C&W, DeepFool and FAB in l1 were wrong', 'closed forms on linear models'),
  row('D22', 'cleverhans (mended)', 'BIM was clipped only at its end', 'every iterate lies in ball and bounds'),
  row(
    'D23',
    'foolbox',
    'one failed start ends the whole batch, or never ends',
    'a failure is that of one sample; starts are bounded',
  ),
  row(
    'D24',
    'foolbox',
    'the estimator of evolution strategies gives a quarter of the gradient',
    'the mean of an estimate is the gradient',
  ),
];

export interface Shown {
  readonly file: string;
  readonly title: string;
}

const tests = new URL('../', import.meta.url);

/** Titles of the unit tests that name a defect, by its number. */
export function testsByDefect(): Map<string, Shown[]> {
  const found = new Map<string, Shown[]>();
  for (const file of (readdirSync(tests, { recursive: true }) as string[]).sort()) {
    if (!file.endsWith('.test.ts') || file.startsWith('slow')) continue;
    for (const title of titlesIn(readFileSync(new URL(file, tests), 'utf8')))
      for (const [id] of title.matchAll(/\bD\d+\b/g)) found.set(id, [...(found.get(id) ?? []), { file, title }]);
  }
  return found;
}

/** What `it`, `test` and `describe` are called with, also behind `.each(...)` and in its tables: the first string of a call or of a row. */
function titlesIn(text: string): string[] {
  const strings = /[([]\s*(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`)\s*,/g;
  return [...text.matchAll(strings)]
    .map(([, a, b, c]) => (a ?? b ?? c)!.replaceAll(/\\(.)/g, '$1'))
    .filter((t) => /\bD\d+\b/.test(t));
}
