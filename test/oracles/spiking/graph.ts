/**
 * @file The networks of test/fixtures/spiking as ONNX graphs, each comparison plainly named, with the description of their spikes that recognition would give.
 * Comparisons of the reset are nodes of their own (role "reset").
 */
import { float, type GraphBuilder, graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import type { Spike, Spiking, SpikingLayer } from '../../../src/core/spikes/layer.ts';
import { f32, tensor } from '../../../src/core/tensor/tensor.ts';

export interface Block {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface NeuronCase {
  readonly tau: number;
  readonly decayInput: boolean;
  readonly vThreshold: number;
  /** null: soft reset. */
  readonly vReset: number | null;
  readonly detachReset: boolean;
}

export type LayerOf =
  | {
      readonly op: 'conv2d';
      readonly weight: Block;
      readonly bias: Block | null;
      readonly padding: number;
      readonly stride: number;
    }
  | {
      readonly op: 'batchNorm2d';
      readonly gamma: readonly number[];
      readonly beta: readonly number[];
      readonly runningMean: readonly number[];
      readonly runningVar: readonly number[];
      readonly eps: number;
    }
  | { readonly op: 'avgPool2d'; readonly kernel: number }
  | { readonly op: 'flatten' }
  | { readonly op: 'linear'; readonly weight: Block; readonly bias: Block | null }
  | { readonly op: 'lif'; readonly neuron: NeuronCase };

export interface SpikingGraph {
  readonly graph: Graph;
  readonly spiking: Spiking;
}

type Float = 'float32' | 'float64';

interface Writer {
  readonly g: GraphBuilder;
  constant(values: readonly number[], dims?: readonly number[]): string;
}

function writer(dtype: Float): Writer {
  const g = graphBuilder({ name: 'spiking' });
  return {
    g,
    constant: (values, dims = []) =>
      g.constant(dtype === 'float32' ? f32(values, dims) : tensor('float64', dims, Float64Array.from(values))),
  };
}

const perChannel = (w: Writer, values: readonly number[]): string => w.constant(values, [1, values.length, 1, 1]);

/** One layer of the case: x [T, N, ...] to its spikes and membranes (before the reset) of the same shape. */
export function layerGraph(neuron: NeuronCase, shape: readonly number[], dtype: Float = 'float32'): SpikingGraph {
  const w = writer(dtype);
  const [steps, , ...rest] = shape as [number, number, ...number[]];
  const x = w.g.input('x', [steps, 'N', ...rest], dtype);
  const lif = neurons(w, neuron, stepsOf(w, x, steps), { name: 'lif', dtype });
  const joined = (values: readonly string[], name: string) => {
    const each = values.map((v) => w.g.op('Unsqueeze', [v, w.g.ints([0])]));
    w.g.output(w.g.op('Concat', each, { axis: 0 }, name), [steps, 'N', ...rest], dtype);
  };
  joined(lif.spikes, 'spikes');
  joined(lif.potentials, 'membrane');
  return { graph: w.g.build(), spiking: { layers: [lif.layer], said: [] } };
}

export interface NetworkCase {
  readonly encoding?: 'real' | 'binary' | 'direct';
  readonly T: number;
  readonly inputShape: readonly number[];
  readonly layers: readonly LayerOf[];
}

/** x [T, N, ...] (encoding direct: [N, ...], repeated T times) to logits [N, K], the mean over time. */
export function networkGraph({ encoding, T, inputShape, layers }: NetworkCase, dtype: Float = 'float32'): SpikingGraph {
  const w = writer(dtype);
  const { g } = w;
  const direct = encoding === 'direct';
  const dims = direct ? ['N', ...inputShape.slice(1)] : [T, 'N', ...inputShape.slice(2)];
  const x = g.input('x', dims, dtype);
  let values = direct ? Array.from({ length: T }, () => x) : stepsOf(w, x, T);
  const found: SpikingLayer[] = [];
  for (const layer of layers) {
    if (layer.op === 'lif') {
      const made = neurons(w, layer.neuron, values, { name: `lif${found.length}`, dtype });
      found.push(made.layer);
      values = made.spikes;
    } else values = each(w, layer, values);
  }
  const sum = values.reduce((a, b) => g.op('Add', [a, b]));
  g.op('Mul', [sum, w.constant([1 / T])], {}, 'logits');
  g.output('logits', ['N', null], dtype);
  return { graph: g.build(), spiking: { layers: found, said: [] } };
}

const stepsOf = ({ g }: Writer, x: string, steps: number): string[] =>
  (steps === 1 ? [x] : g.ops('Split', [x], steps, { axis: 0, num_outputs: steps })).map((part) =>
    g.op('Squeeze', [part, g.ints([0])]),
  );

function each(w: Writer, layer: Exclude<LayerOf, { op: 'lif' }>, values: readonly string[]): string[] {
  const { g } = w;
  const block = ({ data, shape }: Block) => w.constant(data, shape);
  switch (layer.op) {
    case 'conv2d': {
      const { padding: p, stride: s } = layer;
      const weights = [block(layer.weight), ...(layer.bias === null ? [] : [block(layer.bias)])];
      return values.map((v) => g.op('Conv', [v, ...weights], { pads: [p, p, p, p], strides: [s, s] }));
    }
    case 'batchNorm2d': {
      const scale = layer.gamma.map((gamma, c) => gamma / Math.sqrt(layer.runningVar[c]! + layer.eps));
      const [by, plus] = [scale, layer.beta.map((beta, c) => beta - layer.runningMean[c]! * scale[c]!)].map((v) =>
        perChannel(w, v),
      );
      return values.map((v) => g.op('Add', [g.op('Mul', [v, by!]), plus!]));
    }
    case 'avgPool2d': {
      const { kernel: k } = layer;
      return values.map((v) => g.op('AveragePool', [v], { kernel_shape: [k, k], strides: [k, k] }));
    }
    case 'flatten':
      return values.map((v) => g.op('Flatten', [v], { axis: 1 }));
    case 'linear': {
      const weights = [block(layer.weight), ...(layer.bias === null ? [] : [block(layer.bias)])];
      return values.map((v) => g.op('Gemm', [v, ...weights], { transB: 1, alpha: float(1) }));
    }
  }
}

/** The neuron of the fixtures' README over all steps. */
function neurons(
  { g, constant }: Writer,
  { tau, decayInput, vThreshold, vReset }: NeuronCase,
  currents: readonly string[],
  { name, dtype }: { name: string; dtype: Float },
) {
  const [rest, threshold] = [vReset ?? 0, constant([vThreshold])];
  const to = dtype === 'float32' ? 1 : 11;
  const [potentials, outputs]: string[][] = [[], []];
  const spikes: Spike[] = [];
  let after: string | undefined;
  for (const [step, current] of currents.entries()) {
    const v = charge(current, after);
    const fire = (role: Spike['role']): string => {
      const node = g.fresh(`${name}_${role}`);
      spikes.push({ node, step, role });
      g.add({ ...nodeOf(node), inputs: [v, threshold], outputs: [`${node}_fires`] });
      return g.op('Cast', [`${node}_fires`], { to });
    };
    potentials!.push(v);
    outputs!.push(fire('output'));
    if (step === currents.length - 1) break;
    const s = fire('reset');
    after =
      vReset === null
        ? g.op('Sub', [v, g.op('Mul', [s, threshold])])
        : g.op('Add', [g.op('Mul', [v, g.op('Sub', [constant([1]), s])]), g.op('Mul', [s, constant([rest])])]);
  }
  const layer: SpikingLayer = {
    name,
    spikes,
    steps: currents.length,
    threshold: vThreshold,
    strict: false,
    reset: vReset === null ? 'soft' : 'hard',
    axes: { batch: 0, channel: 1 },
    outputs: outputs!,
    currents,
  };
  return { layer, potentials: potentials!, spikes: outputs! };

  function charge(current: string, before: string | undefined): string {
    const by = (value: string, factor: number) => g.op('Mul', [value, constant([factor])]);
    const plus = (value: string, term: number) => (term === 0 ? value : g.op('Add', [value, constant([term])]));
    if (before === undefined) return decayInput ? by(plus(current, rest), 1 / tau) : plus(current, rest / tau);
    const above = plus(before, -rest);
    return decayInput
      ? g.op('Add', [before, by(g.op('Sub', [current, above]), 1 / tau)])
      : g.op('Add', [g.op('Sub', [before, by(above, 1 / tau)]), current]);
  }
}

const nodeOf = (name: string) => ({ name, op: 'GreaterOrEqual', domain: '', attributes: new Map() });
