/** @file LSTM, GRU and RNN, one number after another; conventions the definition leaves open are the runtime's (test/oracles/torch/recurrences.py). */
import { floatOf, floatsOf, intOf, type Node, stringOf } from '../../../src/core/onnx/graph.ts';
import { type F64, f64, type Kernel, type Kernels } from './types.ts';

type Fn = (x: number) => number;
type Vector = readonly number[];

const sigmoid: Fn = (x) => 1 / (1 + Math.exp(-x));
const functions: Readonly<Record<string, (alpha: number, beta: number) => Fn>> = {
  Sigmoid: () => sigmoid,
  Tanh: () => Math.tanh,
  Relu: () => (x) => Math.max(x, 0),
  Affine: (a, b) => (x) => a * x + b,
  LeakyRelu: (a) => (x) => (x >= 0 ? x : a * x),
  ThresholdedRelu: (a) => (x) => (x > a ? x : 0),
  ScaledTanh: (a, b) => (x) => a * Math.tanh(b * x),
  HardSigmoid: (a, b) => (x) => Math.min(Math.max(a * x + b, 0), 1),
  Elu: (a) => (x) => (x >= 0 ? x : a * Math.expm1(x)),
  Softsign: () => (x) => x / (1 + Math.abs(x)),
  Softplus: () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};
const alphas: Readonly<Record<string, number>> = {
  Affine: 0,
  LeakyRelu: 0.01,
  ThresholdedRelu: 1,
  ScaledTanh: 0,
  HardSigmoid: 0.2,
  Elu: 1,
};
const betas: Readonly<Record<string, number>> = { Affine: 0, ScaledTanh: 0, HardSigmoid: 0.5 };

function functionsOf(node: Node, defaults: readonly string[], directions: number): Fn[][] {
  const given = node.attributes.get('activations');
  const names = given?.type === 'strings' ? given.value : Array.from({ length: directions }, () => defaults).flat();
  const [a, b] = [[...(floatsOf(node, 'activation_alpha') ?? [])], [...(floatsOf(node, 'activation_beta') ?? [])]];
  const next = (queue: number[], table: Readonly<Record<string, number>>, name: string): number =>
    name in table ? (queue.shift() ?? table[name]!) : 0;
  const all = names.map((name) => functions[name]!(next(a, alphas, name), next(b, betas, name)));
  return Array.from({ length: directions }, (_, d) => all.slice(d * defaults.length, (d + 1) * defaults.length));
}

/** What one step of one row sees: z = x W^T + W_b of every gate, and how the state enters gate k. */
interface Step {
  readonly z: Vector;
  readonly h: Vector;
  readonly c: Vector;
  /** Element j of gate k of state R^T + R_b. */
  readonly recurrent: (state: Vector, k: number, j: number) => number;
  /** Peephole k of element j. */
  readonly p: (k: number, j: number) => number;
  readonly f: readonly Fn[];
}

type Cell = (step: Step, node: Node) => { h: number[]; c: number[] };

const lstm: Cell = ({ z, h, c, recurrent, p, f }, node) => {
  const size = h.length;
  const at = (k: number, j: number): number => z[k * size + j]! + recurrent(h, k, j);
  const after = h.map((_, j) => {
    const i = f[0]!(at(0, j) + p(0, j) * c[j]!);
    const forget = intOf(node, 'input_forget', 0) ? 1 - i : f[0]!(at(2, j) + p(2, j) * c[j]!);
    return forget * c[j]! + i * f[1]!(at(3, j));
  });
  return { h: after.map((cell, j) => f[0]!(at(1, j) + p(1, j) * cell) * f[2]!(cell)), c: after };
};

const gru: Cell = ({ z, h, recurrent, f }, node) => {
  const size = h.length;
  const gate = (k: number): number[] => h.map((_, j) => f[0]!(z[k * size + j]! + recurrent(h, k, j)));
  const [update, reset] = [gate(0), gate(1)];
  const kept = h.map((v, j) => reset[j]! * v);
  const last = intOf(node, 'linear_before_reset', 0) !== 0;
  const next = h.map((v, j) => {
    const fromState = last ? reset[j]! * recurrent(h, 2, j) : recurrent(kept, 2, j);
    return (1 - update[j]!) * f[1]!(z[2 * size + j]! + fromState) + update[j]! * v;
  });
  return { h: next, c: [] };
};

const rnn: Cell = ({ z, h, recurrent, f }) => ({ h: h.map((_, j) => f[0]!(z[j]! + recurrent(h, 0, j))), c: [] });

const kernel =
  (gates: number, defaults: readonly string[], cell: Cell): Kernel =>
  ([x, w, r, b, lengths, h0, c0, p], node) => {
    const [time, batch, inside] = x!.dims as [number, number, number];
    const [directions, , hidden] = r!.dims as [number, number, number];
    const width = gates * hidden;
    const fs = functionsOf(node, defaults, directions);
    const clip = floatOf(node, 'clip') ?? Number.POSITIVE_INFINITY;
    const limit = (v: number): number => Math.min(Math.max(v, -clip), clip);
    const y = new Float64Array(time * directions * batch * hidden);
    const ends: [Float64Array, Float64Array] = [
      new Float64Array(directions * batch * hidden),
      new Float64Array(directions * batch * hidden),
    ];
    for (let d = 0; d < directions; d++) {
      const reverse = d === 1 || stringOf(node, 'direction', 'forward') === 'reverse';
      const bias = (i: number): number => b?.data[d * 2 * width + i] ?? 0;
      const recurrent = (state: Vector, k: number, j: number): number =>
        state.reduce((sum, v, i) => sum + v * r!.data[(d * width + k * hidden + j) * hidden + i]!, bias(width + k * hidden + j));
      // the clip acts on what enters gates and candidates, not on what leaves the cell
      const f = fs[d]!.map((g, i): Fn => (i === 2 ? g : (v) => g(limit(v))));
      for (let row = 0; row < batch; row++) {
        const length = lengths?.data[row] ?? time;
        const initial = (t: F64 | undefined): number[] =>
          Array.from({ length: hidden }, (_, j) => t?.data[(d * batch + row) * hidden + j] ?? 0);
        let state = { h: initial(h0), c: initial(c0) };
        for (let step = 0; step < length; step++) {
          const t = reverse ? length - 1 - step : step;
          const from = (t * batch + row) * inside;
          const input = x!.data.subarray(from, from + inside);
          const z = Array.from({ length: width }, (_, i) =>
            input.reduce((sum, v, k) => sum + v * w!.data[(d * width + i) * inside + k]!, bias(i)),
          );
          state = cell({ z, ...state, recurrent, p: (k, j) => p?.data[(d * 3 + k) * hidden + j] ?? 0, f }, node);
          y.set(state.h, ((t * directions + d) * batch + row) * hidden);
        }
        if (length === 0) continue;
        ends[0].set(state.h, (d * batch + row) * hidden);
        ends[1].set(state.c, (d * batch + row) * hidden);
      }
    }
    const last = [directions, batch, hidden];
    return [f64([time, directions, batch, hidden], y), f64(last, ends[0]), f64(last, ends[1])];
  };

export const recurrent: Kernels = {
  LSTM: kernel(4, ['Sigmoid', 'Tanh', 'Tanh'], lstm),
  GRU: kernel(3, ['Sigmoid', 'Tanh'], gru),
  RNN: kernel(1, ['Tanh'], rnn),
};
