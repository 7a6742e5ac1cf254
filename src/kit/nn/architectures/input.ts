/** @file The one input a family of networks reads, its axes in the order the layers expect. */
import { UserError } from '../../../core/errors.ts';
import { f32 } from '../../../core/tensor/tensor.ts';
import type { Bounds, InputSpec } from '../../model/model.ts';
import type { Architecture } from '../architecture.ts';
import { permute, reshape } from '../layers/shape.ts';
import type { Layer, Net, Signal } from '../net.ts';

type Task = Pick<Architecture, 'inputs' | 'classes'>;

/** An input of a network under construction, in a fixed order of axes. */
export interface ArrangedInput {
  readonly name: string;
  readonly spec: InputSpec;
  /** Sizes of a sample in that order. */
  readonly shape: readonly number[];
  /** The input's signal with its axes in that order. */
  read(net: Net, inputs: Readonly<Record<string, Signal>>): Signal;
}

/**
 * The single float32 input of a task, arranged as `order` says by the letters of its layout, e.g. CHW; a channel axis the input lacks is added with one
 * channel. Throws a UserError where there are several inputs, fewer than two classes, or axes that do not suit.
 */
export function arrangedInput(family: string, { inputs, classes }: Task, order: string): ArrangedInput {
  const [entry, ...others] = Object.entries(inputs);
  if (entry === undefined || others.length > 0)
    throw new UserError(
      `${family} reads one input, and the task has ${others.length + (entry === undefined ? 0 : 1)}: ${Object.keys(inputs).join(', ')}`,
      'name one input, or choose another model',
    );
  if (classes.length < 2)
    throw new UserError(`${family} needs at least two classes, got ${classes.length}`, 'name the classes: [a, b, ...]');
  const [name, spec] = entry;
  const suit = `${family} reads the axes ${order} of one sample`;
  if (spec.dtype !== 'float32')
    throw new UserError(`input "${name}" is ${spec.dtype}, and ${family} reads float32`, 'give the input as float32');
  const axes = [...spec.layout].filter((letter) => letter !== 'N');
  if (axes.length !== spec.shape.length)
    throw new UserError(
      `input "${name}": the layout ${spec.layout} names ${axes.length} axes beside the batch, the shape [${spec.shape}] has ${spec.shape.length}`,
      'give every axis a letter and the batch an N',
    );
  const present = [...order].filter((letter) => letter !== 'C' || axes.includes('C'));
  if (present.length !== axes.length || present.some((letter) => !axes.includes(letter)))
    throw new UserError(`input "${name}" has the layout ${spec.layout}; ${suit}`, `e.g. layout: N${order}`);
  const moves = present.map((letter) => axes.indexOf(letter));
  const moved = moves.map((axis) => spec.shape[axis]!);
  const shape = [...order].map((letter) => moved[present.indexOf(letter)] ?? 1);
  const arrange: Layer = (net, x) =>
    shape.length === moved.length ? permute(moves)(net, x) : reshape(shape)(net, permute(moves)(net, x));
  return { name, spec, shape, read: (net, signals) => arrange(net, signals[name]!) };
}

/**
 * x [N, C, ...] mapped so that its bounds, for all elements or per channel, become -1 and 1; unbounded inputs stay as they are. Data in 0..1 or
 * 0..255 then suit the usual first values of weights.
 */
export const centred = (spec: InputSpec): Layer => (spec.bounds === 'unbounded' ? (_, x) => x : mapped(spec.bounds, -1, 1));

/** x [N, C, ...] mapped so that its bounds become 0 and 1, as a code of spikes needs it. Throws a UserError for an unbounded input. */
export function withinUnit(code: string, { name, spec: { bounds } }: Pick<ArrangedInput, 'name' | 'spec'>): Layer {
  if (bounds === 'unbounded')
    throw new UserError(`the ${code} code needs to know the least and largest value of input "${name}"`, 'give it bounds');
  return mapped(bounds, 0, 1);
}

/** x [N, C, ...] mapped so that its bounds become `least` and `most`. */
const mapped =
  (bounds: Bounds, least: number, most: number): Layer =>
  ({ g }, x) => {
    const ends = (value: number | readonly number[]): readonly number[] => (typeof value === 'number' ? [value] : value);
    const [lower, upper] = [ends(bounds.lower), ends(bounds.upper)];
    const count = Math.max(lower.length, upper.length);
    const at = (list: readonly number[], i: number): number => list[list.length === 1 ? 0 : i]!;
    const values = (of: (low: number, high: number) => number): string => {
      const list = Array.from({ length: count }, (_, i) => of(at(lower, i), at(upper, i)));
      return count === 1 ? g.number(list[0]!) : g.constant(f32(list, [count, ...x.shape.slice(1).map(() => 1)]));
    };
    const gain = (low: number, high: number): number => (most - least) / (high - low);
    if (count === 1 && lower[0] === least && upper[0] === most) return x;
    const [gains, shifts] = [values(gain), values((low, high) => gain(low, high) * low - least)];
    return { name: g.op('Sub', [g.op('Mul', [x.name, gains]), shifts]), shape: x.shape };
  };
