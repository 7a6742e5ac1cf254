/**
 * @file PDSG (Lun et al. 2025, arXiv 2503.03272): the surrogate of a spike is a normal density as wide as the potentials themselves deviate,
 * g(u) = exp(-(u - shift sigma)^2 / (2 sigma^2)) / (sigma sqrt(2 pi)). A `width` other than 1 times sigma, and Cauchy's tails, are additions of ours. The statistics are part of the gradient graph, and constants to it.
 */
import type { GraphBuilder } from '../../onnx/builder.ts';
import type { Node } from '../../onnx/graph.ts';
import type { SpikingLayer } from '../../spikes/layer.ts';
import { f32, tensor } from '../../tensor/tensor.ts';
import { type Algebra, algebra } from '../algebra.ts';
import type { Broadcasting, Scene } from '../rule.ts';
import { nameInTwin } from '../substitutes.ts';
import { ofComparison } from './curves.ts';
import { deviationOf, type Moments, momentsOf, together } from './moments.ts';

/** Of the potentials above threshold (u) of other samples at a step: how many per channel, their mean, the sum of squared deviations from it. */
export interface KnownMoments {
  readonly count: number;
  readonly mean: Float64Array;
  readonly deviations: Float64Array;
}

export interface PdsgOptions {
  /** Width of the density over the deviation of the potentials: 1 as published. */
  readonly width: number;
  /** How far above the threshold the density has its centre, in its own widths. */
  readonly shift: number;
  /** normal, as published, or cauchy: 1 / (pi w (1 + (u - c)^2 / w^2)), whose tails reach neurons far from the threshold. */
  readonly tails: 'normal' | 'cauchy';
  /** Whose potentials count: the neuron's own sample's; those of its batch mates too; or its sample's and the known ones of `reference`. */
  readonly statistics: 'batch' | 'sample' | 'reference-set';
  /** Whether channels have a sigma each. */
  readonly per: 'channel' | 'layer';
  /** Which steps count: all up to the neuron's own, or that alone. */
  readonly over: 'cumulative' | 'current';
  /** Per step, over the steps and channels that `over` and `per` say. */
  readonly reference?: readonly KnownMoments[];
}

export const pdsgDefaults = {
  width: 1,
  shift: 0.5,
  tails: 'normal',
  statistics: 'sample',
  per: 'channel',
  over: 'cumulative',
} as const;

/** The rule of every comparison of a layer; what a step's potentials come to is written once, for those that fire and those that reset. */
export function pdsgRule(layer: SpikingLayer, options: PdsgOptions): Broadcasting {
  if (options.statistics === 'reference-set' && options.reference?.length !== layer.steps)
    throw new Error(`layer ${layer.name} has ${layer.steps} steps, its reference ${options.reference?.length ?? 'none'}`);
  const memories = new WeakMap<GraphBuilder, Map<string, Densities>>();
  return ofComparison((m, node, scene) => {
    const memory = memories.get(scene.g) ?? new Map<string, Densities>();
    memories.set(scene.g, memory);
    const own = nameInTwin(node.name);
    const prefix = node.name.slice(0, node.name.length - own.length);
    const densities = memory.get(prefix) ?? densitiesOf(layer, options, (name) => scene.node(prefix + name), scene);
    memory.set(prefix, densities);
    const { centre, factor, height } = densities.at(layer.spikes.find((spike) => spike.node === own)!.step);
    const square = m.square(m.sub(densities.measured(m, node), centre));
    const scaled = m.mul(square, factor);
    return options.tails === 'cauchy' ? m.div(height, m.add(scaled, 1)) : m.mul(m.exp(scaled), height);
  });
}

/** height exp(factor (v - centre)^2), or height / (1 + factor (v - centre)^2); v is what is `measured`. */
interface Density {
  readonly centre: string;
  readonly factor: string;
  readonly height: string;
}

interface Densities {
  at(step: number): Density;
  /** Of a comparison: the potential where one constant is the threshold of all steps, for it deviates as much as u; else u. */
  measured(m: Algebra, node: Node): string;
}

function densitiesOf(
  layer: SpikingLayer,
  options: PdsgOptions,
  find: (name: string) => Node | undefined,
  scene: Scene,
): Densities {
  const nodes = layer.spikes.map(({ node }) => find(node)).filter((node) => node !== undefined);
  const first = nodes[0]!;
  const m = algebra(scene, first.inputs[0]!);
  const rank = scene.dims(first.outputs[0]!).length;
  const { batch, channel, time } = layer.axes;
  const summed = axesOf(rank, (axis) => {
    if (axis === batch) return options.statistics === 'batch';
    if (axis === channel) return options.per === 'layer';
    return axis !== time;
  });
  const threshold = commonThreshold(scene, nodes);
  const measured = (algebraOf: Algebra, { inputs: [potential, level] }: Node): string =>
    threshold === undefined ? algebraOf.sub(potential!, level!) : potential!;
  const ofStep = once((step: number): Moments | undefined => {
    const node = layer.spikes
      .filter((spike) => spike.step === step)
      .map((spike) => find(spike.node))
      .find((found) => found !== undefined);
    return node && momentsOf(m, scene, measured(m, node), node.outputs[0]!, summed);
  });
  const allSteps = once(() => {
    const { count, mean, deviations } = momentsOf(m, scene, measured(m, first), first.outputs[0]!, summed);
    const split = (value: string) => splitAlong(scene, value, time!, layer.steps);
    const [means, parts] = [split(mean), deviations === undefined ? undefined : split(deviations)];
    return means.map((part, t): Moments => ({ count, mean: part, deviations: parts?.[t] }));
  });
  const at = (step: number): Moments | undefined => (time === undefined ? ofStep(step) : allSteps(0)[step]);
  const upTo = once((step: number): Moments | undefined => {
    const [before, now] = [step === 0 || options.over === 'current' ? undefined : upTo(step - 1), at(step)];
    return before === undefined || now === undefined ? (now ?? before) : together(m, before, now);
  });
  const deviation = (step: number): string => {
    const own = upTo(step)!;
    const known = options.statistics === 'reference-set' ? options.reference?.[step] : undefined;
    return deviationOf(
      m,
      scene,
      known === undefined ? own : together(m, own, asNodes(m, scene, known, { rank, channel, threshold })),
    );
  };
  const everyStep = (): string => {
    const size = scene.g.op('Shape', [at(0)!.mean]);
    const steps = Array.from({ length: layer.steps }, (_, t) => scene.g.op('Expand', [deviation(t), size]));
    return scene.g.op('Concat', steps, { axis: time! });
  };
  const densityAt = once((step): Density => {
    const deviated = time === undefined ? deviation(step) : everyStep();
    const sigma = options.width === 1 ? deviated : m.mul(deviated, options.width);
    const shift = m.mul(sigma, options.shift);
    return {
      centre: threshold === undefined ? shift : m.add(shift, threshold),
      factor: m.div(options.tails === 'cauchy' ? 1 : -0.5, m.square(sigma)),
      height: m.div(options.tails === 'cauchy' ? 1 / Math.PI : 1 / Math.sqrt(2 * Math.PI), sigma),
    };
  });
  return { at: densityAt, measured };
}

/** The constant that is the threshold of all these comparisons; undefined where one's is computed (it may be from the second step on), or another number. */
function commonThreshold(scene: Scene, nodes: readonly Node[]): string | undefined {
  const texts = new Set(
    nodes.map(({ inputs }) => {
      const constant = scene.constant(inputs[1]!);
      return constant === undefined ? undefined : `${constant.dims}:${constant.data}`;
    }),
  );
  return texts.size === 1 && !texts.has(undefined) ? nodes[0]!.inputs[1]! : undefined;
}

/** Moments that are known already, along the channel axis, of what is measured rather than of u. */
function asNodes(
  m: Algebra,
  scene: Scene,
  { count, mean, deviations }: KnownMoments,
  { rank, channel, threshold }: { rank: number; channel: number; threshold: string | undefined },
): Moments {
  const constant = (values: Float64Array): string => {
    const dims = Array.from({ length: rank }, (_, axis) => (axis === channel ? values.length : 1));
    return scene.g.constant(m.dtype === 'float64' ? tensor('float64', dims, values) : f32(values, dims));
  };
  const above = constant(mean);
  return { count, mean: threshold === undefined ? above : m.add(above, threshold), deviations: constant(deviations) };
}

function splitAlong({ g }: Scene, value: string, axis: number, parts: number): string[] {
  return parts === 1 ? [value] : g.ops('Split', [value], parts, { axis, num_outputs: parts });
}

const axesOf = (rank: number, holds: (axis: number) => boolean): number[] =>
  Array.from({ length: rank }, (_, axis) => axis).filter(holds);

/** The same function, each answer worked out once. */
function once<T>(of: (step: number) => T): (step: number) => T {
  const known = new Map<number, T>();
  return (step) => {
    if (!known.has(step)) known.set(step, of(step));
    return known.get(step)!;
  };
}
