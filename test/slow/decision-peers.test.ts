/** @file HopSkipJump and Boundary against foolbox and ART (test/oracles/attacks/decision.py): five seeds each, at equal numbers of queries. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Norm } from '../../src/kit/threat/threat.ts';
import { attackNamed } from '../../src/methods/attacks/registry.ts';
import { jobOf } from '../methods/attacks/linear.ts';
import { measured, spread } from '../methods/attacks/measured.ts';
import { golden, median, type Net, type NetName, openNet } from '../methods/attacks/shared.ts';

interface Peer {
  readonly net: NetName;
  readonly attack: string;
  readonly norm: Norm;
  readonly peer: string;
  /** By limit, then by seed. */
  readonly medians: readonly (readonly number[])[];
  readonly successes: readonly (readonly number[])[];
}

const { samples, limits, runs } = golden<{ samples: number; limits: number[]; runs: Peer[] }>('decision.json');
const seeds = [0, 1, 2, 3, 4];
const cases = [...new Set(runs.map(({ net, attack, norm }) => `${net} ${attack} ${norm}`))].flatMap((key) => {
  const [net, attack, norm] = key.split(' ') as [NetName, string, Norm];
  return limits.map((limit, at) => ({ net, attack, norm, limit, at }));
});

const nets = new Map<NetName, Net>();
beforeAll(async () => {
  for (const { net } of runs) if (!nets.has(net)) nets.set(net, await openNet(net));
});
afterAll(async () => {
  for (const net of nets.values()) await net.release();
});

/** Success rate and median size, failures as infinite, of the first samples at one seed. */
async function ours(net: Net, name: string, norm: Norm, limit: number, seed: number) {
  const attack = attackNamed(name);
  const batch = net.batch.slice(0, samples);
  const threats = net.threats({ norm, eps: 0.5 }).slice(0, samples);
  const job = jobOf(net.oracle(), batch, net.goals.slice(0, samples), threats);
  const random = (i: number, restart: number) => job.random(i, restart).fork(seed);
  const outcomes = await attack.run({ ...job, random, queries: batch.map(() => limit) }, attack.defaults);
  const sizes = outcomes.map(({ inputs }, k) => {
    const [input, threat] = Object.entries(threats[k]!)[0]!;
    return inputs === undefined
      ? Number.POSITIVE_INFINITY
      : threat.size(inputs[input]!.map((value, i) => value - batch[k]!.inputs[input]![i]!));
  });
  return { rate: sizes.filter(Number.isFinite).length / samples, median: median(sizes) };
}

describe('against foolbox and ART', () => {
  it.each(cases)(
    '$attack in $norm on $net after $limit queries: every seed is within the range of the seeds of a peer, or smaller',
    async (c) => {
      const found = [];
      for (const seed of seeds) found.push(await ours(nets.get(c.net)!, c.attack, c.norm, c.limit, seed));
      for (const peer of runs.filter(({ net, attack, norm }) => net === c.net && attack === c.attack && norm === c.norm)) {
        const theirs = peer.medians[c.at]!;
        measured({
          attack: c.attack,
          peer: peer.peer === 'art' ? 'ART 1.20.1' : 'foolbox 3.3.4',
          what: `${c.norm} on ${c.net} after ${c.limit} queries: median size of ${samples} samples, over five seeds each`,
          value: `ours ${spread(found.map(({ median: size }) => size))}, peer ${spread(theirs)}`,
          allowed: 'every seed at most the largest of the peer',
        });
        for (const { rate, median: size } of found) {
          expect(rate).toBeGreaterThanOrEqual(Math.min(...peer.successes[c.at]!));
          expect(size).toBeLessThanOrEqual(Math.max(...theirs));
        }
      }
    },
  );
});
