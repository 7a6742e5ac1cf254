import { floatOf, intOf, stringOf } from '../../../src/core/onnx/graph.ts';
import { broadcastAt, broadcastDims, type F64, f64, filledBy, type Kernels } from './types.ts';

/** Product of matrices, broadcast over what stands before the last two axes; a vector is a row on the left, a column on the right. */
export function product(a: F64, b: F64): F64 {
  const left = a.dims.length === 1 ? f64([1, ...a.dims], a.data) : a;
  const right = b.dims.length === 1 ? f64([...b.dims, 1], b.data) : b;
  const [m, k, n] = [left.dims.at(-2)!, left.dims.at(-1)!, right.dims.at(-1)!];
  const batch = broadcastDims(left.dims.slice(0, -2), right.dims.slice(0, -2));
  const full = filledBy([...batch, m, n], (index) => {
    const [head, row, column] = [index.slice(0, -2), index.at(-2)!, index.at(-1)!];
    let sum = 0;
    for (let i = 0; i < k; i++) sum += broadcastAt(left, [...head, row, i]) * broadcastAt(right, [...head, i, column]);
    return sum;
  });
  const rows = a.dims.length === 1 ? [] : [m];
  const columns = b.dims.length === 1 ? [] : [n];
  return f64([...batch, ...rows, ...columns], full.data);
}

const turned = ({ dims, data }: F64): F64 => filledBy([dims[1]!, dims[0]!], ([i, j]) => data[j! * dims[1]! + i!]!);

/** Labels of every operand and of the output; the axes of an ellipsis are labelled with digits, counted from the last. */
function labelled(equation: string, ranks: readonly number[]): { terms: string[]; output: string } {
  const [left, right] = equation.replaceAll(' ', '').split('->') as [string, string | undefined];
  const operands = left.split(',');
  const counts = operands.map((term, i) => (term.includes('...') ? ranks[i]! - term.length + 3 : 0));
  const hidden = (count: number): string => [...'9876543210'].slice(10 - count).join('');
  const terms = operands.map((term, i) => term.replace('...', hidden(counts[i]!)));
  const all = operands.join('').replaceAll('.', '');
  const alone = [...new Set(all)].filter((l) => all.indexOf(l) === all.lastIndexOf(l)).sort();
  const most = hidden(Math.max(...counts));
  return { terms, output: right === undefined ? most + alone.join('') : right.replace('...', most) };
}

export const matrix: Kernels = {
  MatMul: ([a, b]) => [product(a!, b!)],

  Gemm([a, b, c], node) {
    const [alpha, beta] = [floatOf(node, 'alpha', 1), floatOf(node, 'beta', 1)];
    const ab = product(intOf(node, 'transA', 0) ? turned(a!) : a!, intOf(node, 'transB', 0) ? turned(b!) : b!);
    return [filledBy(ab.dims, (index) => alpha * broadcastAt(ab, index) + (c === undefined ? 0 : beta * broadcastAt(c, index)))];
  },

  /** Sum over every assignment of the labels of the product of the operands' elements. */
  Einsum(inputs, node) {
    const { terms, output } = labelled(
      stringOf(node, 'equation', ''),
      inputs.map((t) => t!.dims.length),
    );
    const sizes = new Map<string, number>();
    for (const [i, term] of terms.entries())
      for (const [axis, l] of [...term].entries()) sizes.set(l, Math.max(sizes.get(l) ?? 1, inputs[i]!.dims[axis]!));
    const summed = [...sizes.keys()].filter((l) => !output.includes(l));
    const at = new Map<string, number>();
    return [
      filledBy(
        [...output].map((l) => sizes.get(l)!),
        (index) => {
          for (const [i, l] of [...output].entries()) at.set(l, index[i]!);
          return filledBy(
            summed.map((l) => sizes.get(l)!),
            (inner) => {
              for (const [i, l] of summed.entries()) at.set(l, inner[i]!);
              return terms.reduce(
                (p, term, i) =>
                  p *
                  broadcastAt(
                    inputs[i]!,
                    [...term].map((l) => at.get(l)!),
                  ),
                1,
              );
            },
          ).data.reduce((a, b) => a + b, 0);
        },
      ),
    ];
  },
};
