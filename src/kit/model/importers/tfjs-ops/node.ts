/** @file A node of a TensorFlow.js graph model and its attributes (GraphDef as JSON: strings base64, integers as strings). */
import { UserError } from '../../../../core/errors.ts';
import type { GraphBuilder } from '../../../../core/onnx/builder.ts';
import { numbersOf, type Tensor } from '../../../../core/tensor/tensor.ts';
import type { Value } from './value.ts';

export interface TfAttribute {
  readonly s?: string;
  readonly i?: string | number;
  readonly f?: number | string;
  readonly b?: boolean;
  readonly type?: string | number;
  readonly shape?: { readonly dim?: readonly { readonly size?: string | number }[]; readonly unknownRank?: boolean };
  readonly list?: { readonly s?: readonly string[]; readonly i?: readonly (string | number)[] };
}

export interface TfNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr?: Readonly<Record<string, TfAttribute>>;
}

/** What a converter sees: the node, its data inputs already converted, and the graph that grows. */
export interface Context {
  readonly g: GraphBuilder;
  readonly node: TfNode;
  readonly inputs: readonly Value[];
  /** How errors name the model. */
  readonly source: string;
}

/** Converts one node; several outputs are returned in order. */
export type Converter = (context: Context) => Value | readonly Value[];

export const describe = ({ node }: Pick<Context, 'node'>): string => `node "${node.name}" (${node.op})`;

/** Throws the UserError for a use of an op that is not converted. */
export function refuse(context: Context, what: string): never {
  throw new UserError(
    `${context.source}: ${describe(context)}: ${what}`,
    'export the model without it, or convert it to ONNX with tf2onnx and give the ONNX file',
  );
}

export function inputOf(context: Context, index: number): Value {
  return context.inputs[index] ?? refuse(context, `input ${index} is missing`);
}

/** A constant input; throws a UserError where it is computed. */
export function constantOf(context: Context, index: number): Tensor {
  return inputOf(context, index).constant ?? refuse(context, `input ${index} has to be a constant`);
}

export const intsOf = (context: Context, index: number): number[] => numbersOf(constantOf(context, index));

/** A constant float32 input. */
export function weightsOf(context: Context, index: number): Tensor<'float32'> {
  const value = constantOf(context, index);
  return value.dtype === 'float32' ? value : refuse(context, `input ${index} is ${value.dtype}, expected float32`);
}

function fromBase64(context: Context, name: string, text: string): string {
  try {
    return atob(text);
  } catch (cause) {
    throw new UserError(
      `${context.source}: ${describe(context)}: attribute "${name}" is not base64 text: ${JSON.stringify(text)}`,
      'the file is damaged: download or convert it again',
      { cause },
    );
  }
}

export const stringAttr = (context: Context, name: string): string =>
  fromBase64(context, name, context.node.attr?.[name]?.s ?? '');
export const stringsAttr = (context: Context, name: string): string[] =>
  (context.node.attr?.[name]?.list?.s ?? []).map((text) => fromBase64(context, name, text));
export const intAttr = ({ node }: Context, name: string, otherwise: number): number => Number(node.attr?.[name]?.i ?? otherwise);
export const floatAttr = ({ node }: Context, name: string, otherwise: number): number =>
  Number(node.attr?.[name]?.f ?? otherwise);
export const boolAttr = ({ node }: Context, name: string): boolean => node.attr?.[name]?.b ?? false;
export const typeAttr = ({ node }: Context, name: string): string | number | undefined => node.attr?.[name]?.type;
export const intsAttr = ({ node }: Context, name: string): number[] | undefined => node.attr?.[name]?.list?.i?.map(Number);
