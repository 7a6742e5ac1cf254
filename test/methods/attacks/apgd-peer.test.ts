/** @file APGD against auto-attack (commit a392200): from the same random numbers on the same answers, step by step; then on the gradients of one net. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Stream } from '../../../src/core/tensor/random.ts';
import type { Inputs } from '../../../src/kit/model/model.ts';
import type { GradientOracle } from '../../../src/kit/model/oracle.ts';
import type { Norm } from '../../../src/kit/threat/threat.ts';
import { apgd } from '../../../src/methods/attacks/apgd.ts';
import { jobOf, untargeted } from './linear.ts';
import { measured } from './measured.ts';
import { farthest, golden, openNet, rows } from './shared.ts';

interface Case {
  readonly norm: Norm;
  readonly eps: number;
}

const recorded = golden<{
  readonly samples: number;
  readonly steps: number;
  readonly uniform: string;
  readonly normal: string;
  readonly cases: readonly (Case & {
    readonly loss: string;
    readonly fell: readonly number[];
    readonly bestLoss: string;
    readonly forwards: number;
    readonly backwards: number;
  })[];
  readonly scripted: readonly (Case & { readonly sums: string; readonly best: string; readonly found: string })[];
}>('apgd.json');
const count = recorded.samples;
const note = (what: string, value: number, allowed = '< 1e-5'): number =>
  measured({ attack: 'apgd', peer: 'auto-attack a392200', what, value, allowed });
const uniform = rows(recorded.uniform, count);
const normal = rows(recorded.normal, count);

const net = await openNet('smooth');
afterAll(() => net.release());
const batch = net.batch.slice(0, count);

/** Multiples of 1/256: x + t - t is x then, and the peer counts no rounding residues as changed elements. */
const coarse = (values: Float32Array): Float32Array => values.map((value) => Math.floor(value * 256) / 256);
const coarseBatch = batch.map((sample) => ({ ...sample, inputs: { image: coarse(sample.inputs.image!) } }));

/** A stream that says the numbers the peer drew for a sample. */
function replayed(k: number, drawn = normal): Stream {
  const next = (values: Float32Array) => {
    let i = 0;
    return () => values[i++]!;
  };
  const unused = () => {
    throw new Error('the peer does not draw this');
  };
  const stream = (): Stream => ({
    bits: unused,
    integer: unused,
    uniform: next(uniform[k]!),
    normal: next(drawn[k]!),
    fork: stream,
  });
  return stream();
}

interface Seen {
  readonly inputs: Inputs;
  readonly loss: number;
}

/** The oracle, and every point asked of it for a gradient. */
function watched(oracle: GradientOracle): { oracle: GradientOracle; walks: Seen[][] } {
  const walks = batch.map((): Seen[] => []);
  const gradient: GradientOracle['gradient'] = async (probes, losses) => {
    const answer = await oracle.gradient(probes, losses);
    probes.forEach(({ of, inputs }, i) => {
      walks[of]!.push({ inputs: { image: inputs.image!.slice() }, loss: answer.loss[i]! });
    });
    return answer;
  };
  return { oracle: { ...oracle, gradient }, walks };
}

/** What the peer does: no early stop, and its own first comparison of losses. */
const asThere = { ...apgd.defaults, targets: 1, earlyStop: false, mode: 'reference', steps: recorded.steps };

const jobOn = (oracle: GradientOracle, { norm, eps }: Case, labels: readonly number[]) => ({
  ...jobOf(oracle, batch, labels.map(untargeted), net.threats({ norm, eps }).slice(0, count)),
  random: (k: number) => replayed(k),
});

/** In l1 the last walk is the one inside the budget: 40 steps from its own start. */
const inside = <T>(walk: readonly T[], norm: Norm): readonly T[] => (norm === 'l1' ? walk.slice(-41) : walk);
const highest = (walk: readonly Seen[]): Seen => walk.reduce((a, b) => (b.loss > a.loss ? b : a));

/** Says what Scripted of apgd.py says: answers that depend on the number of the question only. The label is 0. */
function scripted(): GradientOracle {
  const asked = batch.map(() => 0);
  const only = async () => {
    throw new Error('APGD on cross-entropy asks for gradients only');
  };
  return {
    classes: 2,
    counts: (of) => ({ forwards: asked[of]!, backwards: asked[of]!, queries: asked[of]! }),
    labels: only,
    logits: only,
    async gradient(probes) {
      const at = probes.map(({ of }) => ({ s: of, k: asked[of]!++ }));
      const leads = at.map(({ s, k }) => 3 - 2 * (1 - Math.exp(-k / 25)) + 0.3 * Math.sin(1.3 * k * k + s));
      return {
        // only the order of losses and their sign matter
        loss: leads.map((lead, i) => ((at[i]!.k + at[i]!.s) % 7 === 6 ? 100 : 50) - lead),
        logits: leads.map((lead, i) => Float32Array.of(lead, (at[i]!.k + at[i]!.s) % 7 === 6 ? 9 : 0)),
        gradient: at.map(({ s, k }) => ({
          image: Float32Array.from(
            { length: 192 },
            (_, i) => Math.sin(12.9898 * (i + 1) + 0.7 * s + 0.05 * k) + 0.5 * Math.sin(78.233 * (i + 1) * (k + 1)),
          ),
        })),
      };
    },
  };
}

describe.each(recorded.scripted.map((golden) => [golden.norm, golden] as const))('%s on scripted answers', (norm, golden) => {
  it('every point, the best one and the last example are those of the peer', async () => {
    const { oracle, walks } = watched(scripted());
    const job = jobOn(
      oracle,
      golden,
      batch.map(() => 0),
    );
    await apgd.run({ ...job, batch: coarseBatch, random: (k) => replayed(k, normal.map(coarse)) }, asThere);
    const [best, found] = [rows(golden.best, count), rows(golden.found, count)];
    const sums = rows(golden.sums, walks[0]!.length);
    for (const [s, walk] of walks.entries()) {
      const x = coarseBatch[s]!.inputs.image;
      const ours = walk.map(({ inputs }) => inputs.image!.reduce((sum, value, i) => sum + (value - x[i]!) * Math.sin(i + 1), 0));
      expect(
        farthest(
          ours,
          sums.map((row) => row[s]!),
        ),
      ).toBeLessThan(1e-5);
      const end = inside(
        walk.map((seen, k) => ({ ...seen, k })),
        norm,
      );
      const away = farthest(highest(end).inputs.image!, best[s]!);
      expect(
        note(`${norm}: best point of ${recorded.steps} steps on scripted answers, largest element apart`, away),
      ).toBeLessThan(1e-5);
      const examples = end.filter(({ k }) => (k + s) % 7 === 6);
      expect(farthest(examples.at(-1)!.inputs.image!, found[s]!)).toBeLessThan(1e-5);
    }
  });
});

describe.each(recorded.cases.map((golden) => [golden.norm, golden.loss, golden] as const))(
  '%s, %s on one net',
  (norm, loss, golden) => {
    it('the same samples fall, and the best loss is that of the peer, in the same number of passes', async () => {
      const { oracle, walks } = watched(net.oracle());
      const outcomes = await apgd.run(jobOn(oracle, golden, net.labels.slice(0, count)), { ...asThere, loss });
      expect(outcomes.map(({ status }) => (status === 'success' ? 1 : 0))).toEqual(golden.fell);
      const clean = loss === 'targeted' ? 1 : 0;
      expect(oracle.counts(0)).toMatchObject({ forwards: clean + golden.forwards, backwards: golden.backwards });
      const apart = walks.map((walk, s) => Math.abs(highest(inside(walk, norm)).loss - rows(golden.bestLoss, count)[s]![0]!));
      // where the loss has levelled off, rounding decides whether it rose, so the last steps may part
      const largest = Math.max(...apart);
      expect(
        note(`${norm}, ${loss}: best loss of ${recorded.steps} steps on one net, largest difference`, largest, '< 1e-4'),
      ).toBeLessThan(1e-4);
      expect(apart.filter((d) => d < 1e-5).length).toBeGreaterThanOrEqual(count - 2);
    });
  },
);
