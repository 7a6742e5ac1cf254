import { suggestion, UserError } from '../../errors.ts';
import { type Dim, feedsOf, type Graph, type Value } from '../graph.ts';
import { withoutStatedSizes } from './control-flow/plain-bodies.ts';

/** New sizes by input name: a number fixes an axis, a name (such as "N") leaves it open. */
export type Binding = Readonly<Record<string, readonly (number | string)[]>>;

/**
 * Gives inputs the stated sizes: every symbolic or unknown axis but the batch should become a number before shapes are asked of the runtime.
 * A symbol that becomes a number does so everywhere in the signature; types stated for values inside are dropped, they may no longer hold.
 * Throws a UserError for inputs that do not exist, a wrong number of axes, and sizes the file fixes otherwise.
 */
export function bindDims(graph: Graph, binding: Binding): Graph {
  const feeds = feedsOf(graph);
  const bound = new Map<string, number | string>();
  for (const [name, dims] of Object.entries(binding)) {
    const input = feeds.find((v) => v.name === name);
    if (input === undefined) {
      throw new UserError(
        `the model has no input "${name}"`,
        suggestion(
          name,
          feeds.map((v) => v.name),
        ),
      );
    }
    collect(input, dims, bound);
  }
  const resolve = (dim: Dim): Dim => (typeof dim === 'string' ? (bound.get(dim) ?? dim) : dim);
  const retype = (value: Value): Value => {
    const dims = binding[value.name] ?? value.dims?.map(resolve);
    return dims === undefined ? value : { ...value, dims };
  };
  return {
    ...withoutStatedSizes(graph),
    inputs: graph.inputs.map(retype),
    outputs: graph.outputs.map((v) => (v.dims === undefined ? v : { ...v, dims: v.dims.map(resolve) })),
  };
}

function collect(input: Value, dims: readonly (number | string)[], bound: Map<string, number | string>): void {
  const stated = input.dims ?? dims;
  const refuse = (why: string): never => {
    throw new UserError(
      `input "${input.name}" [${stated.map((d) => d ?? '?').join(', ')}] cannot be [${dims.join(', ')}]: ${why}`,
      'state sizes that fit the model',
    );
  };
  if (stated.length !== dims.length) refuse(`it has ${stated.length} axes`);
  for (const [axis, dim] of dims.entries()) {
    const was = stated[axis] ?? null;
    if (typeof dim === 'number' && !(Number.isInteger(dim) && dim > 0)) refuse(`${dim} is no size`);
    if (typeof was === 'number' && was !== dim) refuse(`the file fixes axis ${axis} at ${was}`);
    if (typeof was !== 'string') continue;
    const other = bound.get(was);
    if (other !== undefined && other !== dim) refuse(`"${was}" is ${other} already`);
    bound.set(was, dim);
  }
}
