/** @file A model's gradient as a plain ONNX model, usable from any language that runs ONNX. */
import { gradient } from '../../core/autodiff/gradient.ts';
import { nameInTwin, type Surrogate, type Twin } from '../../core/autodiff/substitutes.ts';
import { suggestion, UserError } from '../../core/errors.ts';
import { graphBuilder } from '../../core/onnx/builder.ts';
import { describeNode, type Graph, opsetOf, readsOf } from '../../core/onnx/graph.ts';
import { renamed as renamedNode } from '../../core/onnx/passes/control-flow/rename.ts';
import { dropDead } from '../../core/onnx/passes/drop-dead.ts';
import type { Execute } from '../../core/onnx/passes/shapes.ts';
import { freeNames } from '../losses/graph.ts';
import { addHead, classIds, fewestClasses, maskOf } from '../losses/heads.ts';
import { attackedInputs, logitsName, type Model } from './model.ts';
import { type GradientSession, substitutesOf } from './sessions.ts';

export interface GradientModelOptions {
  readonly execute: Execute;
  /** Inputs to differentiate with respect to; by default all attacked ones. */
  readonly wrt?: readonly string[];
  /** ce: -log softmax(z)[label]; margin: z[label] - max over the others. */
  readonly loss?: 'ce' | 'margin';
  readonly surrogates?: readonly Surrogate[];
  readonly twins?: readonly Twin[];
}

export const gradientModelDefaults = { loss: 'ce' } as const;

/** Readers old enough for IR 10 read every opset up to 22; newer ones came with newer IR versions (ONNX, docs/Versioning.md). */
const oldest = { irVersion: 10, opset: 22 } as const;
const irVersions: ReadonlyMap<number, number> = new Map([
  [23, 11],
  [24, 12],
  [25, 13],
  [26, 13],
]);

/** The IR version that came with an operator set newer than the oldest readers know. */
const irVersionFor = (opset: number): number => (opset <= oldest.opset ? 0 : (irVersions.get(opset) ?? 13));

/**
 * The model with its gradient. Inputs: its own, and `label` (int64 [N]); outputs: its own, `loss` (float32 [N], per sample), and `grad_NAME`, the
 * gradient of the sum of the losses, for each input asked for. Where the model draws random numbers its draws are inputs too (Model.randoms). A name the model itself uses gets an underscore. Default domain only; a symbolic
 * batch stays symbolic. Throws a UserError for an unknown input, an op without a derivative, or an op outside the default domain.
 */
export async function gradientModel(model: Model, options: GradientModelOptions): Promise<Graph> {
  const head = options.loss ?? gradientModelDefaults.loss;
  const wrt = options.wrt ?? attackedInputs(model);
  const inputs = Object.keys(model.inputs);
  for (const name of wrt) {
    if (!inputs.includes(name))
      throw new UserError(`${model.name} has no input "${name}" to differentiate by`, suggestion(name, inputs));
    if (model.inputs[name]!.dtype !== 'float32')
      throw new UserError(
        `input "${name}" of ${model.name} holds ${model.inputs[name]!.dtype} values, which have no gradient`,
        `choose another input with --wrt, or give it the role "attacked" in the manifest`,
      );
  }
  const classes = model.classes.length;
  if (classes < fewestClasses[head])
    throw new UserError(
      `the ${head} loss needs at least ${fewestClasses[head]} classes, ${model.name} has ${classes}`,
      'use --loss ce',
    );

  const logits = logitsName(model);
  const name = freeNames(model.graph);
  const g = graphBuilder({ from: model.graph });
  const batch = model.graph.outputs.find((v) => v.name === logits)?.dims?.[0] ?? 'N';
  const label = g.input(name('label'), [batch], 'int64');
  const ids = classIds(g, classes);
  const value = addHead(head, logits, { g, ids, atLabel: maskOf(g, ids, label) });
  const loss = g.op('ReduceSum', [value, g.ints([-1])], { keepdims: 0 }, name('loss'));
  g.output(loss, [batch]);

  const made = await gradient(g.build(), options.execute, {
    of: [loss],
    wrt,
    ...substitutesOf(model, options),
  });
  const [remembered] = made.memories;
  if (remembered !== undefined)
    throw new UserError(
      `${model.name}: what stands in for a derivative remembers the runs before (${remembered.key}), and a file of the gradient cannot`,
      'choose a stand-in without a memory, such as pdsg or atan',
    );
  const names = new Map(wrt.map((input) => [made.gradients[input]!, name(`grad_${input}`)]));
  const kept = new Set([...(model.outputs ?? [model.output.name]), loss, ...names.keys()]);
  const whole = dropDead({ ...made.graph, outputs: made.graph.outputs.filter((v) => kept.has(v.name)) });
  const stated = made.substitutes.map(({ label, at }) => ({ label, at: nameInTwin(at) }));
  return withSubstitutes(exportable(renamed(whole, names), model), stated);
}

type Substitutes = GradientSession['substitutes'];

/** Under which the file itself keeps what its gradient is taken of. */
const metadataKey = 'gradient.substitutes';

const withSubstitutes = (graph: Graph, substitutes: Substitutes): Graph =>
  substitutes.length === 0
    ? graph
    : { ...graph, metadata: new Map([...graph.metadata, [metadataKey, JSON.stringify(substitutes)]]) };

/** What stands in for derivatives in a graph that gradientModel made. */
export const statedSubstitutes = (graph: Graph): Substitutes =>
  JSON.parse(graph.metadata.get(metadataKey) ?? '[]') as Substitutes;

/** Values given other names, wherever they are made, read or put out. */
function renamed(graph: Graph, names: ReadonlyMap<string, string>): Graph {
  const rename = (name: string): string => names.get(name) ?? name;
  return {
    ...graph,
    outputs: graph.outputs.map((v) => (names.has(v.name) ? { ...v, name: rename(v.name) } : v)),
    nodes: graph.nodes.map((n) => ([...readsOf(n), ...n.outputs].some((v) => names.has(v)) ? renamedNode(n, rename) : n)),
  };
}

function exportable(graph: Graph, model: Model): Graph {
  const foreign = graph.nodes.find((n) => n.domain !== '');
  if (foreign !== undefined)
    throw new UserError(
      `${describeNode(foreign)} of ${model.name} is not an operator of the default ONNX domain`,
      foreign.op.startsWith('Q') ? 'quantise the model with QDQ nodes' : 'export the model with standard operators only',
    );
  return {
    ...graph,
    opsets: new Map([['', opsetOf(graph)]]),
    irVersion: Math.max(Math.min(graph.irVersion, oldest.irVersion), irVersionFor(opsetOf(graph))),
    producer: 'provoke',
  };
}
