/** @file One exported file, opened as a user opens it, held against what PyTorch recorded for it. */
import { gradient } from '../../src/core/autodiff/gradient.ts';
import { inferShapes } from '../../src/core/onnx/passes/shapes.ts';
import { readModel } from '../../src/core/onnx/reader.ts';
import type { Runtime, Session } from '../../src/core/runtime/runtime.ts';
import { numbersOf, type Tensor } from '../../src/core/tensor/tensor.ts';
import { readManifest } from '../../src/kit/model/manifest.ts';
import { openModel } from '../../src/kit/model/open.ts';
import { disagreement, largestDifference, relativeL2 } from '../core/autodiff/agreement.ts';
import { bytesOf, cotangentOf, type ExportedNet, type ExportFile, feedsOf, float64sOf, positions } from './records.ts';
import { arctangentTwins } from './spikes.ts';

/** What was found about one file; `wrong` holds a sentence per claim that does not hold. */
export interface Finding {
  readonly wrong: readonly string[];
  /** Relative L2 error of the gradient over the recorded positions, by input. */
  readonly errors: Readonly<Record<string, number>>;
  /** Largest difference of the outputs, relative to the largest output. */
  readonly forward: number;
}

const recordedPositions = 512;

/** Relative difference that rounding explains between a sample alone and the same sample among others. */
const aloneTolerance = 2e-6;

/**
 * Opens a file, differentiates it and compares: outputs to 1e-5 of the largest, gradients under the project's tolerances (agreement.ts), the norm of the
 * whole gradient to 1e-5; every sample alone must give what it gives among the others; the batch must be open in the model, its shapes and the gradient graph.
 */
export async function check(net: ExportedNet, file: ExportFile, runtime: Runtime): Promise<Finding> {
  const wrong: string[] = [];
  const name = `${net.name} (${file.exporter}, opset ${file.opset}, batch ${file.batch})`;
  const model = await openModel(readModel(bytesOf(file)), {
    name,
    sha256: '',
    execute: runtime.execute,
    ...(net.manifest === undefined ? {} : { manifest: readManifest(net.manifest, name) }),
  });
  if (model.fixedBatch !== undefined) return { wrong: model.inferred.filter((s) => s.includes('batch')), errors: {}, forward: 0 };

  const output = (model.outputs ?? [model.output.name])[0]!;
  const shapes = await inferShapes(model.graph, runtime.execute);
  for (const [value, axis] of [...net.inputs.map((i) => [i.name, i.axis] as const), [output, net.outputAxis] as const])
    if (!shapes.get(value)!.batchAxes?.includes(axis))
      wrong.push(`"${value}" does not follow the batch: [${shapes.get(value)!.dims}]`);

  const wrt = Object.keys(net.gradients);
  const twins = net.surrogate === undefined ? [] : arctangentTwins(model.graph);
  const made = await gradient(model.graph, runtime.execute, { of: [output], wrt, cotangents: true, twins });
  for (const input of net.inputs.filter((i) => wrt.includes(i.name))) {
    const dims = made.graph.outputs.find((o) => o.name === made.gradients[input.name])!.dims;
    if (typeof dims?.[input.axis] === 'number') wrong.push(`the gradient graph fixes the batch of ${input.name}: [${dims}]`);
  }
  const session = await runtime.open(made.graph);
  try {
    const run = (seeds: readonly number[]) => runAt(session, net, output, seeds);
    const together = await run(net.seeds);
    const outputs = numbersOf(together[output]!);
    const expected = float64sOf(net.outputs);
    const largest = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    const forward = largestDifference(outputs, expected) / largest;
    if (!(forward <= 1e-5)) wrong.push(`outputs differ by ${forward} of the largest`);
    const errors: Record<string, number> = {};
    for (const [input, record] of Object.entries(net.gradients)) {
      const whole = numbersOf(together[made.gradients[input]!]!);
      const ours = positions(recordedPositions, whole.length, record.positionSeed).map((p) => whole[p]!);
      const truth = float64sOf(record.values);
      errors[input] = relativeL2(ours, truth);
      const why = disagreement(ours, truth, record.float32Error);
      if (why !== undefined) wrong.push(`gradient by ${input}: ${why}`);
      const norm = Math.abs(Math.sqrt(whole.reduce((sum, v) => sum + v * v, 0)) / record.norm - 1);
      if (!(norm <= 1e-5)) wrong.push(`the norm of the gradient by ${input} is off by ${norm}`);
    }
    for (const [row, seed] of net.seeds.entries()) {
      const alone = await run([seed]);
      const values: [string, number, string][] = net.inputs
        .filter((i) => wrt.includes(i.name))
        .map((i) => [made.gradients[i.name]!, i.axis, `gradient by ${i.name}`]);
      for (const [value, axis, what] of [...values, [output, net.outputAxis, 'output'] as const]) {
        const difference = relativeL2(numbersOf(alone[value]!), rowOf(together[value]!, axis, row));
        if (!(difference <= aloneTolerance)) wrong.push(`${what} of sample ${row} alone differs by ${difference}`);
      }
    }
    return { wrong, errors, forward };
  } finally {
    await session.release();
  }
}

const runAt = (session: Session, net: ExportedNet, output: string, seeds: readonly number[]) =>
  session.run({ ...feedsOf(net, seeds), [`cotangent_${output}`]: cotangentOf(net, seeds.length) });

/** The values of one row of a batch, in the order they have alone. */
function rowOf(t: Tensor, axis: number, row: number): number[] {
  const values = numbersOf(t);
  const inner = t.dims.slice(axis + 1).reduce((p, d) => p * d, 1);
  return values.filter((_, i) => Math.floor(i / inner) % t.dims[axis]! === row);
}
