import { describe, expect, it } from 'vitest';
import type { Chart, ChartSeries } from '../../../src/judgement/chapter.ts';
import { ablations } from '../../../src/judgement/systems/spiking/ablations.ts';
import { hardened } from '../../../src/judgement/systems/spiking/hardened.ts';
import { hiddenSurrogate } from '../../../src/judgement/systems/spiking/hidden-surrogate.ts';
import { sparse } from '../../../src/judgement/systems/spiking/sparse.ts';
import type { FinishedRun, PartRun } from '../../../src/judgement/systems/spiking/study.ts';
import { shareWithin } from '../../../src/kit/metrics/distribution.ts';
import { wilson } from '../../../src/kit/metrics/rates.ts';
import type { Row } from '../../../src/kit/record/row.ts';

/** A row of which only what the parts read is set. */
const row = (attack: string, sample: number, eps: number, more: Partial<Row>): Row => ({
  sample: `s${String(sample).padStart(4, '0')}`,
  group: '',
  label: 0,
  cleanPrediction: 0,
  attack,
  norm: { x: 'linf' },
  eps: { x: eps },
  status: 'failure',
  prediction: 0,
  floatSuccess: false,
  norms: {},
  distance: null,
  cleanProbabilities: [],
  probabilities: [],
  forwards: 10,
  backwards: 1,
  queries: 11,
  seconds: 0.5,
  ...more,
});

const n = 200;

/** The rows of a run on whose victim no sample was classified right. */
const skipped = (run: FinishedRun): FinishedRun => ({
  ...run,
  rows: run.rows.map((one) => ({ ...one, cleanPrediction: 1, status: 'skipped' as const })),
});

const namesOf = ({ series }: Chart): string[] => series.map(({ name }) => name);
const sharesOf = ({ points }: ChartSeries): number[] => points.map(({ share }) => share);

/** Every attack breaks its share of the samples: the first of them, so that attacks of one strength agree. */
const broken = (run: PartRun, share: (attack: string, eps: number) => number): FinishedRun => ({
  ...run,
  elements: 100,
  synthetic: null,
  rows: run.attacks.flatMap(({ as }) =>
    run.threat.eps.flatMap((eps) =>
      Array.from({ length: n }, (_, i) =>
        row(as, i, Number(eps), i < share(as, Number(eps)) * n ? { status: 'success' as const } : {}),
      ),
    ),
  ),
});

describe('hidden surrogates', () => {
  const options = hiddenSurrogate.options.parse({ eps: [0.01, 0.02, 0.04], pdsg: { PDSG: { use: 'pdsg' } }, widths: [0.5, 1] });
  const victims = [{ name: 'a', trained: 'atan' }, { name: 'b' }];
  const runs = hiddenSurrogate.runs(victims, options);

  it('runs every fixed surrogate, PDSG and, where it is known, the surrogate the victim was trained with', () => {
    expect(runs.map(({ attacks }) => attacks.length)).toEqual([1 + 8 + 1 + 1, 1 + 8 + 1]);
    expect(runs[0]!.attacks.at(-1)).toMatchObject({ use: 'pgd', as: 'own surrogate', spikes: 'atan' });
  });

  /** Each victim has another surrogate that works; success doubles with eps from 0.3 or 0.15 on. */
  const share = (victim: string, pdsg: number) => (attack: string, eps: number) => {
    if (attack === 'noise') return 0;
    const strength = (victim === 'a' ? 30 : 15) * eps;
    if (attack === 'PDSG') return Math.min(1, strength + pdsg);
    return attack === (victim === 'a' ? 'atan x1' : 'triangle x0.5') ? Math.min(1, strength) : strength / 2;
  };
  const conclude = (pdsg: number) =>
    hiddenSurrogate.conclude(
      runs.map((run) => broken(run, share(run.victim, pdsg))),
      victims,
      options,
    );

  it('compares each victim where its best fixed surrogate is nearest to 60 %', () => {
    const [perVictim] = conclude(0).tables;
    expect(perVictim!.rows.map(([name, eps, attempts, best]) => [name, eps, attempts, best])).toEqual([
      ['a', '5.1', '200', 'atan x1'],
      ['b', '10.2', '200', 'triangle x0.5'],
    ]);
  });

  it('holds where PDSG breaks as much as the best, and only then', () => {
    expect(conclude(0).claims[0]).toMatchObject({ verdict: 'holds', tested: '2 victims, 400 attempts' });
    // two points less, of one sided bound -3: the interval decides
    expect(conclude(-0.015).claims[0]!.verdict).toBe('holds');
    expect(conclude(-0.1).claims[0]!.verdict).toBe('holds in part');
    expect(conclude(-0.4).claims[0]!.verdict).toBe('does not hold');
  });

  it('draws success against eps for each victim: its best fixed surrogate first, then what is compared, then what frames both', () => {
    const charts = conclude(0.1).charts!;
    expect(charts.map(namesOf)).toEqual([
      ['best fixed: atan x1', 'PDSG', 'own surrogate', 'noise'],
      ['best fixed: triangle x0.5', 'PDSG', 'noise'],
    ]);
    const [best, pdsg, own, noise] = charts[0]!.series;
    expect([best, pdsg, own, noise].map((one) => one!.emphasis)).toEqual(['main', 'plain', 'reference', 'reference']);
    expect(best!.points.map(({ x }) => x)).toEqual([2.55, 5.1, 10.2]);
    expect(sharesOf(best!)).toEqual([0.3, 0.6, 1]);
    expect(sharesOf(pdsg!)).toEqual([0.4, 0.7, 1]);
    expect(sharesOf(noise!)).toEqual([0, 0, 0]);
    expect([best!.points[1]!.lower, best!.points[1]!.upper]).toEqual([...wilson(120, n)]);
    expect(charts[0]!.x.ticks!.map(({ label }) => label)).toEqual(['2.55/255', '5.1/255', '10.2/255']);
  });

  it('draws nothing against a single eps', () => {
    const single = hiddenSurrogate.options.parse({ ...options, eps: [0.02] });
    const finished = hiddenSurrogate.runs(victims, single).map((run) => broken(run, share(run.victim, 0)));
    expect(hiddenSurrogate.conclude(finished, victims, single).charts).toEqual([]);
  });

  it('a sample that could not be judged under one attack is no pair, and costs no more than itself', () => {
    const finished = runs.map((run) => broken(run, share(run.victim, 0.1)));
    const without = (run: FinishedRun): FinishedRun => ({
      ...run,
      rows: run.rows.map((one) => (one.attack === 'PDSG' && one.sample === 's0000' ? { ...one, status: 'invalid' } : one)),
    });
    const [claim] = hiddenSurrogate.conclude(finished.map(without), victims, options).claims;
    expect(claim!.verdict).toBe('holds');
    const flips = sparse.options.parse({ elements: 100, shares: [], attacks: ['sda', 'scg'] });
    const [run] = sparse.runs([{ name: 'a' }], flips).map((one) => broken(one, (attack) => (attack === 'sda' ? 0.9 : 0.1)));
    const lost = run!.rows.map((one) =>
      one.attack === 'scg' && one.sample === 's0000' ? { ...one, status: 'invalid' as const } : one,
    );
    expect(sparse.conclude([{ ...run!, rows: lost }], [{ name: 'a' }], flips).tables.at(-1)!.rows[0]![0]).toBe('scg');
  });

  it('a victim on which nothing could be attacked is left out and named; without any nothing is claimed', () => {
    const finished = runs.map((run) => broken(run, share(run.victim, 0.1)));
    const one = hiddenSurrogate.conclude([finished[0]!, skipped(finished[1]!)], victims, options);
    const alone = hiddenSurrogate.conclude([finished[0]!], [victims[0]!], options);
    expect(one.claims).toEqual(alone.claims);
    expect(one.paragraphs[0]).toContain('Left out, since nothing could be attacked there: b.');
    expect(one.tables[0]!.rows[1]!.slice(0, 3)).toEqual(['b', expect.anything(), '0']);
    const none = hiddenSurrogate.conclude(finished.map(skipped), victims, options);
    expect(none.claims.map(({ verdict }) => verdict)).toEqual(['not tested']);
    expect(none.charts).toEqual([]);
    expect(JSON.stringify(none)).not.toMatch(/NaN|null/);
  });

  it('without a sample judged under both nothing is claimed', () => {
    const [run] = runs.map((one) => broken(one, share(one.victim, 0.1)));
    // each half of the samples could be judged under one of the two only
    const rows = run!.rows.map((one, i) =>
      (one.attack === 'PDSG') === i % n < n / 2 ? { ...one, status: 'invalid' as const } : one,
    );
    const { claims } = hiddenSurrogate.conclude([{ ...run!, rows }], victims, options);
    expect(claims.map(({ verdict }) => verdict)).toEqual(['not tested']);
    expect(claims[0]!.because).toContain('no sample was judged both');
  });
});

describe('few flipped pixels', () => {
  const options = sparse.options.parse({
    elements: 1000,
    flips: [5, 50],
    shares: [1],
    attacks: ['sda', 'scg', 'top-k-flip', 'fmn'],
  });
  const [run] = sparse.runs([{ name: 'v' }], options);

  const found = (distance: (attack: string, sample: number) => number): FinishedRun => ({
    ...run!,
    elements: 1000,
    synthetic: null,
    rows: run!.attacks.flatMap(({ as }) =>
      run!.threat.eps.flatMap((eps) =>
        Array.from({ length: 40 }, (_, i) => {
          const d = distance(as, i);
          return row(as, i, Number(eps), {
            norm: { x: 'l0' },
            distance: Number.isFinite(d) ? d : null,
            status: d <= Number(eps) ? 'success' : 'failure',
          });
        }),
      ),
    ),
  });

  it('gives every attack that looks at gradients the same surrogate, and no other', () => {
    const chosen = sparse.options.parse({ elements: 1000, shares: [], spikes: 'atan', attacks: ['sda', 'random-flip'] });
    expect(sparse.runs([{ name: 'v' }], chosen)[0]!.attacks).toEqual([
      { use: 'sda', as: 'sda', spikes: 'atan' },
      { use: 'random-flip', as: 'random-flip' },
    ]);
  });

  it('refuses a victim whose clips are of another size than shares were reckoned from', () => {
    expect(() => sparse.check!('v', 1000, options)).not.toThrow();
    expect(() => sparse.check!('v', 999, options)).toThrow('elements is 1000, and a clip of v has 999');
  });

  it('has the budgets of both lists, ascending, in flips', () => {
    expect(run!.threat).toEqual({ norm: 'l0', eps: [5, 10, 50] });
  });

  it('holds where the first attack needs fewer flips than every named rival', () => {
    const chapter = sparse.conclude([found((attack, i) => (attack === 'sda' ? 3 + (i % 4) : 10 + i))], [], options);
    expect(chapter.claims[0]).toMatchObject({ verdict: 'holds' });
    const [sda] = chapter.tables[0]!.rows;
    expect(sda!.slice(0, 5)).toEqual(['sda', '75.0% [59.8–85.8%]', '100% [91.2–100%]', '100% [91.2–100%]', '4.5']);
  });

  it('counts failures among attempts, as infinite distances', () => {
    const chapter = sparse.conclude(
      [found((attack, i) => (attack === 'sda' && i < 25 ? Number.POSITIVE_INFINITY : 20))],
      [],
      options,
    );
    expect(chapter.tables[0]!.rows[0]!.slice(3, 5)).toEqual(['37.5% [24.2–53.0%]', '∞']);
    expect(chapter.claims[0]!.verdict).toBe('does not hold');
  });

  it('says so where another attack of the library needs fewer', () => {
    const chapter = sparse.conclude([found((attack, i) => ({ sda: 10, fmn: 4 })[attack] ?? 30 + i)], [], options);
    expect(chapter.claims[0]).toMatchObject({ verdict: 'holds' });
    expect(chapter.claims[0]!.because).toContain('Fewer flips are found by fmn');
  });

  it('draws the share of attempts broken within so many flips, the first attack first; what was not found is nowhere', () => {
    // sda: a quarter each at 4, 5 and 40 flips, a quarter never; fmn beyond the axis; top-k-flip never
    const flips: Record<string, (i: number) => number> = {
      sda: (i) => [4, 5, 40, Number.POSITIVE_INFINITY][i % 4]!,
      scg: () => 10,
      fmn: () => 63,
    };
    const [chart] = sparse.conclude([found((attack, i) => flips[attack]?.(i) ?? Number.POSITIVE_INFINITY)], [], options).charts!;
    expect(namesOf(chart!)).toEqual(['sda', 'scg', 'top-k-flip', 'fmn']);
    expect(chart!.series.map(({ emphasis, step }) => [emphasis, step])).toEqual([
      ['main', true],
      ['plain', true],
      ['plain', true],
      ['plain', true],
    ]);
    const [sda, scg, topK, fmn] = chart!.series;
    expect(sda!.points.slice(1).map(({ x, share }) => [x, share])).toEqual([
      [4, 0.25],
      [5, 0.5],
      [40, 0.75],
    ]);
    expect([3.9, 4, 5, 39, 50].map((x) => shareWithin(sda!.points, x))).toEqual([0, 0.25, 0.5, 0.5, 0.75]);
    expect(sda!.points[2]).toMatchObject({ lower: wilson(20, 40)[0], upper: wilson(20, 40)[1] });
    expect(sharesOf(scg!)).toEqual([0, 1]);
    expect([topK, fmn].map((one) => sharesOf(one!))).toEqual([[0], [0]]);
    expect(chart!.series.flatMap(({ points }) => points).every(({ x }) => x >= chart!.x.from! && x <= chart!.x.to!)).toBe(true);
    expect(chart!.x).toMatchObject({ scale: 'log', to: 62.5 });
    expect(chart!.marks!.map(({ x }) => x)).toEqual([5, 10, 50]);
    // as it is kept in study.json: infinities would have become null
    expect(JSON.stringify(chart)).not.toContain('null');
  });

  it('draws no more lines than can be told apart: the strongest over all victims, in the order of the file; the rest is named', () => {
    const others = ['scg', 'spike-fool', 'top-k-flip', 'fmn', 'jsma', 'greedy-flip', 'random-flip', 'gumbel-flip'];
    const many = sparse.options.parse({ elements: 1000, flips: [5, 50], shares: [], attacks: ['sda', ...others] });
    // fmn is weak on one victim only
    const weak: Record<string, readonly string[]> = {
      v: ['spike-fool', 'random-flip', 'fmn'],
      w: ['spike-fool', 'random-flip'],
    };
    const finished = sparse.runs([{ name: 'v' }, { name: 'w' }], many).map((of): FinishedRun => {
      const rows = of.attacks.flatMap(({ as }) =>
        of.threat.eps.map((eps) => {
          const distance = weak[of.victim]!.includes(as) ? 50 : 4;
          return row(as, 0, Number(eps), { distance, status: distance <= Number(eps) ? 'success' : 'failure' });
        }),
      );
      return { ...of, elements: 1000, synthetic: null, rows };
    });
    const charts = sparse.conclude(finished, [], many).charts!;
    const drawn = ['sda', ...others.filter((name) => !weak.w!.includes(name))];
    expect(charts.map(namesOf)).toEqual([drawn, drawn]);
    for (const { caption } of charts) expect(caption).toMatch(/Not drawn, .*: spike-fool, random-flip\.$/);
  });

  it('an attack that looks for no smallest change counts with the flips of its smallest saved success', () => {
    const finished = found(() => 20);
    const rows = finished.rows.map((one) => {
      if (one.attack !== 'fmn') return one;
      const eps = one.eps.x!;
      const l0 = eps === 10 ? 7 : 30;
      const norms = { x: { l0, l1: l0, l2: 0, linf: 1 } };
      return { ...one, distance: null, ...(eps < 10 ? { status: 'failure' as const } : { status: 'success' as const, norms }) };
    });
    const chapter = sparse.conclude([{ ...finished, rows }], [], options);
    expect(chapter.charts![0]!.series[3]!.points.slice(1).map(({ x, share }) => [x, share])).toEqual([[7, 1]]);
    expect(chapter.tables[0]!.rows[3]![4]).toBe('7');
  });

  it('says in a part without the published rivals that none was run, and claims nothing', () => {
    const finished = found((attack, i) => ({ sda: 10, fmn: 4 })[attack] ?? 30 + i);
    const without = { ...finished, attacks: finished.attacks.filter(({ as }) => as === 'sda' || as === 'fmn') };
    const { claims, paragraphs } = sparse.conclude([without], [], options);
    expect(claims).toEqual([]);
    expect(paragraphs.at(-1)).toBe(
      'None of the attacks sda was published against (scg, spike-fool, gumbel-flip, top-k-flip) was run in this part, so it speaks to no published claim: it compares sda with other attacks. Fewer flips are found by fmn.',
    );
    const with_ = sparse.conclude([finished], [], options);
    expect(with_.paragraphs.join(' ')).not.toContain('None of the attacks');
  });

  it('knows rivals by what they are, not by their names in tables, and claims nothing of another attack', () => {
    const named = sparse.options.parse({
      elements: 1000,
      flips: [50],
      shares: [],
      attacks: [{ use: 'sda', as: 'ours' }, { use: 'scg', as: 'other' }, 'random-flip'],
    });
    const finish = (attacks: typeof named.attacks): FinishedRun => {
      const [of] = sparse.runs([{ name: 'v' }], { ...named, attacks });
      const rows = of!.attacks.flatMap(({ as }, k) =>
        Array.from({ length: 20 }, (_, i) => row(as, i, 50, { distance: 5 + k + (i % 3), status: 'success' })),
      );
      return { ...of!, elements: 1000, synthetic: null, rows };
    };
    const { claims } = sparse.conclude([finish(named.attacks)], [], named);
    expect(claims[0]).toMatchObject({ verdict: 'holds', tested: '1 victim, 20 attempts; against other' });
    const turned = sparse.conclude([finish([...named.attacks].reverse())], [], named);
    expect(turned.claims).toEqual([]);
    expect(turned.paragraphs.at(-1)).toContain('The published claim is one of sda, which is not the first attack of this part');
  });

  it('judges the same attack with other options by a claim of its own, not against itself', () => {
    const named = sparse.options.parse({
      elements: 1000,
      flips: [50],
      shares: [],
      attacks: ['sda', { use: 'sda', as: 'reference', mode: 'reference' }, 'scg'],
    });
    const [of] = sparse.runs([{ name: 'v' }], named);
    const flips: Readonly<Record<string, number>> = { sda: 5, reference: 30, scg: 10 };
    const rows = of!.attacks.flatMap(({ as }) =>
      Array.from({ length: 20 }, (_, i) => row(as, i, 50, { distance: flips[as]! + (i % 3), status: 'success' })),
    );
    const { claims, tables } = sparse.conclude([{ ...of!, elements: 1000, synthetic: null, rows }], [], named);
    expect(claims.map(({ claim, verdict }) => [claim.split(' ')[0], verdict])).toEqual([
      ['sda', 'holds'],
      ['reference', 'does not hold'],
    ]);
    expect(claims[1]!.because).toContain('Fewer flips are found by scg.');
    expect(tables.at(-1)!.rows.map(([name]) => name)).toEqual(['scg']);
  });

  it('says nothing of clips that were never attacked: dashes, and no verdict', () => {
    const none = sparse.conclude([skipped(found(() => 4))], [], options);
    expect(none.claims).toEqual([
      {
        claim: 'sda needs fewer flips than the attacks it was published against',
        tested: 'no attempts',
        verdict: 'not tested',
        because: 'no attempts: no clip was classified right and judged under both sda and one of scg, top-k-flip',
      },
    ]);
    const [perVictim, ranks] = none.tables;
    expect(perVictim!.rows[0]).toEqual(['sda', ...Array.from({ length: 7 }, () => '—')]);
    expect(ranks!.rows[0]).toEqual(['scg', '—', '—', '—', '—']);
    expect(none.charts).toEqual([]);
    expect(JSON.stringify(none)).not.toMatch(/NaN|null/);
  });

  it('counts only victims on which there were attempts, and only rivals that were tried', () => {
    const good = found((attack, i) => (attack === 'sda' ? 3 : 10 + i));
    const idle = { ...skipped(good), victim: 'idle' };
    const both = sparse.conclude([good, idle], [], options);
    expect(both.claims[0]).toMatchObject({ verdict: 'holds', tested: '1 victim, 40 attempts; against scg, top-k-flip' });
    expect(both.claims[0]!.because).toContain('idle: no attempts');
    // a rival none of whose attempts could be judged is not beaten, and has no line
    const rows = good.rows.map((one) => (one.attack === 'scg' ? { ...one, status: 'invalid' as const } : one));
    const lost = sparse.conclude([{ ...good, rows }], [], options);
    expect(lost.claims[0]).toMatchObject({
      verdict: 'holds in part',
      tested: '1 victim, 40 attempts; against top-k-flip; not against scg, of which there were no attempts',
    });
    expect(lost.charts!.map(namesOf)).toEqual([['sda', 'top-k-flip', 'fmn']]);
    expect(JSON.stringify(lost)).not.toMatch(/NaN|null/);
  });

  it('draws nothing where nothing was broken', () => {
    expect(sparse.conclude([found(() => Number.POSITIVE_INFINITY)], [], options).charts).toEqual([]);
  });
});

describe('ablations', () => {
  it('puts dashes where nothing was attacked', () => {
    const questions = { shift: { none: { use: 'pgd' }, half: { use: 'pgd' } } };
    const l0 = ablations.options.parse({ norm: 'l0', eps: [5, 50], questions });
    const [run] = ablations.runs([{ name: 'v' }], l0).map((one) => broken(one, () => 0.5));
    const { tables, claims } = ablations.conclude([skipped(run!)], [], l0);
    expect(tables[0]!.title).toBe('shift (v, 0 attempts)');
    expect(tables[0]!.rows).toEqual([
      ['none', '—', '—', '—', '—', '—'],
      ['half', '—', '—', '—', '—', '—'],
    ]);
    expect(claims).toEqual([]);
    const [tried] = ablations.conclude([run!], [], l0).tables;
    expect(tried!.rows[0]!.slice(-2)).toEqual(['20', '1.00']);
  });
});

describe('hardened victims', () => {
  const options = hardened.options.parse({ eps: [0.01], spikes: { pdsg: 'pdsg', atan: 'atan' }, others: ['square'] });
  const victims = [{ name: 'h', defence: 'pgd-at' }];
  const [run] = hardened.runs(victims, options);

  it('takes the worst case per sample over all attacks, and warns where surrogates disagree', () => {
    // pdsg breaks the first half, square another tenth
    const finished = broken(run!, (attack) => ({ pdsg: 0.5, atan: 0.1, square: 0 })[attack] ?? 0);
    const rows = finished.rows.map((r, i) => (r.attack === 'square' && i % n >= 180 ? { ...r, status: 'success' as const } : r));
    const { tables, claims, charts } = hardened.conclude([{ ...finished, rows }], victims, options);
    expect(tables[0]!.rows).toEqual([
      ['pdsg', '50.0%'],
      ['atan', '90.0%'],
      ['square', '90.0%'],
      ['worst case per sample', '40.0%'],
    ]);
    expect(claims[0]!.verdict).toBe('does not hold');

    const [chart] = charts!;
    expect(namesOf(chart!)).toEqual(['worst case', 'pdsg', 'atan', 'square']);
    expect(chart!.series.map(sharesOf)).toEqual([
      [1, 0.4],
      [1, 0.5],
      [1, 0.9],
      [1, 0.9],
    ]);
    expect(chart!.series[0]).toMatchObject({ emphasis: 'main', points: [{ x: 0 }, { x: 2.55, lower: wilson(80, n)[0] }] });
    expect(chart!.x.ticks!.map(({ label }) => label)).toEqual(['clean', '2.55/255']);
  });

  it('the surrogate a victim was trained with is a line of its own kind', () => {
    const trained = [{ name: 'h', defence: 'pgd-at', trained: 'sigmoid' }];
    const finished = hardened.runs(trained, options).map((one) => broken(one, () => 0.5));
    const { series } = hardened.conclude(finished, trained, options).charts![0]!;
    expect(series.at(-1)).toMatchObject({ name: 'own surrogate', emphasis: 'reference' });
  });

  it('claims nothing where fewer than two surrogates were tried on anything', () => {
    const options = hardened.options.parse({ eps: [0.01], spikes: { pdsg: 'pdsg', atan: 'atan' } });
    const [run] = hardened.runs([{ name: 'a' }], options).map((one) => broken(one, () => 0.5));
    const verdictOf = (finished: FinishedRun) => hardened.conclude([finished], [{ name: 'a' }], options).claims[0]!.verdict;
    expect(verdictOf(run!)).toBe('holds');
    expect(verdictOf(skipped(run!))).toBe('not tested');
    expect(verdictOf({ ...run!, rows: run!.rows.filter(({ attack }) => attack === 'pdsg') })).toBe('not tested');
  });
});
