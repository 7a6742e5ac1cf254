/** @file What the operators of quantised models are made of in float32: integers carried as floats, scales laid along their axis, rounding and saturation. */
import { UserError } from '../../../errors.ts';
import { type DType, f32, i64, numbersOf } from '../../../tensor/tensor.ts';
import type { GraphBuilder } from '../../builder.ts';
import { elementType } from '../../dtypes.ts';
import { describeNode, type Graph, intOf, type Node, nodeName } from '../../graph.ts';
import type { ShapeTable } from '../shapes.ts';

/** Ends of the integers that values are quantised to. */
const ranges: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

/** Scale and zero point of a quantised tensor, by name; the zero point '' where there is none. */
export interface Scaling {
  readonly scale: string;
  readonly zero: string;
  /** Axis the scales run along where there is more than one, counted from the front or the back. */
  readonly axis?: number;
  /** Elements along the axis that share a scale. */
  readonly block?: number;
}

export interface Writer {
  readonly g: GraphBuilder;
  /** Names that held integers in the file and hold the same numbers as float32 in the copy. */
  readonly floats: Set<string>;
  /** Nodes whose derivative is taken to be that of the identity. */
  readonly roundings: string[];
  dtype(name: string): DType | undefined;
  rank(name: string, node: Node): number;
  /** An integer value as float32. */
  asFloat(name: string): string;
  /** q - zero point; `axis` as for a scale. */
  centred(q: string, node: Node, scaling: Omit<Scaling, 'scale'>): string;
  /** (q - zero point) scale; under the name `output` where one is given. */
  real(q: string, node: Node, scaling: Scaling, output?: string): string;
  /** A node of a name of its own that writes `output`: the file's own node names stay free for what surrogates are to find. */
  put(op: string, inputs: readonly string[], output: string, attributes?: Node['attributes']): string;
  /** Integers of the type of `output`: rounded half to even, saturated. Writes `output`. */
  quantise(x: string, node: Node, scaling: Scaling, output: string): void;
  /** A scale or zero point laid out so that it broadcasts against a tensor of `rank` axes. */
  along(name: string, rank: number, axis: number): string;
}

/** A writer of the float32 copy of `graph`; node names of the copy are those of the file. */
export function writerOf(g: GraphBuilder, graph: Graph, shapes: ShapeTable): Writer {
  const floats = new Set<string>();
  const roundings: string[] = [];
  const converted = new Map<string, string>();
  const dtype = (name: string): DType | undefined => graph.initializers.get(name)?.dtype ?? shapes.get(name)?.dtype;
  const dimsOf = (name: string): readonly (number | null)[] | undefined =>
    graph.initializers.get(name)?.dims ?? shapes.get(name)?.dims;

  const rank = (name: string, node: Node): number => {
    const dims = dimsOf(name);
    if (dims === undefined) throw new Error(`${describeNode(node)}: the shape of "${name}" is not known`);
    return dims.length;
  };
  const asFloat = (name: string): string => {
    if (floats.has(name) || dtype(name) === 'float32') return name;
    const known = converted.get(name);
    if (known !== undefined) return known;
    const value = graph.initializers.get(name);
    const made =
      value === undefined
        ? g.op('Cast', [name], { to: elementType('float32') })
        : g.constant(f32(numbersOf(value), value.dims), g.fresh(`${name}_float`));
    converted.set(name, made);
    return made;
  };
  const along: Writer['along'] = (name, axes, axis) => {
    const dims = dimsOf(name) ?? [];
    const after = axes - 1 - (axis < 0 ? axis + axes : axis);
    const float = asFloat(name);
    if (dims.length !== 1 || dims[0] === 1 || after === 0) return float;
    return g.op('Reshape', [float, g.constant(i64([-1, ...new Array<number>(after).fill(1)]))]);
  };
  /** One scale per block of elements becomes one per element. */
  const spread = (name: string, like: string, node: Node, axis: number, block: number): string => {
    const size = dimsOf(like)?.at(axis);
    if (typeof size !== 'number')
      throw new UserError(
        `${describeNode(node)} has blocks along an axis whose size changes with the batch`,
        'quantise the model along another axis',
      );
    const index = g.ints(Array.from({ length: size }, (_, i) => Math.floor(i / block)));
    return g.op('Gather', [asFloat(name), index], { axis });
  };
  const laid = (name: string, like: string, node: Node, { axis = 1, block = 0 }: Omit<Scaling, 'scale' | 'zero'>): string =>
    block > 0 && (dimsOf(name)?.length ?? 0) > 1 ? spread(name, like, node, axis, block) : along(name, rank(like, node), axis);
  const isZero = (name: string): boolean => {
    const value = graph.initializers.get(name);
    return name === '' || (value !== undefined && numbersOf(value).every((v) => v === 0));
  };

  const put: Writer['put'] = (op, inputs, output, attributes = new Map()) => {
    g.add({ op, domain: '', name: g.fresh(`${op}_of_${output}`), inputs, outputs: [output], attributes });
    return output;
  };
  const centred: Writer['centred'] = (q, node, scaling) =>
    isZero(scaling.zero) ? asFloat(q) : g.op('Sub', [asFloat(q), laid(scaling.zero, q, node, scaling)]);
  return {
    g,
    floats,
    roundings,
    dtype,
    rank,
    asFloat,
    along,
    centred,
    put,
    real: (q, node, scaling, output = g.fresh('real')) =>
      put('Mul', [centred(q, node, scaling), laid(scaling.scale, q, node, scaling)], output),
    quantise(x, node, scaling, output) {
      const type = dtype(output);
      const range = type === undefined ? undefined : ranges[type];
      if (range === undefined)
        throw new UserError(
          `${describeNode(node)} quantises to ${type ?? 'an unknown type'}, for which there is no derivative`,
          'quantise the model to 8 or 16 bits',
        );
      const shape = rankedAs(node, x);
      const steps = g.op('Div', [x, laid(scaling.scale, shape, node, scaling)]);
      const name = nodeName(node);
      const whole = g.fresh(`${name}_rounded`);
      g.add({ op: 'Round', domain: '', name, inputs: [steps], outputs: [whole], attributes: new Map() });
      roundings.push(name);
      const shifted = isZero(scaling.zero) ? whole : g.op('Add', [whole, laid(scaling.zero, shape, node, scaling)]);
      put('Clip', [shifted, g.number(range[0]), g.number(range[1])], output);
      floats.add(output);
    },
  };
}

/** The value whose shape is that of the node's result: the file's own, since those the copy makes are not in the table. */
const rankedAs = (node: Node, x: string): string => node.outputs[0] ?? x;

/** Scaling of QuantizeLinear and DequantizeLinear. */
export const scalingOf = (node: Node): Scaling => ({
  scale: node.inputs[1]!,
  zero: node.inputs[2] ?? '',
  axis: intOf(node, 'axis', 1),
  block: intOf(node, 'block_size', 0),
});
