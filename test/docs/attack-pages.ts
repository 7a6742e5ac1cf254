/** @file docs/attacks: a page per attack and their table, from the registry and the head comment of each attack's file. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Norm } from '../../src/kit/threat/threat.ts';
import { type Attack, type Need, onlyFlips, type Passes } from '../../src/methods/attacks/attack.ts';
import { attacks } from '../../src/methods/attacks/registry.ts';

const folder = new URL('../../src/methods/attacks/', import.meta.url);
const sources: ReadonlyMap<string, string> = new Map(
  (readdirSync(folder, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, readFileSync(new URL(file, folder), 'utf8')]),
);

/** The file that defines an attack and is called after it, relative to src/methods/attacks. */
export function sourceOf(name: string): string {
  const found = [`${name}.ts`, `suites/${name}.ts`].find((file) => sources.get(file)?.includes(`\n  name: '${name}',\n`));
  if (found === undefined) throw new Error(`no file ${name}.ts defines the attack ${name}`);
  return found;
}

/** The paragraphs of a file's head comment: a sentence that begins a line begins a paragraph. */
export function headOf(name: string): string[] {
  const [, comment] = /^\/\*\*\n((?: \*.*\n)+?) \*\//.exec(sources.get(sourceOf(name))!) ?? [];
  if (comment === undefined) throw new Error(`the file of ${name} does not begin with a comment`);
  const paragraphs: string[] = [];
  for (const line of comment.split('\n').map((l) => l.replace(/^ \* ?/, '').trimEnd())) {
    if (line === '') continue;
    const last = paragraphs.at(-1);
    const isNew = last === undefined || line.startsWith('- ') || (/[.:;]\)?$/.test(last) && /^[A-Z]|^mode |^`/.test(line));
    if (isNew) paragraphs.push(line);
    else paragraphs[paragraphs.length - 1] = `${last} ${line}`;
  }
  return paragraphs;
}

const needs: Readonly<Record<Need, string>> = {
  gradient: 'gradients (white box)',
  scores: 'scores (black box)',
  decision: 'labels only (black box)',
  none: 'nothing',
};

const kinds = {
  bounded: 'bounded: runs once per budget and stays inside it',
  minimal: 'minimum norm: runs once and looks for the smallest change; budgets are thresholds on what it found',
} as const;

const listed = (values: readonly string[]): string => values.join(', ');
const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const cell = (text: string): string => text.replaceAll('|', '\\|');

/** What becomes of binary inputs under an attack whose examples lie between their values. */
function valuesOf(attack: Attack): string {
  const { kind, domains, flipsIn = [] } = attack;
  if (domains === undefined) return 'any; binary inputs flip';
  if (onlyFlips(attack)) return 'binary: flips, and nothing else';
  const flipping = flipsIn.length === 0 ? '' : `; in ${listed(flipsIn)} binary inputs flip`;
  return kind === 'minimal'
    ? `continuous${flipping}; on a binary input an example is${flipping === '' ? '' : ' otherwise'} lengthened until rounding to its two values spares it`
    : `continuous${flipping}; refused on binary inputs, where rounding would decide what it finds`;
}

/** Cost of one sample at one budget, by norm and number of classes where it depends on them. */
export function costOf(attack: Attack): string {
  const at = (norm: Norm, classes: number, more = {}): Passes =>
    attack.passes(attack.defaults, { norms: [norm], classes, ...more });
  const words = ({ forwards, backwards }: Passes): string =>
    backwards === 0
      ? many(forwards, 'forward pass').replace('passs', 'passes')
      : `${forwards} forward and ${backwards} backward passes`;
  const byNorm = attack.norms.map((norm) => {
    const [few, more] = [at(norm, 4), at(norm, 10)].map(words);
    const sized = words(at(norm, 10, { elements: 4096 }));
    const text = few === more ? few! : `${few} with 4 classes, ${more} with 10`;
    return { norm, text: sized === more ? text : `${sized} where 4096 elements may change` };
  });
  const texts = [...new Set(byNorm.map(({ text }) => text))];
  if (texts.length === 1) return texts[0]!;
  return texts
    .map((text) => `${listed(byNorm.flatMap((entry) => (entry.text === text ? [entry.norm] : [])))}: ${text}`)
    .join('; ');
}

/** What a suite runs, norm by norm, with ten classes; and on binary inputs, where that differs. */
function partsOf(attack: Attack): string[] {
  if (attack.parts === undefined) return [];
  const plain = byParts(attack, attack.norms, false);
  const binary = attack.domains === undefined ? byParts(attack, ['l0'], true) : new Map<string, Norm[]>();
  for (const text of plain.keys()) binary.delete(text);
  const said = (parts: Map<string, Norm[]>, where: string): string[] =>
    [...parts].flatMap(([text, norms]) => [`In ${listed(norms)}, ${where}:`, '', text, '']);
  return ['## Parts', '', ...said(plain, 'with ten classes'), ...said(binary, 'with ten classes, on binary inputs')];
}

function byParts(attack: Attack, norms: readonly Norm[], binary: boolean): Map<string, Norm[]> {
  const found = new Map<string, Norm[]>();
  for (const norm of norms) {
    const parts = attack.parts!(attack.defaults, { norms: [norm], classes: 10, binary });
    const lines = parts.map(({ name, attack: of, options }) => {
      const set = Object.entries(options).map(([option, value]) => `${option}=${value}`);
      return `1. ${name}: [${of}](${of}.md)${set.length === 0 ? '' : ` with ${listed(set)}`}`;
    });
    const text = lines.join('\n');
    found.set(text, [...(found.get(text) ?? []), norm]);
  }
  return found;
}

function optionsOf({ defaults, about }: Attack): string[] {
  const rows = Object.entries(defaults).map(([name, value]) => `| ${name} | ${value} | ${cell(about[name] ?? '')} |`);
  return rows.length === 0 ? ['No options.', ''] : ['| option | default | meaning |', '|---|---|---|', ...rows, ''];
}

const again = 'PROVOKE_WRITE_ATTACKS=1 npx vitest run --project unit test/docs/attacks.test.ts';

/** docs/attacks/NAME.md. */
export function pageOf(attack: Attack): string {
  const bold = (paragraph: string): string =>
    paragraph.replace(/^(Papers?|Threat model|Deviations?[^:.]{0,40}|Order|Versions):/, '**$1:**');
  return `${[
    `# ${attack.name}`,
    '',
    `${attack.title[0]!.toUpperCase()}${attack.title.slice(1)}.`,
    '',
    '| | |',
    '|---|---|',
    `| paper | ${cell(attack.paper)} |`,
    `| asks for | ${needs[attack.needs]} |`,
    `| kind | ${kinds[attack.kind]} |`,
    `| norms | ${listed(attack.norms)} |`,
    `| signals | ${attack.modalities === 'any' ? 'any' : listed(attack.modalities)} |`,
    `| values | ${valuesOf(attack)} |`,
    `| goals | ${attack.targeted ? 'untargeted, and towards a class' : 'untargeted'} |`,
    `| cost of a sample, at most | ${costOf(attack)} |`,
    '',
    '## Options',
    '',
    ...optionsOf(attack),
    ...partsOf(attack),
    '## What it does, and where it deviates',
    '',
    ...headOf(attack.name).flatMap((paragraph) => [bold(paragraph), '']),
    `Source: src/methods/attacks/${sourceOf(attack.name)}, from which this page is written: \`${again}\`.`,
  ].join('\n')}\n`;
}

/** An attack that is not here, and why. */
export interface Absent {
  readonly name: string;
  readonly reason: string;
}

/** docs/attacks/README.md. */
export function indexPage(absent: readonly Absent[]): string {
  const rows = Object.values(attacks).map(
    (a) =>
      `| [${a.name}](${a.name}.md) | ${cell(a.title)} | ${a.needs} | ${a.kind} | ${listed(a.norms)} | ${a.targeted ? 'yes' : 'no'} | ${costOf(a)} |`,
  );
  return `${[
    '# Attacks',
    '',
    'Written from the code: `' +
      again +
      '`. What was compared with other implementations, and how closely they agree, is in [CONFORMANCE.md](../CONFORMANCE.md);',
    'your own attack is a file of yours: [own-code.md](../own-code.md).',
    '',
    '| attack | what it does | asks for | kind | norms | targeted | cost of a sample at the defaults, at most |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    'bounded: runs once per budget and stays inside it. minimal: runs once, and budgets are thresholds on the smallest change it found. The cost of a',
    'bounded attack is that of one budget, and a sample that falls early pays less.',
    '',
    'An input that holds only two values (a manifest says `domain: binary`) is rounded to them when an example is saved. Bounded attacks that propose',
    'values in between are refused there before the run: rounding would decide what they find. The page of each attack says what it does with them.',
    '',
    '## Not here',
    '',
    'An attack that would not be done right is absent:',
    '',
    '| attack | why |',
    '|---|---|',
    ...absent.map(({ name, reason }) => `| ${cell(name)} | ${cell(reason)} |`),
  ].join('\n')}\n`;
}

/** Every page by its file name in docs/attacks. */
export const attackPages = (absent: readonly Absent[]): ReadonlyMap<string, string> =>
  new Map([['README.md', indexPage(absent)], ...Object.values(attacks).map((a) => [`${a.name}.md`, pageOf(a)] as const)]);
