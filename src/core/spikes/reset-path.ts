/** @file The nodes through which a spike reaches the next potential of its own layer. */
import type { Node } from '../onnx/graph.ts';
import type { Firing } from './candidates.ts';
import { elementOf, spikeNumbers } from './elements.ts';
import { type Scene, throughElements } from './scene.ts';

export interface ResetPath {
  /** In the order of the graph. */
  readonly readers: ReadonlySet<Node>;
  /** Those that make something of the spike alone which is read elsewhere too, such as a spike of another height. */
  readonly shared: ReadonlySet<Node>;
}

/** The reset path from a firing to the same neurons one step later: element-wise nodes that depend on the spike and that the later potential is made of. */
export function resetPath(scene: Scene, from: Firing, to: Firing): ResetPath {
  const cone = coneOf(scene, to);
  const floats = new Set(from.floats);
  const reached = new Set(floats);
  const readers = new Set<Node>();
  for (const node of [...cone].sort((a, b) => scene.position.get(a)! - scene.position.get(b)!)) {
    if (!throughElements(scene, node).some((i) => reached.has(i))) continue;
    readers.add(node);
    for (const output of node.outputs) reached.add(output);
  }
  return { readers, shared: sharedOf(scene, from, to, readers) };

  function coneOf(scene: Scene, to: Firing): Set<Node> {
    const nodes = new Set<Node>();
    const open = [to.potentials.at(-1)!];
    while (open.length > 0) {
      const name = open.pop()!;
      const node = scene.producer(name);
      if (node === undefined || nodes.has(node) || from.floats.includes(name) || !scene.live(name)) continue;
      const through = throughElements(scene, node);
      if (through.length === 0) continue;
      nodes.add(node);
      open.push(...through);
    }
    return nodes;
  }
}

/** Of the readers those that compute something of the spike alone, or are on the way to it, and are read by others than the reset. */
function sharedOf(scene: Scene, from: Firing, to: Firing, readers: ReadonlySet<Node>): Set<Node> {
  const potential = from.potentials.at(-1)!;
  const target = new Set(to.potentials);
  const alone = (node: Node): boolean =>
    [0, 1].every((spike) => {
      const [a, b] = [0.37, 0.81].map((other) =>
        elementOf(scene, node.outputs[0]!, {
          values: new Map([[potential, other], ...spikeNumbers(from, spike)]),
          otherwise: 1 - other,
        }),
      );
      return Math.abs(a! - b!) <= 1e-6;
    });
  const outputs = new Set(scene.graph.outputs.map((v) => v.name));
  const shared = new Set<Node>();
  for (const node of [...readers].reverse()) {
    if (node.outputs.some((o) => target.has(o))) continue;
    const users = node.outputs.flatMap((o) => scene.consumers(o));
    const elsewhere = users.some((u) => !readers.has(u)) || node.outputs.some((o) => outputs.has(o));
    if ((elsewhere && alone(node)) || users.some((u) => shared.has(u))) shared.add(node);
  }
  return shared;
}
