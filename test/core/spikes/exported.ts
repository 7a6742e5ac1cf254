/** Exports of snnTorch, Norse and SpikingJelly, and what their Python models say of themselves (test/oracles/spiking). */
import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../src/core/onnx/graph.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import type { SpikingLayer } from '../../../src/core/spikes/layer.ts';
import { f32, numbersOf } from '../../../src/core/tensor/tensor.ts';
import { openModel } from '../../../src/kit/model/open.ts';

export interface Row {
  readonly name: string;
  readonly layout: string;
  readonly input: { readonly shape: number[]; readonly axis: number; readonly low: number; readonly high: number };
  readonly layers: {
    steps: number;
    units: number;
    threshold: SpikingLayer['threshold'];
    strict: boolean;
    reset: string;
    live?: [number, number];
  }[];
  readonly samples: string[];
  /** By sample, layer and step. */
  readonly counts: number[][][];
  readonly logits: number[][];
  readonly exports: Record<string, { file?: string; failed?: string }>;
}

const folder = new URL('../../fixtures/spiking/exports/', import.meta.url);
const rows = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .flatMap((file) => (JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: Row[] }).cases);
export const files = rows.flatMap((row) =>
  Object.entries(row.exports).flatMap(([, { file }]) =>
    file === undefined ? [] : [[file.replace('.onnx.gz', ''), row, file] as const],
  ),
);
const runtime = createRuntime(ort);

const read = (file: string): Graph => readModel(gunzipSync(readFileSync(new URL(file, folder))));

export const opened = (row: Row, file: string, stated: { none: boolean } | undefined = undefined) =>
  openModel(read(file), {
    name: row.name,
    sha256: '',
    execute: runtime.execute,
    manifest: {
      inputs: { x: { layout: row.layout, bounds: { lower: row.input.low, upper: row.input.high } } },
      ...(stated === undefined ? {} : { spikes: stated }),
    },
  });

const floats = (text: string): Float32Array => new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);

/** The values of a graph for recorded samples, one run each. */
export async function valuesOf(graph: Graph, row: Row, names: readonly string[]): Promise<number[][][]> {
  const g = graphBuilder({ from: { ...graph, outputs: [], values: new Map() } });
  for (const name of names) g.untypedOutput(name);
  const dims = row.input.shape.map((d, i) => (i === row.input.axis ? 1 : d));
  const all: number[][][] = [];
  for (const sample of row.samples) {
    const results = await runtime.execute(g.build(), { x: f32(floats(sample), dims) });
    all.push(names.map((name) => numbersOf(results[name]!)));
  }
  return all;
}

const rounded = (threshold: SpikingLayer['threshold']) =>
  typeof threshold === 'string' ? threshold : [threshold].flat().map((t) => Number(t.toPrecision(5)));

/** Every spike, layer, step, threshold and reset of the Python model is found, fires as often as there, and leads to the same logits. */
export async function expectComplete(row: Row, file: string): Promise<void> {
  const model = await opened(row, file);
  const layers = model.spiking?.layers ?? [];
  expect(layers.map(({ threshold, strict, reset }) => ({ threshold: rounded(threshold), strict, reset }))).toEqual(
    row.layers.map(({ threshold, strict, reset }) => ({ threshold: rounded(threshold), strict, reset })),
  );
  const values = await valuesOf(model.graph, row, [model.output.name, ...layers.flatMap((l) => l.outputs)]);
  const counts = values.map(([, ...spikes]) => {
    const sums = spikes.map((v) => v.reduce((a, b) => a + b, 0));
    return layers.map(({ steps }) => sums.splice(0, steps));
  });
  // steps in which nothing has arrived yet, or whose spikes reach nobody, are no comparisons in the file
  expect(counts).toEqual(row.counts.map((sample) => sample.map((steps, l) => steps.slice(...(row.layers[l]!.live ?? [])))));
  values.forEach(([logits], i) => {
    logits!.forEach((z, k) => {
      expect(z).toBeCloseTo(row.logits[i]![k]!, 5);
    });
  });
}
