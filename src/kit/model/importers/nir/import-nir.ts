/**
 * @file Spiking networks in the Neuromorphic Intermediate Representation (NIR; Pedersen et al. 2024, Nature Communications 15, 8122) to ONNX, written out over
 * their time steps. What the file leaves open (length of a step, number of steps, kind of reset) is an option.
 */
import { suggestion, UserError } from '../../../../core/errors.ts';
import { graphBuilder } from '../../../../core/onnx/builder.ts';
import type { Graph } from '../../../../core/onnx/graph.ts';
import { add, type Flow, type Layer, type Opening, type ResetKind } from './layer.ts';
import { layers } from './layers.ts';
import { type NirNetwork, readNetwork, type Schedule, scheduleOf } from './network.ts';
import { neurons } from './neurons.ts';
import { describeNode, type NirNode, type NirTree, shapeIn } from './tree.ts';

/** What may become of the outputs of all steps. */
export const readings = ['mean', 'sum', 'last'] as const;

export interface NirOptions {
  /** Seconds of a time step; needed where the network has neurons or delays. */
  readonly dt?: number;
  readonly steps?: number;
  /** What a spike does to its potential, which no file says: see resetKinds. */
  readonly reset?: ResetKind;
  /** What becomes of the outputs of all steps. */
  readonly read?: (typeof readings)[number];
  /** What errors call the file. */
  readonly source?: string;
}

export const nirDefaults = { steps: 10, reset: 'zero', read: 'mean', source: 'the NIR file' } as const;

/** Every type of node that can be read. */
export const nirTypes: readonly string[] = [...Object.keys(layers), ...Object.keys(neurons), 'NIRGraph'];

/**
 * The network of a NIR file as a graph over `steps` time steps: each input [N, T, ...shape], each output [N, ...shape], the mean over time by default. Several
 * edges into a node add up; an edge that closes a cycle brings what its node gave a step earlier (nothing, before the first). The manifest in the metadata
 * says that inputs are binary events. Throws a UserError for nodes of unknown type, shapes that are missing or contradict each other, and where dt is needed.
 */
export function importNir(tree: NirTree, options: NirOptions = {}): Graph {
  const { steps, reset, read, source } = { ...nirDefaults, ...options };
  if (!Number.isInteger(steps) || steps < 1)
    throw new UserError(`steps is ${steps}`, 'a network runs for a whole number of steps, e.g. 10');
  if (options.dt !== undefined && !(options.dt > 0))
    throw new UserError(`dt is ${options.dt}`, 'a time step has a length in seconds, e.g. 1e-4');
  const network = readNetwork(tree, source);
  const schedule = scheduleOf(network);
  const outputs = schedule.order.filter((n) => n.type === 'Output' && !network.edges.some(({ from }) => from === n.name));
  if (outputs.length === 0)
    throw new UserError(`${source} has no Output that an Input reaches`, 'give the network an Input and an Output');
  const g = graphBuilder({ name: 'nir' });
  const opened = openLayers(network, schedule, { g, dt: options.dt, reset }, source);
  const isFed = (node: NirNode): boolean => node.type === 'Input' && !network.edges.some(({ to }) => to === node.name);
  const inputs = schedule.order.filter(isFed);
  for (const { name } of inputs) g.input(name, ['N', steps, ...opened.get(name)!.shape]);

  const totals = new Map<string, Flow>();
  let before = new Map<string, Flow>();
  for (let t = 0; t < steps; t++) {
    const now = new Map<string, Flow>();
    for (const node of schedule.order) {
      const given = isFed(node)
        ? g.op('Gather', [node.name, indexOf(g, t)], { axis: 1 })
        : flowInto(node.name, network, schedule, { g, now, before, opened, t });
      now.set(node.name, opened.get(node.name)!.step(given, t));
    }
    for (const { name } of outputs) totals.set(name, read === 'last' ? now.get(name) : add(g, totals.get(name), now.get(name)));
    before = now;
  }
  for (const { name } of outputs) {
    const total = totals.get(name);
    if (total === undefined)
      throw new UserError(`nothing reaches the output "${name}" within ${steps} steps`, 'run it for more steps');
    const as = outputs.length === 1 && !inputs.some((input) => input.name === 'logits') ? 'logits' : `${name}.${read}`;
    if (read === 'mean') g.op('Mul', [total, g.number(1 / steps)], {}, as);
    else g.op('Identity', [total], {}, as);
    g.output(as, ['N', ...opened.get(name)!.shape]);
  }
  return { ...g.build(), metadata: new Map([['provoke', JSON.stringify(manifestOf(inputs, opened, { steps, source }))]]) };
}

const indexOf = (g: Opening['g'], t: number): string =>
  g.constant({ dtype: 'int64', dims: [], data: BigInt64Array.of(BigInt(t)) });

/** Opens every node for the shape that flows into it along edges of the same step. */
function openLayers({ edges }: NirNetwork, { order, back }: Schedule, opening: Opening, source: string): Map<string, Layer> {
  const opened = new Map<string, Layer>();
  for (const node of order) {
    const open = layers[node.type] ?? neurons[node.type];
    if (open === undefined || !nirTypes.includes(node.type))
      throw new UserError(`${source}: ${describeNode(node)} is of a type that is not known`, suggestion(node.type, nirTypes));
    const given = edges
      .filter((e) => e.to === node.name && !back.has(e))
      .map(({ from }) => ({ from, shape: opened.get(from)!.shape }));
    const shape = given[0]?.shape ?? shapeIn(node, 'shape');
    if (shape === undefined || shape.length === 0)
      throw new UserError(
        `${source}: the shape of ${describeNode(node)} is missing`,
        'export the network with a sample of its input, so that shapes are known',
      );
    const other = given.find((e) => e.shape.join() !== shape.join());
    if (other !== undefined)
      throw new UserError(
        `${source}: into ${describeNode(node)} flow [${shape}] from "${given[0]!.from}" and [${other.shape}] from "${other.from}"`,
        'what flows into a node is added up and needs one shape',
      );
    opened.set(node.name, open(node, shape, opening));
  }
  return opened;
}

interface Moment {
  readonly g: Opening['g'];
  readonly t: number;
  readonly opened: ReadonlyMap<string, Layer>;
  /** What the nodes gave in this step, and in the one before. */
  readonly now: ReadonlyMap<string, Flow>;
  readonly before: ReadonlyMap<string, Flow>;
}

/** The sum of what flows into a node. */
function flowInto(name: string, network: NirNetwork, { back }: Schedule, moment: Moment): Flow {
  const { g, now, before, t } = moment;
  return network.edges
    .filter((e) => e.to === name)
    .reduce<Flow>((sum, edge) => {
      const value = !back.has(edge) ? now.get(edge.from) : t > 0 ? before.get(edge.from) : atRest(edge.from, network, moment);
      return add(g, sum, value);
    }, undefined);
}

/** What a node gives before the first step, when no neuron has fired: an Affine its bias. */
function atRest(name: string, network: NirNetwork, moment: Moment, via: readonly string[] = []): Flow {
  const layer = moment.opened.get(name)!;
  if (layer.remembers || via.includes(name)) return undefined;
  const given = network.edges
    .filter((e) => e.to === name)
    .reduce<Flow>((sum, { from }) => add(moment.g, sum, atRest(from, network, moment, [...via, name])), undefined);
  return layer.step(given, 0);
}

function manifestOf(
  inputs: readonly NirNode[],
  opened: ReadonlyMap<string, Layer>,
  { steps, source }: { steps: number; source: string },
) {
  const letters = (rank: number): string => (rank === 1 ? 'F' : rank === 2 ? 'CW' : rank === 3 ? 'CHW' : '');
  const fields = inputs.map(({ name }) => {
    const { shape } = opened.get(name)!;
    const layout = letters(shape.length);
    if (layout === '')
      throw new UserError(
        `${source}: the input "${name}" has the shape [${shape}]`,
        'inputs have one to three axes: features, channels and places',
      );
    return [
      name,
      {
        shape: [steps, ...shape],
        layout: `NT${layout}`,
        modality: 'events',
        domain: 'binary',
        bounds: [0, 1],
        storage: 'binary',
      },
    ] as const;
  });
  return { inputs: Object.fromEntries(fields) };
}
