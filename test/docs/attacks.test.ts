/** docs/attacks says of every attack what its code does; PROVOKE_WRITE_ATTACKS=1 writes it. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { absent } from '../../src/methods/attacks/absent.ts';
import { attacks } from '../../src/methods/attacks/registry.ts';
import { attackPages, headOf, pageOf } from './attack-pages.ts';

const folder = new URL('../../docs/attacks/', import.meta.url);
const pages = attackPages(absent);

if (process.env.PROVOKE_WRITE_ATTACKS === '1') {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [file, text] of pages) writeFileSync(new URL(file, folder), text);
}

describe('docs/attacks', () => {
  const again = 'write it again: PROVOKE_WRITE_ATTACKS=1 npx vitest run --project unit test/docs/attacks.test.ts';

  it('has a page for every attack, and no other', () => {
    expect(readdirSync(folder).sort(), again).toEqual([...pages.keys()].sort());
  });

  it.each([...pages])('%s is what the code says', (file, text) => {
    expect(readFileSync(new URL(file, folder), 'utf8'), again).toBe(text);
  });

  it.each(Object.keys(attacks))("%s states paper and threat model in its file's head, and explains its options", (name) => {
    const head = headOf(name);
    const { defaults, about } = attacks[name]!;
    expect(head.some((p) => /^Papers?: /.test(p))).toBe(true);
    expect(head.some((p) => p.startsWith('Threat model: '))).toBe(true);
    for (const option of Object.keys(defaults)) expect(about[option]?.length).toBeGreaterThan(5);
  });

  it('lists on the page of a suite the attacks it runs, read from what is run (D17)', () => {
    for (const attack of Object.values(attacks)) {
      for (const norm of attack.norms)
        for (const part of attack.parts?.(attack.defaults, { classes: 10, norms: [norm] }) ?? [])
          expect(pageOf(attack)).toContain(`1. ${part.name}: [${part.attack}](${part.attack}.md)`);
    }
    expect(Object.values(attacks).filter(({ parts }) => parts !== undefined).length).toBeGreaterThanOrEqual(2);
  });
});
