/** @file Formulas as nodes, so that a rule reads like the mathematics in its comment. */
import { float } from '../onnx/builder.ts';
import { elementType } from '../onnx/dtypes.ts';
import type { Node } from '../onnx/graph.ts';
import type { DType } from '../tensor/tensor.ts';
import { type Rule, type Scene, unary } from './rule.ts';

/** A value, or a number that becomes a constant. */
export type Operand = string | number;

export interface Algebra {
  readonly dtype: DType;
  /** A constant. */
  number(value: number): string;
  add(a: Operand, b: Operand): string;
  sub(a: Operand, b: Operand): string;
  mul(a: Operand, b: Operand): string;
  div(a: Operand, b: Operand): string;
  /** b with infinity for zeros: what is divided by it is 0 at a singularity rather than infinite or 0/0, so that nothing it meets becomes NaN. */
  divisor(b: string): string;
  /** a / divisor(b) */
  over(a: Operand, b: string): string;
  pow(a: Operand, b: Operand): string;
  neg(a: string): string;
  abs(a: string): string;
  sign(a: string): string;
  exp(a: string): string;
  sqrt(a: string): string;
  sigmoid(a: string): string;
  tanh(a: string): string;
  relu(a: string): string;
  softplus(a: string): string;
  sin(a: string): string;
  cos(a: string): string;
  sinh(a: string): string;
  cosh(a: string): string;
  erf(a: string): string;
  square(a: string): string;
  /** a ? b : c, where a is a boolean value. */
  where(a: string, b: Operand, c: Operand): string;
  greater(a: Operand, b: Operand): string;
  equal(a: Operand, b: Operand): string;
  /** A boolean value as 0 and 1. */
  mask(a: string): string;
  /** [a > 0] as 0 and 1. */
  step(a: string): string;
  /** min(max(alpha a + beta, 0), 1); float32 only. */
  hardSigmoid(a: string, alpha: number, beta: number): string;
  clip(a: string, low: number, high: number): string;
  /** Sum over the given axes, which are kept with size 1. */
  sum(a: string, axes: readonly number[]): string;
  /** Mean over the given axes, which are kept with size 1. */
  mean(a: string, axes: readonly number[]): string;
}

/** Formulas whose constants have the dtype of `like`. */
export function algebra(scene: Scene, like: string): Algebra {
  const { g, number } = scene;
  const dtype = scene.dtype(like);
  const at = (v: Operand): string => (typeof v === 'number' ? number(v, dtype) : v);
  const binary = (op: string) => (a: Operand, b: Operand) => g.op(op, [at(a), at(b)]);
  const single = (op: string) => (a: string) => g.op(op, [a]);
  const [div, equal, greater] = [binary('Div'), binary('Equal'), binary('Greater')];
  const where = (a: string, b: Operand, c: Operand) => g.op('Where', [a, at(b), at(c)]);
  const divisor = (b: string) => where(equal(b, 0), Number.POSITIVE_INFINITY, b);
  const mask = (a: string) => g.op('Cast', [a], { to: elementType(dtype) });
  const hardSigmoid = (a: string, alpha: number, beta: number) =>
    g.op('HardSigmoid', [a], { alpha: float(alpha), beta: float(beta) });
  return {
    dtype,
    number: at,
    add: binary('Add'),
    sub: binary('Sub'),
    mul: binary('Mul'),
    div,
    divisor,
    over: (a, b) => div(a, divisor(b)),
    pow: binary('Pow'),
    neg: single('Neg'),
    abs: single('Abs'),
    sign: single('Sign'),
    exp: single('Exp'),
    sqrt: single('Sqrt'),
    sigmoid: single('Sigmoid'),
    tanh: single('Tanh'),
    relu: single('Relu'),
    softplus: single('Softplus'),
    sin: single('Sin'),
    cos: single('Cos'),
    sinh: single('Sinh'),
    cosh: single('Cosh'),
    erf: single('Erf'),
    square: (a) => g.op('Mul', [a, a]),
    where,
    greater,
    equal,
    mask,
    // a steep HardSigmoid is the cheapest exact mask; it exists in float32 only
    step: (a) => (dtype === 'float32' ? hardSigmoid(a, 1e30, 0) : mask(greater(a, 0))),
    hardSigmoid,
    clip: (a, low, high) => g.op('Clip', [a, at(low), at(high)]),
    sum: (a, axes) => g.op('ReduceSum', [a, g.ints(axes)], { keepdims: 1 }),
    mean: (a, axes) => g.op('ReduceMean', [a, g.ints(axes)], { keepdims: 1 }),
  };
}

/** Rule of y = f(x) with one input and one output, written as a formula for dx. */
export const formula = (vjp: (m: Algebra, dy: string, x: string, y: string, node: Node) => string): Rule =>
  unary((dy, x, y, scene, node) => vjp(algebra(scene, x), dy, x, y, node));
