/**
 * @file `tsx bench/jobs/profile-step.ts CASE|FILE.onnx [REPS [THREADS [BATCH]]]`: where the time of a training step goes: milliseconds by op, and of
 * the slowest nodes, medians over the runs. Profiling itself costs some microseconds a node.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { writeModel } from '../../src/core/onnx/writer.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { median } from '../measure.ts';
import { firstStep } from './training.ts';

interface Event {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name: string } & Partial<
    Record<'input_type_shape' | 'output_type_shape', readonly Readonly<Record<string, readonly number[]>>[]>
  >;
}

const shown = { nodes: 20 } as const;
const [what = 'resnet18', reps = '15', threads = '2', batch = '1'] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'profile-step-'));

try {
  const { model, feeds } = what.endsWith('.onnx') ? await ofFile(what) : await ofCase(what);
  const { events, times } = await profile(model, feeds);
  report(events, times);
} finally {
  await rm(folder, { recursive: true });
}

/** The step of a case, with its state fed as plain inputs. */
async function ofCase(name: string) {
  const { step, feeds } = await firstStep(name);
  const tensors = Object.entries(feeds).map(([key, t]) => [key, new ort.Tensor(t.dtype, t.data as never, [...t.dims])]);
  return { model: writeModel(step.graph), feeds: (): Record<string, ort.Tensor> => Object.fromEntries(tensors) };
}

/** A model file, fed uniform random numbers (integers: ones); sizes that are not fixed are BATCH. */
async function ofFile(file: string) {
  const random = stream(0);
  return {
    model: new Uint8Array(await readFile(file)),
    feeds: ({ inputMetadata }: ort.InferenceSession): Record<string, ort.Tensor> =>
      Object.fromEntries(
        inputMetadata.flatMap((m) => {
          if (!m.isTensor) return [];
          const dims = m.shape.map((d) => (typeof d === 'number' ? d : Number(batch)));
          const count = dims.reduce((a, b) => a * b, 1);
          const tensor =
            m.type === 'int64'
              ? new ort.Tensor('int64', new BigInt64Array(count).fill(1n), dims)
              : new ort.Tensor('float32', Float32Array.from({ length: count }, random.uniform), dims);
          return [[m.name, tensor] as const];
        }),
      ),
  };
}

/** Runs as the product's runtime does (runtime.ts), with the runtime's profile switched on. */
async function profile(model: Uint8Array, feeds: (session: ort.InferenceSession) => Record<string, ort.Tensor>) {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'profile'),
    extra: { session: { force_spinning_stop: '1', intra_op: { allow_spinning: '1' }, inter_op: { allow_spinning: '0' } } },
  });
  const given = Object.fromEntries(Object.entries(feeds(session)).filter(([name]) => session.inputNames.includes(name)));
  const times: number[] = [];
  for (let i = 0; i < Number(reps); i++) {
    const started = performance.now();
    await session.run(given);
    times.push(performance.now() - started);
  }
  session.endProfiling();
  await session.release();
  const [file] = await readdir(folder);
  return { events: JSON.parse(await readFile(join(folder, file!), 'utf8')) as Event[], times };
}

function report(events: readonly Event[], times: readonly number[]): void {
  const byNode = new Map<string, { readonly op: string; readonly text: string; readonly durations: number[] }>();
  for (const { cat, name, args, dur } of events) {
    if (cat !== 'Node' || !name.endsWith('_kernel_time')) continue;
    const sizes = (of: Event['args']['input_type_shape']): string =>
      (of ?? []).map((one) => `[${Object.values(one)[0]}]`).join(' ');
    const known = byNode.get(name);
    if (known) known.durations.push(dur);
    else {
      const text = `${args.op_name}  ${name.replace('_kernel_time', '')}  ${sizes(args.input_type_shape)} -> ${sizes(args.output_type_shape)}`;
      byNode.set(name, { op: args.op_name, text, durations: [dur] });
    }
  }
  const nodes = [...byNode.values()].map(({ op, text, durations }) => ({ op, text, ms: median(durations) / 1000 }));
  nodes.sort((a, b) => b.ms - a.ms);
  const ops = new Map<string, { ms: number; count: number }>();
  for (const { op, ms } of nodes) {
    const sum = ops.get(op) ?? { ms: 0, count: 0 };
    ops.set(op, { ms: sum.ms + ms, count: sum.count + 1 });
  }
  const total = nodes.reduce((sum, { ms }) => sum + ms, 0);
  const lines = [
    `${what}: min ${Math.min(...times).toFixed(1)} ms, median ${median(times).toFixed(1)} ms, kernels ${total.toFixed(1)} ms, ${nodes.length} nodes`,
    '',
    ...[...ops]
      .sort((a, b) => b[1].ms - a[1].ms)
      .map(([op, { ms, count }]) => `${ms.toFixed(2).padStart(9)}  ${String(count).padStart(4)}  ${op}`),
    '',
    ...nodes
      .slice(0, Number(process.env.NODES ?? shown.nodes))
      .map(({ ms, text }) => `${ms.toFixed(2).padStart(9)}  ${text.slice(0, 220)}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
