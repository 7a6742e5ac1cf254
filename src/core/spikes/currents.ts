/** @file What arrives from outside a layer at a step, as against what the layer remembers from the step before. */
import type { Node } from '../onnx/graph.ts';
import type { Firing } from './candidates.ts';
import { madeOf } from './elements.ts';
import { type Scene, throughElements } from './scene.ts';

export interface Current {
  readonly value: string;
  /** What it is multiplied by before it is added. */
  readonly gain: number;
  /** Where it is read. */
  readonly edge: { readonly node: Node; readonly input: number };
}

/** What arrives: nothing, something that cannot be told apart, or one value that is added. */
export type Arrival = 'nothing' | 'something' | Current;

/**
 * The one computed value that is added to what is made of the earlier potential and spike. Where every step is fed the same and nothing comes before it, the
 * first potential is itself what arrives later: then the operand that is nothing but that value is taken.
 */
export function arrivalOf(scene: Scene, from: Firing, to: Firing, isSpike: (name: string) => boolean): Arrival {
  const potentials = new Set(from.potentials.map(scene.same));
  const spikes = new Set([...from.floats, ...from.bools, ...from.negated]);
  const isPotential = (name: string): boolean => potentials.has(scene.same(name));
  const isState = (name: string): boolean => spikes.has(name) || isPotential(name);
  const remembers = new Map<string, boolean>();
  const ofState = (name: string): boolean => {
    const known = remembers.get(name) ?? madeOf(scene, name, isState);
    remembers.set(name, known);
    return known;
  };
  const found = new Map<string, Current>();
  const aliases: Current[] = [];
  // from the potential backwards in the order of the graph: when a node's turn comes, all that reads it has been seen
  const gains = new Map<Node, number>();
  const enter = (name: string, gain: number): void => {
    const node = isState(name) ? undefined : scene.producer(name);
    if (node !== undefined) gains.set(node, (gains.get(node) ?? 0) + gain);
  };
  enter(to.potentials.at(-1)!, 1);
  while (gains.size > 0) {
    const node = [...gains.keys()].reduce((a, b) => (scene.position.get(a)! > scene.position.get(b)! ? a : b));
    const gain = gains.get(node)!;
    gains.delete(node);
    const through = throughElements(scene, node);
    for (const [i, input] of node.inputs.entries()) {
      if (!through.includes(input) || !scene.live(input)) continue;
      const scaled = gain * gainOf(scene, node, i);
      const entry = { value: input, gain: scaled, edge: { node, input: i } };
      // another spike that is multiplied with the state gates it, and is nothing that arrives
      if (isSpike(input) && Number.isNaN(scaled)) continue;
      if (!ofState(input)) found.set(input, { ...entry, gain: scaled + (found.get(input)?.gain ?? 0) });
      else if (isPotential(input) && node.op === 'Add' && madeOf(scene, node.inputs[1 - i]!, isPotential)) aliases.push(entry);
      else enter(input, scaled);
    }
  }
  const all = found.size > 0 ? [...found.values()] : aliases.slice(0, 1);
  if (all.length === 0) return 'nothing';
  return all.length === 1 && Number.isFinite(all[0]!.gain) ? all[0]! : 'something';
}

/** What a node multiplies its input by; NaN where it does something else to it. */
function gainOf(scene: Scene, node: Node, input: number): number {
  const other = node.inputs[1 - input];
  switch (node.op) {
    case 'Add':
    case 'Sum':
    case 'Identity':
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
    case 'Flatten':
      return 1;
    case 'Sub':
      return input === 0 ? 1 : -1;
    case 'Neg':
      return -1;
    case 'Mul':
      return scene.fill(other!) ?? Number.NaN;
    case 'Div':
      return input === 0 ? 1 / (scene.fill(other!) ?? Number.NaN) : Number.NaN;
    default:
      return Number.NaN;
  }
}
