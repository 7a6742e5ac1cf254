/** @file What has no useful derivative: piecewise constant and integer functions cut the gradient; sizes and chance have none. */
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
  'Range',
  'Bernoulli',
  'Multinomial',
  'QuantizeLinear',
  'DynamicQuantizeLinear',
  'DequantizeLinear',
  'ConvInteger',
  'MatMulInteger',
  'QLinearConv',
  'QLinearMatMul',
  'NonMaxSuppression',
  'Unique',
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
  'HannWindow',
  'HammingWindow',
  'BlackmanWindow',
  'MelWeightMatrix',
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
