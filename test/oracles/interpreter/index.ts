/** @file The graph IR in float64, one kernel per op, written from the ONNX definitions and shared with nothing under test. */
import { describeNode, type Graph } from '../../../src/core/onnx/graph.ts';
import { activations } from './activations.ts';
import { arithmetic } from './arithmetic.ts';
import { attention } from './attention.ts';
import { controlFlow } from './control-flow.ts';
import { convolution } from './convolution.ts';
import { determinant } from './determinant.ts';
import { fourier } from './fourier.ts';
import { indexing } from './indexing.ts';
import { layout } from './layout.ts';
import { losses } from './losses.ts';
import { matrix } from './matrix.ts';
import { normalisation } from './normalisation.ts';
import { patches } from './patches.ts';
import { pooling } from './pooling.ts';
import { recurrent } from './recurrent.ts';
import { reductions } from './reductions.ts';
import { regions } from './regions.ts';
import { resampling } from './resampling.ts';
import { sampling } from './sampling.ts';
import { selection } from './selection.ts';
import { sequences } from './sequences.ts';
import { softmax } from './softmax.ts';
import { steps } from './steps.ts';
import { type F64, fromTensor, type Kernels } from './types.ts';

export const kernels: Kernels = {
  ...activations,
  ...arithmetic,
  ...attention,
  ...normalisation,
  ...recurrent,
  ...reductions,
  ...determinant,
  ...selection,
  ...sequences,
  ...regions,
  ...softmax,
  ...steps,
  ...controlFlow,
  ...convolution,
  ...fourier,
  ...indexing,
  ...layout,
  ...losses,
  ...matrix,
  ...patches,
  ...pooling,
  ...resampling,
  ...sampling,
};

/** Every value of `graph` for the given feeds; throws naming a node whose op has no kernel. */
export function interpret(graph: Graph, feeds: Readonly<Record<string, F64>>): Map<string, F64> {
  const values = new Map<string, F64>(Object.entries(feeds));
  for (const [name, value] of graph.initializers) if (!values.has(name)) values.set(name, fromTensor(value));
  for (const node of graph.nodes) {
    const kernel = node.domain === '' && Object.hasOwn(kernels, node.op) ? kernels[node.op] : undefined;
    if (kernel === undefined) throw new Error(`${describeNode(node)} has no kernel in the reference interpreter`);
    const inputs = node.inputs.map((name) => {
      if (name === '') return undefined;
      const value = values.get(name);
      if (value === undefined) throw new Error(`${describeNode(node)} reads "${name}", which has no value`);
      return value;
    });
    const outputs = kernel(inputs, node, (body, own) => interpret(body, { ...Object.fromEntries(values), ...own }));
    for (const [i, name] of node.outputs.entries()) {
      if (name === '') continue;
      const value = outputs[i];
      if (value === undefined) throw new Error(`${describeNode(node)}: the kernel computes no output ${i}`);
      values.set(name, value);
    }
  }
  return values;
}
