/** @file The heads of the attack loss as graph nodes: each maps logits [N, C] to a value per sample [N, 1]. */
import type { GraphBuilder } from '../../core/onnx/builder.ts';
import { i64 } from '../../core/tensor/tensor.ts';

export const headNames = ['ce', 'margin', 'dlr', 'targetedDlr', 'linear'] as const;
export type Head = (typeof headNames)[number];

/** Fewest classes each head makes sense for: the DLR heads read the third and the fourth largest logit. */
export const fewestClasses: Readonly<Record<Head, number>> = { ce: 1, margin: 2, dlr: 3, targetedDlr: 4, linear: 1 };

/** The heads a model of so many classes has, in the order of the coefficients' columns. */
export const headsFor = (classes: number): Head[] => headNames.filter((head) => classes >= fewestClasses[head]);

/** What heads read beside the logits. */
export interface HeadContext {
  readonly g: GraphBuilder;
  /** int64 [1, C]: 0, 1, ... C-1. */
  readonly ids: string;
  /** bool [N, C], true at the label. */
  readonly atLabel: string;
  /** bool [N, C], true at the target; needed by targetedDlr only. */
  readonly atTarget?: string;
  /** float32 [N, C]; needed by linear only. */
  readonly linear?: string;
}

/** Ids of the classes, int64 [1, C]. */
export const classIds = (g: GraphBuilder, classes: number): string =>
  g.constant(
    i64(
      Array.from({ length: classes }, (_, c) => c),
      [1, classes],
    ),
  );

/** bool [N, C]: true where the class is `index` (int64 [N]). */
export const maskOf = (g: GraphBuilder, ids: string, index: string): string =>
  g.op('Equal', [ids, g.op('Unsqueeze', [index, g.ints([1])])]);

/** The smallest float32: what the label's own logit is replaced with before taking the maximum of the others. */
const lowest = -3.4028234663852886e38;

/** Adds one head over the logits `z`; returns the name of its value, float32 [N, 1]. */
export function addHead(head: Head, z: string, context: HeadContext): string {
  const { g, atLabel } = context;
  const axis = g.ints([-1]);
  const zero = g.number(0);
  // a product with a one-hot vector would turn an infinite logit of another class into NaN
  const pick = (values: string, mask: string): string => g.op('ReduceSum', [g.op('Where', [mask, values, zero]), axis]);
  const largestOther = (): string => g.op('ReduceMax', [g.op('Where', [atLabel, g.number(lowest), z]), axis]);
  /** The k largest logits, largest first; the order is found outside the gradient path. */
  const largest = (k: number): string[] => {
    const order = g.ops('TopK', [z, g.ints([k])], 2, { axis: 1 })[1]!;
    const columns = g.ops('Split', [order, g.ints(new Array<number>(k).fill(1))], k, { axis: 1 });
    return columns.map((column) => pick(z, g.op('Equal', [context.ids, column])));
  };
  const ratio = (gap: string, span: string): string => g.op('Div', [g.op('Neg', [gap]), g.op('Add', [span, g.number(1e-12)])]);

  switch (head) {
    case 'ce':
      return g.op('Neg', [pick(g.op('LogSoftmax', [z], { axis: -1 }), atLabel)]);
    case 'margin':
      return g.op('Sub', [pick(z, atLabel), largestOther()]);
    case 'dlr': {
      const [first, , third] = largest(3);
      return ratio(g.op('Sub', [pick(z, atLabel), largestOther()]), g.op('Sub', [first!, third!]));
    }
    case 'targetedDlr': {
      const [first, , third, fourth] = largest(4);
      const mean = g.op('Mul', [g.op('Add', [third!, fourth!]), g.number(0.5)]);
      return ratio(g.op('Sub', [pick(z, atLabel), pick(z, given(context.atTarget))]), g.op('Sub', [first!, mean]));
    }
    case 'linear':
      return g.op('ReduceSum', [g.op('Mul', [z, given(context.linear)]), axis]);
  }
}

function given(name: string | undefined): string {
  if (name === undefined) throw new Error('this head needs a value the context does not have');
  return name;
}
