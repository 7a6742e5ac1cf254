/** The sda fixtures, spiking networks as oracles, and what a search asked of them. */
import { readFileSync } from 'node:fs';
import { sizeOf } from '../../../src/core/tensor/tensor.ts';
import type { Goal, Loss } from '../../../src/kit/losses/loss.ts';
import { scoreLoss } from '../../../src/kit/losses/score-loss.ts';
import type { Sample } from '../../../src/kit/model/model.ts';
import { argmax, type GradientOracle, type Probe } from '../../../src/kit/model/oracle.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Threat, ThreatOptions } from '../../../src/kit/threat/threat.ts';
import { specOf } from '../../kit/threat/spec.ts';
import { type LayerCase, type Network, networkOf } from '../../oracles/spiking/network.ts';
import { sampleOf, untargeted } from './linear.ts';

export interface Iteration {
  readonly iteration: number;
  readonly k: number;
  readonly marginBefore: number;
  readonly candidates: readonly number[];
  readonly finiteDifferences: readonly number[];
  readonly accepted: readonly number[];
  readonly maskSize: number;
  readonly predictedAfter: number;
}

export interface SdaCase {
  readonly name: string;
  readonly T: number;
  readonly inputShape: readonly number[];
  readonly input: readonly number[];
  readonly layers: readonly LayerCase[];
  readonly label: number;
  readonly sda: { readonly kInit: number; readonly maxIterations: number };
  readonly expected: {
    readonly cleanLogits: readonly number[];
    readonly cleanMargin: number;
    readonly gradInput: readonly number[];
    readonly trace: readonly Iteration[];
    readonly success: boolean;
    readonly generationFlips: readonly number[];
    readonly reduction?: {
      readonly orderByAbsFiniteDifference: readonly number[];
      readonly probes: readonly { readonly undone: number; readonly adversarial: boolean }[];
      readonly undone: number;
    };
    readonly flips: readonly number[];
    readonly L0: number;
    readonly finalPrediction: number;
  };
}

const folder = new URL('../../fixtures/spiking/', import.meta.url);

export const sdaCase = (name: string): SdaCase => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as SdaCase;

export const sdaCases = ['sda-conv', 'sda-failure', 'sda-mlp', 'sda-one-iteration', 'sda-zero-fd'].map(sdaCase);

/** The frames of a case without the batch axis. */
export const frameShape = ({ inputShape }: SdaCase): number[] => inputShape.slice(2);

/** One call of an oracle: the points, and the logits it answered with. */
export interface Asked {
  readonly ask: 'gradient' | 'logits' | 'labels';
  readonly points: readonly Float32Array[];
  readonly logits: readonly Float32Array[];
}

export interface NetworkOracle extends GradientOracle {
  readonly asked: Asked[];
}

/** A float64 network of one input "x" as an oracle that remembers what it was asked. Losses: margin and cross-entropy. */
export function networkOracle(network: Network, classes: number): NetworkOracle {
  const asked: Asked[] = [];
  const spent = new Map<number, { forwards: number; backwards: number; queries: number }>();
  const nothing = { forwards: 0, backwards: 0, queries: 0 };
  const ask = (kind: Asked['ask'], probes: readonly Probe[], extra: (k: number, z: Float32Array) => void = () => {}) => {
    const points = probes.map(({ inputs }) => inputs.x!.slice());
    const logits = points.map((x, k) => {
      const z = Float32Array.from(network.forward(x));
      extra(k, z);
      const of = probes[k]!.of;
      const { forwards, backwards, queries } = spent.get(of) ?? nothing;
      spent.set(of, { forwards: forwards + 1, backwards: backwards + (kind === 'gradient' ? 1 : 0), queries: queries + 1 });
      return z;
    });
    asked.push({ ask: kind, points, logits });
    return logits;
  };
  return {
    asked,
    classes,
    counts: (of) => spent.get(of) ?? nothing,
    labels: async (probes) => ask('labels', probes).map(argmax),
    logits: async (probes) => ask('logits', probes),
    async gradient(probes, losses) {
      const gradient: Record<string, Float32Array>[] = [];
      const logits = ask('gradient', probes, (k, z) => {
        gradient.push({ x: Float32Array.from(network.backward(slopeOf(z, losses[k]!))) });
      });
      return { logits, loss: logits.map((z, k) => scoreLoss(losses[k]!, z)), gradient };
    },
  };
}

function slopeOf(z: Float32Array, { label, margin = 0, ce = 0 }: Loss): Float64Array {
  const rival = argmax(z.map((value, c) => (c === label ? Number.NEGATIVE_INFINITY : value)));
  const top = Math.max(...z);
  const total = z.reduce((sum, value) => sum + Math.exp(value - top), 0);
  return Float64Array.from(z, (value, c) => {
    const own = c === label ? 1 : 0;
    return margin * (own - (c === rival ? 1 : 0)) + ce * (Math.exp(value - top) / total - own);
  });
}

/** A binary input "x" of T frames. */
export const binarySpec = (shape: readonly number[]) =>
  specOf(shape, { domain: 'binary', storage: 'binary', modality: 'events', unit: 'event' });

/** A job's parts for samples of binary inputs of one shape. */
export const binaryScene = (
  shape: readonly number[],
  inputs: readonly ArrayLike<number>[],
  { eps = sizeOf(shape), ...options }: Partial<ThreatOptions> = {},
): { readonly batch: Sample[]; readonly threats: Record<string, Threat>[] } => ({
  batch: inputs.map((x, k) => sampleOf(`s${k}`, { x: Float32Array.from(x) })),
  threats: inputs.map(() => ({ x: lpThreat(binarySpec(shape), { norm: 'l0', eps, ...options }) })),
});

/** The oracle, sample, goal and threat of a case. */
export function sceneOf(of: SdaCase) {
  const { expected, T, inputShape, input, layers, label } = of;
  const oracle = networkOracle(networkOf(layers, T, frameShape(of)), expected.cleanLogits.length);
  const goals: Goal[] = [untargeted(label)];
  return {
    oracle,
    goals,
    ...binaryScene(
      inputShape.filter((_, axis) => axis !== 1),
      [input],
    ),
  };
}

/** The elements in which two points differ, ascending. */
export function differing(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  const list: number[] = [];
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) list.push(i);
  return list;
}
