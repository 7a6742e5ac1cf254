/** @file Spikes written without a comparison become comparisons, where somebody says that they are spikes: binary networks look the same. */
import type { Graph, Node } from '../onnx/graph.ts';
import { rewrite } from '../onnx/passes/rewrite.ts';
import type { ShapeTable } from '../onnx/passes/shapes.ts';
import { clipBounds, sceneOf } from './scene.ts';

/** sign: (sign(x) + 1) / 2; relu-sign: relu(sign(x)); floor: clamp(floor(x), 0, 1). */
export const idioms = ['sign', 'relu-sign', 'floor'] as const;
export type Idiom = (typeof idioms)[number];

/**
 * The same graph with the idioms asked for written as a comparison and a Cast; every value is bit-equal, the one half that (sign(x) + 1) / 2 is at
 * x = 0 included. Shapes of what is new are those of what is compared.
 */
export function plainIdioms(graph: Graph, shapes: ShapeTable, asked: readonly Idiom[]): { graph: Graph; shapes: ShapeTable } {
  const scene = sceneOf(graph, shapes);
  const known = new Map(shapes);
  const written = rewrite(graph, (node, g) => {
    const end = node.domain === '' ? idiomEndingAt(node) : undefined;
    if (end === undefined) return false;
    const like = shapes.get(end.x)!;
    const note = (name: string, dtype: 'bool' | 'float32' = 'float32'): string => {
      known.set(name, { ...like, dtype });
      return name;
    };
    const fires = note(
      g.op(end.idiom === 'floor' ? 'GreaterOrEqual' : 'Greater', [end.x, g.number(end.idiom === 'floor' ? 1 : 0)]),
      'bool',
    );
    if (end.idiom !== 'sign') g.op('Cast', [fires], { to: 1 }, node.outputs[0]!);
    else {
      const spike = note(g.op('Cast', [fires], { to: 1 }));
      const tie = note(g.op('Cast', [note(g.op('Equal', [end.x, g.number(0)]), 'bool')], { to: 1 }));
      g.op('Add', [spike, note(g.op('Mul', [tie, g.number(0.5)]))], {}, node.outputs[0]!);
    }
    return true;
  });
  for (const [name, { dims, data }] of written.initializers)
    if (!known.has(name)) known.set(name, { dtype: 'float32', dims: data.length === 1 ? [] : dims });
  return { graph: written, shapes: known };

  /** The idiom whose last node this is, and what it compares. */
  function idiomEndingAt(node: Node): { idiom: Idiom; x: string } | undefined {
    const before = (name: string, op: string): Node | undefined => {
      const made = scene.producer(name);
      return made?.op === op && scene.consumers(name).length === 1 ? made : undefined;
    };
    const operand = (n: Node, number: number): string | undefined => {
      const at = n.inputs.findIndex((i) => scene.fill(i) === number);
      return at < 0 ? undefined : n.inputs[1 - at];
    };
    if (asked.includes('relu-sign') && node.op === 'Relu') {
      const sign = before(node.inputs[0]!, 'Sign');
      if (sign !== undefined) return { idiom: 'relu-sign', x: sign.inputs[0]! };
    }
    if (asked.includes('floor') && node.op === 'Clip') {
      const floor = before(node.inputs[0]!, 'Floor');
      const bounds = clipBounds(scene, node);
      if (floor !== undefined && bounds?.low === 0 && bounds.high === 1) return { idiom: 'floor', x: floor.inputs[0]! };
    }
    if (asked.includes('sign') && (node.op === 'Div' || node.op === 'Mul')) {
      const half = node.op === 'Mul' ? operand(node, 0.5) : scene.fill(node.inputs[1]!) === 2 ? node.inputs[0] : undefined;
      const sum = half === undefined ? undefined : before(half, 'Add');
      const signed = sum === undefined ? undefined : operand(sum, 1);
      const sign = signed === undefined ? undefined : before(signed, 'Sign');
      if (sign !== undefined) return { idiom: 'sign', x: sign.inputs[0]! };
    }
    return undefined;
  }
}
