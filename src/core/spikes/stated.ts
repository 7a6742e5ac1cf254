/** @file What a person may say of the spikes of a graph, and the comparisons that are meant. */
import { suggestion, UserError } from '../errors.ts';
import { nodeName } from '../onnx/graph.ts';
import type { Firing } from './candidates.ts';
import type { Chain } from './chains.ts';
import type { Idiom } from './idioms.ts';
import type { Link } from './links.ts';
import type { Scene } from './scene.ts';

export interface StatedSpikes {
  /** 'all': every comparison that becomes numbers; or names of comparisons (or of values they make), one list per layer in order of time, or one flat list. */
  readonly layers?: 'all' | readonly string[] | readonly (readonly string[])[] | undefined;
  readonly idioms?: readonly Idiom[] | undefined;
  /** The axis of time where one comparison holds all steps. */
  readonly timeAxis?: number | undefined;
  /** There are none, whatever it looks like. */
  readonly none?: boolean | undefined;
}

/** Whether somebody says which comparisons are spikes, so that links need not prove it. */
export const names = (stated: StatedSpikes): boolean => stated.layers !== undefined || stated.timeAxis !== undefined;

/** The layers that were stated. Throws a UserError for a name that is no comparison whose result becomes numbers. */
export function statedChains(
  scene: Scene,
  firings: readonly Firing[],
  found: readonly Chain[],
  links: ReadonlyMap<Firing, readonly Link[]>,
  stated: StatedSpikes,
): Chain[] {
  const { layers } = stated;
  if (layers === undefined || layers === 'all') return [...found];
  const byName = (name: string): Firing => {
    const f = firings.find((one) => namesOf(scene, one).includes(name));
    if (f !== undefined) return f;
    throw new UserError(
      `spikes: "${name}" is no comparison of floats whose result becomes 0 and 1`,
      firings.length === 0
        ? 'the graph has none: leave the section out'
        : suggestion(
            name,
            firings.map((one) => nodeName(one.nodes[0]!)),
          ),
    );
  };
  if (layers.every((l) => typeof l === 'string')) {
    const meant = new Set(layers.map(byName));
    return found.flatMap(({ firings: all, links: between }) => cut({ firings: all, links: between }, meant));
  }
  return layers.map((layer) => {
    const steps = (typeof layer === 'string' ? [layer] : layer).map(byName);
    const between = steps.slice(1).map((to, t): Link => {
      const from = steps[t]!;
      return links.get(to)?.find((l) => l.from === from) ?? { from, to, reset: 'unknown', arrival: 'something' };
    });
    return { firings: steps, links: between };
  });
}

/** The runs of a chain that are meant. */
function cut(chain: Chain, meant: ReadonlySet<Firing>): Chain[] {
  const runs: Chain[] = [];
  let run: { firings: Firing[]; links: Link[] } | undefined;
  chain.firings.forEach((f, i) => {
    if (!meant.has(f)) run = undefined;
    else if (run === undefined) {
      run = { firings: [f], links: [] };
      runs.push(run);
    } else {
      run.firings.push(f);
      run.links.push(chain.links[i - 1]!);
    }
  });
  return runs;
}

const namesOf = (scene: Scene, f: Firing): string[] => [
  ...f.nodes.flatMap((n) => [n.name, ...n.outputs]),
  ...[...f.floats, ...f.bools, ...f.negated].flatMap((v) => [v, scene.producer(v)?.name ?? '']),
];
