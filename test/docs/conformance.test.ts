/**
 * docs/CONFORMANCE.md says what the tests measured and show. With PROVOKE_WRITE_CONFORMANCE=1 it is written, and so are the numbers where PROVOKE_MEASURED
 * names the file the attacks' tests wrote them to.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { attacks } from '../../src/methods/attacks/registry.ts';
import type { Measurement } from '../methods/attacks/measured.ts';
import { conformancePage, measuredFile, merged, recorded } from './conformance-page.ts';
import { defects, testsByDefect } from './defects.ts';

const page = new URL('../../docs/CONFORMANCE.md', import.meta.url);

if (process.env.PROVOKE_WRITE_CONFORMANCE === '1') {
  const file = process.env.PROVOKE_MEASURED;
  if (file !== undefined && existsSync(file)) {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    const numbers = merged(lines.map((line) => JSON.parse(line) as Measurement));
    writeFileSync(measuredFile, `[\n${numbers.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
  }
  writeFileSync(page, conformancePage(recorded()));
}

describe('docs/CONFORMANCE.md', () => {
  it('says what was measured, and which tests show what', () => {
    const again = 'write it again: PROVOKE_WRITE_CONFORMANCE=1 npx vitest run --project unit test/docs/conformance.test.ts';
    expect(readFileSync(page, 'utf8'), again).toBe(conformancePage(recorded()));
  });

  it('names attacks that exist, and numbers that were measured', () => {
    for (const { attack, value } of recorded()) {
      expect(Object.keys(attacks)).toContain(attack);
      expect(typeof value === 'string' || Number.isFinite(value)).toBe(true);
    }
  });

  it('of several numbers of one comparison keeps the largest', () => {
    const one = { attack: 'a', peer: 'p', what: 'w', allowed: '< 1' };
    expect(merged([1, 3, 2].map((value) => ({ ...one, value })))).toEqual([{ ...one, value: 3 }]);
  });
});

describe("other libraries' defects", () => {
  const shown = testsByDefect();

  it.each(defects.filter(({ rule }) => rule !== true).map(({ id, ours }) => [id, ours]))('%s has a test: %s', (id) => {
    expect(shown.get(id) ?? []).not.toEqual([]);
  });

  it('are all those that tests name', () => {
    expect([...shown.keys()].filter((id) => !defects.some((d) => d.id === id))).toEqual([]);
  });
});
