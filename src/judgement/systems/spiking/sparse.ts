/** @file Part (b): how few flipped pixels of a binary event clip fool a victim. SDA against everything else that flips, under one surrogate and one pass budget. */
import { z } from 'zod';
import { UserError } from '../../../core/errors.ts';
import { distribution, type Jump, shareWithin } from '../../../kit/metrics/distribution.ts';
import { percent } from '../../../kit/metrics/rate-words.ts';
import { type SignedRank, signedRank } from '../../../kit/metrics/signed-rank.ts';
import { attackNamed } from '../../../methods/attacks/registry.ts';
import type { Chapter, Chart, ChartSeries, Claim, Table } from '../../chapter.ts';
import { attempts, budgetsOf, costText, distances, medianText, rate, rateText } from './attempts.ts';
import { countedPoint, type Legible, leftOut, legible } from './charts.ts';
import { attack, option, surrogate, surrogateType, wholeNumberType } from './options.ts';
import type { AttackEntry, FinishedRun, Part } from './study.ts';

const options = z
  .strictObject({
    flips: option(z.array(z.int().positive()).default([50, 200, 800]), {
      type: 'a list of whole numbers from 1',
      about: 'budgets, in flipped pixels of the clip',
      example: '[50, 200, 800]',
    }),
    shares: option(z.array(z.number().positive()).default([0.05, 0.1, 0.24]), {
      type: 'a list of numbers above 0',
      about: 'further budgets, in percent of all pixels of the clip',
      example: '[0.1, 0.24]',
    }),
    elements: option(z.int().positive(), {
      type: wholeNumberType,
      about: 'pixels of a clip: steps x polarities x height x width; checked against the victim',
      example: '81920',
    }),
    spikes: option(surrogate.default('pdsg-narrow'), {
      type: surrogateType,
      about: 'stands in under every attack that looks at gradients, unless that states its own',
      example: 'pdsg-narrow',
    }),
    queries: option(z.int().positive().optional(), {
      type: wholeNumberType,
      about: 'most queries of an attack on a clip, the same for all; unset: as many as its options make it ask',
      example: '1000',
    }),
    attacks: option(z.array(attack).min(2), {
      type: 'a list of at least two attacks, each a name or { use: NAME } with options of it',
      about: 'the first is compared with all others; `as` gives one another name in tables',
      example: '[sda, { use: scg, reduce: minimal }]',
    }),
  })
  .superRefine((stated, context) => {
    const { flips, shares, elements } = stated;
    const refuse = (message: string) => context.addIssue({ code: 'custom', message });
    if (flips.length + shares.length === 0) refuse('flips and shares are both empty, and a budget is needed');
    for (const share of shares)
      if (flipsOf(share, elements) === 0)
        refuse(`shares: ${share} percent of ${elements} elements is less than one; state larger shares, or none: []`);
  });
type Options = z.infer<typeof options>;

/** The attack the claim is about, and those it names; others may win, and then that is said. */
const published = { use: 'sda', against: ['scg', 'spike-fool', 'gumbel-flip', 'top-k-flip'] as readonly string[] };

/** One surrogate for all that look at gradients. */
const entry = (given: Options['attacks'][number], { spikes }: Options): AttackEntry => {
  const stated = typeof given === 'string' ? { use: given } : given;
  const labelled = { as: stated.use, ...stated };
  const { needs } = attackNamed(stated.use);
  return needs === 'gradient' ? { spikes, ...labelled } : labelled;
};

/** A share in percent as whole flips. */
function flipsOf(share: number, elements: number): number {
  return Math.floor((share / 100) * elements);
}

const budgets = ({ flips, shares, elements }: Options): number[] =>
  [...new Set([...flips, ...shares.map((share) => flipsOf(share, elements))])].sort((a, b) => a - b);

export const sparse: Part<Options> = {
  name: 'sparse',
  title: 'Few flipped pixels',
  options,
  runs: (victims, chosen) =>
    victims.map(({ name }) => ({
      victim: name,
      threat: { norm: 'l0', eps: budgets(chosen) },
      attacks: chosen.attacks.map((given) => entry(given, chosen)),
      ...(chosen.queries === undefined ? {} : { queries: chosen.queries }),
    })),
  check(victim, elements, stated) {
    if (elements !== stated.elements)
      throw new UserError(
        `part sparse: elements is ${stated.elements}, and a clip of ${victim} has ${elements}`,
        `write elements: ${elements}, or another part for victims of other sizes: shares of it are budgets`,
      );
  },
  conclude,
};

function conclude(runs: readonly FinishedRun[]): Chapter {
  const [first, ...others] = runs[0]!.attacks as readonly [AttackEntry, ...AttackEntry[]];
  const against = (one: AttackEntry, rivals: readonly AttackEntry[]): Tested[] =>
    rivals.map(({ use, as }) => ({ use, name: as, ...smaller(runs, one.as, as) }));
  const tested = against(first, others);
  const rivals = others.filter(({ use }) => published.against.includes(use));
  // the algorithm with other options, or as published, makes the same claim
  const claimants =
    first.use === published.use && rivals.length > 0 ? [first, ...others.filter(({ use }) => use === first.use)] : [];
  const foreign = others.filter(({ use }) => use !== published.use);
  return {
    title: sparse.title,
    paragraphs: [
      'Binary clips; a flip adds or deletes one pixel of one frame and one polarity. Success is decided by predicting the saved clip again, and counted among attempts (clips classified right), not among successes. Medians count failures as infinite.',
      ...(claimants.length === 0 ? [unclaimed(first, tested)] : []),
    ],
    tables: [
      ...runs.map((run) => victimTable(run)),
      rankTable(first.as, tested),
      ...claimants.slice(1).map((one) => rankTable(one.as, against(one, foreign))),
    ],
    charts: chartsOf(
      runs,
      first.as,
      others.map(({ as }) => as),
    ),
    claims: claimants.map((one) => claimOf(runs, one.as, one === first ? tested : against(one, foreign), against(one, rivals))),
  };
}

/** Signed ranks over all victims' clips: whether the first attack finds fewer flips; and how many clips both were tried on. */
const smaller = (runs: readonly FinishedRun[], first: string, other: string) => {
  // what could not be judged under one of the two is no pair
  const pairs = runs.flatMap((run) => {
    const others = new Map(distances(run, other).map(({ sample, distance }) => [sample, distance]));
    return distances(run, first).flatMap(({ sample, distance }) =>
      others.has(sample) ? [[distance, others.get(sample)!] as const] : [],
    );
  });
  const ranks = signedRank(
    pairs.map(([a]) => a),
    pairs.map(([, b]) => b),
  );
  return { pairs: pairs.length, ...ranks };
};

function victimTable(run: FinishedRun): Table {
  const all = budgetsOf(run);
  const [some] = run.attacks;
  return {
    title: `${run.victim}: ${attempts(run, some!.as, all[0]!).length} attempts, clips of ${run.elements.toLocaleString('en')} pixels; broken of attempts with Wilson 95 % intervals`,
    head: [
      'attack',
      ...all.map((eps) => `≤ ${eps} (${((100 * eps) / run.elements).toFixed(3)} %)`),
      'median flips',
      'forwards',
      'gradients',
      'seconds',
    ],
    rows: run.attacks.map(({ as }) => [
      as,
      ...all.map((eps) => rateText(attempts(run, as, eps))),
      medianText(run, as),
      costText(run, as, 'forwards'),
      costText(run, as, 'backwards'),
      costText(run, as, 'seconds', 2),
    ]),
  };
}

/** Share of attempts broken within so many flips, for the first attack and the strongest others: a chart for each victim of which something was broken; nothing of an attack without attempts. */
function chartsOf(runs: readonly FinishedRun[], first: string, others: readonly string[]): Chart[] {
  const found = runs.map((run) => new Map([first, ...others].map((name) => [name, foundBy(run, name)])));
  // where two curves lie is compared at the budgets
  const within = ({ jumps }: Found, run: FinishedRun): number =>
    budgetsOf(run).reduce((sum, eps) => sum + shareWithin(jumps, eps), 0);
  const lines = legible(others, (name) => runs.reduce((sum, run, i) => sum + within(found[i]!.get(name)!, run), 0));
  return runs.flatMap((run, i) => {
    const smallest = Math.min(...[...found[i]!.values()].flatMap(({ jumps }) => jumps.map(({ x }) => x)));
    return found[i]!.get(first)!.n > 0 && Number.isFinite(smallest) ? [chartOf(run, first, lines, found[i]!, smallest)] : [];
  });
}

interface Found {
  readonly jumps: readonly Jump[];
  /** Attempts. */
  readonly n: number;
}

/** Where the axis ends. */
const reach = (run: FinishedRun): number => 1.25 * budgetsOf(run).at(-1)!;

function foundBy(run: FinishedRun, name: string): Found {
  const flips = distances(run, name).map(({ distance }) => distance);
  return { n: flips.length, jumps: distribution(flips).filter(({ x }) => x <= reach(run)) };
}

function chartOf(
  run: FinishedRun,
  first: string,
  { drawn, left }: Legible<string>,
  found: ReadonlyMap<string, Found>,
  smallest: number,
): Chart {
  const all = budgetsOf(run);
  const from = Math.min(smallest, all[0]!) / 1.1;
  const line = (name: string, emphasis: 'main' | 'plain'): ChartSeries => {
    const { jumps, n } = found.get(name)!;
    const points = [{ x: from, share: 0 }, ...jumps].map(({ x, share }) => countedPoint(x, Math.round(share * n), n));
    return { name, step: true, emphasis, points };
  };
  return {
    title: `${run.victim}: flips needed`,
    caption: `Share of ${found.get(first)!.n} attempts broken within so many flipped pixels. Bold: ${first}, with its 95% Wilson interval. Dotted: the budgets.${leftOut(left, 'breaking fewer within the budgets over all victims')}`,
    x: { title: 'flipped pixels (logarithmic)', scale: 'log', from, to: reach(run) },
    series: [line(first, 'main'), ...drawn.filter((name) => found.get(name)!.n > 0).map((name) => line(name, 'plain'))],
    marks: all.map((eps) => ({ x: eps, label: String(eps) })),
  };
}

interface Tested extends SignedRank {
  readonly use: string;
  readonly name: string;
  /** Clips both were tried on. */
  readonly pairs: number;
}

const rankTable = (first: string, tested: readonly Tested[]): Table => ({
  title: `${first} against each other attack, all victims: signed ranks of the numbers of flips`,
  head: ['against', 'clips that differ', `rank sum, ${first} fewer`, 'rank sum, other fewer', 'one-sided p'],
  rows: tested.map(({ name, pairs, n, firstSmaller, secondSmaller, p }) =>
    pairs === 0
      ? [name, '—', '—', '—', '—']
      : [name, String(n), String(firstSmaller), String(secondSmaller), p < 1e-4 ? p.toExponential(1) : p.toFixed(4)],
  ),
});

const namesOf = (tested: readonly Tested[]): string => tested.map(({ name }) => name).join(', ');

/** Which others find fewer flips than the first attack, as a sentence; nothing where no clip was tried. */
function aheadText(first: string, tested: readonly Tested[]): string {
  const ahead = tested.filter(({ firstSmaller, secondSmaller }) => secondSmaller > firstSmaller);
  if (tested.every(({ pairs }) => pairs === 0)) return '';
  return ahead.length === 0 ? ` No other attack here needs fewer than ${first}.` : ` Fewer flips are found by ${namesOf(ahead)}.`;
}

/** Why a part draws no claim of a paper, and what it shows all the same. */
const unclaimed = (first: AttackEntry, tested: readonly Tested[]): string =>
  `${
    first.use === published.use
      ? `None of the attacks ${first.as} was published against (${published.against.join(', ')}) was run in this part, so it speaks to no published claim: it compares ${first.as} with other attacks.`
      : `The published claim is one of ${published.use}, which is not the first attack of this part: it compares ${first.as} with other attacks, and speaks to no published claim.`
  }${aheadText(first.as, tested)}`;

function claimOf(runs: readonly FinishedRun[], first: string, tested: readonly Tested[], rivals: readonly Tested[]): Claim {
  const claim = `${first} needs fewer flips than the attacks it was published against`;
  const judged = rivals.filter(({ pairs }) => pairs > 0);
  const unjudged = rivals.filter(({ pairs }) => pairs === 0);
  if (judged.length === 0)
    return {
      claim,
      tested: 'no attempts',
      verdict: 'not tested',
      because: `no attempts: no clip was classified right and judged under both ${first} and one of ${namesOf(rivals)}`,
    };
  const beaten = judged.filter(({ p }) => p < 0.05);
  const share = runs.map((run) => {
    const most = budgetsOf(run).at(-1)!;
    const rows = attempts(run, first, most);
    return rows.length === 0 ? `${run.victim}: no attempts` : `${run.victim} ${percent(rate(rows))} within ${most}`;
  });
  const attempted = runs.map((run) => attempts(run, first, budgetsOf(run)[0]!).length).filter((n) => n > 0);
  return {
    claim,
    tested: `${attempted.length} victim${attempted.length === 1 ? '' : 's'}, ${attempted.reduce((sum, n) => sum + n, 0)} attempts; against ${namesOf(judged)}${unjudged.length === 0 ? '' : `; not against ${namesOf(unjudged)}, of which there were no attempts`}`,
    verdict: beaten.length === rivals.length ? 'holds' : beaten.length > 0 ? 'holds in part' : 'does not hold',
    because: `${share.join('; ')}. Fewer flips at p < .05 than ${namesOf(beaten) || 'none'}.${aheadText(first, tested)}`,
  };
}
