import { resolve } from 'node:path';
import { UserError } from '../../../core/errors.ts';
import { type ComparedAttack, type Comparison, compareRuns, type Run } from '../../experiment/compare.ts';
import { readRun } from '../../experiment/read-run.ts';
import { epsText, normKey, number, percent } from '../../report/format.ts';
import type { Register } from '../register.ts';
import { table } from '../table.ts';

interface Options {
  attack: string[];
  json?: boolean;
}

const examples = `
Examples:
  $ provoke compare runs/plain runs/hardened                          every attack of both, and the worst case
  $ provoke compare runs/plain runs/hardened --attack pgd             one attack
  $ provoke compare runs/plain --attack pgd --attack apgd             two attacks of one run
  $ provoke compare runs/plain runs/other --attack pgd --attack apgd  an attack of the one, another of the other`;

export const compare: Register = (program) => {
  program
    .command('compare <run> [other]')
    .description('two runs, or two attacks of one, on the same samples: robust accuracy, paired differences, distances, costs')
    .option(
      '--attack <name>',
      'which attack; twice: one of each',
      (name: string, all: string[]) => [...all, name],
      [] as string[],
    )
    .option('--json', 'as JSON')
    .addHelpText('after', examples)
    .action(async (folder: string, other: string | undefined, { attack, json }: Options) => {
      const first = await open(folder);
      const second = other === undefined || resolve(other) === resolve(folder) ? first : await open(other);
      const comparison = compareRuns(first, second, chosen(attack, first === second));
      process.stdout.write(json ? `${JSON.stringify(comparison, finite, 2)}\n` : text(comparison, first));
    });
};

const open = async (folder: string): Promise<Run> => ({ name: folder, ...(await readRun(folder)) });

function chosen(names: readonly string[], oneRun: boolean): [string, string][] {
  const [first, second, ...others] = names;
  if (others.length > 0) throw new UserError(`--attack is given ${names.length} times`, 'give one of each run: at most two');
  if (oneRun && (second === undefined || first === second))
    throw new UserError('one run is compared with itself', 'name another run, or two of its attacks: --attack pgd --attack apgd');
  return first === undefined ? [] : [[first, second ?? first]];
}

/** A median over failures is infinite, which JSON has no word for. */
const finite = (_key: string, value: unknown): unknown => (value === Number.POSITIVE_INFINITY ? 'none' : value);

const named = ({ first, second }: ComparedAttack): string => (first === second ? first : `${first} : ${second}`);

const points = (fraction: number): string => `${fraction > 0 ? '+' : ''}${(100 * fraction).toFixed(1)}`;

const chance = (p: number): string => (p < 1e-4 ? '< 0.0001' : p.toFixed(4));

function text(comparison: Comparison, { record }: Run): string {
  const { attacks, samples, onlyFirst, onlySecond, notes } = comparison;
  const { inputs } = record.model;
  const rates = attacks.flatMap((attack) =>
    attack.budgets.map((at) => [
      named(attack),
      normKey(at.norm),
      epsText(at.eps, at.norm, inputs),
      String(at.n),
      percent(at.first),
      percent(at.second),
      points(at.difference),
      at.onlyFirst + at.onlySecond === 0 ? '-' : `${points(at.interval[0])} to ${points(at.interval[1])}`,
      `${at.onlyFirst} : ${at.onlySecond}`,
      chance(at.p),
    ]),
  );
  const costs = attacks.flatMap(({ cost, ...attack }) =>
    cost === undefined
      ? []
      : [
          [
            named(attack),
            ...(['forwards', 'backwards', 'queries', 'seconds'] as const).map(
              (key) => `${number(cost.first[key])} : ${number(cost.second[key])}`,
            ),
          ],
        ],
  );
  const distance = (value: number): string => (Number.isFinite(value) ? number(value) : 'none');
  const distances = attacks.flatMap(({ distances: d, ...attack }) =>
    d === undefined
      ? []
      : [
          [
            named(attack),
            String(d.n),
            distance(d.first),
            distance(d.second),
            `${d.firstSmaller} : ${d.secondSmaller}`,
            chance(d.p),
          ],
        ],
  );
  const one = comparison.first === comparison.second;
  const word = record.data.labelled ? 'accuracy' : 'agreement';
  return [
    '',
    one ? `two attacks of ${comparison.first}` : `first: ${comparison.first}, second: ${comparison.second}`,
    `${samples} samples in both${onlyFirst + onlySecond > 0 ? `; ${onlyFirst} only in the first, ${onlySecond} only in the second` : ''}`,
    '',
    table([
      ['attack', 'norm', 'eps', 'n', `robust ${word}, first`, 'second', 'points', '95 %', 'stands in one only', 'p'],
      ...rates,
    ]),
    '',
    ...(distances.length === 0
      ? []
      : [
          table([['attack', 'attacked', 'median distance, first', 'second', 'smaller in', 'p'], ...distances]),
          'distances are before rounding; a sample without an example counts as infinite',
          '',
        ]),
    table([['cost per sample, first : second', 'forwards', 'backwards', 'queries', 'seconds'], ...costs]),
    '',
    'points: second - first, with paired bootstrap interval; p: exact McNemar (rates) and sign test (distances), two-sided',
    ...notes.map((note) => `note: ${note}`),
    '',
  ].join('\n');
}
