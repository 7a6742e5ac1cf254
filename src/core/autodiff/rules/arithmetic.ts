/** @file Elementwise arithmetic. Every rule writes cotangents of the output's shape; the walker sums them down to what was broadcast. */
import { elementType } from '../../onnx/dtypes.ts';
import type { Node } from '../../onnx/graph.ts';
import { numbersOf } from '../../tensor/tensor.ts';
import { type Algebra, algebra, formula } from '../algebra.ts';
import type { Broadcasting, Family, Scene } from '../rule.ts';

type Op =
  | 'Add'
  | 'Sub'
  | 'Mul'
  | 'Div'
  | 'Pow'
  | 'Mod'
  | 'Min'
  | 'Max'
  | 'Sum'
  | 'Mean'
  | 'Where'
  | 'Clip'
  | 'Neg'
  | 'Abs'
  | 'Reciprocal'
  | 'Sqrt'
  | 'Exp'
  | 'Log'
  | 'Erf'
  | 'Sin'
  | 'Cos'
  | 'Tan'
  | 'Asin'
  | 'Acos'
  | 'Atan'
  | 'Sinh'
  | 'Cosh'
  | 'Asinh'
  | 'Acosh'
  | 'Atanh';

/** Rule of y = f(a, b, ...) with broadcasting: `vjp` gives the cotangent of input i; those nobody asks for are not written. */
const nary = (vjp: (m: Algebra, dy: string, i: number, node: Node, scene: Scene) => string): Broadcasting => ({
  broadcasting: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const m = algebra(scene, node.outputs[0]!);
    return node.inputs.map((name, i) => (name !== '' && scene.active(i) ? vjp(m, dy, i, node, scene) : undefined));
  },
});

/** y = max (min) of all: dy goes to the inputs that equal y, in equal parts where several do (as PyTorch's maximum does for two). */
const extremum: Broadcasting = {
  broadcasting: ([dy], { inputs, outputs: [y] }, scene) => {
    if (dy === undefined) return [];
    if (inputs.length === 1) return [dy];
    const m = algebra(scene, y!);
    const chosen = inputs.map((x) => m.mask(m.equal(x, y!)));
    const share = m.div(
      dy,
      chosen.reduce((a, b) => m.add(a, b)),
    );
    return chosen.map((mask, i) => (scene.active(i) ? m.mul(share, mask) : undefined));
  },
};

/** The exponent as a number where it is one constant. */
function exponentOf(name: string, { constant }: Scene): number | undefined {
  const value = constant(name);
  return value !== undefined && value.data.length === 1 ? numbersOf(value)[0] : undefined;
}

/** y = a^b: da = dy b a^(b-1); 0 where b = 0 even at a = 0, and where it would be infinite. */
function powerOfBase(m: Algebra, dy: string, { inputs: [a, b], outputs: [y] }: Node, scene: Scene): string {
  const n = exponentOf(b!, scene);
  if (n === 0) return m.mul(dy, 0);
  if (n === 1) return dy;
  if (n === 2) return m.mul(dy, m.mul(2, a!));
  if (n === 0.5) return m.over(dy, m.mul(2, y!));
  if (n !== undefined && n >= 1) return m.mul(dy, m.mul(n, m.pow(a!, n - 1)));
  if (n !== undefined) return m.mul(dy, m.where(m.equal(a!, 0), 0, m.mul(n, m.pow(a!, n - 1))));
  const exponent = scene.dtype(b!) === scene.dtype(a!) ? b! : scene.g.op('Cast', [b!], { to: elementType(scene.dtype(a!)) });
  const slope = m.mul(exponent, m.pow(a!, m.sub(exponent, 1)));
  return m.mul(dy, m.where(m.equal(exponent, 0), 0, m.where(m.greater(m.abs(slope), 3e38), 0, slope)));
}

export const arithmetic: Family<Op> = {
  // y = a + b: da = dy, db = dy
  Add: nary((_m, dy) => dy),
  // y = a - b: da = dy, db = -dy
  Sub: nary((m, dy, i) => (i === 0 ? dy : m.neg(dy))),
  // y = a b: da = dy b, db = dy a
  Mul: nary((m, dy, i, { inputs }) => m.mul(dy, inputs[1 - i]!)),
  // y = a / b: da = dy / b, db = -dy / b a / b
  Div: nary((m, dy, i, { inputs: [a, b] }, scene) => {
    const divisor = scene.constant(b!)?.data.every((v) => Number(v) !== 0) ? b! : m.divisor(b!);
    return i === 0 ? m.div(dy, divisor) : m.neg(m.mul(m.div(dy, divisor), m.div(a!, divisor)));
  }),
  // y = a^b: da as above, db = dy y log a, and 0 where a is not positive
  Pow: nary((m, dy, i, node, scene) => {
    const [a, y] = [node.inputs[0]!, node.outputs[0]!];
    if (i === 0) return powerOfBase(m, dy, node, scene);
    return m.mul(dy, m.mul(y, scene.g.op('Log', [m.where(m.greater(a, 0), a, 1)])));
  }),
  // y = a - b k with a whole number k: da = dy, db = -dy k
  Mod: nary((m, dy, i, { inputs: [a, b], outputs: [y] }) => (i === 0 ? dy : m.mul(dy, m.div(m.sub(y!, a!), b!)))),
  Min: extremum,
  Max: extremum,
  // y = x_1 + ... + x_n: dx_i = dy
  Sum: nary((_m, dy) => dy),
  // y = (x_1 + ... + x_n) / n: dx_i = dy / n
  Mean: nary((m, dy, _i, { inputs }) => m.mul(dy, 1 / inputs.length)),
  // y = c ? a : b: da = c ? dy : 0, db = c ? 0 : dy
  Where: nary((m, dy, i, { inputs }) => (i === 1 ? m.where(inputs[0]!, dy, 0) : m.where(inputs[0]!, 0, dy))),
  // y = min(max(x, low), high): dy goes to x where low <= x <= high (bounds included: a black pixel may still get
  // lighter), to the bound that was taken elsewhere: high where both are, which is where low > high
  Clip: nary((m, dy, i, { inputs: [x, low, high], outputs: [y] }) => {
    if (i === 0) return m.mul(dy, m.mask(m.equal(x!, y!)));
    if (i === 1) {
      const raised = m.mask(m.greater(y!, x!));
      return m.mul(dy, high ? m.mul(raised, m.mask(m.equal(y!, low!))) : raised);
    }
    const lowered = m.mask(m.greater(x!, high!));
    return m.mul(dy, low ? m.where(m.greater(low, high!), 1, lowered) : lowered);
  }),
  // y = -x: dx = -dy
  Neg: formula((m, dy) => m.neg(dy)),
  // y = |x|: dx = dy sign x
  Abs: formula((m, dy, x) => m.mul(dy, m.sign(x))),
  // y = 1 / x: dx = -dy / x^2
  Reciprocal: formula((m, dy, x) => m.over(m.neg(dy), m.square(x))),
  // y = sqrt x: dx = dy / (2 y)
  Sqrt: formula((m, dy, _x, y) => m.over(dy, m.mul(2, y))),
  // y = exp x: dx = dy y
  Exp: formula((m, dy, _x, y) => m.mul(dy, y)),
  // y = log x: dx = dy / x
  Log: formula((m, dy, x) => m.over(dy, x)),
  // y = erf x: dx = dy 2 / sqrt(pi) exp(-x^2)
  Erf: formula((m, dy, x) => m.mul(dy, m.mul(2 / Math.sqrt(Math.PI), m.exp(m.neg(m.square(x)))))),
  // y = sin x: dx = dy cos x
  Sin: formula((m, dy, x) => m.mul(dy, m.cos(x))),
  // y = cos x: dx = -dy sin x
  Cos: formula((m, dy, x) => m.neg(m.mul(dy, m.sin(x)))),
  // y = tan x: dx = dy (1 + y^2)
  Tan: formula((m, dy, _x, y) => m.mul(dy, m.add(1, m.square(y)))),
  // y = asin x: dx = dy / sqrt(1 - x^2), the product (1 - x)(1 + x) being exact near 1
  Asin: formula((m, dy, x) => m.over(dy, m.sqrt(m.mul(m.sub(1, x), m.add(1, x))))),
  // y = acos x: dx = -dy / sqrt(1 - x^2)
  Acos: formula((m, dy, x) => m.neg(m.over(dy, m.sqrt(m.mul(m.sub(1, x), m.add(1, x)))))),
  // y = atan x: dx = dy / (1 + x^2)
  Atan: formula((m, dy, x) => m.div(dy, m.add(1, m.square(x)))),
  // y = sinh x: dx = dy cosh x
  Sinh: formula((m, dy, x) => m.mul(dy, m.cosh(x))),
  // y = cosh x: dx = dy sinh x
  Cosh: formula((m, dy, x) => m.mul(dy, m.sinh(x))),
  // y = asinh x: dx = dy / sqrt(x^2 + 1)
  Asinh: formula((m, dy, x) => m.div(dy, m.sqrt(m.add(m.square(x), 1)))),
  // y = acosh x: dx = dy / sqrt(x^2 - 1)
  Acosh: formula((m, dy, x) => m.over(dy, m.sqrt(m.mul(m.sub(x, 1), m.add(x, 1))))),
  // y = atanh x: dx = dy / (1 - x^2)
  Atanh: formula((m, dy, x) => m.over(dy, m.mul(m.sub(1, x), m.add(1, x)))),
};
