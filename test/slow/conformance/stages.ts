/** @file The way of a model through the engine, stage by stage, each judged by what ONNX stored beside the model. */
import { toBinary } from '@bufbuild/protobuf';
import { UserError } from '../../../src/core/errors.ts';
import { ModelProtoSchema } from '../../../src/core/onnx/generated/onnx-ml_pb.ts';
import type { Graph, Node } from '../../../src/core/onnx/graph.ts';
import { opsetOf } from '../../../src/core/onnx/graph.ts';
import { prepare } from '../../../src/core/onnx/passes/prepare.ts';
import { opsetRange } from '../../../src/core/onnx/passes/upgrade.ts';
import { printGraph } from '../../../src/core/onnx/print.ts';
import { decodeModel, readModel } from '../../../src/core/onnx/reader.ts';
import { validate } from '../../../src/core/onnx/validate.ts';
import { subgraphsOf } from '../../../src/core/onnx/validation/finding.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import type { Runtime } from '../../../src/core/runtime/runtime.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import type { StoredCase } from './data.ts';
import { anyValue, noKernel, onlyPrepared, otherValues, refusedByPrepare } from './exceptions.ts';
import { excluded, type Outcome, right, wrong } from './outcome.ts';
import { difference, impassable, storedTensor } from './values.ts';

/** A model that came through a stage, with what the next one needs. */
export interface Opened {
  readonly stored: StoredCase;
  readonly graph: Graph;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly expected: ReadonlyMap<string, Tensor>;
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((v, i) => v === b[i]);

/** Every node of a graph, those in bodies included. */
export const nodesOf = (graph: Graph): Node[] => graph.nodes.flatMap((n) => [n, ...subgraphsOf(n).flatMap(nodesOf)]);

/** Reads, writes and prints; the model itself where it can be. */
export function readStage(stored: StoredCase): { outcome: Outcome; graph?: Graph } {
  let graph: Graph;
  try {
    graph = readModel(stored.model, { source: stored.name });
  } catch (error) {
    if (error instanceof UserError && /JavaScript binding cannot hold/.test(error.message))
      return { outcome: excluded('hold an element type the JavaScript binding has not') };
    return { outcome: wrong(`read: ${(error as Error).message}`) };
  }
  if (!sameBytes(writeModel(graph), stored.model)) return { outcome: wrong('written unchanged, the bytes differ') };
  if (!sameBytes(toBinary(ModelProtoSchema, decodeModel(stored.model, stored.name)), stored.model))
    return { outcome: wrong('decoded and encoded, the bytes differ') };
  const again = readModel(writeModel({ ...graph }), { source: stored.name });
  if (printGraph(again) !== printGraph(graph)) return { outcome: wrong('written anew, it prints differently') };
  const lines = printGraph(graph);
  const unnamed = nodesOf(graph).find((n) => !lines.includes(`${n.op}(`));
  if (unnamed !== undefined) return { outcome: wrong(`${unnamed.op} is missing in print`) };
  return { outcome: right, graph };
}

/** Validates, and runs the model written anew: what the runtime runs must be valid, and give the stored outputs. */
export async function runStage(
  stored: StoredCase,
  graph: Graph,
  runtime: Runtime,
): Promise<{ outcome: Outcome; opened?: Opened }> {
  const version = opsetOf(graph);
  if (version < opsetRange.lowest || version > opsetRange.highest)
    return { outcome: excluded(`state an opset outside ${opsetRange.lowest} to ${opsetRange.highest}`) };
  const reason = impassable(stored);
  if (reason !== undefined) return { outcome: excluded(reason) };
  const later = onlyPrepared(stored.name);
  if (later !== undefined) return { outcome: excluded(later), opened: { stored, graph, ...givenOf(stored, graph) } };
  const [finding] = validate(graph, { source: stored.name }).filter((f) => f.severity === 'error');
  const missing = noKernel(stored.name);
  if (finding !== undefined)
    return { outcome: missing === undefined ? wrong(`the validator refuses it: ${finding.message}`) : excluded(missing) };
  let given: Omit<Opened, 'stored' | 'graph'>;
  let results: Record<string, Tensor>;
  try {
    given = givenOf(stored, graph);
    results = await runtime.execute({ ...graph }, given.feeds);
  } catch (error) {
    const why = (error as Error).message.split('\n')[0]!;
    return { outcome: missing === undefined ? wrong(`the runtime refuses it: ${why}`) : excluded(missing) };
  }
  if (missing !== undefined) return { outcome: wrong(`it runs, though it is listed as one that cannot (${missing})`) };
  const opened = { stored, graph, ...given };
  const random = anyValue(stored.name);
  const other = otherValues(stored.name);
  const why = compare(results, given.expected, random !== undefined);
  if (other !== undefined)
    return why === undefined ? { outcome: wrong('it is listed as one whose values differ') } : { outcome: excluded(other) };
  if (why !== undefined) return { outcome: wrong(why) };
  return { outcome: right, opened };
}

/** The inputs as the file orders them, and the outputs they must give. */
function givenOf(stored: StoredCase, graph: Graph): Omit<Opened, 'stored' | 'graph'> {
  const feeds: Record<string, Tensor> = {};
  for (const [i, bytes] of stored.inputs.entries()) feeds[graph.inputs[i]!.name] = storedTensor(bytes, stored.name);
  const expected = new Map<string, Tensor>();
  for (const [i, bytes] of stored.outputs.entries()) expected.set(graph.outputs[i]!.name, storedTensor(bytes, stored.name));
  return { feeds, expected };
}

/** Why results are not what is stored; of random ones only type and shape are. */
export function compare(
  results: Readonly<Record<string, Tensor>>,
  expected: ReadonlyMap<string, Tensor>,
  shapeOnly = false,
): string | undefined {
  for (const [name, value] of expected) {
    const actual = results[name];
    if (actual === undefined) return `output "${name}" is missing`;
    const why = shapeOnly && `${actual.dims}` === `${value.dims}` ? undefined : difference(actual, value);
    if (why !== undefined) return `output "${name}": ${why}`;
  }
  return undefined;
}

/** Prepares (functions inlined, upgraded to opset 18 or later, folded, padding explicit) and runs again. */
export async function prepareStage(opened: Opened, runtime: Runtime): Promise<Outcome> {
  const { stored, graph, feeds, expected } = opened;
  const known = refusedByPrepare(stored.name);
  try {
    const prepared = await prepare(graph, runtime.execute);
    if (known !== undefined) return wrong(`it is prepared, though it is listed as one that is refused (${known})`);
    if (opsetOf(prepared) < opsetRange.target) return wrong(`prepared, it is of opset ${opsetOf(prepared)}`);
    const kept = new Set(prepared.inputs.map((v) => v.name));
    const asked = Object.fromEntries(Object.entries(feeds).filter(([name]) => kept.has(name)));
    const results = await runtime.execute(prepared, asked);
    const why = compare(results, expected, anyValue(stored.name) !== undefined);
    return why === undefined ? right : wrong(`prepared: ${why}`);
  } catch (error) {
    if (known !== undefined && error instanceof UserError) return excluded(known);
    return wrong(`prepared: ${(error as Error).message.split('\n')[0]}`);
  }
}
