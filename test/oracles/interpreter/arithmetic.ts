import { intOf } from '../../../src/core/onnx/graph.ts';
import { broadcastAt, broadcastDims, type F64, f64, filledBy, type Kernel, type Kernels } from './types.ts';

/** An elementwise op over broadcast inputs; left-out inputs arrive as undefined. */
export const elementwise =
  (f: (...xs: number[]) => number): Kernel =>
  (inputs) => {
    const present = inputs.filter((t): t is F64 => t !== undefined);
    return [filledBy(broadcastDims(...present.map((t) => t.dims)), (index) => f(...present.map((t) => broadcastAt(t, index))))];
  };

/**
 * erf by its Maclaurin series below 3 and the continued fraction of erfc above (Abramowitz and Stegun 7.1.6, 7.1.14): about 1e-14.
 */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a < 3) {
    let term = (2 / Math.sqrt(Math.PI)) * x * Math.exp(-x * x);
    let sum = term;
    for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return sum;
  }
  let tail = a;
  for (let n = 120; n >= 1; n--) tail = a + n / 2 / tail;
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / tail);
}

const logical = (f: (a: number, b: number) => boolean) => elementwise((a, b) => Number(f(a!, b!)));

export const arithmetic: Kernels = {
  Add: elementwise((a, b) => a! + b!),
  Sub: elementwise((a, b) => a! - b!),
  Mul: elementwise((a, b) => a! * b!),
  Div: elementwise((a, b) => a! / b!),
  Pow: elementwise((a, b) => a! ** b!),
  Mod(inputs, node, run) {
    const truncated = intOf(node, 'fmod', 0) === 1;
    return elementwise((a, b) => (truncated ? a! % b! : a! - b! * Math.floor(a! / b!)))(inputs, node, run);
  },
  Min: elementwise((...xs) => Math.min(...xs)),
  Max: elementwise((...xs) => Math.max(...xs)),
  Sum: elementwise((...xs) => xs.reduce((a, b) => a + b, 0)),
  Mean: elementwise((...xs) => xs.reduce((a, b) => a + b, 0) / xs.length),
  Where: elementwise((condition, a, b) => (condition ? a! : b!)),
  Clip: ([x, low, high]) => [
    f64(
      x!.dims,
      x!.data.map((v) =>
        Math.min(Math.max(v, low?.data[0] ?? Number.NEGATIVE_INFINITY), high?.data[0] ?? Number.POSITIVE_INFINITY),
      ),
    ),
  ],
  Neg: elementwise((x) => -x!),
  Abs: elementwise(Math.abs),
  Reciprocal: elementwise((x) => 1 / x!),
  Sqrt: elementwise(Math.sqrt),
  Exp: elementwise(Math.exp),
  Log: elementwise(Math.log),
  Erf: elementwise(erf),
  Sin: elementwise(Math.sin),
  Cos: elementwise(Math.cos),
  Tan: elementwise(Math.tan),
  Asin: elementwise(Math.asin),
  Acos: elementwise(Math.acos),
  Atan: elementwise(Math.atan),
  Sinh: elementwise(Math.sinh),
  Cosh: elementwise(Math.cosh),
  Asinh: elementwise(Math.asinh),
  Acosh: elementwise(Math.acosh),
  Atanh: elementwise(Math.atanh),
  Sign: elementwise(Math.sign),
  Floor: elementwise(Math.floor),
  Ceil: elementwise(Math.ceil),
  Identity: elementwise((x) => x!),
  CastLike: ([x]) => [x!],
  IsNaN: elementwise((x) => (Number.isNaN(x!) ? 1 : 0)),
  Greater: logical((a, b) => a > b),
  GreaterOrEqual: logical((a, b) => a >= b),
  Less: logical((a, b) => a < b),
  LessOrEqual: logical((a, b) => a <= b),
  Equal: logical((a, b) => a === b),
  And: logical((a, b) => a !== 0 && b !== 0),
  Or: logical((a, b) => a !== 0 || b !== 0),
  Not: ([a]) => [
    f64(
      a!.dims,
      a!.data.map((v) => Number(v === 0)),
    ),
  ],
};
