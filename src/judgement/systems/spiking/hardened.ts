/** @file Part (d): victims trained against attacks, judged under several surrogates: a net must not look robust because one surrogate fails on it. */
import { z } from 'zod';
import { percent } from '../../../kit/metrics/rate-words.ts';
import type { Row } from '../../../kit/record/row.ts';
import type { Chart, ChartPoint, ChartSeries, Claim, Table } from '../../chapter.ts';
import { attempts, broken, budgetsOf, epsOf } from './attempts.ts';
import { countedPoint, type Legible, leftOut, legible, levels, levelTick } from './charts.ts';
import { attack, budgetList, budgetListType, named, option, surrogate, wholeNumberType } from './options.ts';
import type { AttackEntry, FinishedRun, Part, SpikeChoice, Victim } from './study.ts';

const options = z.strictObject({
  eps: option(budgetList.default(['1/255', '2/255', '4/255']), {
    type: budgetListType,
    about: 'L∞ budgets; the claim is judged at the largest',
    example: '[2/255, 4/255]',
  }),
  steps: option(z.int().positive().default(20), {
    type: wholeNumberType,
    about: 'steps of PGD under each surrogate, from one random start',
    example: '20',
  }),
  spikes: option(named(surrogate), {
    type: 'a map of labels to surrogates, each a name or { use: NAME } with options of it',
    about: 'the surrogates PGD is run with, by the labels tables give them; that of `trained:` is added',
    example: '{ pdsg: pdsg, narrow: { use: atan, width: 0.5 } }',
  }),
  others: option(z.array(attack).default([]), {
    type: 'a list of attacks, each a name or { use: NAME } with options of it',
    about: 'attacks beside PGD, such as square: what needs no gradient checks the gradients',
    example: '[{ use: square, queries: 1000 }]',
  }),
});
type Options = z.infer<typeof options>;

/** Success rates that differ by more than this between surrogates say that one of them fails (check S1). */
const spreadToWarn = 0.1;

const own = 'own surrogate';

export const hardened: Part<Options> = {
  name: 'hardened',
  title: 'Hardened victims',
  options,
  runs: (victims, { eps, steps, spikes, others }) =>
    victims.map(({ name, trained }) => {
      const pgd = (as: string, with_: SpikeChoice): AttackEntry => ({ use: 'pgd', as, spikes: with_, steps, restarts: 1 });
      return {
        victim: name,
        threat: { norm: 'linf', eps },
        attacks: [
          ...Object.entries(spikes).map(([as, with_]) => pgd(as, with_)),
          ...(trained === undefined ? [] : [pgd(own, trained)]),
          ...others.map(
            (other): AttackEntry => (typeof other === 'string' ? { use: other, as: other } : { as: other.use, ...other }),
          ),
        ],
      };
    }),
  conclude(runs, victims) {
    return {
      title: hardened.title,
      paragraphs: [
        'Robust accuracy: classified right, and not broken, of all samples. The headline is the worst case per sample over all attacks; it is an upper bound of what the victim really withstands.',
      ],
      tables: runs.map((run) => victimTable(run, victims)),
      charts: chartsOf(runs.filter(({ rows }) => judged(rows).length > 0)),
      claims: runs.map(claimOf),
    };
  },
};

const judged = (rows: readonly Row[]): Row[] => rows.filter(({ status }) => status !== 'invalid');

const at = (run: FinishedRun, attack: string, eps: number): Row[] =>
  run.rows.filter((row) => row.attack === attack && epsOf(row) === eps);

/** Samples an attack has not broken, of those it could be judged on. */
const standing = (rows: readonly Row[]): readonly [left: number, n: number] => [
  judged(rows).filter(({ status }) => status === 'failure').length,
  judged(rows).length,
];

/** Samples no attack broke, of all. */
function worst(run: FinishedRun, eps: number): readonly [left: number, n: number] {
  const rows = judged(run.rows.filter((row) => epsOf(row) === eps));
  const samples = new Set(rows.map(({ sample }) => sample));
  const fallen = new Set(rows.filter(({ status }) => status !== 'failure').map(({ sample }) => sample));
  return [samples.size - fallen.size, samples.size];
}

/** Samples classified right, of all. */
function clean(run: FinishedRun): readonly [right: number, n: number] {
  const rows = at(run, run.attacks[0]!.as, budgetsOf(run)[0]!);
  return [rows.filter((row) => row.cleanPrediction === row.label).length, rows.length];
}

const shareText = ([part, n]: readonly [number, number]): string => percent(part / n);

function victimTable(run: FinishedRun, victims: readonly Victim[]): Table {
  const { defence } = victims.find(({ name }) => name === run.victim)!;
  const all = budgetsOf(run);
  const [right, n] = clean(run);
  return {
    title: `${run.victim} (${defence === undefined ? 'standard training' : defence}): ${n} samples, clean accuracy ${percent(right / n)}; robust accuracy`,
    head: ['attack', ...all.map((eps) => `eps ${levelTick(eps).label}`)],
    rows: [
      ...run.attacks.map(({ as }) => [as, ...all.map((eps) => shareText(standing(at(run, as, eps))))]),
      ['worst case per sample', ...all.map((eps) => shareText(worst(run, eps)))],
    ],
  };
}

function chartsOf(runs: readonly FinishedRun[]): Chart[] {
  const names = [...new Set(runs.flatMap(({ attacks }) => attacks.map(({ as }) => as)))].filter((as) => as !== own);
  const lines = legible(names, (as) => runs.reduce((sum, { rows }) => sum + broken(rows.filter((row) => row.attack === as)), 0));
  return runs.map((run) => chartOf(run, lines));
}

/** Robust accuracy against eps, from clean accuracy on: the worst case, and the strongest attacks. */
function chartOf(run: FinishedRun, { drawn, left }: Legible<string>): Chart {
  const all = budgetsOf(run);
  const [right, n] = clean(run);
  const start = countedPoint(0, right, n);
  const line = (
    name: string,
    count: (eps: number) => readonly [number, number],
    emphasis: 'main' | 'plain' | 'reference',
  ): ChartSeries => ({
    name,
    emphasis,
    points: [
      start,
      ...all.flatMap((eps): ChartPoint[] => {
        const [stand, of] = count(eps);
        return of === 0 ? [] : [countedPoint(levels(eps), stand, of)];
      }),
    ],
  });
  const alone = (as: string, emphasis: 'plain' | 'reference'): ChartSeries =>
    line(as, (eps) => standing(at(run, as, eps)), emphasis);
  const trained = run.attacks.some(({ as }) => as === own);
  return {
    title: `${run.victim}: robust accuracy against eps`,
    caption: `Of ${n} samples. Bold: the worst case per sample over all attacks, with its 95% Wilson interval.${trained ? ' Dashed: the surrogate the victim was trained with.' : ''}${leftOut(left, 'breaking fewer over all victims')}`,
    x: { title: 'eps', scale: 'linear', from: 0, ticks: [{ x: 0, label: 'clean' }, ...all.map(levelTick)] },
    series: [
      line('worst case', (eps) => worst(run, eps), 'main'),
      ...drawn.map((as) => alone(as, 'plain')),
      ...(trained ? [alone(own, 'reference')] : []),
    ],
  };
}

function claimOf(run: FinishedRun): Claim {
  const eps = budgetsOf(run).at(-1)!;
  const guided = run.attacks
    .filter(({ as, spikes }) => spikes !== undefined && attempts(run, as, eps).length > 0)
    .map(({ as }) => as);
  const claim = `${run.victim}: how robust it looks does not depend on the surrogate`;
  const tested = `${guided.length} surrogates at eps ${levelTick(eps).label}`;
  if (guided.length < 2)
    return {
      claim,
      tested,
      verdict: 'not tested',
      because: 'surrogates are compared where at least two were tried on samples that are classified right',
    };
  const success = guided.map((as) => broken(attempts(run, as, eps)) / attempts(run, as, eps).length);
  const spread = Math.max(...success) - Math.min(...success);
  const strongest = guided[success.indexOf(Math.max(...success))]!;
  return {
    claim,
    tested,
    verdict: spread > spreadToWarn ? 'does not hold' : 'holds',
    because: `success ${percent(Math.min(...success))} to ${percent(Math.max(...success))} of attempts, the most with ${strongest}; worst case ${shareText(worst(run, eps))} robust accuracy`,
  };
}
