/** @file What has no useful derivative: piecewise constant functions, which cut the gradient, and what depends on sizes or chance alone. */
import type { Family } from '../rule.ts';

const cutting = [
  'Greater',
  'GreaterOrEqual',
  'Less',
  'LessOrEqual',
  'Equal',
  'Sign',
  'Round',
  'Floor',
  'Ceil',
  'ArgMax',
  'ArgMin',
  'NonZero',
  'OneHot',
  'Range',
  'Bernoulli',
  'Multinomial',
  'QuantizeLinear',
  'DynamicQuantizeLinear',
] as const;

const constant = [
  'Shape',
  'Size',
  'ConstantOfShape',
  'EyeLike',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'IsNaN',
  'IsInf',
  'And',
  'Or',
  'Not',
  'Xor',
  'BitShift',
  'BitwiseAnd',
  'BitwiseOr',
  'BitwiseNot',
  'BitwiseXor',
] as const;

type Cutting = (typeof cutting)[number];
type Constant = (typeof constant)[number];

const all = <Op extends string, E>(ops: readonly Op[], entry: E): Record<Op, E> =>
  Object.fromEntries(ops.map((op) => [op, entry])) as Record<Op, E>;

export const steps: Family<Cutting | Constant> = { ...all(cutting, 'cuts' as const), ...all(constant, 'zero' as const) };
