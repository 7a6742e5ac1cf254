import { UserError } from '../../errors.ts';
import { describeNode, type Graph } from '../graph.ts';
import type { Execute } from './shapes.ts';

/** Running fails for reasons the user can mend: the runtime's message as a UserError, and what usually helps. */
export const asking =
  (execute: Execute): Execute =>
  async (graph, feeds) => {
    try {
      return await execute(graph, feeds);
    } catch (cause) {
      if (cause instanceof UserError) throw cause;
      const message = (cause as Error).message;
      const lacking = withoutKernel(graph, message);
      if (lacking !== undefined)
        throw new UserError(
          `the model cannot be run: the runtime has no kernel for ${lacking}`,
          'export the model in float32 (PyTorch: model.float() before the export)',
          { cause },
        );
      const sizes = Object.entries(feeds).map(([name, t]) => `${name} [${t.dims}]`);
      throw new UserError(
        `the model cannot be run${sizes.length === 0 ? '' : ` with ${sizes.join(', ')}`}: ${message}`,
        'fix every size but the batch (manifest: shape), or export the model again with static sizes',
        { cause },
      );
    }
  };

/** The node of float64 or float16 numbers that the runtime cannot run, and their type; undefined where the message says something else. */
function withoutKernel(graph: Graph, message: string): string | undefined {
  const [, op, name] = /could not find an implementation for (\w+)\(\d+\) node with name '(.*?)'/i.exec(message) ?? [];
  const node = graph.nodes.find((n) => n.op === op && (n.name === name || name === ''));
  if (op === undefined || node === undefined) return undefined;
  const stated = (value: string) => graph.initializers.get(value)?.dtype ?? graph.values.get(value)?.dtype;
  const type = [...node.inputs, ...node.outputs].map(stated).find((dtype) => dtype === 'float64' || dtype === 'float16');
  return type === undefined ? undefined : `${describeNode(node)} in ${type}`;
}
