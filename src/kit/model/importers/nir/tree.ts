/** @file What a NIR file holds, as plain data: groups of named numbers and texts. Whoever opens the file (hdf5.ts) hands it over in this form. */
import { UserError } from '../../../../core/errors.ts';
import { sizeOf } from '../../../../core/tensor/tensor.ts';

export interface NirNumbers {
  /** [] for a single number. */
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export type NirItem = NirTree | NirNumbers | string | readonly string[];

export type NirTree = ReadonlyMap<string, NirItem>;

/** A node of a graph: its name as messages give it, its type, and its parameters. */
export interface NirNode {
  readonly name: string;
  readonly type: string;
  readonly fields: NirTree;
}

const isNumbers = (item: NirItem | undefined): item is NirNumbers =>
  typeof item === 'object' && !(item instanceof Map) && !Array.isArray(item);

export const isTree = (item: NirItem | undefined): item is NirTree => item instanceof Map;

export const describeNode = ({ name, type }: Pick<NirNode, 'name' | 'type'>): string => `the ${type} node "${name}"`;

const remedy = 'write the file again with a released version of the nir package';

/** A parameter of numbers. Throws a UserError where it is missing. */
export function numbersIn(node: NirNode, field: string): NirNumbers {
  const item = node.fields.get(field);
  if (isNumbers(item)) return item;
  throw new UserError(`${describeNode(node)} has no numbers "${field}"`, remedy);
}

export const optionalNumbers = (node: NirNode, field: string): NirNumbers | undefined =>
  node.fields.has(field) ? numbersIn(node, field) : undefined;

export const optionalText = (node: NirNode, field: string): string | undefined => {
  const item = node.fields.get(field);
  return typeof item === 'string' ? item : undefined;
};

/** A parameter that is one whole number, or one per axis. */
export function wholeIn(node: NirNode, field: string, axes: number): readonly number[] {
  const { values } = numbersIn(node, field);
  if ((values.length !== 1 && values.length !== axes) || !values.every(Number.isInteger))
    throw new UserError(`${describeNode(node)}: "${field}" is [${[...values]}], expected ${axes} whole numbers`, remedy);
  return values.length === axes ? [...values] : Array.from({ length: axes }, () => values[0]!);
}

/** Sizes of a signal, which a file may leave out. */
export function shapeIn(node: NirNode, field: string): readonly number[] | undefined {
  const shape = optionalNumbers(node, field);
  if (shape === undefined) return undefined;
  if (!shape.values.every((d) => Number.isInteger(d) && d > 0))
    throw new UserError(`${describeNode(node)}: "${field}" is [${[...shape.values]}], expected sizes`, remedy);
  return [...shape.values];
}

/**
 * A parameter with a value for every element of a signal, in float64; a single value stands for all, and sizes are aligned at their ends as in NumPy.
 * Throws a UserError where that does not fit.
 */
export function spreadOver(
  node: NirNode,
  field: string,
  shape: readonly number[],
  { shape: own, values }: NirNumbers,
): Float64Array {
  const offset = shape.length - own.length;
  const fits = values.length === 1 || (offset >= 0 && own.every((d, k) => d === 1 || d === shape[k + offset]));
  if (!fits)
    throw new UserError(
      `${describeNode(node)}: "${field}" is [${own}], which does not fit the signal [${shape}]`,
      'the shapes of the file contradict each other: export it again with a sample of the right shape',
    );
  if (values.length === 1) return new Float64Array(sizeOf(shape)).fill(values[0]!);
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    let [rest, at, stride] = [i, 0, 1];
    for (let k = shape.length - 1; k >= offset; k--) {
      const size = own[k - offset]!;
      if (size > 1) at += (rest % shape[k]!) * stride;
      stride *= size;
      rest = Math.floor(rest / shape[k]!);
    }
    return values[at]!;
  });
}
