/** @file C&W, EAD and JSMA against foolbox, adversarial-library, ART and torchattacks on one oracle (test/oracles/attacks/penalty.py). */
import { afterAll, describe, expect, it } from 'vitest';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import type { Inputs } from '../../../src/kit/model/model.ts';
import { argmax, type GradientOracle } from '../../../src/kit/model/oracle.ts';
import { cw } from '../../../src/methods/attacks/cw.ts';
import { ead } from '../../../src/methods/attacks/ead.ts';
import { jsma } from '../../../src/methods/attacks/jsma.ts';
import { measured } from './measured.ts';
import { attackNet, farthest, golden, median, openNet, rows, values } from './shared.ts';

interface Settings {
  readonly searches: number;
  readonly steps: number;
  readonly c0: number;
}
/** Sizes by peer; null where it failed. */
type Sizes = Readonly<Record<string, readonly (number | null)[]>>;
interface Entry {
  readonly cwShort: Readonly<Record<'foolbox' | 'advLib' | 'foolboxTargeted' | 'advLibTargeted', string>>;
  readonly cwFull: Sizes;
  readonly eadShort: string;
  readonly eadFull: Sizes;
  readonly jsma: string;
  readonly jsmaSizes: Sizes;
}
const data = golden<{
  readonly short: Settings;
  readonly full: Settings;
  readonly nets: Readonly<Record<'smooth' | 'relu', Entry>>;
  readonly unattackable: Readonly<Record<'foolboxCw' | 'foolboxEad', string>>;
}>('penalty.json');
/** Writes down how far apart examples are. */
const apart = (attack: string, peer: string, what: string, value: number): number =>
  measured({ attack, peer, what: `${what}, largest element apart`, value, allowed: '< 1e-5' });

/** Samples whose examples are recorded. */
const few = 8;

describe.each(['smooth', 'relu'] as const)('on the net %s', async (name) => {
  const net = await openNet(name);
  afterAll(() => net.release());
  const recorded = data.nets[name];
  const x = (k: number): Float32Array => net.batch[k]!.inputs.image ?? Object.values(net.batch[k]!.inputs)[0]!;
  const only = (inputs: Inputs | undefined): Float32Array | undefined => inputs && Object.values(inputs)[0];
  const first = { ...net, batch: net.batch.slice(0, few), goals: net.goals.slice(0, few) };
  const sizesOf = (outcomes: readonly { readonly inputs?: Inputs }[], size: (delta: Float32Array) => number): number[] =>
    outcomes.map(({ inputs }, k) => {
      const found = only(inputs);
      return found === undefined ? Number.POSITIVE_INFINITY : size(found.map((value, i) => value - x(k)[i]!));
    });
  const known = (sizes: readonly (number | null)[]): number[] => sizes.map((size) => size ?? Number.POSITIVE_INFINITY);
  const l1 = (delta: Float32Array): number => delta.reduce((sum, d) => sum + Math.abs(d), 0);
  const l2 = (delta: Float32Array): number => Math.hypot(...delta);
  const l0 = (delta: Float32Array): number => delta.filter((d) => d !== 0).length;

  it.each([
    ['foolbox', net.goals],
    ['advLib', net.goals],
    ['foolboxTargeted', net.targetedGoals],
    ['advLibTargeted', net.targetedGoals],
  ] as const)('C&W through tanh ends where %s does, element by element', async (peer, goals: readonly Goal[]) => {
    const options = { ...data.short, abortEarly: false, mode: 'reference' };
    const outcomes = await attackNet(first, cw, { norm: 'l2', eps: 1, options, goals: goals.slice(0, few) });
    let compared = 0;
    rows(recorded.cwShort[peer], few).forEach((theirs, k) => {
      const ours = only(outcomes[k]!.inputs);
      // where nothing is found foolbox returns zeros (D3), adversarial-library the original
      if (ours === undefined) expect(theirs).toEqual(peer.startsWith('foolbox') ? new Float32Array(theirs.length) : x(k));
      else {
        compared++;
        const by = peer.startsWith('foolbox') ? 'foolbox 3.3.4' : 'adversarial-library 9dec220';
        const what = `l2${peer.endsWith('Targeted') ? ' targeted' : ''} on ${name}: mode reference`;
        expect(apart('cw', by, what, farthest(ours, theirs))).toBeLessThan(1e-5);
      }
    });
    expect(compared).toBeGreaterThan(3);
  });

  it('the iterates of EAD are those of foolbox: the best of them is its example, element by element', async () => {
    const { oracle, shown } = remembering(net.oracle());
    const beta = 0.01;
    const options = { ...data.short, abortEarly: false, beta, rule: 'en' };
    await attackNet(net, ead, { norm: 'l1', eps: 1, options, oracle });
    let compared = 0;
    rows(recorded.eadShort, net.batch.length).forEach((theirs, k) => {
      const reached = shown.filter(({ of, label }) => of === k && label !== net.labels[k]);
      const sized = reached.map(({ point }) => {
        const delta = point.map((value, i) => value - x(k)[i]!);
        return { point, size: beta * l1(delta) + l2(delta) ** 2 };
      });
      // foolbox looks ahead to points outside the bounds, we never ask about such
      if (
        looksOutside(
          shown.filter(({ of }) => of === k).map(({ point }) => point),
          x(k),
        )
      )
        return;
      if (sized.length === 0) expect(theirs).toEqual(new Float32Array(theirs.length));
      else {
        compared++;
        const best = sized.reduce((a, b) => (b.size < a.size ? b : a));
        expect(apart('ead', 'foolbox 3.3.4', `l1 on ${name}: best iterate`, farthest(best.point, theirs))).toBeLessThan(1e-5);
      }
    });
    expect(compared).toBeGreaterThan(3);
  });

  it('JSMA in pairs ends where torchattacks does, element by element', async () => {
    const options = { mode: 'reference', theta: 1 };
    const outcomes = await attackNet(first, jsma, { norm: 'l0', eps: 1, options, goals: net.targetedGoals.slice(0, few) });
    rows(recorded.jsma, few).forEach((theirs, k) => {
      const far = farthest(only(outcomes[k]!.inputs)!, theirs);
      expect(apart('jsma', 'torchattacks 3.5.1', `l0 targeted on ${name}: mode reference`, far)).toBeLessThan(1e-5);
    });
  });

  it('JSMA one by one changes fewer elements than ART and torchattacks, and never fails more often', async () => {
    const ours = sizesOf(await attackNet(net, jsma, { norm: 'l0', eps: 1, goals: net.targetedGoals }), l0);
    for (const peer of ['torchattacks', 'art']) {
      const ratio = median(ours) / median(known(recorded.jsmaSizes[peer]!));
      const what = `l0 targeted on ${name}: ours, median size over that of the peer`;
      const version = peer === 'art' ? 'ART 1.20.1' : 'torchattacks 3.5.1';
      expect(measured({ attack: 'jsma', peer: version, what, value: ratio, allowed: '< 1' })).toBeLessThan(1);
    }
    expect(ours.every(Number.isFinite)).toBe(true);
  });
});

it('foolbox returns a black image for a model that cannot be attacked (D3), as recorded', () => {
  expect(values(data.unattackable.foolboxCw)).toEqual(new Float32Array(4));
  expect(values(data.unattackable.foolboxEad)).toEqual(new Float32Array(4));
});

/** Whether FISTA, from the iterates of searches of so many steps each, would look ahead to a point outside [0, 1]. */
function looksOutside(iterates: readonly Float32Array[], original: Float32Array): boolean {
  return iterates.some((point, k) => {
    const step = k % data.short.steps;
    if (step === data.short.steps - 1) return false;
    const last = step === 0 ? original : iterates[k - 1]!;
    return point.some((value, i) => {
      const ahead = value + (step / (step + 3)) * (value - last[i]!);
      return ahead < 0 || ahead > 1;
    });
  });
}

interface Shown {
  readonly of: number;
  readonly point: Float32Array;
  readonly label: number;
}

/** The oracle, and every point whose logits alone were asked for. */
function remembering(oracle: GradientOracle): { readonly oracle: GradientOracle; readonly shown: Shown[] } {
  const shown: Shown[] = [];
  return {
    shown,
    oracle: {
      ...oracle,
      async logits(probes) {
        const answer = await oracle.logits(probes);
        for (const [k, { of, inputs }] of probes.entries())
          shown.push({ of, point: Object.values(inputs)[0]!.slice(), label: argmax(answer[k]!) });
        return answer;
      },
    },
  };
}
