/** @file Nodes that pick time steps or put them side by side: written as windows of what they read. */
import { intOf, type Node } from '../../graph.ts';
import type { Range, Rule, Writer } from './rule.ts';
import { fromStart, type Scene, spreadOf, type Timed } from './timed.ts';

/** The first input where it has positions of its own along an axis of nothing else, and nothing beside it depends on the model's input. */
function source(node: Node, scene: Scene): { axis: number; count: number; rank: number; timed: Timed } | undefined {
  const [name, ...others] = node.inputs as [string, ...string[]];
  const timed = scene.timed(name);
  const spread = spreadOf(timed);
  if (spread === undefined || others.some((other) => other !== '' && scene.timed(other) !== undefined)) return undefined;
  return { axis: spread.axis, count: spread.count, rank: spread.axes.length, timed: timed! };
}

const isPure = (timed: Timed, axis: number): boolean => timed.axes![axis]!.length === 1;

/** Some of the positions, from `from` on. */
const part = (timed: Timed, from: number, count: number): Timed => ({ ...timed, last: timed.last.slice(from, from + count) });

/** The node as it is, over the same positions. */
const other = (node: Node, output: number, range: Range, w: Writer): string =>
  w.copy(node, range, () => [w.window(node.inputs[0]!, range), ...node.inputs.slice(1).map((name) => w.whole(name))])[output]!;

/** Axes of the outputs of a node that leaves the time where it is. */
function kept(node: Node, scene: Scene, axis: number, timed: Timed): readonly Timed[] | undefined {
  const made = node.outputs.map((name): Timed | undefined => {
    const axes = scene.axes(name)?.map((a, k) => (k === axis ? timed.axes![axis]! : a));
    return axes === undefined ? undefined : { last: timed.last, axes };
  });
  return made.every((t) => t !== undefined) ? made : undefined;
}

/** Where each output of a Split along the time begins. */
function starts(node: Node, scene: Scene): number[] | undefined {
  let from = 0;
  const made: number[] = [];
  for (const name of node.outputs) {
    const size = scene.dims(name)?.[spreadOf(scene.timed(node.inputs[0]!))!.axis];
    if (size === undefined || size === null) return undefined;
    made.push(from);
    from += size;
  }
  return made;
}

const split: Rule = {
  outputs(node, scene) {
    const from = source(node, scene);
    if (from === undefined) return undefined;
    if (fromStart(intOf(node, 'axis', 0), from.rank) !== from.axis) return kept(node, scene, from.axis, from.timed);
    const at = isPure(from.timed, from.axis) ? starts(node, scene) : undefined;
    return at?.map((start, i) => part(from.timed, start, (at[i + 1] ?? from.count) - start));
  },
  write(node, output, range, w) {
    const from = source(node, w.scene)!;
    if (fromStart(intOf(node, 'axis', 0), from.rank) !== from.axis) return other(node, output, range, w);
    const start = starts(node, w.scene)![output]!;
    return w.window(node.inputs[0]!, [start + range[0], start + range[1]]);
  },
};

/** First position and count of a Slice along the time alone, by ones; 'elsewhere' where it leaves the time as it is. */
function sliced(node: Node, scene: Scene): 'elsewhere' | { start: number; count: number } | undefined {
  const from = source(node, scene);
  const [begins, ends] = [scene.whole(node.inputs[1]), scene.whole(node.inputs[2])];
  if (from === undefined || begins === undefined || ends === undefined) return undefined;
  const axes = (node.inputs[3] ?? '') === '' ? begins.map((_, i) => i) : scene.whole(node.inputs[3]);
  const strides = (node.inputs[4] ?? '') === '' ? begins.map(() => 1) : scene.whole(node.inputs[4]);
  const k = axes?.map((axis) => fromStart(axis, from.rank)).indexOf(from.axis);
  if (axes === undefined || strides === undefined || k === undefined) return undefined;
  if (k < 0) return 'elsewhere';
  if (axes.length > 1 || strides[k] !== 1 || !isPure(from.timed, from.axis)) return undefined;
  const bound = (at: number): number => Math.min(from.count, Math.max(0, at < 0 ? at + from.count : at));
  const [start, end] = [bound(begins[k]!), bound(ends[k]!)];
  return end > start ? { start, count: end - start } : undefined;
}

const slice: Rule = {
  outputs(node, scene) {
    const found = sliced(node, scene);
    if (found === undefined) return undefined;
    const { axis, timed } = source(node, scene)!;
    return found === 'elsewhere' ? kept(node, scene, axis, timed) : [part(timed, found.start, found.count)];
  },
  write(node, output, range, w) {
    const found = sliced(node, w.scene);
    if (found === 'elsewhere' || found === undefined) return other(node, output, range, w);
    return w.window(node.inputs[0]!, [found.start + range[0], found.start + range[1]]);
  },
};

/** One position, its axis dropped or kept, by a constant index. */
const gather: Rule = {
  outputs(node, scene) {
    const [from, index] = [source(node, scene), scene.whole(node.inputs[1])];
    if (from === undefined) return undefined;
    if (fromStart(intOf(node, 'axis', 0), from.rank) !== from.axis)
      return scene.dims(node.inputs[1]!)?.length === 1 ? kept(node, scene, from.axis, from.timed) : undefined;
    if (index?.length !== 1 || !isPure(from.timed, from.axis)) return undefined;
    return [{ last: [from.timed.last[fromStart(index[0]!, from.count)]!] }];
  },
  write(node, output, range, w) {
    const from = source(node, w.scene)!;
    if (fromStart(intOf(node, 'axis', 0), from.rank) !== from.axis) return other(node, output, range, w);
    const at = fromStart(w.scene.whole(node.inputs[1])![0]!, from.count);
    const one = w.window(node.inputs[0]!, [at, at + 1]);
    return w.scene.dims(node.inputs[1]!)!.length === 1 ? one : w.g.op('Squeeze', [one, w.g.ints([from.axis])]);
  },
};

interface Piece {
  readonly name: string;
  /** Position of the result where it begins. */
  readonly from: number;
  readonly last: readonly number[];
}

const axisOfConcat = (node: Node, scene: Scene): number =>
  fromStart(intOf(node, 'axis', 0), scene.dims(node.outputs[0]!)!.length);

/** Per input of a Concat the positions it brings; undefined where they cannot be told apart, or are no time. */
function pieces(node: Node, scene: Scene): Piece[] | undefined {
  const axis = axisOfConcat(node, scene);
  const made: Piece[] = [];
  let from = 0;
  for (const name of node.inputs) {
    const timed = scene.timed(name);
    const spread = spreadOf(timed);
    const count = scene.dims(name)?.[axis];
    if (count === undefined || count === null) return undefined;
    if (spread !== undefined && (spread.axis !== axis || !isPure(timed!, axis))) return undefined;
    made.push({ name, from, last: spread === undefined ? new Array<number>(count).fill(timed?.last[0] ?? -1) : timed!.last });
    from += count;
  }
  const last = made.flatMap((piece) => piece.last);
  const falls = last.some((t, p) => p > 0 && t < last[p - 1]!);
  // features side by side, all of one step
  return falls || last.every((t) => t === last[0]) ? undefined : made;
}

/** Of a Concat beside the time: how all inputs that depend on the model's input have it, if they agree. */
function beside(node: Node, scene: Scene): { axis: number; timed: Timed } | undefined {
  const spread = node.inputs.flatMap((name) => spreadOf(scene.timed(name)) ?? []);
  const [first] = spread;
  if (first === undefined || first.axis === axisOfConcat(node, scene)) return undefined;
  const factors = first.axes[first.axis]!.join();
  if (spread.some((s) => s.axis !== first.axis || s.count !== first.count || s.axes[s.axis]!.join() !== factors))
    return undefined;
  const others = node.inputs.filter((name) => spreadOf(scene.timed(name)) === undefined);
  if (others.some((name) => scene.timed(name) !== undefined || factors !== 'time')) return undefined;
  const read = node.inputs.flatMap((name) => scene.timed(name) ?? []);
  const last = Array.from({ length: first.count }, (_, p) => Math.max(...read.map((t) => t.last[p]!)));
  return { axis: first.axis, timed: { last, axes: first.axes } };
}

const concat: Rule = {
  outputs(node, scene) {
    if (scene.dims(node.outputs[0]!) === undefined) return undefined;
    const found = pieces(node, scene);
    if (found === undefined) {
      const all = beside(node, scene);
      return all === undefined ? undefined : kept(node, scene, all.axis, all.timed);
    }
    const axis = axisOfConcat(node, scene);
    const axes = scene.axes(node.outputs[0]!)?.map((a, k) => (k === axis ? (['time'] as const) : a));
    return axes === undefined ? undefined : [{ last: found.flatMap((piece) => piece.last), axes }];
  },
  write(node, _, range, w) {
    const found = pieces(node, w.scene);
    if (found === undefined) return across(node, range, w);
    const axis = axisOfConcat(node, w.scene);
    const parts = found.flatMap((piece) => {
      const own: Range = [Math.max(0, range[0] - piece.from), Math.min(piece.last.length, range[1] - piece.from)];
      if (own[0] >= own[1]) return [];
      if (spreadOf(w.scene.timed(piece.name)) !== undefined) return [w.window(piece.name, own)];
      return [own[1] - own[0] === piece.last.length ? w.whole(piece.name) : w.cut(piece.name, axis, own)];
    });
    return parts.length === 1 ? parts[0]! : w.g.op('Concat', parts, { axis });
  },
};

/** A Concat beside the time, over some of the positions of all its inputs. */
const across = (node: Node, range: Range, w: Writer): string => {
  const { axis } = beside(node, w.scene)!;
  const inputs = (): string[] =>
    node.inputs.map((name) => (spreadOf(w.scene.timed(name)) === undefined ? w.cut(name, axis, range) : w.window(name, range)));
  return w.copy(node, range, inputs)[0]!;
};

export const views: Readonly<Record<string, Rule>> = { Split: split, Slice: slice, Gather: gather, Concat: concat };
