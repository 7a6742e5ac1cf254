import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { gradient } from '../../src/core/autodiff/gradient.ts';
import type { Graph } from '../../src/core/onnx/graph.ts';
import { prepare } from '../../src/core/onnx/passes/prepare.ts';
import { readModel } from '../../src/core/onnx/reader.ts';
import { writeModel } from '../../src/core/onnx/writer.ts';
import { createRuntime, type Runtime } from '../../src/core/runtime/runtime.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { f32, sizeOf } from '../../src/core/tensor/tensor.ts';
import { type BenchLine, interleave, median, seconds, spreadOf, startPeer } from '../measure.ts';
import { reseed } from '../models/reseed.ts';
import { resnet18 } from '../models/resnet18.ts';

const job = { batch: 8, lightBatch: 1, threads: 2, rounds: 9 } as const;

/** What a gradient costs in forwards of our own best session: ResNet-18 and the nine light topologies, sum of the outputs with respect to the input. */
export async function* gradientCost(): AsyncGenerator<BenchLine> {
  const runtime = createRuntime(ort, { threads: job.threads });
  yield await measure('resnet18 112x112, batch 8', resnet18(112), job.batch, runtime);
  const folder = new URL('../models/light/', import.meta.url);
  for (const file of (await readdir(folder)).filter((f) => f.endsWith('.onnx')).sort()) {
    const graph = readModel(await readFile(new URL(file, folder)), { source: file });
    yield await measure(file.replace('.onnx', ''), await reseed(graph, 0), job.lightBatch, runtime);
  }
}

async function measure(name: string, graph: Graph, batch: number, runtime: Runtime): Promise<BenchLine> {
  const prepared = await prepare(graph, runtime.execute);
  const input = prepared.inputs[0]!;
  const output = prepared.outputs[0]!.name;
  const dims = input.dims!.map((d) => (typeof d === 'number' ? d : batch));
  const random = stream(0, 'gradient-cost');
  const feeds = { [input.name]: f32(Float32Array.from({ length: sizeOf(dims) }, random.uniform), dims) };
  const made = await gradient(prepared, runtime.execute, { of: [output], wrt: [input.name] });
  const [forward, backward] = [await runtime.open(prepared), await runtime.open(made.graph)];
  const folder = await mkdtemp(join(tmpdir(), 'provoke-bench-'));
  const file = join(folder, 'model.onnx');
  await writeFile(file, writeModel(prepared));
  const peer = await startPeer('gradient_cost.py', [file, String(job.threads), ...dims.map(String)]);
  const calls = [() => seconds(() => backward.run(feeds)), () => seconds(() => forward.run(feeds))];
  if (peer)
    calls.push(
      () => peer.measure('gradient'),
      () => peer.measure('forward'),
    );
  const [ours, own, torchGradient, torchForward] = await interleave(job.rounds, calls);
  peer?.close();
  await Promise.all([forward.release(), backward.release(), rm(folder, { recursive: true })]);
  return {
    name: 'gradient-cost',
    case: name,
    ours: median(ours!),
    peer: median(own!),
    ratio: median(ours!) / median(own!),
    unit: 's',
    peerVersion: 'forward',
    runs: job.rounds,
    spread: spreadOf(ours!),
    pytorch: torchGradient && torchForward ? median(torchGradient) / median(torchForward) : null,
    overPytorch: torchGradient ? median(ours!) / median(torchGradient) : null,
  };
}
