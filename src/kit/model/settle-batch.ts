/** @file A batch size that the file fixes: made symbolic where that is proven, otherwise the model runs in groups of that size. */
import { UserError } from '../../core/errors.ts';
import type { Graph } from '../../core/onnx/graph.ts';
import type { Execute } from '../../core/onnx/passes/shapes.ts';
import { makeBatchSymbolic } from '../../core/onnx/passes/symbolic-batch.ts';

export interface SettledBatch {
  readonly graph: Graph;
  readonly fixedBatch?: number;
  /** Whether it was proven that samples do not influence each other. */
  readonly proven: boolean;
  readonly said: readonly string[];
}

export interface SettleOptions {
  readonly model: string;
  /** Position of the batch axis, by input name; inputs without one are left out. */
  readonly batchAxis: Readonly<Record<string, number>>;
  /** Position of the batch axis in the class scores. */
  readonly outputAxis: number;
}

/** Settles the batch of a prepared graph. Throws a UserError where the inputs fix different batch sizes. */
export async function settleBatch(
  graph: Graph,
  execute: Execute,
  { model, batchAxis, outputAxis }: SettleOptions,
): Promise<SettledBatch> {
  const sizes = Object.entries(batchAxis).map(([name, axis]) => ({
    name,
    size: graph.inputs.find((v) => v.name === name)?.dims?.[axis],
  }));
  const fixed = sizes.filter((s): s is { name: string; size: number } => typeof s.size === 'number');
  if (fixed.length === 0) return { graph, proven: false, said: [] };
  const size = fixed[0]!.size;
  const other = fixed.find((s) => s.size !== size);
  if (other !== undefined)
    throw new UserError(
      `${model}: input "${fixed[0]!.name}" fixes a batch of ${size}, input "${other.name}" one of ${other.size}`,
      'state the layouts in the manifest, with N at the batch axis of each',
    );
  const made = await makeBatchSymbolic(graph, execute, { batchAxis, outputAxis });
  if (made.proven)
    return {
      graph: made.graph,
      proven: true,
      said: [`the file fixes a batch of ${size}; it was made free, and proven so by running at two sizes`],
    };
  return {
    graph: made.graph,
    fixedBatch: size,
    proven: false,
    said: [
      `the file fixes a batch of ${size}${made.reason === undefined ? '' : ` (${made.reason})`}: the model runs in groups of ${size}, padded`,
    ],
  };
}
