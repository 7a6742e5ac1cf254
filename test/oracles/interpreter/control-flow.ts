import { type Graph, intOf, intsOf, type Node } from '../../../src/core/onnx/graph.ts';
import { axisOf, type F64, f64, filledBy, type Kernels, offsetOf, type Run } from './types.ts';

const bodyOf = (node: Node, name: string): Graph => {
  const a = node.attributes.get(name);
  if (a?.type !== 'graph') throw new Error(`${node.op} has no ${name}`);
  return a.value;
};

/** Results of a body in order. */
function call(body: Graph, own: readonly F64[], run: Run): F64[] {
  const values = run(body, Object.fromEntries(body.inputs.map((v, i) => [v.name, own[i]!])));
  return body.outputs.map((v) => values.get(v.name)!);
}

/** Equal parts along a new axis, in order. */
function stacked(parts: readonly F64[], axis: number): F64 {
  if (parts.length === 0) return f64([0], []);
  const dims = [...parts[0]!.dims];
  const at = axisOf(axis, dims.length + 1);
  dims.splice(at, 0, parts.length);
  return filledBy(dims, (index) => {
    const part = parts[index[at]!]!;
    return part.data[
      offsetOf(
        part.dims,
        index.filter((_, i) => i !== at),
      )
    ]!;
  });
}

function slice(x: F64, axis: number, position: number): F64 {
  const at = axisOf(axis, x.dims.length);
  return filledBy(
    x.dims.filter((_, i) => i !== at),
    (index) => x.data[offsetOf(x.dims, [...index.slice(0, at), position, ...index.slice(at)])]!,
  );
}

const scalar = (value: number): F64 => f64([], [value]);

export const controlFlow: Kernels = {
  If: ([condition], node, run) => call(bodyOf(node, condition!.data[0] === 0 ? 'else_branch' : 'then_branch'), [], run),

  Loop([count, condition, ...inits], node, run) {
    const body = bodyOf(node, 'body');
    const limit = count?.data[0] ?? Number.POSITIVE_INFINITY;
    let states = inits.map((v) => v!);
    const stacks: F64[][] = body.outputs.slice(1 + states.length).map(() => []);
    let goes = condition === undefined || condition.data[0] !== 0;
    for (let turn = 0; goes && turn < limit; turn++) {
      const [next, ...results] = call(body, [scalar(turn), scalar(1), ...states], run);
      goes = next!.data[0] !== 0;
      states = results.slice(0, states.length);
      for (const [i, part] of stacks.entries()) part.push(results[states.length + i]!);
    }
    return [...states, ...stacks.map((parts) => stacked(parts, 0))];
  },

  Scan(inputs, node, run) {
    const body = bodyOf(node, 'body');
    const scanned = intOf(node, 'num_scan_inputs', 0);
    const lead = inputs.length - scanned;
    const list = (name: string): readonly number[] => intsOf(node, name) ?? [];
    let states = inputs.slice(0, lead).map((v) => v!);
    const strips = inputs
      .slice(lead)
      .map((x, i) => ({ x: x!, axis: list('scan_input_axes')[i] ?? 0, back: list('scan_input_directions')[i] === 1 }));
    const length = strips[0]!.x.dims[axisOf(strips[0]!.axis, strips[0]!.x.dims.length)]!;
    const stacks: F64[][] = body.outputs.slice(lead).map(() => []);
    for (let turn = 0; turn < length; turn++) {
      const parts = strips.map(({ x, axis, back }) => slice(x, axis, back ? length - 1 - turn : turn));
      const results = call(body, [...states, ...parts], run);
      states = results.slice(0, lead);
      for (const [i, part] of stacks.entries()) part.push(results[lead + i]!);
    }
    const ordered = stacks.map((parts, i) => (list('scan_output_directions')[i] === 1 ? parts.reverse() : parts));
    return [...states, ...ordered.map((parts, i) => stacked(parts, list('scan_output_axes')[i] ?? 0))];
  },
};
