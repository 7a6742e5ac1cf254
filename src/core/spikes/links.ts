/** @file Which comparisons are one layer at successive steps: what is compared at one remembers what was compared before, and having fired lowers it. */
import type { Firing } from './candidates.ts';
import { type Arrival, arrivalOf } from './currents.ts';
import { elementOf, madeOf, spikeNumbers } from './elements.ts';
import type { ResetKind } from './layer.ts';
import { type Scene, throughElements } from './scene.ts';

/** From a firing to the same neurons one step later. */
export interface Link {
  readonly from: Firing;
  readonly to: Firing;
  readonly reset: ResetKind;
  readonly arrival: Arrival;
}

/** What of other firings a potential is made of by arithmetic on elements, as far back as the nearest ones. */
interface Reach {
  readonly potentials: ReadonlySet<Firing>;
  readonly spikes: ReadonlySet<Firing>;
}

/** For every firing the links that may lead to it. `firings` are in the order of the graph. */
export function linksInto(scene: Scene, firings: readonly Firing[], lenient: boolean): Map<Firing, Link[]> {
  const potentialAt = new Map<string, Firing[]>();
  const spikeAt = new Map<string, Firing>();
  for (const f of firings) {
    for (const name of f.potentials) potentialAt.set(scene.same(name), [...(potentialAt.get(scene.same(name)) ?? []), f]);
    for (const name of [...f.floats, ...f.bools, ...f.negated]) spikeAt.set(name, f);
  }
  const downstream = new Map<Firing, Set<string>>();
  const dependsOn = (value: string, f: Firing): boolean => {
    const known = downstream.get(f) ?? downstreamOf(scene, f);
    downstream.set(f, known);
    return known.has(value);
  };
  const links = new Map<Firing, Link[]>();
  for (const to of firings) {
    const reach = reachOf(scene, to, potentialAt, spikeAt);
    const alike = (from: Firing): boolean => sameKind(scene, from, to);
    const remembered = [...reach.potentials]
      .filter(alike)
      .flatMap((from) => link(scene, from, to, { dependsOn, isSpike: (name) => spikeAt.has(name), lenient }) ?? []);
    const lowered =
      remembered.length > 0 ? [] : [...reach.spikes].filter(alike).flatMap((from) => spikeLink(scene, from, to, dependsOn) ?? []);
    links.set(to, [...remembered, ...lowered]);
  }
  return links;
}

function reachOf(
  scene: Scene,
  to: Firing,
  potentialAt: ReadonlyMap<string, readonly Firing[]>,
  spikeAt: ReadonlyMap<string, Firing>,
): Reach {
  const own = new Set(to.potentials.map(scene.same));
  const potentials = new Set<Firing>();
  const spikes = new Set<Firing>();
  const seen = new Set<string>();
  const open = [...to.potentials];
  while (open.length > 0) {
    const name = open.pop()!;
    if (seen.has(name) || !scene.live(name)) continue;
    seen.add(name);
    const fired = spikeAt.get(name);
    if (fired !== undefined) {
      spikes.add(fired);
      continue;
    }
    const id = scene.same(name);
    if (!own.has(id)) {
      const met = potentialAt.get(id) ?? [];
      for (const f of met) potentials.add(f);
      if (met.length > 0) continue;
    }
    const node = scene.producer(name);
    if (node === undefined) continue;
    open.push(...throughElements(scene, node), ...(node.op === 'Where' ? [node.inputs[0]!] : []));
  }
  return { potentials, spikes };
}

/** Same shape, side and equality; the same threshold, unless it is computed at one of the steps. */
function sameKind(scene: Scene, a: Firing, b: Firing): boolean {
  const shape = (f: Firing): string | undefined => scene.shape(f.floats[0]!)?.dims.join();
  const level = a.threshold === undefined || b.threshold === undefined || a.threshold.join() === b.threshold.join();
  return a.strict === b.strict && a.sign === b.sign && level && shape(a) === shape(b);
}

/** What a link is judged by beside its ends. */
interface Around {
  dependsOn(value: string, f: Firing): boolean;
  isSpike(value: string): boolean;
  readonly lenient: boolean;
}

/** How much a number may be off and still count as the same. */
const tolerance = 1e-4;

/**
 * The later potential as a function of the earlier one, v, and its spike, s. Firing must lower what is remembered (a reset: hard where nothing of v is left,
 * soft where a constant is subtracted), or leave it as it is while something else arrives that does not depend on s (no reset). Anything else is no memory of
 * a neuron: activation functions such as v * (v > 0) bend at the threshold but do not fall, gates let more through when they are open, and sums along
 * residual blocks receive what their own earlier result has caused.
 */
function link(scene: Scene, from: Firing, to: Firing, { dependsOn, isSpike, lenient }: Around): Link | undefined {
  const arrival = arrivalOf(scene, from, to, isSpike);
  const potential = from.potentials.at(-1)!;
  const target = to.potentials.at(-1)!;
  const edge = typeof arrival === 'string' ? undefined : arrival.edge;
  const at = (v: number, spike: number): number =>
    elementOf(scene, target, {
      values: new Map([[potential, v], ...spikeNumbers(from, spike)]),
      otherwise: 0,
      ...(edge === undefined ? {} : { edge: { ...edge, value: 0 } }),
    });
  const level = from.threshold?.[0] ?? to.threshold?.[0] ?? 1;
  const unit = Math.max(Math.abs(level), 1e-3);
  const slope = (spike: number): number => (at(level + 0.5 * unit, spike) - at(level + 0.25 * unit, spike)) / (0.25 * unit);
  const [silent, fired] = [slope(0), slope(1)];
  const fall = (from.sign * (at(level, 0) - at(level, 1))) / unit;
  const made = (reset: ResetKind): Link => ({ from, to, reset, arrival });
  if (silent >= -tolerance && fall > tolerance) {
    if (silent > tolerance && Math.abs(fired) <= tolerance * silent) return made('hard');
    return made(Math.abs(fired - silent) <= tolerance * Math.max(1, silent) ? 'soft' : 'unknown');
  }
  const untouched = silent > tolerance && Math.abs(fall) <= tolerance && Math.abs(fired - silent) <= tolerance * silent;
  if (untouched && (lenient || !to.potentials.some((p) => dependsOn(p, from)))) return made('none');
  return lenient ? made('unknown') : undefined;
}

/**
 * Neurons whose potential is computed anew from other states at each step: those states are common to both steps, having fired lowers the later potential,
 * and does so in no other way than element by element.
 */
function spikeLink(scene: Scene, from: Firing, to: Firing, dependsOn: (value: string, f: Firing) => boolean): Link | undefined {
  const target = to.potentials.at(-1)!;
  const at = (otherwise: number, spike: number): number =>
    elementOf(scene, target, { values: new Map(spikeNumbers(from, spike)), otherwise });
  const falls = [0.5, 0.75].map((other) => from.sign * (at(other, 0) - at(other, 1)));
  if (!falls.every((fall) => fall > tolerance) || !shareState(scene, from, to)) return undefined;
  const feedsBack = madeOf(scene, target, (name) => {
    if (from.floats.includes(name)) return 'stop';
    const node = scene.producer(name);
    return node !== undefined && throughElements(scene, node).length === 0 && dependsOn(name, from);
  });
  if (feedsBack) return undefined;
  const left = [0.5, 0.75].map((other) => at(other, 1));
  const hard = Math.abs(left[0]! - left[1]!) <= tolerance;
  const soft = Math.abs(falls[0]! - falls[1]!) <= tolerance;
  return { from, to, reset: hard ? 'hard' : soft ? 'soft' : 'unknown', arrival: 'something' };
}

/** Whether both potentials are made, element by element, of one computed value. */
function shareState(scene: Scene, from: Firing, to: Firing): boolean {
  const states = new Set<string>();
  const spikes = new Set([...from.floats, ...from.bools, ...from.negated]);
  madeOf(scene, from.potentials.at(-1)!, (name) => {
    if (scene.live(name) && scene.producer(name) !== undefined) states.add(name);
    return false;
  });
  return madeOf(scene, to.potentials.at(-1)!, (name) => states.has(name) && !spikes.has(name));
}

/** Everything that is computed from a firing's spike. */
function downstreamOf(scene: Scene, f: Firing): Set<string> {
  const reached = new Set<string>();
  const open = [...f.floats, ...f.bools, ...f.negated];
  while (open.length > 0) {
    const name = open.pop()!;
    if (reached.has(name)) continue;
    reached.add(name);
    for (const user of scene.consumers(name)) open.push(...user.outputs);
  }
  return reached;
}
