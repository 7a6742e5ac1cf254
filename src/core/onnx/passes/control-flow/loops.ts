/** @file What can be told of a loop without running it. */
import { numbersOf, type Tensor } from '../../../tensor/tensor.ts';
import { type Graph, intOf, intsOf, type Node, producersOf } from '../../graph.ts';

/** The body of a Loop or Scan, or a named branch of an If. */
export function bodyOf(node: Node, name: 'body' | 'then_branch' | 'else_branch'): Graph {
  const attribute = node.attributes.get(name);
  if (attribute?.type !== 'graph') throw new Error(`${node.op} "${node.name}" has no ${name}`);
  return attribute.value;
}

/** Sizes of the number of the turn and of the condition a Loop's body takes: scalars, or lists of one where the file declares them so. */
export const leadDims = (body: Graph): [number: number[], condition: number[]] =>
  [0, 1].map((i) => (body.inputs[i]!.dims?.length === 1 ? [1] : [])) as [number[], number[]];

export type ConstantOf = (name: string) => Tensor | undefined;

/** Whether a Loop, once started, only ends when its trip count does: its condition is handed through, or constantly true. */
export function runsOn(body: Graph, constant: ConstantOf): boolean {
  const producers = producersOf(body);
  let name = body.outputs[0]!.name;
  for (let node = producers.get(name); node?.op === 'Identity' && node.domain === ''; node = producers.get(name))
    name = node.inputs[0]!;
  return name === body.inputs[1]!.name || truth(constant(name)) === true;
}

/** The value of a constant condition. */
export const truth = (value: Tensor | undefined): boolean | undefined =>
  value === undefined ? undefined : numbersOf(value)[0] !== 0;

/** How often a Loop runs, where that is fixed: its trip count is constant and nothing else ends it. */
export function tripsOf(node: Node, constant: ConstantOf): number | undefined {
  const [count, condition] = [node.inputs[0] ?? '', node.inputs[1] ?? ''];
  const start = condition === '' ? true : truth(constant(condition));
  if (start === false) return 0;
  const trips = count === '' ? undefined : constant(count);
  if (start === undefined || trips === undefined || !runsOn(bodyOf(node, 'body'), constant)) return undefined;
  return Math.max(0, numbersOf(trips)[0]!);
}

/** The parts of a Scan. */
export interface ScanParts {
  readonly body: Graph;
  /** Number of states, and of scanned inputs and outputs. */
  readonly states: number;
  readonly slices: number;
  readonly scans: number;
  /** Per scanned input or output. */
  readonly inputAxes: readonly number[];
  readonly outputAxes: readonly number[];
  readonly inputDirections: readonly number[];
  readonly outputDirections: readonly number[];
}

/** A Scan's attributes, with what holds where they are left out. */
export function scanParts(node: Node): ScanParts {
  const body = bodyOf(node, 'body');
  const slices = intOf(node, 'num_scan_inputs', 0);
  const states = node.inputs.length - slices;
  const scans = body.outputs.length - states;
  const zeros = (count: number): number[] => new Array<number>(count).fill(0);
  return {
    body,
    states,
    slices,
    scans,
    inputAxes: intsOf(node, 'scan_input_axes', zeros(slices)),
    outputAxes: intsOf(node, 'scan_output_axes', zeros(scans)),
    inputDirections: intsOf(node, 'scan_input_directions', zeros(slices)),
    outputDirections: intsOf(node, 'scan_output_directions', zeros(scans)),
  };
}
