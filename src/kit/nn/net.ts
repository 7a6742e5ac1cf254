/** @file A network under construction: graph nodes, and the parameters, running statistics and random inputs they read. A layer is a function over it. */
import { UserError } from '../../core/errors.ts';
import { type GraphBuilder, graphBuilder } from '../../core/onnx/builder.ts';
import { stream } from '../../core/tensor/random.ts';
import type { DType, Tensor } from '../../core/tensor/tensor.ts';
import { f32, sizeOf } from '../../core/tensor/tensor.ts';
import type { Initialiser } from './initialisers.ts';

/** A value of the network: its name in the graph, and the sizes of one sample. The batch is the first axis and not among them. */
export interface Signal {
  readonly name: string;
  readonly shape: readonly number[];
}

/** training: batch statistics, dropout; inference: running statistics, no dropout. */
export type Mode = 'training' | 'inference';

/** A layer: writes its nodes for x, and returns what it made. Called once per use; calls under one scope share their parameters. */
export type Layer = (net: Net, x: Signal) => Signal;

/** Random numbers one step reads: `[N, ...shape]`, uniform in [0, 1) or standard normal, drawn per sample. */
export interface NoiseInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: 'uniform' | 'normal';
}

export interface Net {
  readonly g: GraphBuilder;
  readonly mode: Mode;
  /** Dotted path of the layers around; '' at the top. */
  readonly scope: string;
  /** The same network inside a named part: parameters made there are called `scope.name.parameter`. */
  within(name: string): Net;
  /** A trainable float32 tensor of the graph; asked for again under the same name, it is the same one. */
  parameter(name: string, dims: readonly number[], initialise: Initialiser): string;
  /** A tensor that training changes otherwise than by gradient (running statistics): its value as it now stands in the graph. */
  statistic(name: string, dims: readonly number[], value: number): string;
  /** What a statistic has become; read by later calls, and kept when the step is over. Training mode only. */
  update(name: string, value: string): void;
  /** A fresh random input. */
  noise(shape: readonly number[], kind: NoiseInput['kind']): string;
}

/** What was written, once all layers have been called. */
export interface Written {
  /** Parameters and statistics are initializers with their first values. */
  readonly builder: GraphBuilder;
  /** Names of the trainable initializers, in the order they were made. */
  readonly parameters: readonly string[];
  /** Statistics, and the value each has after the step (itself where nothing updated it). */
  readonly statistics: ReadonlyMap<string, string>;
  readonly noise: readonly NoiseInput[];
}

export interface NetOptions {
  readonly mode: Mode;
  /** Decides the first values: each parameter has a stream of its own, keyed by its name. */
  readonly seed: number;
}

/** Throws a UserError for a seed that is no whole number: streams keyed by NaN would be the same for every mistake that leads to it. */
export function requireSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new UserError(`the seed is ${seed}`, 'give seed a whole number of at least 0, e.g. 0');
}

/** An empty network; `written` tells at any time what it holds. Throws a UserError for a seed that is no whole number. */
export function openNet({ mode, seed }: NetOptions): { net: Net; written(): Written } {
  requireSeed(seed);
  const g = graphBuilder({ name: 'network' });
  const first = new Map<string, Tensor>();
  const parameters: string[] = [];
  const statistics = new Map<string, string>();
  const noise: NoiseInput[] = [];
  const hold = (name: string, dims: readonly number[], make: () => Float32Array): void => {
    const known = first.get(name);
    if (known === undefined) {
      const value = f32(make(), dims);
      first.set(name, value);
      g.constant(value, name);
    } else if (known.dims.join() !== dims.join()) {
      throw new Error(`"${name}" is [${known.dims}], and is asked for as [${dims}]: give the layers names of their own`);
    }
  };
  const inside = (scope: string): Net => {
    const path = (name: string): string => (scope === '' ? name : `${scope}.${name}`);
    return {
      g,
      mode,
      scope,
      within: (name) => inside(path(name)),
      parameter(name, dims, initialise) {
        const full = path(name);
        hold(full, dims, () => initialise(dims, stream(seed, 'initial', full)));
        if (!parameters.includes(full)) parameters.push(full);
        return full;
      },
      statistic(name, dims, value) {
        const full = path(name);
        hold(full, dims, () => new Float32Array(sizeOf(dims)).fill(value));
        if (!statistics.has(full)) statistics.set(full, full);
        return statistics.get(full)!;
      },
      update(name, value) {
        if (mode !== 'training') throw new Error(`the statistic "${path(name)}" is only updated in training`);
        if (!statistics.has(path(name))) throw new Error(`there is no statistic "${path(name)}"`);
        statistics.set(path(name), value);
      },
      noise(shape, kind) {
        const name = g.fresh(`noise_${path('')}`);
        g.input(name, ['N', ...shape]);
        noise.push({ name, shape, kind });
        return name;
      },
    };
  };
  return { net: inside(''), written: () => ({ builder: g, parameters, statistics, noise }) };
}

/** A data input of the network, `[N, ...shape]`. */
export function inputSignal({ g }: Pick<Net, 'g'>, name: string, shape: readonly number[], dtype: DType = 'float32'): Signal {
  return { name: g.input(name, ['N', ...shape], dtype), shape };
}

/** The layers one after the other; the i-th has the scope `i`. */
export const sequential =
  (...layers: readonly Layer[]): Layer =>
  (net, x) =>
    layers.reduce((value, layer, i) => layer(net.within(String(i)), value), x);

/** The layers one after the other, all under the scope they are called in. */
export const chain =
  (...layers: readonly Layer[]): Layer =>
  (net, x) =>
    layers.reduce((value, layer) => layer(net, value), x);

/** A layer under a name of its own. */
export const named =
  (name: string, layer: Layer): Layer =>
  (net, x) =>
    layer(net.within(name), x);
