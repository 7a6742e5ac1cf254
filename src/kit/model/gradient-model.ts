/** @file A model's gradient as a plain ONNX model, usable from any language that runs ONNX. */
import { gradient } from '../../core/autodiff/gradient.ts';
import type { Surrogate, Twin } from '../../core/autodiff/substitutes.ts';
import { suggestion, UserError } from '../../core/errors.ts';
import { graphBuilder } from '../../core/onnx/builder.ts';
import { describeNode, type Graph, opsetOf } from '../../core/onnx/graph.ts';
import { dropDead } from '../../core/onnx/passes/drop-dead.ts';
import type { Execute } from '../../core/onnx/passes/shapes.ts';
import { freeNames } from '../losses/graph.ts';
import { addHead, classIds, fewestClasses, maskOf } from '../losses/heads.ts';
import { attackedInputs, logitsName, type Model } from './model.ts';
import { substitutesOf } from './sessions.ts';

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

/** Newest file format the exported model may need. */
const limits = { opset: 21, irVersion: 10 } as const;

/**
 * The model with its gradient. Inputs: its own, and `label` (int64 [N]); outputs: its own, `loss` (float32 [N], per sample), and `grad_NAME`, the
 * gradient of the sum of the losses, for each input asked for. A name the model itself uses gets an underscore. Default domain only; a symbolic
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
  const names = new Map(wrt.map((input) => [made.gradients[input]!, name(`grad_${input}`)]));
  const kept = new Set([...(model.outputs ?? [model.output.name]), loss, ...names.keys()]);
  const whole = dropDead({ ...made.graph, outputs: made.graph.outputs.filter((v) => kept.has(v.name)) });
  return exportable(renamed(whole, names), model);
}

/** Values given other names, wherever they are made, read or put out. */
function renamed(graph: Graph, names: ReadonlyMap<string, string>): Graph {
  const rename = (name: string): string => names.get(name) ?? name;
  return {
    ...graph,
    outputs: graph.outputs.map((v) => (names.has(v.name) ? { ...v, name: rename(v.name) } : v)),
    nodes: graph.nodes.map((n) =>
      [...n.inputs, ...n.outputs].some((v) => names.has(v))
        ? { ...n, inputs: n.inputs.map(rename), outputs: n.outputs.map(rename) }
        : n,
    ),
  };
}

function exportable(graph: Graph, model: Model): Graph {
  const foreign = graph.nodes.find((n) => n.domain !== '');
  if (foreign !== undefined)
    throw new UserError(
      `${describeNode(foreign)} of ${model.name} is not an operator of the default ONNX domain`,
      'export the model with standard operators only',
    );
  if (opsetOf(graph) > limits.opset)
    throw new UserError(
      `${model.name} uses operator set ${opsetOf(graph)}, gradient models are written with at most ${limits.opset}`,
      `export the model with operator set ${limits.opset} or lower`,
    );
  return {
    ...graph,
    opsets: new Map([['', opsetOf(graph)]]),
    irVersion: Math.min(graph.irVersion, limits.irVersion),
    producer: 'provoke',
  };
}
