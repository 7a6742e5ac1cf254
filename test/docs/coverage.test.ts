/** What docs/COVERAGE.md says is what the code does; test/slow/conformance.test.ts writes it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rules } from '../../src/core/autodiff/rules/index.ts';
import {
  casesByOp,
  denominators,
  howOf,
  isCovered,
  knownOps,
  ortTraining,
  rewritten,
  tagged,
  withBodies,
} from '../core/autodiff/coverage.ts';

const text = readFileSync(new URL('../../docs/COVERAGE.md', import.meta.url), 'utf8');
const rows = text.split('\n').flatMap((line) => {
  const cells = line.split('|').map((c) => c.trim());
  return /^\| [A-Z]\w+ \| [\d, ]+ \|/.test(line) ? [{ op: cells[1]!, how: cells[3]!, cases: cells[4]! }] : [];
});
const again = 'write it again: PROVOKE_WRITE_COVERAGE=1 npx vitest run --project slow test/slow/conformance.test.ts';

describe('docs/COVERAGE.md', () => {
  it('says of every operator how its gradient is made, and how many PyTorch cases check it', () => {
    const cases = casesByOp();
    const said = rows.map(({ op, how, cases: n }) => `${op}: ${how}, ${n}`);
    expect(said, again).toEqual(knownOps.map((op) => `${op}: ${rewritten[op] ?? howOf(op)}, ${cases.get(op) ?? ''}`));
  });

  it.each(denominators().map((d) => [d.name, d] as const))('counts the %s', (name, { of }) => {
    expect(text, again).toContain(`| ${name} | ${of.filter(isCovered).length} of ${of.length} |`);
  });
});

describe('coverage', () => {
  it('of the lists others have published does not shrink', () => {
    expect(tagged()).toHaveLength(110);
    expect(tagged().filter((op) => !isCovered(op))).toEqual([]);
    expect(ortTraining).toHaveLength(63);
    expect(ortTraining.filter((op) => !isCovered(op))).toEqual([]);
    expect(knownOps.filter(isCovered).length).toBeGreaterThanOrEqual(180);
  });

  it('is of operators the runtime knows', () => {
    expect([...ortTraining, ...tagged(), ...Object.keys(rewritten)].filter((op) => !knownOps.includes(op))).toEqual([]);
    expect(Object.keys(rules).filter((op) => !knownOps.includes(op))).toEqual([]);
  });

  it('leaves no rule unchecked', () => {
    const cases = casesByOp();
    const unchecked = knownOps.filter((op) => howOf(op).startsWith('rule') && !cases.has(op) && !withBodies.includes(op));
    expect(unchecked).toEqual([]);
  });
});
