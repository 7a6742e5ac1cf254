/** @file Which output tells the classes, and the logits behind it: one value of shape [N, classes]. */
import { suggestion, UserError } from '../../core/errors.ts';
import { type GraphBuilder, graphBuilder } from '../../core/onnx/builder.ts';
import { elementType } from '../../core/onnx/dtypes.ts';
import type { Dim, Graph } from '../../core/onnx/graph.ts';
import { dropDead } from '../../core/onnx/passes/drop-dead.ts';
import { logitsOf, scaleOf } from '../../core/onnx/passes/expose-logits.ts';
import { keepRounding } from '../../core/onnx/passes/keep-rounding.ts';
import type { KnownDim, ShapeTable } from '../../core/onnx/passes/shapes.ts';
import { f32 } from '../../core/tensor/tensor.ts';
import { isFloat } from './float-input.ts';
import type { Manifest } from './manifest.ts';
import type { Model } from './model.ts';

export interface ChosenOutput {
  /** The graph with its own outputs and, where it is not one of them, the logits. */
  readonly graph: Graph;
  readonly output: Model['output'];
  readonly classes: number;
  readonly said: readonly string[];
}

export interface ChooseOptions {
  readonly model: string;
  readonly shapes: ShapeTable;
  readonly stated: NonNullable<Manifest['output']>;
  /** Size of the batch axis as the graph's inputs write it. */
  readonly batch: Dim;
}

/** The smallest probability a logit is taken of. */
const floor = 1e-30;

/** Name of the output that holds one row of class scores per sample. Throws a UserError that lists the outputs where it is not clear which. */
export function outputNameOf(graph: Graph, { model, shapes, stated }: ChooseOptions): string {
  const names = graph.outputs.map((v) => v.name);
  const list = names.map((name) => `${name} ${described(shapes, name)}`).join(', ');
  if (stated.name !== undefined) {
    if (names.includes(stated.name)) return stated.name;
    throw new UserError(`${model} has no output "${stated.name}"; it has ${list}`, suggestion(stated.name, names));
  }
  if (names.length === 1) return names[0]!;
  const likely = names.filter((name) => {
    const entry = shapes.get(name);
    return entry !== undefined && isFloat(entry.dtype) && entry.dims.length === 2;
  });
  if (likely.length === 1) return likely[0]!;
  throw new UserError(
    `${model} has ${names.length} outputs and it is not clear which one tells the classes: ${list}`,
    'name it with --output NAME, or in the manifest (output: { name: NAME })',
  );
}

const described = (shapes: ShapeTable, name: string): string => {
  const entry = shapes.get(name);
  return entry === undefined ? '(unknown shape)' : `${entry.dtype} [${entry.dims.map((d) => d ?? 'N').join(', ')}]`;
};

/**
 * Adds the logits of the model's output to the graph. Axes beside batch and class are averaged, as the output's layout names them; probabilities become the
 * input of the Softmax they come from, or log(max(p, 1e-30)); a single score z becomes the two logits 0 and z.
 */
export function chooseOutput(graph: Graph, options: ChooseOptions): ChosenOutput {
  const { model, shapes, stated } = options;
  const name = outputNameOf(graph, options);
  const entry = shapes.get(name)!;
  const said: string[] = [];
  const say = (sentence: string): number => said.push(`output "${name}": ${sentence}`);
  if (stated.name === undefined && graph.outputs.length > 1) say(`taken as the class scores (the only float output of two axes)`);
  const scale = isFloat(entry.dtype) ? undefined : scaleOf(graph, name);
  if (!isFloat(entry.dtype) && scale === undefined)
    throw new UserError(
      `output "${name}" of ${model} holds ${entry.dtype} values, not scores`,
      'name an output of floats with --output NAME',
    );
  const layout = stated.layout ?? guessLayout(entry.dims);
  if (layout.length !== entry.dims.length)
    throw new UserError(
      `output "${name}" of ${model} is ${described(shapes, name)}: ${entry.dims.length} axes, not the ${layout.length} of ${layout}`,
      'state its layout in the manifest, e.g. output: { layout: NTC } for scores over time (they are averaged)',
    );
  const columns = entry.dims[layout.indexOf('C')]!;
  if (columns === null)
    throw new UserError(
      `the number of classes of ${model} (output "${name}") changes with the batch`,
      'state the layout of the output in the manifest',
    );

  const behind = logitsOf(graph, name);
  const kind = stated.kind ?? (behind.kind === 'none' ? 'logits' : 'probabilities');
  if (stated.kind === undefined)
    say(behind.kind === 'none' ? 'taken as logits (no Softmax at its end)' : `probabilities (it ends in a ${behind.kind})`);
  // the mean of probabilities is not that of their logits: what lies behind them is used only where nothing is averaged
  const isMean = [...layout].some((axis, i) => axis !== 'N' && axis !== 'C' && entry.dims[i] !== 1);
  const found = kind === 'probabilities' && !isMean ? behind : { graph, logits: name, kind: 'none' as const };

  const g = graphBuilder({ from: { ...found.graph, outputs: graph.outputs } });
  let value = found.logits;
  if (scale !== undefined && found.kind === 'none') {
    say(`${entry.dtype}, read with the scale it was quantised by`);
    value = g.op('DequantizeLinear', [value, ...scale]);
  }
  if (entry.dtype === 'float16') value = keepRounding(g, value, entry.dims.length);
  if (entry.dtype !== 'float32' && scale === undefined)
    value = g.op('Cast', [value], { to: elementType('float32') }, g.fresh(`${name}_as_float32`));
  value = averaged(g, value, layout);
  if (isMean) say(`averaged over ${[...layout].filter((axis) => axis !== 'N' && axis !== 'C').join(' and ')}`);
  if (kind === 'probabilities' && found.kind === 'none') {
    if (columns === 1)
      throw new UserError(
        `output "${name}" of ${model} is a single probability whose Sigmoid could not be found`,
        'export the model without the conversion to a probability, and state output: { kind: logits }',
      );
    say(`logits are log(max(p, ${floor}))`);
    value = g.op('Log', [g.op('Max', [value, g.number(floor)])]);
  }
  if (columns === 1) {
    say('a single score: class 0 has the logit 0, class 1 the score');
    value = g.op('Mul', [value, g.constant(f32([0, 1], [1, 2]))]);
  }
  const classes = columns === 1 ? 2 : columns;
  const isOwn = graph.outputs.some((v) => v.name === value);
  if (!isOwn) g.output(value, [options.batch, classes]);
  const built = dropDead(g.build());
  // a file may leave the shape of its outputs open, or name the batch otherwise than its inputs do
  const outputs = built.outputs.map((v) =>
    v.name === value ? { ...v, dtype: 'float32' as const, dims: [options.batch, classes] } : v,
  );
  const output = { name, kind, ...(value === name ? {} : { logits: value }) };
  return { graph: { ...built, outputs }, output, classes, said };
}

/** NC, or for more axes the batch first and the one other axis that is longer than 1 as the classes. */
function guessLayout(dims: readonly KnownDim[]): string {
  const long = dims.flatMap((d, axis) => (axis > 0 && d !== 1 ? [axis] : []));
  if (dims.length <= 2 || long.length !== 1) return 'NC';
  return ['N', ...[...'DEFGIJ'].slice(0, dims.length - 1)].map((axis, i) => (i === long[0] ? 'C' : axis)).join('');
}

/** The mean over every axis but N and C, and the batch first. */
function averaged(g: GraphBuilder, value: string, layout: string): string {
  const others = [...layout].flatMap((axis, i) => (axis === 'N' || axis === 'C' ? [] : [i]));
  const mean = others.length === 0 ? value : g.op('ReduceMean', [value, g.ints(others)], { keepdims: 0 });
  return layout.indexOf('C') < layout.indexOf('N') ? g.op('Transpose', [mean], { perm: [1, 0] }) : mean;
}
