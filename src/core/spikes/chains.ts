/** @file Comparisons in order of time: which of them are the steps of one layer, and which are no spikes at all. */
import type { Firing } from './candidates.ts';
import type { ResetKind } from './layer.ts';
import type { Link } from './links.ts';
import type { Scene } from './scene.ts';

/** One layer: its comparisons from the first step to the last; links[t] leads from step t to t + 1. */
export interface Chain {
  readonly firings: readonly Firing[];
  readonly links: readonly Link[];
}

/**
 * The longest ways through the links, every firing in one chain only: where an earlier potential can be seen past a later one, the later one is the step
 * before. Firings without a link are chains of one.
 */
export function chainsOf(firings: readonly Firing[], linksInto: ReadonlyMap<Firing, readonly Link[]>): Chain[] {
  const depth = new Map<Firing, number>();
  const before = new Map<Firing, Link>();
  for (const f of firings) {
    const best = [...(linksInto.get(f) ?? [])].sort((a, b) => rank(b, depth) - rank(a, depth))[0];
    depth.set(f, best === undefined ? 0 : depth.get(best.from)! + 1);
    if (best !== undefined) before.set(f, best);
  }
  const after = new Map<Firing, Link>();
  for (const link of before.values()) {
    const rival = after.get(link.from);
    // a potential that has no reset may be read by another layer too; one that has is the layer's own
    if (rival === undefined || (rival.reset === 'none' && link.reset !== 'none')) after.set(link.from, link);
  }
  const starts = firings.filter((f) => after.get(before.get(f)?.from as Firing)?.to !== f);
  return starts.map((start) => {
    const links: Link[] = [];
    for (let link = after.get(start); link !== undefined; link = after.get(link.to)) links.push(link);
    return { firings: [start, ...links.map((l) => l.to)], links };
  });
}

const rank = (link: Link, depth: ReadonlyMap<Firing, number>): number =>
  2 * depth.get(link.from)! + (link.reset === 'none' ? 0 : 1);

/** What the links say of the reset; the last one, since the first may start from what is fed at every step. */
export const resetOf = (chain: Chain): ResetKind =>
  (chain.links.findLast((l) => l.reset !== 'none') ?? chain.links.at(-1))?.reset ?? 'none';

/**
 * Whether a chain is a layer of spiking neurons for certain: at least two steps are linked, and something arrives between them. Without a reset what arrives
 * must be added, and the spikes must be more than masks: there is too little else to tell a neuron by from a gate on a running mean or maximum.
 */
export function isSpiking(scene: Scene, chain: Chain): boolean {
  if (chain.links.length === 0 || chain.links.every((l) => l.arrival === 'nothing')) return false;
  if (resetOf(chain) !== 'none') return true;
  return chain.links.every((l) => typeof l.arrival === 'object') && !chain.firings.every((f) => onlyMasks(scene, f));
}

/**
 * Whether a comparison looks once more at a potential that has just been reset, with nothing arriving in between: it belongs to the bookkeeping of a step
 * (snnTorch without reset delay), or to a residual code, and is no step of its own.
 */
export const looksAgain = (into: readonly Link[]): boolean =>
  into.some((l) => l.reset !== 'none') && into.every((l) => l.arrival === 'nothing');

/** Whether all that is done with a spike is to multiply something computed by it. */
const onlyMasks = (scene: Scene, f: Firing): boolean =>
  f.floats.every((name) =>
    scene.consumers(name).every((node) => node.op === 'Mul' && node.inputs.every((i) => i === name || scene.live(i))),
  );
