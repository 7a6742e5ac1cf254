/** @file FAB against auto-attack, DeepFool against foolbox and torchattacks, on the same nets: test/oracles/attacks/tangents.py. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { argmax, type GradientOracle } from '../../../src/kit/model/oracle.ts';
import type { Outcome } from '../../../src/kit/record/outcome.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import type { Attack } from '../../../src/methods/attacks/attack.ts';
import { deepfool, fab } from '../../../src/methods/attacks/index.ts';
import { measured } from './measured.ts';
import { attackNet, farthest, golden, median, type Net, type NetName, openNet, rows } from './shared.ts';

interface Case {
  readonly net: NetName;
  readonly norm: Norm;
  readonly targets?: number;
  readonly examples: string;
}
const samples = 8;
const peers = {
  fab: golden<{
    readonly steps: number;
    readonly cases: readonly Case[];
    readonly restarted: readonly {
      readonly net: NetName;
      readonly norm: Norm;
      readonly eps: number;
      readonly sizes: readonly (readonly (number | null)[])[];
    }[];
  }>('fab.json'),
  deepfool: golden<{
    readonly cases: readonly Case[];
    readonly torchattacks: readonly { readonly net: NetName; readonly sizes: readonly (number | null)[] }[];
  }>('deepfool.json'),
};
const nets = {} as Record<NetName, Net>;
beforeAll(async () => {
  for (const name of ['smooth', 'relu', 'sequence', 'two-stream'] as const) {
    const net = await openNet(name);
    nets[name] = { ...net, batch: net.batch.slice(0, samples), goals: net.goals.slice(0, samples) };
  }
});
afterAll(async () => {
  for (const net of Object.values(nets)) await net.release();
});

const inputOf = (net: Net) => Object.keys(net.model.inputs)[0]!;
const exampleOf = ({ inputs }: Outcome, net: Net, k: number) => (inputs ?? net.batch[k]!.inputs)[inputOf(net)]!;
const sizesOf = (examples: readonly Float32Array[], net: Net, norm: Norm): number[] =>
  examples.map((example, k) => {
    const x = net.batch[k]!.inputs[inputOf(net)]!;
    const threat = net.threats({ norm, eps: 1 })[k]![inputOf(net)]!;
    const size = threat.size(example.map((value, i) => value - x[i]!));
    return size === 0 ? Number.POSITIVE_INFINITY : size;
  });

/** The examples of one run, the original where there is none. */
async function examplesOf(attack: Attack, { net, norm }: Case, options: Readonly<Record<string, number | string>>, eps = 1) {
  const outcomes = await attackNet(nets[net], attack, { norm, eps, options });
  return outcomes.map((outcome, k) => exampleOf(outcome, nets[net], k));
}

describe.each(peers.fab.cases.map((entry) => [entry.net, entry.norm, entry.targets!, entry] as const))(
  'fab on %s in %s, targets %i',
  (name, norm, targets, entry) => {
    const theirs = rows(entry.examples, samples);
    const { steps } = peers.fab;

    const note = (what: string, value: number, allowed: string): number =>
      measured({
        attack: 'fab',
        peer: 'auto-attack a392200',
        what: `${norm} on ${name}, targets ${targets}: ${what}`,
        value,
        allowed,
      });

    it('mode reference ends at the examples of auto-attack', async () => {
      const ours = await examplesOf(fab as Attack, entry, { steps, targets, mode: 'reference' });
      theirs.forEach((example, k) => {
        expect(farthest(ours[k]!, nets[name].batch[k]!.inputs[inputOf(nets[name])]!)).toBeGreaterThan(1e-3);
        expect(note('mode reference, largest element apart', farthest(ours[k]!, example), '< 1e-5')).toBeLessThan(1e-5);
      });
    });

    it('ours finds no larger change for any sample, and a smaller one in the median', async () => {
      const ours = sizesOf(await examplesOf(fab as Attack, entry, { steps, targets }), nets[name], norm);
      const sizes = sizesOf(theirs, nets[name], norm);
      for (const [k, size] of ours.entries()) expect(size / sizes[k]!).toBeLessThan(1 + 1e-4);
      expect(note('ours, median size over that of the peer', median(ours) / median(sizes), '< 0.999')).toBeLessThan(0.999);
    });
  },
);

/** What the attempts after the first find, sample by sample: the smallest of the examples among their predictions. */
async function sizesOfRestart({ net: name, norm }: Case, steps: number, eps: number): Promise<number[]> {
  const net = nets[name];
  const oracle = net.oracle();
  const asked = net.batch.map(() => 0);
  const found = net.batch.map(() => Number.POSITIVE_INFINITY);
  const watched: GradientOracle = {
    ...oracle,
    async logits(probes) {
      const answers = await oracle.logits(probes);
      for (const [p, { of, inputs }] of probes.entries()) {
        // the clean sample, the first attempt, then the one looked for
        if (asked[of]!++ <= steps || argmax(answers[p]!) === net.labels[of]) continue;
        const threat = net.threats({ norm, eps })[of]![inputOf(net)]!;
        const delta = inputs[inputOf(net)]!.map((value, i) => value - net.batch[of]!.inputs[inputOf(net)]![i]!);
        found[of] = Math.min(found[of]!, threat.size(delta));
      }
      return answers;
    },
  };
  await attackNet(net, fab as Attack, { norm, eps, oracle: watched, options: { steps, restarts: 2, mode: 'reference' } });
  expect(asked).toEqual(net.batch.map(() => 1 + 2 * steps));
  return found;
}

it.each(peers.fab.restarted.map((entry) => [entry.net, entry.norm, entry] as const))(
  'fab on %s in %s from a random point: success and median size are those of auto-attack, between its five seeds give or take a thousandth',
  async (_, __, { eps, sizes, ...entry }) => {
    const ours = await sizesOfRestart({ ...entry, examples: '' }, peers.fab.steps, eps);
    const theirs = sizes.map((seed) => seed.map((size) => size ?? Number.POSITIVE_INFINITY));
    const medians = theirs.map(median);
    measured({
      attack: 'fab',
      peer: 'auto-attack a392200',
      what: `${entry.norm} on ${entry.net} from a random point: median size, ours and the peer's five seeds`,
      value: `${median(ours).toPrecision(4)}; ${Math.min(...medians).toPrecision(4)} .. ${Math.max(...medians).toPrecision(4)}`,
      allowed: 'between them, 0.1 % either way',
    });
    expect(median(ours)).toBeGreaterThan(Math.min(...medians) * 0.999);
    expect(median(ours)).toBeLessThan(Math.max(...medians) * 1.001);
    const fell = theirs.map((seed) => seed.filter(Number.isFinite).length);
    expect(ours.filter(Number.isFinite).length).toBeGreaterThanOrEqual(Math.min(...fell));
  },
);

describe.each(peers.deepfool.cases.map((entry) => [entry.net, entry.norm, entry] as const))(
  'deepfool on %s in %s',
  (name, norm, entry) => {
    const theirs = rows(entry.examples, samples);

    const note = (what: string, value: number, allowed: string): number =>
      measured({ attack: 'deepfool', peer: 'foolbox 3.3.4', what: `${norm} on ${name}: ${what}`, value, allowed });

    it('mode reference ends at the examples of foolbox', async () => {
      const ours = await examplesOf(deepfool as Attack, entry, { mode: 'reference' });
      theirs.forEach((example, k) => {
        expect(farthest(example, nets[name].batch[k]!.inputs[inputOf(nets[name])]!)).toBeGreaterThan(1e-3);
        expect(note('mode reference, largest element apart', farthest(ours[k]!, example), '< 1e-5')).toBeLessThan(1e-5);
      });
    });

    it('ours finds changes of the same size, give or take what is left of the overshoot', async () => {
      const ours = sizesOf(await examplesOf(deepfool as Attack, entry, {}), nets[name], norm);
      const sizes = sizesOf(theirs, nets[name], norm);
      for (const [k, size] of ours.entries()) expect(size / sizes[k]!).toBeLessThan(1.02);
      expect(note('ours, median size over that of the peer', median(ours) / median(sizes), '< 1.01')).toBeLessThan(1.01);
    });
  },
);

it.each(peers.deepfool.torchattacks.map((entry) => [entry.net, entry] as const))(
  'deepfool on %s finds all that torchattacks finds, at the same size in the median',
  async (net, { sizes }) => {
    const ours = sizesOf(await examplesOf(deepfool as Attack, { net, norm: 'l2', examples: '' }, {}), nets[net], 'l2');
    const theirs = sizes.map((size) => size ?? Number.POSITIVE_INFINITY);
    for (const [k, size] of ours.entries()) expect(size).toBeLessThan(1.02 * theirs[k]!);
    const ratio = median(ours) / median(theirs);
    const what = `l2 on ${net}: ours, median size over that of the peer`;
    expect(measured({ attack: 'deepfool', peer: 'torchattacks 3.5.1', what, value: ratio, allowed: '< 1.01' })).toBeLessThan(
      1.01,
    );
  },
);

it.each([
  ['fab', fab as Attack, { steps: 10 }],
  ['deepfool', deepfool as Attack, {}],
] as const)('%s finds a joint change of two inputs, one without bounds, for every sample', async (_, attack, options) => {
  const net = nets['two-stream'];
  const outcomes = await attackNet(net, attack, { norm: 'l2', eps: 1, options });
  const probes = outcomes.map(({ inputs }, of) => ({ of, inputs: inputs! }));
  for (const [k, label] of (await net.oracle().labels(probes)).entries()) expect(label).not.toBe(net.labels[k]);
  for (const { inputs } of probes) expect(inputs.rgb!.every((value) => value >= 0 && value <= 1)).toBe(true);
});
