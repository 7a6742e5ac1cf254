/** What docs/spiking.md says of the options of parts is what the parts take. PROVOKE_WRITE_SPIKING=1 writes the tables. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { parts } from '../../src/judgement/systems/spiking/index.ts';
import { optionsOf, type PartOption } from '../../src/judgement/systems/spiking/options.ts';

const path = new URL('../../docs/spiking.md', import.meta.url);
const [open, close] = ['<!-- parts -->', '<!-- /parts -->'];

/** A value as it would stand in a study file. */
const inYaml = (value: unknown): string =>
  `\`${stringify(value ?? null, { collectionStyle: 'flow', lineWidth: 0 })
    .trim()
    .replaceAll(/^\[ (.*) \]$/g, '[$1]')}\``;

function defaultOf({ needed, byDefault }: PartOption): string {
  if (needed) return 'must be stated';
  return byDefault === undefined ? 'unset' : inYaml(byDefault);
}

/** With an example, unless the default is one. */
const meaningOf = ({ about, example, byDefault }: PartOption): string =>
  inYaml(parse(example)) === inYaml(byDefault) ? about : `${about}; e.g. \`${example}\``;

const tables = Object.values(parts)
  .map((part) => {
    const rows = optionsOf(part).map((option) => [
      `\`${option.name}\``,
      option.type.replace('{ use: NAME }', '`{ use: NAME }`'),
      defaultOf(option),
      meaningOf(option),
    ]);
    const lines = [['option', 'type', 'default', 'meaning'], ['---', '---', '---', '---'], ...rows];
    return [`### Options of ${part.name}`, '', ...lines.map((cells) => `| ${cells.join(' | ')} |`)].join('\n');
  })
  .join('\n\n');

if (process.env.PROVOKE_WRITE_SPIKING === '1') {
  const before = readFileSync(path, 'utf8');
  const [head, tail] = [before.split(open)[0]!, before.split(close)[1]!];
  writeFileSync(path, `${head}${open}\n\n${tables}\n\n${close}${tail}`);
}

it('docs/spiking.md lists every option of every part, with type, default and meaning', () => {
  const text = readFileSync(path, 'utf8');
  const again = 'write it again: PROVOKE_WRITE_SPIKING=1 npx vitest run --project unit test/docs/spiking.test.ts';
  expect(text.split(open)[1]?.split(close)[0]?.trim(), again).toBe(tables);
  expect(tables).not.toContain('undefined');
  for (const { name, title } of Object.values(parts))
    expect(text).toMatch(new RegExp(`^\\| \`${name}\` \\(${title}\\) \\|`, 'm'));
});
