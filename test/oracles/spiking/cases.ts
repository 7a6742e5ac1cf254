/** @file The cases of test/fixtures/spiking that hold single layers, networks and curves. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerOf, NeuronCase } from './graph.ts';

const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'spiking');

export interface CurveCase {
  readonly name: string;
  readonly [parameter: string]: number | string;
}

interface Common {
  readonly name: string;
  readonly surrogate: CurveCase;
}

export interface LayerCase extends Common {
  readonly kind: 'layer';
  readonly shape: readonly number[];
  readonly neuron: NeuronCase;
  readonly input: readonly number[];
  readonly cotangent: readonly number[];
  readonly expected: {
    readonly membrane: readonly number[];
    readonly spikes: readonly number[];
    /** [t][channel], null for fixed surrogates. */
    readonly sigma: readonly (readonly number[])[] | null;
    readonly gradInput: readonly number[];
  };
}

export interface NetworkCase extends Common {
  readonly kind: 'network';
  readonly encoding: 'real' | 'binary' | 'direct';
  readonly T: number;
  readonly B: number;
  readonly inputShape: readonly number[];
  readonly input: readonly number[];
  readonly layers: readonly LayerOf[];
  readonly loss: { readonly name: 'crossEntropy' | 'cwMargin' };
  readonly labels: readonly number[];
  readonly expected: {
    readonly logits: readonly (readonly number[])[];
    readonly loss: number;
    readonly sigma: readonly (readonly (readonly number[])[])[];
    /** [lif layer][t] */
    readonly spikeCounts: readonly (readonly number[])[];
    readonly gradInput: readonly number[];
    readonly fgsm?: { readonly eps: number; readonly adversarial: readonly number[] };
  };
}

export interface CurvesCase {
  readonly u: readonly number[];
  readonly curves: readonly { readonly surrogate: CurveCase; readonly g: readonly number[] }[];
}

/** Cases whose names begin with the kind. */
export const casesOf = <K extends 'layer' | 'network'>(kind: K): (K extends 'layer' ? LayerCase : NetworkCase)[] =>
  readdirSync(folder)
    .filter((name) => name.startsWith(`${kind}-`))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));

export const curvesCase = (): CurvesCase => JSON.parse(readFileSync(join(folder, 'surrogates.json'), 'utf8'));
