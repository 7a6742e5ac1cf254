/** @file Writes one slice: asked for values, it writes the nodes that make them, and takes from earlier slices what those have made. */
import { graphBuilder } from '../../builder.ts';
import { type Graph, intOf, type Node, nodeName, producersOf, readsOf } from '../../graph.ts';
import type { ShapeTable } from '../shapes.ts';
import { sizeOfAxis } from './axes.ts';
import type { Dependence, TimeInput } from './dependence.ts';
import type { Range, Writer } from './rule.ts';
import { ruleOf } from './rules.ts';
import { spreadOf } from './timed.ts';
import { workOf } from './work.ts';

/** A value that a slice hands on to later ones: an output of the one, an input of the others, under one name. */
export interface Carried {
  readonly name: string;
  /** The slice that makes it. */
  readonly from: number;
  /** The axis along which its samples lie. */
  readonly batchAxis: number;
}

export interface Taken {
  /** Name of the value in the whole graph. */
  readonly value: string;
  readonly carried: Carried;
}

/** Says why a graph cannot be cut. */
export class NotSliceable extends Error {}

/** The runtime joins these with what follows and rounds differently then: they are made where they are read, and their inputs handed on. */
const madeWhereRead = new Set(['Conv', 'ConvTranspose', 'MatMul']);

export interface Place {
  readonly slice: number;
  readonly steps: Range;
  readonly input: TimeInput;
  /** The slice that holds a step of the input; that of -1 is the first. */
  sliceOf(step: number): number;
  /** Names no value of the slice may have. */
  readonly taken: ReadonlySet<string>;
}

export interface SliceWriter {
  /** Makes a value, or the part of it that this slice makes, an output under another name. */
  give(value: string, as: string): void;
  takes(): readonly Taken[];
  /** Rough work of what was written (work.ts). */
  work(): number;
  build(): Graph;
}

export function sliceWriter(scene: Dependence, shapes: ShapeTable, place: Place): SliceWriter {
  const { graph } = scene;
  const { slice, steps, input, sliceOf } = place;
  const producers = producersOf(graph);
  const { rest: _, ...plain } = graph;
  const g = graphBuilder({
    from: { ...plain, nodes: [], inputs: [], outputs: [], initializers: new Map(), values: new Map() },
    taken: new Set(place.taken),
  });
  const constants = new Set<string>();
  const written = new Map<string, string>();
  const copies = new Map<string, readonly string[]>();
  const taken = new Map<string, Taken>();
  let work = 0;
  const declared = graph.inputs.find((v) => v.name === input.name)!;
  g.input(
    input.name,
    declared.dims!.map((d, k) => (k === input.timeAxis ? steps[1] - steps[0] : d)),
    declared.dtype,
  );

  const once = (key: string, make: () => string): string => {
    const name = written.get(key) ?? make();
    written.set(key, name);
    return name;
  };

  const take = (value: string, from: number, positions: number): string =>
    once(`take ${value} ${from}`, () => {
      const { dims, batchAxis } = rowsOf(scene, value, positions);
      const dtype = shapes.get(value)?.dtype;
      if (dtype === undefined || dtype === 'string') throw new NotSliceable(`"${value}" cannot be handed from slice to slice`);
      const carried = { name: `${value}@${from}`, from, batchAxis };
      taken.set(carried.name, { value, carried });
      return g.input(carried.name, dims, dtype);
    });

  const copyOf = (node: Node, key: string, inputs: () => readonly string[]): readonly string[] => {
    const known = copies.get(`${key} ${node.outputs.join()}`);
    if (known !== undefined) return known;
    const read = inputs();
    const outputs = node.outputs.map((name) => (name === '' ? '' : g.fresh(name)));
    g.add({ ...node, name: outputs.find((o) => o !== '')!, inputs: read, outputs });
    copies.set(`${key} ${node.outputs.join()}`, outputs);
    return outputs;
  };

  /** The sizes a value has in the whole graph; the batch is that of this run. */
  const sizesOf = (node: Node): string => {
    const [name] = node.inputs as [string];
    const positions = scene.timed(name)?.last.length ?? 1;
    const batch = (): string =>
      once('batch', () =>
        g.op('Gather', [g.op('Shape', [input.name]), g.ints([declared.dims!.findIndex((d) => typeof d !== 'number')])]),
      );
    const asked = scene.axes(name)!.slice(intOf(node, 'start', 0), intOf(node, 'end'));
    const sizes = asked.map((axis): string => {
      const others = sizeOfAxis(
        axis.filter((f) => f !== 'batch'),
        positions,
      )!;
      if (!axis.includes('batch')) return g.ints([others]);
      return others === 1 ? batch() : g.op('Mul', [batch(), g.ints([others])]);
    });
    return sizes.length === 0 ? g.ints([]) : g.op('Concat', sizes, { axis: 0 });
  };

  /** What does not depend on the values of the input: constants, and what is made of sizes. */
  const still = (name: string): string => {
    const constant = graph.initializers.get(name);
    if (constant !== undefined) {
      if (!constants.has(name)) g.constant(constant, name);
      constants.add(name);
      return name;
    }
    const node = producers.get(name)!;
    if (node.op === 'Shape') return once(`still ${name}`, () => sizesOf(node));
    return copyOf(node, 'still', () => node.inputs.map((read) => (read === '' ? '' : still(read))))[node.outputs.indexOf(name)]!;
  };

  /** Writes some positions of a value here. */
  const make = (name: string, [from, to]: Range): string =>
    once(`make ${name} ${from} ${to}`, () => {
      if (name === input.name) return input.name;
      const node = producers.get(name)!;
      const output = node.outputs.indexOf(name);
      work += (workOf(node, scene) * (to - from)) / scene.timed(name)!.last.length;
      const rule = scene.apart.has(node) ? ruleOf(node) : undefined;
      if (rule !== undefined) return rule.write(node, output, [from, to], writer);
      if (readsOf(node).length > node.inputs.length) throw new NotSliceable(`${node.op} "${nodeName(node)}" reads from inside`);
      return copyOf(node, 'whole', () => node.inputs.map((read) => writer.whole(read)))[output]!;
    });

  /** The positions of a value that belong to a slice. */
  const piece = (name: string, of: number, range: Range): string => {
    const remade = of < slice && name !== input.name && madeWhereRead.has(producers.get(name)!.op);
    return of === slice || remade ? make(name, range) : take(name, of, range[1] - range[0]);
  };

  const cutAlong = (name: string, axis: number, [from, to]: Range): string =>
    once(`cut ${name} ${axis} ${from} ${to}`, () => g.op('Slice', [name, g.ints([from]), g.ints([to]), g.ints([axis])]));

  const writer: Writer = {
    g,
    scene,
    whole(name) {
      if (name === '') return '';
      const timed = scene.timed(name);
      if (timed === undefined) return still(name);
      return timed.axes === undefined
        ? piece(name, sliceOf(timed.last[0]!), [0, 1])
        : writer.window(name, [0, timed.last.length]);
    },
    window(name, [from, to]) {
      const timed = scene.timed(name)!;
      const { axis, axes } = spreadOf(timed)!;
      const parts: string[] = [];
      for (let at = from; at < to; ) {
        const of = sliceOf(timed.last[at]!);
        const [start, end] = rangeIn(timed.last, of, sliceOf);
        const till = Math.min(to, end);
        const isWhole = at === start && till === end;
        const [outermost, ...within] = axes[axis]!;
        if (!(isWhole && at === from && till === to) && (outermost !== 'time' || within.includes('batch')))
          throw new NotSliceable(`the steps of "${name}" would have to be cut where they lie folded into another axis`);
        const all = piece(name, of, [start, end]);
        const each = sizeOfAxis(within, 1) ?? 1;
        parts.push(isWhole ? all : cutAlong(all, axis, [(at - start) * each, (till - start) * each]));
        at = till;
      }
      return parts.length === 1 ? parts[0]! : once(`join ${name} ${from} ${to}`, () => g.op('Concat', parts, { axis }));
    },
    cut: (name, axis, range) => cutAlong(writer.whole(name), axis, range),
    copy: (node, [from, to], inputs) => copyOf(node, `${from}:${to}`, inputs),
  };

  return {
    give(value, as) {
      const timed = scene.timed(value);
      const isPart = value !== as && timed !== undefined;
      g.op('Identity', [isPart ? make(value, rangeIn(timed.last, slice, sliceOf)) : writer.whole(value)], {}, as);
      g.untypedOutput(as);
    },
    takes: () => [...taken.values()],
    work: () => work,
    build: () => g.build(),
  };
}

/** The positions that belong to a slice. */
const rangeIn = (last: readonly number[], slice: number, sliceOf: (step: number) => number): Range => [
  last.findIndex((t) => sliceOf(t) === slice),
  last.findLastIndex((t) => sliceOf(t) === slice) + 1,
];

/** Sizes of a value that is handed on, and where its samples lie. */
function rowsOf(scene: Dependence, name: string, positions: number): { dims: (number | string)[]; batchAxis: number } {
  const axes = scene.axes(name);
  const batchAxis = axes?.findIndex((axis) => axis.includes('batch')) ?? -1;
  const isRow =
    axes !== undefined &&
    batchAxis >= 0 &&
    (axes[batchAxis]!.length === 1 || (positions === 1 && axes[batchAxis]!.length === 2 && axes[batchAxis]!.includes('time')));
  if (!isRow) throw new NotSliceable(`"${name}" does not hold its samples one by one`);
  return { dims: axes.map((axis) => sizeOfAxis(axis, positions) ?? 'N'), batchAxis };
}
