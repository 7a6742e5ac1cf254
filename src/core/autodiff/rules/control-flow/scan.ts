/** @file The derivative of Scan: the scan itself also saves the states each turn starts from, and a second Scan runs the other way. */
import { attributes } from '../../../onnx/builder.ts';
import { scanParts } from '../../../onnx/passes/control-flow/loops.ts';
import type { FlowRule } from '../../rule.ts';
import { backBody, fresh, saving, startOf, type Turns, turnBack } from './turns.ts';

/** A scanned input of the Scan that runs backwards. */
interface Strip {
  readonly from: string;
  readonly as: string;
  readonly axis: number;
  readonly direction: number;
}

/** Scan: as Loop; slices come from the scanned inputs again, read from the other end, and their cotangents are written from the other end. */
export const scan: FlowRule = (dy, node, scene) => {
  const s = scanParts(node);
  const names = s.body.inputs.map((v) => v.name);
  const results = s.body.outputs.map((v) => v.name);
  const outputs = results.map((_, i) => node.outputs[i] || fresh('unread', scene.taken));
  const t: Turns = {
    node,
    body: s.body,
    inits: node.inputs.slice(0, s.states),
    before: names.slice(0, s.states),
    after: results.slice(0, s.states),
    slices: names.slice(s.states),
    scanned: node.inputs.slice(s.states),
    stacked: results.slice(s.states),
  };
  const turn = turnBack(
    t,
    t.stacked.map((_, i) => dy[s.states + i]),
    scene,
  );
  if (turn.graph.outputs.length === 0) return [];
  const needed = t.before.filter((name) => turn.reads.has(name));
  const saved = saving(t, needed, outputs, scene);
  const zeros = needed.map(() => 0);
  const both = { scan_output_axes: [...s.outputAxes, ...zeros], scan_output_directions: [...s.outputDirections, ...zeros] };
  if (needed.length > 0)
    scene.g.replace(node, { ...saved.node, attributes: new Map([...saved.node.attributes, ...attributes(both)]) });

  const other = (direction: number): number => 1 - direction;
  const slice = (i: number): Strip => ({
    from: t.scanned[i]!,
    as: t.slices[i]!,
    axis: s.inputAxes[i]!,
    direction: other(s.inputDirections[i]!),
  });
  const strips: Strip[] = [
    ...needed.map((name) => ({ from: saved.stacks.get(name)!, as: name, axis: 0, direction: 1 })),
    ...t.slices.flatMap((name, i) => (turn.reads.has(name) ? [slice(i)] : [])),
    ...[...turn.stackSeeds].map(([i, as]) => ({
      from: dy[s.states + i]!,
      as,
      axis: s.outputAxes[i]!,
      direction: other(s.outputDirections[i]!),
    })),
  ];
  // the length has to come from somewhere
  if (strips.length === 0) strips.push(slice(0));
  const made = backBody(t, turn, scene, () => undefined);
  for (const strip of strips) made.b.input(strip.as, [null], 'float32');
  const graph = made.finish();
  const body = { ...graph, inputs: graph.inputs.map((v) => ({ name: v.name, dtype: undefined, dims: undefined })) };
  const start = startOf(t, turn, dy, scene);
  const back = scene.g.ops('Scan', [...start, ...strips.map((strip) => strip.from)], start.length + turn.slices.length, {
    body: { type: 'graph', value: body },
    num_scan_inputs: strips.length,
    scan_input_axes: strips.map((strip) => strip.axis),
    scan_input_directions: strips.map((strip) => strip.direction),
    scan_output_axes: turn.slices.map((i) => s.inputAxes[i]!),
    scan_output_directions: turn.slices.map((i) => other(s.inputDirections[i]!)),
  });
  return [
    ...turn.states.map((i, k) => [t.inits[i]!, back[k]!] as const),
    ...turn.captures.map((name, k) => [name, back[turn.states.length + k]!] as const),
    ...turn.slices.map((i, k) => [t.scanned[i]!, back[start.length + k]!] as const),
  ];
};
