/** @file docs/CONFORMANCE.md: what was measured against peers (test/fixtures/attacks/measured.json), and whose defects a test of ours rules out. */
import { readFileSync } from 'node:fs';
import type { Measurement } from '../methods/attacks/measured.ts';
import { type Defect, defects, type Shown, testsByDefect } from './defects.ts';

export const measuredFile = new URL('../fixtures/attacks/measured.json', import.meta.url);

/** What was measured when the numbers were last written. */
export const recorded = (): Measurement[] => JSON.parse(readFileSync(measuredFile, 'utf8')) as Measurement[];

const keyOf = ({ attack, peer, what }: Measurement): string => JSON.stringify([attack, peer, what]);

/** One entry per comparison: the largest number, or every outcome that was met. */
export function merged(all: readonly Measurement[]): Measurement[] {
  const found = new Map<string, Measurement>();
  for (const one of all) {
    const before = found.get(keyOf(one));
    found.set(keyOf(one), before === undefined ? one : { ...one, value: larger(before.value, one.value) });
  }
  return [...found.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

function larger(a: number | string, b: number | string): number | string {
  if (typeof a === 'number' && typeof b === 'number') return Math.max(a, b);
  return a === b ? a : `${a}; ${b}`;
}

const number = (value: number | string): string => {
  if (typeof value === 'string') return value;
  if (Number.isInteger(value)) return `${value}`;
  return Math.abs(value) < 0.01 ? value.toExponential(1) : value.toPrecision(4);
};
const cell = (text: string): string => text.replaceAll('|', '\\|');

/** The text of docs/CONFORMANCE.md. */
export function conformancePage(measurements: readonly Measurement[], shown = testsByDefect()): string {
  const rows = merged(measurements).map(
    ({ attack, peer, what, value, allowed }) =>
      `| [${attack}](attacks/${attack}.md) | ${peer} | ${cell(what)} | ${cell(number(value))} | ${cell(allowed)} |`,
  );
  return `${[
    '# Conformance of the attacks',
    '',
    'Attacks are compared with other implementations on four committed nets (test/fixtures/attacks/nets). Forward and backward pass are one oracle for all: the same',
    'ONNX files, run by onnxruntime, so that what differs is the attack. What the peers did is recorded by test/oracles/attacks; unit tests run ours against it.',
    'FGSM, BIM, PGD and MI-FGSM run on a net of their own and are fed the gradients the peer saw.',
    '',
    '## Measured',
    '',
    'Written by the tests themselves: `PROVOKE_MEASURED=measured.jsonl npx vitest run test/methods/attacks test/slow/apgd-seeds test/slow/random-peers test/slow/decision-peers`, then the same variable with',
    '`PROVOKE_WRITE_CONFORMANCE=1 npx vitest run --project unit test/docs/conformance.test.ts`. Where several samples or cases are compared, the largest number stands.',
    '',
    '| attack | peer | what | measured | allowed |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '## Defects found in other libraries',
    '',
    'Each was met by reading or running the release named in test/docs/defects.ts, and ours is shown not to share it by the unit tests whose titles name its number.',
    '',
    '| | library | defect | ours | tests (test/*.test.ts) |',
    '|---|---|---|---|---|',
    ...defects.map((defect) => defectRow(defect, shown.get(defect.id) ?? [])),
  ].join('\n')}\n`;
}

function defectRow({ id, peer, defect, ours }: Defect, shown: readonly Shown[]): string {
  const files = [...new Set(shown.map(({ file }) => file.replace('.test.ts', '')))];
  return `| ${id} | ${peer} | ${cell(defect)} | ${cell(ours)} | ${files.join(', ')} |`;
}
