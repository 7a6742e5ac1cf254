import { UserError } from '../../errors.ts';
import { describeNode } from '../../onnx/graph.ts';
import { i64, tensor } from '../../tensor/tensor.ts';
import type { Family } from '../rule.ts';
import { inputOf } from './sizes.ts';

type Op = 'Det';

export const determinant: Family<Op> = {
  // y = det X: dX = dy times the cofactors of X, each the determinant of X without a row and a column, so singular matrices have a derivative too
  Det: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const { g } = scene;
    const x = inputOf(node, 0);
    const dims = scene.dims(x);
    const n = dims.at(-1);
    if (typeof n !== 'number') {
      throw new UserError(
        `${describeNode(node)}: the size of the matrix is not fixed, and the derivative needs it`,
        'export the model with fixed sizes',
      );
    }
    const whole = g.op('Unsqueeze', [dy, g.ints([-2, -1])]);
    if (n === 1) return [whole];
    const others = (skipped: number): number[] => Array.from({ length: n }, (_, i) => i).filter((i) => i !== skipped);
    const minors: number[] = [];
    const signs: number[] = [];
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        for (const row of others(i)) for (const column of others(j)) minors.push(row * n + column);
        signs.push((i + j) % 2 === 0 ? 1 : -1);
      }
    const lead = dims.slice(0, -2).map(() => 0);
    const flat = g.op('Reshape', [x, g.ints([...lead, n * n])]);
    const picked = g.op('Gather', [flat, g.constant(i64(minors, [n * n, n - 1, n - 1]))], { axis: dims.length - 2 });
    const sign =
      scene.dtype(x) === 'float64'
        ? tensor('float64', [n * n], Float64Array.from(signs))
        : tensor('float32', [n * n], Float32Array.from(signs));
    const cofactors = g.op('Mul', [g.op('Det', [picked]), g.constant(sign)]);
    return [g.op('Mul', [whole, g.op('Reshape', [cofactors, g.ints([...lead, n, n])])])];
  },
};
