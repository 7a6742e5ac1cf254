/** @file Finds the spiking neurons of a graph, layer by layer and step by step, and writes them in the plain form. */
import { UserError } from '../errors.ts';
import { graphBuilder } from '../onnx/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import { dropDead } from '../onnx/passes/drop-dead.ts';
import type { Execute, ShapeTable } from '../onnx/passes/shapes.ts';
import { numbersOf, type Tensor } from '../tensor/tensor.ts';
import { axesOf } from './axes.ts';
import { type Firing, findFirings, mayFire } from './candidates.ts';
import { type Chain, chainsOf, isSpiking, looksAgain, resetOf } from './chains.ts';
import { plainIdioms } from './idioms.ts';
import type { Spiking, SpikingLayer } from './layer.ts';
import { linksInto } from './links.ts';
import { freeNames, writePlainForm } from './plain-form.ts';
import { type Scene, sceneOf } from './scene.ts';
import { names, type StatedSpikes, statedChains } from './stated.ts';

export interface RecogniseOptions {
  readonly shapes: ShapeTable;
  readonly execute: Execute;
  /** Some inputs within their bounds, and draws for the random ones: what the spikes are tried on, where there are any. */
  readonly probes: () => Readonly<Record<string, Tensor>>;
  /** Inputs that are fed with random numbers. */
  readonly randoms?: Iterable<string>;
  readonly stated?: StatedSpikes;
}

export interface Recognised {
  /** In the plain form (plain-form.ts); forward results are those of the graph that was given, bit for bit. */
  readonly graph: Graph;
  readonly spiking: Spiking;
}

/**
 * The spiking layers of a prepared graph; undefined where it has none. Unless somebody states them, comparisons count only where steps are linked in time:
 * what is compared at one step is made of what was compared at the step before by arithmetic on elements alone, having fired lowers it (reset) or leaves it
 * as it is (no reset; then what arrives must not depend on the neuron's own spike, the spike must do more than mask a signal, and it must change over the
 * probes), and something arrives in between. A comparison without such a link is an ordinary one: a binarised activation or a gate looks the same.
 * Throws a UserError for names in `stated` that mean nothing here.
 */
export async function recognise(graph: Graph, options: RecogniseOptions): Promise<Recognised | undefined> {
  const { stated = {} } = options;
  const asked = stated.idioms ?? [];
  if (stated.none === true || (asked.length === 0 && !names(stated) && !mayFire(graph.nodes))) return undefined;
  const plain = asked.length === 0 ? { graph, shapes: options.shapes } : plainIdioms(graph, options.shapes, asked);
  const scene = sceneOf(plain.graph, plain.shapes, options.randoms);
  const seen = findFirings(scene);
  const first = linksInto(scene, seen, names(stated));
  const firings = names(stated) ? seen : seen.filter((f) => !looksAgain(first.get(f)!));
  const links = firings.length === seen.length ? first : linksInto(scene, firings, names(stated));
  const all = chainsOf(firings, links);
  const chains = names(stated)
    ? statedChains(scene, firings, all, links, stated)
    : await changing(
        plain.graph,
        options,
        all.filter((chain) => isSpiking(scene, chain)),
      );
  if (chains.length === 0) return undefined;
  const ordered = [...chains].sort((a, b) => place(scene, a) - place(scene, b));
  const layerNames = freeNames(plain.graph, scopes(ordered));
  const written = writePlainForm(scene, ordered, layerNames);
  const layers = ordered.map((chain, i) =>
    layerOf(scene, chain, { name: layerNames[i]!, ...written.layers[i]! }, stated.timeAxis),
  );
  return { graph: written.graph, spiking: { layers, said: await silent(written.graph, options, layers) } };
}

const place = (scene: Scene, { firings }: Chain): number => scene.position.get(firings[0]!.nodes[0]!)!;

function layerOf(
  scene: Scene,
  chain: Chain,
  written: Pick<SpikingLayer, 'name' | 'spikes' | 'outputs'>,
  timeAxis: number | undefined,
): SpikingLayer {
  const { firings } = chain;
  const [first] = firings as [Firing];
  const time = firings.length === 1 ? timeAxis : undefined;
  const { axes, space } = axesOf(scene, first, time);
  const held = time === undefined ? firings.length : scene.shape(first.floats[0]!)?.dims[time];
  if (held === undefined || held === null)
    throw new UserError(
      `spikes: timeAxis ${time} is no axis of fixed size of what ${first.nodes[0]!.op} "${first.nodes[0]!.name}" compares`,
      'name the axis of the compared values that holds the steps, counted from 0',
    );
  const currents = currentsOf(chain);
  return {
    ...written,
    steps: held,
    threshold: thresholdOf(firings),
    strict: first.strict,
    reset: resetOf(chain),
    axes,
    ...(space === undefined ? {} : { space }),
    ...currents,
  };
}

function thresholdOf(firings: readonly Firing[]): SpikingLayer['threshold'] {
  const [first, ...more] = firings.map((f) => f.threshold);
  if (first === undefined || more.includes(undefined)) return 'adaptive';
  return first.length === 1 ? first[0]! : first;
}

/** Per step what arrives, the first potential being all that has arrived by then; nothing where one step's arrival cannot be told apart. */
function currentsOf({ firings, links }: Chain): Pick<SpikingLayer, 'currents' | 'gains'> {
  if (links.length === 0) return { currents: [firings[0]!.potentials.at(-1)!] };
  const arrivals = links.flatMap(({ arrival }) => (typeof arrival === 'string' ? [] : [arrival]));
  if (arrivals.length < links.length) return {};
  const gains = [1, ...arrivals.map((a) => a.gain)];
  return {
    currents: [firings[0]!.potentials.at(-1)!, ...arrivals.map((a) => a.value)],
    ...(gains.every((g) => g === 1) ? {} : { gains }),
  };
}

/** Names of modules the exporter left in the names of nodes (/block/lif1/Greater), else lif1, lif2 ... from the input on. */
function scopes(chains: readonly Chain[]): string[] {
  return chains.map(({ firings }, i) => {
    const scope = /^\/(.+)\/[^/]+$/.exec(firings[0]!.nodes[0]!.name)?.[1];
    return scope === undefined ? `lif${i + 1}` : scope.replaceAll('/', '.');
  });
}

/** Of chains without a reset those whose spikes are not the same for all probes: without one there is too little else to tell a neuron by. */
async function changing(graph: Graph, options: RecogniseOptions, chains: readonly Chain[]): Promise<Chain[]> {
  const weak = chains.filter((chain) => resetOf(chain) === 'none');
  if (weak.length === 0) return [...chains];
  const values = weak.map(({ firings }) => firings.map((f) => f.floats[0]!));
  const shares = await firingShares(graph, options, values.flat());
  const constant = new Set(weak.filter((_, i) => values[i]!.every((v) => [0, 1].includes(shares.get(v)!))));
  return chains.filter((chain) => !constant.has(chain));
}

/** Layers in which nothing fires on the probes, said in one sentence. */
async function silent(graph: Graph, options: RecogniseOptions, layers: readonly SpikingLayer[]): Promise<string[]> {
  const shares = await firingShares(
    graph,
    options,
    layers.flatMap((l) => l.outputs),
  );
  const quiet = layers.filter((l) => l.outputs.every((v) => shares.get(v) === 0));
  return quiet.length === 0 ? [] : [`nothing fires in ${quiet.map((l) => l.name).join(', ')} on the inputs that were tried`];
}

/** How much of each value is 1 over the probes. */
async function firingShares(
  graph: Graph,
  { execute, probes }: RecogniseOptions,
  values: readonly string[],
): Promise<Map<string, number>> {
  const g = graphBuilder({ from: { ...graph, outputs: [], values: new Map() } });
  values.forEach((value, i) => {
    g.output(g.op('ReduceMean', [g.op('Cast', [value], { to: 1 })], { keepdims: 0 }, `share_${i}`));
  });
  const results = await execute(dropDead(g.build()), probes());
  return new Map(values.map((value, i) => [value, numbersOf(results[`share_${i}`]!)[0]!]));
}
