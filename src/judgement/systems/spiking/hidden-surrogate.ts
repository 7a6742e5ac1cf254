/**
 * @file Part (a): the victims' training surrogates are hidden. PGD with PDSG against PGD with fixed surrogates over a sweep of widths, on the same samples from the
 * same starts; the surrogate a victim was trained with is the skyline. Without the sweep the comparison would be a straw man.
 */
import { z } from 'zod';
import { trainingGain } from '../../../kit/metrics/gain.ts';
import { percent } from '../../../kit/metrics/rate-words.ts';
import type { Row } from '../../../kit/record/row.ts';
import type { Chapter, Chart, ChartSeries, Claim, Table } from '../../chapter.ts';
import { attempts, broken, budgetsOf, rate, rateText } from './attempts.ts';
import { countedPoint, type Legible, leftOut, legible, levels, levelTick } from './charts.ts';
import { budgetList, budgetListType, named, option, surrogate, wholeNumberType } from './options.ts';
import type { AttackEntry, FinishedRun, Part, SpikeChoice, Victim } from './study.ts';

const options = z.strictObject({
  eps: option(budgetList.default(['0.5/255', '1/255', '2/255', '4/255', '8/255']), {
    type: budgetListType,
    about: 'L∞ budgets; each victim is compared at the one where its best fixed surrogate breaks nearest to 60 %',
    example: '[1/255, 2/255, 4/255]',
  }),
  steps: option(z.int().positive().default(10), {
    type: wholeNumberType,
    about: 'steps of PGD, from one random start',
    example: '10',
  }),
  families: option(z.array(z.string()).min(1).default(['atan', 'sigmoid', 'triangle', 'rectangle']), {
    type: 'a list of names of surrogates',
    about: 'the fixed surrogates of the sweep (`provoke list surrogates`)',
    example: '[atan, triangle]',
  }),
  widths: option(z.array(z.number().positive()).min(1).default([0.25, 0.5, 1, 2, 4]), {
    type: 'a list of numbers above 0',
    about: 'the widths of each of them in the sweep, times its default width',
    example: '[0.5, 1, 2]',
  }),
  pdsg: option(
    named(surrogate).default({
      'PDSG, sample': { use: 'pdsg', statistics: 'sample' },
      'PDSG, reference set': { use: 'pdsg', statistics: 'reference-set' },
      'PDSG, batch': { use: 'pdsg', statistics: 'batch' },
      'PDSG narrow (ours)': { use: 'pdsg-narrow', statistics: 'sample' },
    }),
    {
      type: 'a map of labels to surrogates, each a name or { use: NAME } with options of it',
      about: 'what is compared with the sweep, by the labels tables give them',
      example: '{ PDSG: pdsg, batch: { use: pdsg, statistics: batch } }',
    },
  ),
});
type Options = z.infer<typeof options>;

/** PDSG may be this much worse than the best fixed surrogate and count as not inferior. */
const margin = 0.03;
/** Budgets are compared where the best fixed surrogate breaks about this share. */
const wanted = 0.6;

const skyline = 'own surrogate';
const noise = 'noise';
const fixed = (family: string, width: number): string => `${family} x${width}`;

const entries = ({ trained }: Victim, { steps, families, widths, pdsg }: Options): AttackEntry[] => {
  const pgd = (as: string, spikes: SpikeChoice): AttackEntry => ({ use: 'pgd', as, spikes, steps, restarts: 1 });
  return [
    ...families.flatMap((use) => widths.map((width) => pgd(fixed(use, width), { use, width }))),
    ...Object.entries(pdsg).map(([name, choice]) => pgd(name, choice)),
    ...(trained === undefined ? [] : [pgd(skyline, trained)]),
  ];
};

export const hiddenSurrogate: Part<Options> = {
  name: 'hidden-surrogate',
  title: 'Hidden surrogates',
  options,
  runs: (victims, chosen) =>
    victims.map((victim) => ({
      victim: victim.name,
      threat: { norm: 'linf', eps: chosen.eps },
      attacks: [{ use: 'noise', as: noise }, ...entries(victim, chosen)],
    })),
  conclude,
};

interface AtVictim {
  readonly run: FinishedRun;
  readonly eps: number;
  readonly best: string;
  readonly rates: ReadonlyMap<string, readonly Row[]>;
}

function conclude(runs: readonly FinishedRun[], _: readonly Victim[], chosen: Options): Chapter {
  const fixedNames = chosen.families.flatMap((family) => chosen.widths.map((width) => fixed(family, width)));
  const all = runs.map((run) => atVictim(run, fixedNames));
  // of a victim that classifies nothing right nothing can be said
  const each = all.filter(({ rates }) => [...rates.values()].every((rows) => rows.length > 0));
  const left = all.filter((at) => !each.includes(at)).map(({ run }) => run.victim);
  const n = each.reduce((sum, { rates, best }) => sum + rates.get(best)!.length, 0);
  const lines = legible(Object.keys(chosen.pdsg), (name) => meanRate(each, name));
  const claims = Object.keys(chosen.pdsg).map(
    (name): Claim =>
      each.length === 0 ? untested(name, 'no attempts: no victim classified a sample right') : claimOf(each, fixedNames, name, n),
  );
  return {
    title: hiddenSurrogate.title,
    paragraphs: [
      `PGD, ${chosen.steps} steps from one random start, the same for all; success among samples classified right. Each victim is compared at the budget where its best fixed surrogate, of ${fixedNames.length} (${chosen.families.join(', ')} x widths ${chosen.widths.join(', ')} of their defaults), breaks nearest to ${100 * wanted} %: choosing that best one afterwards is an advantage no attacker has. The surrogate a victim was trained with is printed as the skyline.${left.length === 0 ? '' : ` Left out, since nothing could be attacked there: ${left.join(', ')}.`}`,
    ],
    tables: [victimTable(all, chosen), ...(each.length === 0 ? [] : [averageTable(each, fixedNames, chosen)])],
    charts: each.filter(({ run }) => budgetsOf(run).length > 1).map((at) => chartOf(at, lines)),
    claims,
  };
}

function atVictim(run: FinishedRun, fixedNames: readonly string[]): AtVictim {
  const strongest = (eps: number): string =>
    fixedNames.reduce((a, b) => (broken(attempts(run, b, eps)) > broken(attempts(run, a, eps)) ? b : a));
  const eps = budgetsOf(run).reduce((a, b) => {
    const away = (e: number) => Math.abs(rate(attempts(run, strongest(e), e)) - wanted);
    return away(b) < away(a) ? b : a;
  });
  return {
    run,
    eps,
    best: strongest(eps),
    rates: new Map(run.attacks.map(({ as }) => [as, attempts(run, as, eps)])),
  };
}

/** Success of one attack minus another, sample by sample, over all victims: mean, and the one-sided 95 % bound of a paired bootstrap over samples; undefined without pairs. */
function difference(
  each: readonly AtVictim[],
  treated: string,
  control: (at: AtVictim) => string,
): { mean: number; lower: number } | undefined {
  // what could not be judged under one of the two is no pair
  const pairs = each.flatMap((at) => {
    const others = new Map(at.rates.get(control(at))!.map((row) => [row.sample, row]));
    return at.rates
      .get(treated)!
      .filter(({ sample }) => others.has(sample))
      .sort((a, b) => (a.sample < b.sample ? -1 : 1))
      .map((row) => [row, others.get(row.sample)!].map(({ status }) => Number(status === 'success')) as [number, number]);
  });
  if (pairs.length === 0) return undefined;
  const { gain, lower } = trainingGain([{ treated: pairs.map(([hit]) => hit), control: pairs.map(([, hit]) => hit) }]);
  return { mean: gain, lower };
}

const meanRate = (each: readonly AtVictim[], name: string): number =>
  each.reduce((sum, { rates }) => sum + rate(rates.get(name)!), 0) / each.length;

const strongestOnAverage = (each: readonly AtVictim[], names: readonly string[]): string =>
  names.reduce((a, b) => (meanRate(each, b) > meanRate(each, a) ? b : a));

const claimed = (name: string): string => `${name}: as strong as the best fixed surrogate, without knowing which that is`;

const untested = (name: string, because: string): Claim => ({
  claim: claimed(name),
  tested: 'no attempts',
  verdict: 'not tested',
  because,
});

function claimOf(each: readonly AtVictim[], fixedNames: readonly string[], name: string, n: number): Claim {
  const against = difference(each, name, ({ best }) => best);
  if (against === undefined)
    return untested(name, `no sample was judged both under it and under its victim's best fixed surrogate`);
  const single = strongestOnAverage(each, fixedNames);
  const [own, other] = [meanRate(each, name), meanRate(each, single)];
  const equal = against.lower > -margin;
  const higher = own > other;
  return {
    claim: claimed(name),
    tested: `${each.length} victim${each.length === 1 ? '' : 's'}, ${n} attempts`,
    verdict: equal && higher ? 'holds' : equal || higher ? 'holds in part' : 'does not hold',
    because: `against each victim's best fixed surrogate ${signed(against.mean)} points, 95 % lower bound ${signed(against.lower)} (to be above ${signed(-margin)}); averaged over victims ${percent(own)} against ${percent(other)} for the best single one, ${single}`,
  };
}

/** A difference in points: "-3.0". */
const signed = (share: number): string => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)}`;

/** Success against eps at one victim: the best fixed surrogate there, what is compared with it, and what frames both. */
function chartOf({ run, eps, best, rates }: AtVictim, { drawn, left }: Legible<string>): Chart {
  const budgets = budgetsOf(run);
  const line = (attack: string, name: string, emphasis: ChartSeries['emphasis'] = 'plain'): ChartSeries => ({
    name,
    emphasis,
    points: budgets.flatMap((at) => {
      const rows = attempts(run, attack, at);
      return rows.length === 0 ? [] : [countedPoint(levels(at), broken(rows), rows.length)];
    }),
  });
  const references = rates.has(skyline) ? [skyline, noise] : [noise];
  return {
    title: `${run.victim}: success against eps`,
    caption: `Broken of ${rates.get(best)!.length} attempts. Bold: the best fixed surrogate at ${levelTick(eps).label}, with its 95% Wilson interval. Dashed: ${references.length === 1 ? 'noise' : 'the surrogate the victim was trained with, and noise'}.${leftOut(left, 'breaking fewer over all victims')}`,
    x: { title: 'eps (logarithmic)', scale: 'log', ticks: budgets.map(levelTick) },
    series: [
      line(best, `best fixed: ${best}`, 'main'),
      ...drawn.map((name) => line(name, name)),
      ...references.map((name) => line(name, name, 'reference')),
    ],
  };
}

function victimTable(each: readonly AtVictim[], { pdsg }: Options): Table {
  const names = Object.keys(pdsg);
  return {
    title: 'Success of attempts with Wilson 95 % intervals, at each victim’s budget',
    head: ['victim', 'eps x 255', 'attempts', 'best fixed', 'its success', ...names, 'own surrogate (skyline)', 'noise'],
    rows: each.map(({ run, eps, best, rates }) => [
      run.victim,
      String(levels(eps)),
      String(rates.get(best)!.length),
      best,
      rateText(rates.get(best)!),
      ...names.map((name) => rateText(rates.get(name)!)),
      rates.has(skyline) ? rateText(rates.get(skyline)!) : '—',
      rateText(rates.get(noise)!),
    ]),
  };
}

function averageTable(each: readonly AtVictim[], fixedNames: readonly string[], { pdsg }: Options): Table {
  const names = [...Object.keys(pdsg), ...[...fixedNames].sort((a, b) => meanRate(each, b) - meanRate(each, a))];
  return {
    title: 'Averaged over victims: success, and how much it varies',
    head: ['gradient', 'mean', 'lowest', 'highest'],
    rows: names.map((name) => {
      const all = each.map(({ rates }) => rate(rates.get(name)!));
      return [name, percent(meanRate(each, name)), percent(Math.min(...all)), percent(Math.max(...all))];
    }),
  };
}
