import { UserError } from '../../errors.ts';
import { describeNode, type Node, stringOf } from '../../onnx/graph.ts';
import { f32 } from '../../tensor/tensor.ts';
import type { Scene } from '../rule.ts';
import { inputOf, type Size, sizeList } from './sizes.ts';

/** The labels of every operand and of the output, the axes an ellipsis stands for written out. */
interface Equation {
  readonly terms: readonly string[];
  readonly output: string;
}

const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];

function equationOf(node: Node, { dims }: Scene): Equation {
  const equation = stringOf(node, 'equation', '').replaceAll(' ', '');
  const [left = '', right] = equation.split('->');
  const terms = left.split(',');
  const free = letters.filter((l) => !equation.includes(l));
  const hidden = terms.map((term, i) => (term.includes('...') ? dims(inputOf(node, i)).length - (term.length - 3) : 0));
  const most = Math.max(...hidden);
  const ellipsis = free.slice(0, most).join('');
  const written = terms.map((term, i) => term.replace('...', ellipsis.slice(most - hidden[i]!)));
  const all = left.replaceAll('...', '');
  const alone = [...new Set(all)].filter((l) => all.split(l).length === 2 && l !== ',').sort();
  return { terms: written, output: right === undefined ? ellipsis + alone.join('') : right.replace('...', ellipsis) };
}

/**
 * Y[o] = sum of prod_i X_i[t_i]: dX_j[t_j] = sum of dY[o] prod_(i != j) X_i[t_i], repeated along labels only X_j has, summed along axes of size 1 that
 * were broadcast, and on the diagonal of labels X_j has twice.
 */
export function einsum(dy: string, node: Node, scene: Scene): readonly (string | undefined)[] {
  const { g, active, dims } = scene;
  const { terms, output } = equationOf(node, scene);
  return node.inputs.map((x, j) => {
    if (!active(j)) return undefined;
    const term = terms[j]!;
    const others = terms.filter((_, i) => i !== j);
    const otherInputs = node.inputs.filter((_, i) => i !== j);
    // an operand whose axis was broadcast does not tell its size
    const telling = others.map((t, i) => [...t].filter((_, axis) => dims(otherInputs[i]!)[axis] !== 1).join(''));
    const known = new Set([output, ...telling].join(''));
    const labels = [...new Set(term)];
    const sizes = labels.map((l): Size => {
      const axis = term.indexOf(l);
      return dims(x)[axis] ?? { of: x, axis };
    });
    const isRepeated = (i: number): boolean => sizes[i] === 1 || !known.has(labels[i]!);
    const kept = labels.filter((_, i) => !isRepeated(i)).join('');
    const made = g.op('Einsum', [dy, ...otherInputs], {
      equation: `${[output, ...others].join(',')}->${kept}`,
    });
    const absent = labels.flatMap((_, i) => (isRepeated(i) ? [i] : []));
    const placed = absent.length === 0 ? made : g.op('Unsqueeze', [made, g.ints(absent)]);
    const whole = absent.every((i) => sizes[i] === 1) ? placed : g.op('Expand', [placed, sizeList(scene, sizes)]);
    return onDiagonals(scene, whole, term, sizes, node, x);
  });
}

/** A value with one axis per label as one with an axis per occurrence: zero where two axes of one label differ. */
function onDiagonals(scene: Scene, value: string, term: string, sizes: readonly Size[], node: Node, x: string): string {
  const { g } = scene;
  const again = [...term].flatMap((l, axis) => (term.indexOf(l) < axis ? [axis] : []));
  if (again.length === 0) return value;
  const labels = [...new Set(term)];
  let whole = g.op('Unsqueeze', [value, g.ints(again)]);
  for (const axis of again) {
    const size = sizes[labels.indexOf(term[axis]!)]!;
    if (typeof size !== 'number') {
      throw new UserError(
        `${describeNode(node)} takes a diagonal whose size is not fixed, and the derivative needs it`,
        'give the input a fixed size along that axis',
      );
    }
    const diagonal = Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
    const shape = [...term].map((_, i) => (i === axis || i === term.indexOf(term[axis]!) ? size : 1));
    const mask = g.constant(f32(diagonal, shape));
    whole = g.op('Mul', [whole, scene.dtype(x) === 'float32' ? mask : g.op('CastLike', [mask, whole])]);
  }
  return whole;
}
