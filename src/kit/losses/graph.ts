/** @file The attack loss joined to a model's logits as graph nodes, and the tensors that choose it per sample. */
import { UserError } from '../../core/errors.ts';
import { graphBuilder } from '../../core/onnx/builder.ts';
import type { Dim, Graph } from '../../core/onnx/graph.ts';
import { namesOf } from '../../core/onnx/passes/rewrite.ts';
import { f32, i64, type Tensor } from '../../core/tensor/tensor.ts';
import { addHead, classIds, fewestClasses, type Head, headsFor, maskOf } from './heads.ts';
import type { Loss } from './loss.ts';

/** Names of the inputs the loss reads. */
export interface LossInputs {
  readonly label: string;
  readonly target: string;
  readonly coefficients: string;
  readonly linear: string;
}

export interface LossGraph {
  readonly graph: Graph;
  readonly inputs: LossInputs;
  /** The loss of every sample, float32 [N]. */
  readonly loss: string;
}

export interface LossOptions {
  /** The value holding the logits, float32 [N, C]. */
  readonly logits: string;
  readonly classes: number;
  /** Heads to write; by default all that the classes allow. The coefficients are those of all of them either way. */
  readonly heads?: readonly Head[];
  /** Size of the batch axis as the graph writes it; by default that of the output `logits`, or "N". */
  readonly batch?: Dim;
}

/**
 * Appends the loss (loss.ts) to a graph. New inputs: label and target int64 [N], coefficients float32 [N, heads] (headsFor), linear float32 [N, C];
 * new output: the loss of each sample, float32 [N]. A head of coefficient 0 sees constant logits in place of the model's, so neither its value
 * nor its gradient can carry a NaN or an infinity into the sum.
 */
export function withLoss(graph: Graph, options: LossOptions): LossGraph {
  const { logits, classes } = options;
  const g = graphBuilder({ from: graph });
  const batch = options.batch ?? graph.outputs.find((v) => v.name === logits)?.dims?.[0] ?? 'N';
  const heads = headsFor(classes);
  const name = freeNames(graph);
  const inputs: LossInputs = {
    label: g.input(name('label'), [batch], 'int64'),
    target: g.input(name('target'), [batch], 'int64'),
    coefficients: g.input(name('coefficients'), [batch, heads.length]),
    linear: g.input(name('linear'), [batch, classes]),
  };
  const ids = classIds(g, classes);
  const context = {
    g,
    ids,
    atLabel: maskOf(g, ids, inputs.label),
    atTarget: maskOf(g, ids, inputs.target),
    linear: inputs.linear,
  };
  const standIn = g.constant(
    f32(
      Array.from({ length: classes }, (_, c) => -c),
      [1, classes],
    ),
  );
  const columns = g.ops('Split', [inputs.coefficients, g.ints(heads.map(() => 1))], heads.length, { axis: 1 });
  const written = heads.filter((head) => options.heads?.includes(head) ?? true);
  const terms = written.map((head) => {
    const column = columns[heads.indexOf(head)]!;
    const z = g.op('Where', [g.op('Equal', [column, g.number(0)]), standIn, logits]);
    return g.op('Mul', [column, addHead(head, z, context)]);
  });
  const total = terms.reduce((sum, term) => g.op('Add', [sum, term]));
  const loss = g.op('ReduceSum', [total, g.ints([-1])], { keepdims: 0 }, name('loss'));
  g.output(loss, [batch]);
  return { graph: g.build(), inputs, loss };
}

/** The name itself where the graph and the bodies in it do not use it yet, else the name with primes. */
export function freeNames(graph: Graph): (name: string) => string {
  const taken = namesOf(graph);
  return (name) => {
    let free = name;
    while (taken.has(free)) free += '_';
    taken.add(free);
    return free;
  };
}

/** The tensors fed for one loss per sample, by the roles of LossInputs. Throws a UserError for a head the number of classes rules out, a plain Error for an index outside the classes. */
export function lossFeeds(losses: readonly Loss[], classes: number): Record<keyof LossInputs, Tensor> {
  const heads = headsFor(classes);
  const coefficients = new Float32Array(losses.length * heads.length);
  const linear = new Float32Array(losses.length * classes);
  for (const [n, loss] of losses.entries()) {
    checkLoss(loss, classes);
    for (const [h, head] of heads.entries()) coefficients[n * heads.length + h] = coefficientOf(loss, head);
    if (loss.linear !== undefined) linear.set(loss.linear, n * classes);
  }
  return {
    label: i64(losses.map((l) => l.label)),
    target: i64(losses.map((l) => l.target ?? l.label)),
    coefficients: f32(coefficients, [losses.length, heads.length]),
    linear: f32(linear, [losses.length, classes]),
  };
}

/** Weight of a head in a loss; the linear head carries its weights itself. */
export const coefficientOf = (loss: Loss, head: Head): number =>
  head === 'linear' ? (loss.linear === undefined ? 0 : 1) : (loss[head] ?? 0);

/** Throws where a loss cannot be computed over so many classes. */
export function checkLoss(loss: Loss, classes: number): void {
  for (const head of Object.keys(fewestClasses) as Head[]) {
    if (coefficientOf(loss, head) !== 0 && classes < fewestClasses[head]) {
      throw new UserError(
        `the ${head} loss needs at least ${fewestClasses[head]} classes, the model has ${classes}`,
        classes < 2 ? 'use the linear loss, or a model that tells classes apart' : 'use the ce or the margin loss',
      );
    }
  }
  const index = (what: string, value: number | undefined) => {
    if (value === undefined || !Number.isInteger(value) || value < 0 || value >= classes)
      throw new Error(`${what} ${value} is not one of the ${classes} classes`);
  };
  index('label', loss.label);
  if (loss.target !== undefined || coefficientOf(loss, 'targetedDlr') !== 0) index('target', loss.target);
  if (loss.linear !== undefined && loss.linear.length !== classes)
    throw new Error(`a linear loss over ${classes} classes has ${loss.linear.length} weights`);
}
