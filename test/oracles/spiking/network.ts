/**
 * @file A spiking network in plain float64 numbers, one sample at a time: forward, and backward with the Gaussian of PDSG or other slopes. Written from the equations of
 * test/fixtures/spiking/README.md, without a line of the engine, so that both can be held against each other.
 */

export interface Weight {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface Neuron {
  readonly tau: number;
  readonly decayInput: boolean;
  readonly vThreshold: number;
  /** null: soft reset. */
  readonly vReset: number | null;
  readonly detachReset: boolean;
}

/** The layers of the sda fixtures; each acts on every time step. */
export type LayerCase =
  | {
      readonly op: 'conv2d';
      readonly weight: Weight;
      readonly bias?: Weight | null;
      readonly padding: number;
      readonly stride: number;
    }
  | { readonly op: 'flatten' }
  | { readonly op: 'linear'; readonly weight: Weight; readonly bias?: Weight | null }
  | { readonly op: 'lif'; readonly neuron: Neuron };

export interface Network {
  /** The mean of the outputs over time, of x [T, ...]. */
  forward(x: ArrayLike<number>): Float64Array;
  /** The gradient by x of sum_k slope_k logits_k, at the x of the last forward. */
  backward(slope: ArrayLike<number>): Float64Array;
}

/** What is written for ds/dv at all potentials [steps, units] of one layer, the first layer of neurons being 0; asked once per backward. */
export type Slopes = (v: Float64Array, of: NeuronsOf) => Float64Array;

export interface NeuronsOf {
  readonly layer: number;
  readonly steps: number;
  readonly units: number;
  readonly channels: number;
  readonly vThreshold: number;
}

/** Values of all time steps, one after the other, and what they are changed back into. */
interface Stage {
  forward(x: Float64Array): Float64Array;
  backward(dy: Float64Array): Float64Array;
}

/** The network of these layers on `steps` frames of `shape`, [C, H, W] or [F]. */
export function networkOf(
  layers: readonly LayerCase[],
  steps: number,
  shape: readonly number[],
  slopes: Slopes = gaussians,
): Network {
  let now = shape;
  let spiking = 0;
  const stages = layers.map((layer): Stage => {
    const number = layer.op === 'lif' ? spiking++ : spiking;
    const { stage, out } = stageOf(layer, steps, now, (v, of) => slopes(v, { ...of, layer: number }));
    now = out;
    return stage;
  });
  const classes = now[0]!;
  return {
    forward(x) {
      const y = stages.reduce<Float64Array>((values, stage) => stage.forward(values), Float64Array.from(x));
      const logits = new Float64Array(classes);
      for (let i = 0; i < y.length; i++) logits[i % classes]! += y[i]! / steps;
      return logits;
    },
    backward(slope) {
      const dy = Float64Array.from({ length: steps * classes }, (_, i) => slope[i % classes]! / steps);
      return stages.reduceRight<Float64Array>((values, stage) => stage.backward(values), dy);
    },
  };
}

type OwnSlopes = (v: Float64Array, of: Omit<NeuronsOf, 'layer'>) => Float64Array;

function stageOf(
  layer: LayerCase,
  steps: number,
  shape: readonly number[],
  slopes: OwnSlopes,
): { stage: Stage; out: readonly number[] } {
  switch (layer.op) {
    case 'conv2d':
      return convolution(layer, steps, shape as [number, number, number]);
    case 'linear':
      return linear(layer, steps, shape[0]!);
    case 'lif':
      return { stage: neurons(layer.neuron, steps, shape, slopes), out: shape };
    case 'flatten':
      return { stage: { forward: (x) => x, backward: (dy) => dy }, out: [shape.reduce((a, b) => a * b)] };
  }
}

function convolution(
  { weight, bias, padding, stride }: Extract<LayerCase, { op: 'conv2d' }>,
  steps: number,
  [channels, height, width]: readonly [number, number, number],
) {
  const [features, , side] = weight.shape as [number, number, number, number];
  const rows = Math.floor((height + 2 * padding - side) / stride) + 1;
  const columns = Math.floor((width + 2 * padding - side) / stride) + 1;
  const w = Float64Array.from(weight.data);
  /** Calls `at` with the places of an input, a weight and an output that meet; inputs that `skip` are left out. */
  const meet = (skip: (x: number) => boolean, at: (x: number, w: number, y: number) => void): void => {
    for (let x = 0; x < steps * channels * height * width; x++) {
      if (skip(x)) continue;
      const column = x % width;
      const row = Math.floor(x / width) % height;
      const channel = Math.floor(x / (width * height)) % channels;
      const step = Math.floor(x / (width * height * channels));
      for (let i = 0; i < side; i++) {
        const up = row + padding - i;
        if (up < 0 || up % stride !== 0 || up / stride >= rows) continue;
        for (let j = 0; j < side; j++) {
          const left = column + padding - j;
          if (left < 0 || left % stride !== 0 || left / stride >= columns) continue;
          for (let f = 0; f < features; f++)
            at(
              x,
              ((f * channels + channel) * side + i) * side + j,
              ((step * features + f) * rows + up / stride) * columns + left / stride,
            );
        }
      }
    }
  };
  const stage: Stage = {
    forward(x) {
      const y = new Float64Array(steps * features * rows * columns);
      if (bias) for (let k = 0; k < y.length; k++) y[k] = bias.data[Math.floor(k / (rows * columns)) % features]!;
      meet(
        (k) => x[k] === 0,
        (k, m, o) => {
          y[o]! += x[k]! * w[m]!;
        },
      );
      return y;
    },
    backward(dy) {
      const dx = new Float64Array(steps * channels * height * width);
      meet(
        () => false,
        (k, m, o) => {
          dx[k]! += dy[o]! * w[m]!;
        },
      );
      return dx;
    },
  };
  return { stage, out: [features, rows, columns] };
}

function linear({ weight, bias }: Extract<LayerCase, { op: 'linear' }>, steps: number, from: number) {
  const [to] = weight.shape as [number, number];
  const stage: Stage = {
    forward(x) {
      const y = new Float64Array(steps * to);
      for (let t = 0; t < steps; t++)
        for (let o = 0; o < to; o++) {
          let sum = bias?.data[o] ?? 0;
          for (let i = 0; i < from; i++) sum += weight.data[o * from + i]! * x[t * from + i]!;
          y[t * to + o] = sum;
        }
      return y;
    },
    backward(dy) {
      const dx = new Float64Array(steps * from);
      for (let t = 0; t < steps; t++)
        for (let o = 0; o < to; o++)
          for (let i = 0; i < from; i++) dx[t * from + i]! += weight.data[o * from + i]! * dy[t * to + o]!;
      return dx;
    },
  };
  return { stage, out: [to] };
}

function neurons(
  { tau, decayInput, vThreshold, vReset, detachReset }: Neuron,
  steps: number,
  shape: readonly number[],
  slopesOf: OwnSlopes,
): Stage {
  const units = shape.reduce((a, b) => a * b);
  const channels = shape[0]!;
  const rest = vReset ?? 0;
  const weightOf = decayInput ? 1 / tau : 1;
  const keep = 1 - 1 / tau;
  let v = new Float64Array(0);
  return {
    forward(x) {
      v = new Float64Array(steps * units);
      const spikes = new Float64Array(steps * units);
      for (let k = 0; k < v.length; k++) {
        const before = k < units ? 0 : after(v[k - units]!, spikes[k - units]!);
        v[k] = before * keep + rest / tau + weightOf * x[k]!;
        spikes[k] = v[k]! >= vThreshold ? 1 : 0;
      }
      return spikes;
    },
    backward(dy) {
      const dx = new Float64Array(steps * units);
      const slopes = slopesOf(v, { steps, units, channels, vThreshold });
      const later = new Float64Array(units);
      for (let k = dx.length - 1; k >= 0; k--) {
        const spike = v[k]! >= vThreshold ? 1 : 0;
        const [change, through] =
          vReset === null ? [1, detachReset ? 0 : vThreshold] : [1 - spike, detachReset ? 0 : v[k]! - vReset];
        const dv = dy[k]! * slopes[k]! + later[k % units]! * keep * (change - through * slopes[k]!);
        later[k % units] = dv;
        dx[k] = weightOf * dv;
      }
      return dx;
    },
  };

  function after(potential: number, spike: number): number {
    return vReset === null ? potential - spike * vThreshold : potential * (1 - spike) + vReset * spike;
  }
}

/** The Gaussian of PDSG at every potential: sigma is that of its channel over the steps so far. */
function gaussians(v: Float64Array, { steps, units, channels, vThreshold }: NeuronsOf): Float64Array {
  const places = units / channels;
  const slopes = new Float64Array(v.length);
  for (let t = 0; t < steps; t++)
    for (let c = 0; c < channels; c++) {
      const sigma = deviation(v, t + 1, units, c * places, places);
      for (let p = 0; p < places; p++) {
        const k = t * units + c * places + p;
        const z = (v[k]! - vThreshold - 0.5 * sigma) / sigma;
        slopes[k] = Math.exp(-0.5 * z * z) / (sigma * Math.sqrt(2 * Math.PI));
      }
    }
  return slopes;
}

/** Unbiased deviation of one channel over the first steps; 1 where there is none. */
function deviation(v: Float64Array, steps: number, units: number, from: number, places: number): number {
  const count = steps * places;
  if (count < 2) return 1;
  let sum = 0;
  for (let t = 0; t < steps; t++) for (let p = 0; p < places; p++) sum += v[t * units + from + p]!;
  const mean = sum / count;
  let squares = 0;
  for (let t = 0; t < steps; t++) for (let p = 0; p < places; p++) squares += (v[t * units + from + p]! - mean) ** 2;
  const sigma = Math.sqrt(squares / (count - 1));
  return sigma <= 1e-6 * Math.max(1, Math.abs(mean)) ? 1 : sigma;
}
