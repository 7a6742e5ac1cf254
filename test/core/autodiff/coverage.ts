/** @file What becomes of the gradient at every operator of the default domain, and the published lists it is counted against. */
import { readFileSync } from 'node:fs';
import type { Entry } from '../../../src/core/autodiff/rule.ts';
import { isRuled, rules } from '../../../src/core/autodiff/rules/index.ts';
import { schemas } from '../../../src/core/onnx/schemas.generated.ts';
import { recordedCases } from './cases.ts';

/** Operators that `prepare` rewrites, so that no rule ever meets them, and what they become. */
export const rewritten: Readonly<Record<string, string>> = {
  Constant: 'becomes an initializer',
  Scatter: 'becomes ScatterElements',
  Upsample: 'becomes Resize',
};

/** Operators on texts, files and containers of values: there is no number to differentiate by, or the runtime itself passes none. */
const noNumbers: readonly string[] = [
  'ImageDecoder',
  'OptionalHasElement',
  'RegexFullMatch',
  'SequenceLength',
  'StringConcat',
  'StringNormalizer',
  'StringSplit',
  'TfIdfVectorizer',
];

/** Operators with bodies are proved by test/core/autodiff/control-flow.test.ts: a recorded case is a single node. */
export const withBodies: readonly string[] = ['If', 'Loop', 'Scan'];

export type How = 'rule' | 'rule or cut, by attributes' | 'rewritten' | 'cut' | 'zero' | 'no numbers' | 'missing';

/** How the gradient of an operator is made. */
export function howOf(op: string): How {
  if (isRuled(op)) {
    const entry: Entry = rules[op];
    if (entry === 'cuts') return 'cut';
    if (entry === 'zero') return 'zero';
    return typeof entry === 'object' && 'perNode' in entry ? 'rule or cut, by attributes' : 'rule';
  }
  if (Object.hasOwn(rewritten, op)) return 'rewritten';
  return noNumbers.includes(op) ? 'no numbers' : 'missing';
}

/** A gradient graph can be made through it. */
export const isCovered = (op: string): boolean => !['missing', 'no numbers'].includes(howOf(op));

/** Everything the runtime knows of the default domain. */
export const knownOps: readonly string[] = Object.keys(schemas['']!).sort();

/** The versions of an operator, as the runtime registers them. */
export const versionsOf = (op: string): readonly number[] => schemas['']![op]!.map(([since]) => since);

/** Recorded PyTorch cases of each operator. */
export function casesByOp(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [, cases] of recordedCases()) for (const { op } of cases) counts.set(op, (counts.get(op) ?? 0) + 1);
  return counts;
}

/** The operators of the default domain onnxruntime-training (gradient_builder_registry.cc) has a gradient for; its own and internal ones are left out. */
export const ortTraining: readonly string[] = (
  'Abs Add AveragePool BatchNormalization Cast Clip Concat Conv ConvTranspose Cos Div Dropout Erf Exp Expand Flatten Gather GatherElements GatherND ' +
  'Gelu Gemm GlobalAveragePool GRU Identity LSTM LayerNormalization LeakyRelu Log LogSoftmax MatMul Max Min MaxPool Mul Neg Pad Pow Reciprocal ' +
  'ReduceL2 ReduceLogSumExp ReduceMean ReduceSum Relu Reshape ScatterElements ScatterND Sigmoid Sin Slice Softmax SoftmaxCrossEntropyLoss Split Sqrt ' +
  'Squeeze Sub Sum Tanh Tile TopK Transpose Trilu Unsqueeze Where'
).split(' ');

/** The operators whose schemas onnx 1.12 (opset 17) tags as differentiable (test/oracles/differentiable_ops.py). */
export function tagged(): readonly string[] {
  const file = new URL('../../fixtures/onnx/differentiable-ops.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { tagged: string[] }).tagged;
}

/** The three lists, and how much of each is covered. */
export const denominators = (): readonly { readonly name: string; readonly of: readonly string[] }[] => [
  { name: 'operators of the default domain', of: knownOps },
  { name: 'operators onnx 1.12 tags as differentiable', of: tagged() },
  { name: 'operators onnxruntime-training has a gradient for', of: ortTraining },
];
