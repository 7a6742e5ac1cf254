/** @file TensorFlow.js graph models (model.json and its shards) to the graph IR. Layers models have no graph and are refused. */
import { z } from 'zod';
import { nearest, UserError } from '../../../core/errors.ts';
import { type GraphBuilder, graphBuilder } from '../../../core/onnx/builder.ts';
import type { Graph } from '../../../core/onnx/graph.ts';
import { dropDead } from '../../../core/onnx/passes/drop-dead.ts';
import type { Tensor } from '../../../core/tensor/tensor.ts';
import { parseJson } from './json.ts';
import { converters } from './tfjs-ops/index.ts';
import { describe, type TfNode } from './tfjs-ops/node.ts';
import { asPlain, channelsFirst, type Sizes, type Value } from './tfjs-ops/value.ts';
import { parseManifest, readWeights } from './tfjs-weights.ts';

const nodeSchema = z.custom<TfNode>(
  (n) => typeof n === 'object' && n !== null && typeof (n as TfNode).name === 'string' && typeof (n as TfNode).op === 'string',
);
const modelSchema = z.object({
  format: z.string().optional(),
  modelTopology: z.object({ node: z.array(nodeSchema) }),
  weightsManifest: z.unknown(),
});

export interface GraphModelOptions {
  /** How errors name the model. */
  source?: string;
  /** ONNX output name to TensorFlow node (or "node:1" for a further output); default: every node nobody reads, under its own name. */
  outputs?: Readonly<Record<string, string>>;
  /**
   * Nodes to put in front of a placeholder, by its name: adds its own inputs to the graph and returns the NCHW value that stands for the
   * (NHWC) placeholder.
   */
  prepare?: Readonly<Record<string, (g: GraphBuilder) => string>>;
}

/**
 * Imports a graph model. `files` holds model.json's shards by the path its manifest gives them. Inputs keep TensorFlow's layout (NHWC); a first
 * size of -1 becomes the symbolic batch N. Convolutions, pools and what lies between them run channels-first.
 * Throws a UserError for what is not a graph model, for missing or cut weights, and for an op that is not converted (naming node and op).
 */
export function importGraphModel(
  json: Uint8Array,
  files: Readonly<Record<string, Uint8Array>>,
  options: GraphModelOptions = {},
): Graph {
  const source = options.source ?? 'the TensorFlow.js model';
  const parsed = modelSchema.safeParse(parseJson(json, source));
  if (!parsed.success) {
    throw new UserError(
      `${source} is not a TensorFlow.js graph model: it has no modelTopology.node`,
      'convert it with tensorflowjs_converter --output_format=tfjs_graph_model (layers models hold no graph)',
    );
  }
  const { modelTopology, weightsManifest } = parsed.data;
  const weights = readWeights(parseManifest(weightsManifest, source), files, source);
  const g = graphBuilder({ name: source });
  const values = convertAll(g, modelTopology.node, weights, source, options);
  const outputs = Object.entries(options.outputs ?? defaultOutputs(modelTopology.node));
  for (const [name, from] of outputs) {
    const output = g.isComputed(name) ? g.fresh(name) : name;
    g.untypedOutput(g.op('Identity', [asPlain(g, valueNamed(values, from, source))], {}, output));
  }
  return dropDead(g.build());
}

/** Paths of the shards a model.json refers to, for the caller to read. */
export function shardPaths(json: Uint8Array, source: string): string[] {
  const parsed = modelSchema.safeParse(parseJson(json, source));
  return parsed.success ? parseManifest(parsed.data.weightsManifest, source).flatMap((group) => group.paths) : [];
}

/** "name:1" is output 1 of a node, "^name" an order of execution without data. */
function reference(input: string): { name: string; output: number } {
  const [name, output] = input.split(':');
  return { name: name!, output: Number(output ?? 0) };
}

function defaultOutputs(nodes: readonly TfNode[]): Record<string, string> {
  const read = new Set(nodes.flatMap((n) => (n.input ?? []).map((i) => reference(i.replace(/^\^/, '')).name)));
  const ends = nodes.filter((n) => !read.has(n.name) && n.op !== 'Const' && n.op !== 'NoOp' && n.op !== 'Placeholder');
  return Object.fromEntries(ends.map((n) => [n.name, n.name]));
}

function valueNamed(values: ReadonlyMap<string, readonly Value[]>, from: string, source: string): Value {
  const { name, output } = reference(from);
  const value = values.get(name)?.[output];
  if (value !== undefined) return value;
  const near = nearest(name, values.keys());
  throw new UserError(
    `${source}: there is no value "${from}"`,
    near === undefined ? 'name a node of the graph' : `did you mean "${near}"?`,
  );
}

function convertAll(
  g: GraphBuilder,
  nodes: readonly TfNode[],
  weights: ReadonlyMap<string, Tensor>,
  source: string,
  options: GraphModelOptions,
): Map<string, readonly Value[]> {
  const values = new Map<string, readonly Value[]>();
  for (const node of inOrder(nodes, source)) {
    if (node.op === 'NoOp') continue;
    const converted = convert(g, node, weights, source, options, values);
    values.set(node.name, Array.isArray(converted) ? (converted as readonly Value[]) : [converted as Value]);
  }
  return values;
}

function convert(
  g: GraphBuilder,
  node: TfNode,
  weights: ReadonlyMap<string, Tensor>,
  source: string,
  options: GraphModelOptions,
  values: ReadonlyMap<string, readonly Value[]>,
): Value | readonly Value[] {
  if (node.op === 'Placeholder') return placeholder(g, node, source, options);
  if (node.op === 'Const') {
    const constant = weights.get(node.name);
    if (constant !== undefined) return { plain: g.constant(constant, g.fresh(node.name)), sizes: constant.dims, constant };
    throw new UserError(
      `${source}: ${describe({ node })}: its weights are missing`,
      'the weights manifest is incomplete: export again',
    );
  }
  const converter = converters.get(node.op);
  if (converter === undefined) {
    throw new UserError(
      `${source}: ${describe({ node })}: this op is not converted`,
      'convert the model to ONNX with tf2onnx and give the ONNX file',
    );
  }
  const inputs = (node.input ?? []).filter((i) => !i.startsWith('^')).map((i) => valueNamed(values, i, source));
  return converter({ g, node, inputs, source });
}

const placeholderTypes = { DT_FLOAT: 'float32', DT_INT32: 'int32', DT_BOOL: 'bool' } as const;

function placeholder(g: GraphBuilder, node: TfNode, source: string, options: GraphModelOptions): Value {
  const type = placeholderTypes[(node.attr?.dtype?.type ?? 'DT_FLOAT') as keyof typeof placeholderTypes];
  const dim = node.attr?.shape?.shape?.dim;
  if (type === undefined || dim === undefined) {
    throw new UserError(
      `${source}: ${describe({ node })}: ${dim === undefined ? 'its shape is unknown' : `type ${node.attr?.dtype?.type} is not supported`}`,
      'export the model with typed inputs of known rank',
    );
  }
  const sizes: Sizes = dim.map((d) => (Number(d.size) < 0 ? null : Number(d.size)));
  const prepare = options.prepare?.[node.name];
  if (prepare !== undefined) return channelsFirst(prepare(g), sizes);
  const dims = sizes.map((s, axis) => s ?? (axis === 0 ? 'N' : `${node.name}_${axis}`));
  return { plain: g.input(node.name, dims, type), sizes };
}

/** Nodes after the nodes they read (the file need not have them in order), placeholders first so that they keep their names. */
function inOrder(nodes: readonly TfNode[], source: string): TfNode[] {
  const byName = new Map(nodes.map((n) => [n.name, n]));
  const state = new Map<string, 'open' | 'done'>();
  const sorted: TfNode[] = [];
  const isInput = (node: TfNode) => node.op === 'Placeholder';
  for (const root of [...nodes.filter(isInput), ...nodes.filter((n) => !isInput(n))]) {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (state.get(node.name) === undefined) {
        state.set(node.name, 'open');
        for (const input of node.input ?? []) {
          const { name } = reference(input.replace(/^\^/, ''));
          const next = byName.get(name);
          if (next === undefined) {
            throw new UserError(
              `${source}: ${describe({ node })} reads "${name}", which is not in the graph`,
              'the file is damaged: export again',
            );
          }
          if (state.get(name) === 'open') {
            throw new UserError(`${source}: ${describe({ node })} lies on a cycle`, 'loops are not converted: unroll the model');
          }
          if (state.get(name) === undefined) stack.push(next);
        }
        continue;
      }
      stack.pop();
      if (state.get(node.name) === 'open') {
        state.set(node.name, 'done');
        sorted.push(node);
      }
    }
  }
  return sorted;
}
