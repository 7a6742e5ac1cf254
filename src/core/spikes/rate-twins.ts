/**
 * @file Differentiable stand-ins of whole spiking layers that look at rates instead of single spikes: each is a twin (the spikes run as they are) whose
 * outputs are written so that their derivative is the published rule; what the rule treats as constant passes through a node named `held`.
 */
import type { Surrogate, Twin } from '../autodiff/substitutes.ts';
import { UserError } from '../errors.ts';
import { type GraphBuilder, graphBuilder } from '../onnx/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import type { SpikingLayer } from './layer.ts';

/** What the rule of one layer may read, by step. `currents` carry the derivative. */
export interface LayerValues {
  readonly g: GraphBuilder;
  readonly currents: readonly string[];
  /** How far the potentials are above the threshold. */
  readonly above: readonly string[];
  /** Booleans: whether it fired. */
  readonly fired: readonly string[];
  /** The same value as a constant of the derivative. */
  held(value: string): string;
  /** Mean over the steps. */
  mean(values: readonly string[]): string;
}

/** Writes what stands for the spikes of each step: only its derivative by the currents matters. */
export type LayerRule = (values: LayerValues) => readonly string[];

const prefix = 'held_rate';

/** The derivative that ends at what a rule holds fixed. */
export const heldFixed: Surrogate = {
  match: { op: 'Identity', pattern: new RegExp(`(^|/)${prefix}_\\d+$`) },
  label: 'held fixed by the rate-based rule',
  rule: () => [],
};

/** The twin of one layer of a graph. Throws a UserError where what flows into it cannot be told apart from what it remembers. */
export function layerTwin(graph: Graph, layer: SpikingLayer, label: string, rule: LayerRule): Twin {
  const { axes, currents, gains, name, outputs, spikes, steps } = layer;
  if (axes.time !== undefined)
    throw new UserError(
      `${label}: the spiking layer "${name}" holds all steps in one tensor, and remembers nothing from step to step`,
      'choose a surrogate (spikes: pdsg)',
    );
  if (currents === undefined)
    throw new UserError(
      `${label}: what flows into the spiking layer "${name}" cannot be told apart from what it remembers`,
      'choose a surrogate (spikes: pdsg), which does not need to know',
    );
  const firing = spikes.filter(({ role }) => role === 'output');
  const nodes = firing.map(({ node }) => graph.nodes.find((n) => n.name === node)!);
  const g = graphBuilder({ name: label });
  const inputs: string[] = [];
  const input = (value: string, dtype: 'float32' | 'bool'): string => {
    inputs.push(value);
    return g.input(`in_${inputs.length}`, [], dtype);
  };
  const flowing = currents.map((value, t) => {
    const current = input(value, 'float32');
    const gain = gains?.[t] ?? 1;
    return gain === 1 ? current : g.op('Mul', [current, g.number(gain)]);
  });
  const fixed = (value: string): string =>
    graph.initializers.has(value) ? g.constant(graph.initializers.get(value)!) : input(value, 'float32');
  const held = (value: string): string => {
    const output = g.fresh(prefix);
    g.add({ op: 'Identity', domain: '', name: output, inputs: [value], outputs: [output], attributes: new Map() });
    return output;
  };
  const values: LayerValues = {
    g,
    currents: flowing,
    above: nodes.map(({ inputs: [potential, threshold] }) => g.op('Sub', [fixed(potential!), fixed(threshold!)])),
    fired: nodes.map(({ outputs: [boolean] }) => input(boolean!, 'bool')),
    held,
    mean: (all) => (steps === 1 ? all[0]! : g.op('Div', [g.op('Sum', all), g.number(steps)])),
  };
  for (const output of rule(values)) g.output(g.op('Identity', [output]));
  return { label, inputs, outputs, graph: g.build() };
}

/** Spikes' derivative passes where the neuron fired at all: dL/dI_t = dL/ds_t [mean of s > 0] (BPTR: Ding et al. 2022 as released code of HART has it). */
export const backwardThroughRate: LayerRule = ({ g, currents, fired, held }) => {
  // Or has no derivative, so nothing flows back through the spikes
  const any = g.op('Cast', [fired.reduce((a, b) => g.op('Or', [a, b]), fired[0]!)], { to: 1 });
  const mask = held(any);
  return currents.map((current) => g.op('Mul', [current, mask]));
};

/**
 * The activation of the net without spikes, at the mean current x in units of the threshold: relu: x > 0; clip: 0 < x < 1 (quantised, with the straight-through
 * derivative). Every step has the derivative of the mean. A reconstruction: the published attack evaluates it along the activations of the copied net,
 * here it is evaluated along those of the spiking net.
 */
export const copiedActivation =
  (activation: 'relu' | 'clip', threshold: number): LayerRule =>
  ({ g, currents, held, mean }) => {
    const x = mean(currents);
    const fixed = held(x);
    const positive = g.op('Greater', [fixed, g.number(0)]);
    const passes = activation === 'relu' ? positive : g.op('And', [positive, g.op('Less', [fixed, g.number(threshold)])]);
    const rate = g.op('Mul', [x, held(g.op('Cast', [passes], { to: 1 }))]);
    return currents.map(() => g.op('Div', [rate, g.number(threshold)]));
  };

/**
 * The rate gradient of Bu et al. (CVPR 2023), on the mean current x in units of the threshold with `retention` = 1 - 1 / tau: slope (1 - floor + floor retention) / (retention + 1) for
 * 1 - retention <= x <= 2, `floor` for 0 <= x <= 1 - retention, else 0; the same for every step. The slope is by x, that by the current is a threshold's part of it.
 */
export const rateGradient =
  ({ retention, floor, threshold }: { retention: number; floor: number; threshold: number }): LayerRule =>
  ({ g, currents, held, mean }) => {
    const x = held(g.op('Div', [mean(currents), g.number(threshold)]));
    const within = (low: number, high: number): string =>
      g.op('And', [g.op('GreaterOrEqual', [x, g.number(low)]), g.op('LessOrEqual', [x, g.number(high)])]);
    const inner = (1 - floor + floor * retention) / (retention + 1);
    const below = g.op('Where', [within(0, 1 - retention), g.number(floor), g.number(0)]);
    const slope = g.op('Where', [within(1 - retention, 2), g.number(inner), below]);
    const each = held(threshold === 1 ? slope : g.op('Div', [slope, g.number(threshold)]));
    return currents.map((current) => g.op('Mul', [current, each]));
  };

/**
 * The hybrid gradient of Hao et al. (HART, ICLR 2024): what was remembered is held fixed, the gradient that enters the layer is averaged over its steps, and a
 * triangle of half-width `width` is the derivative of each step's spike: dL/dI_t = max(0, width - |u_t|) / width^2 mean of dL/ds.
 */
export const averagedOverTime =
  (width: number): LayerRule =>
  ({ g, currents, above, held, mean }) => {
    const flows = currents.map((current, t) => {
      const distance = g.op('Abs', [held(above[t]!)]);
      const triangle = g.op('Div', [g.op('Relu', [g.op('Sub', [g.number(width), distance])]), g.number(width ** 2)]);
      return g.op('Mul', [current, held(triangle)]);
    });
    const same = mean(flows);
    return currents.map(() => same);
  };
