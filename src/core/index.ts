/** @file `provoke/core`: graphs, passes over them, their gradients, and sessions that run them; knows nothing of attacks. */

export { type FloatCopy, floatCopy } from './autodiff/float-copy.ts';
export {
  type Cut,
  type GradientGraph,
  type GradientOptions,
  gradient,
  gradientDefaults,
} from './autodiff/gradient.ts';
export type { Entry, Provider, Rule, Scene } from './autodiff/rule.ts';
export { type Match, type Surrogate, straightThrough, type Twin } from './autodiff/substitutes.ts';
export { UserError } from './errors.ts';
export {
  type AttributeInput,
  attributes,
  type BuilderOptions,
  float,
  floats,
  type GraphBuilder,
  graphBuilder,
} from './onnx/builder.ts';
export {
  type Attribute,
  type Attributes,
  consumersOf,
  type Dim,
  describeNode,
  feedsOf,
  type Graph,
  type Node,
  opsetOf,
  producersOf,
  type Value,
} from './onnx/graph.ts';
export { type Binding, bindDims } from './onnx/passes/bind-dims.ts';
export { constantsToInitializers } from './onnx/passes/constants.ts';
export { dropDead } from './onnx/passes/drop-dead.ts';
export { type Logits, logitsOf } from './onnx/passes/expose-logits.ts';
export { foldBatchNorm } from './onnx/passes/fold-batch-norm.ts';
export { type FoldOptions, foldConstants, foldDefaults, foldSizes } from './onnx/passes/fold-constants.ts';
export { explicitPads } from './onnx/passes/pads.ts';
export { type PrepareOptions, prepare, prepareDefaults } from './onnx/passes/prepare.ts';
export { type Execute, inferShapes, type KnownDim, type ShapeEntry, type ShapeTable } from './onnx/passes/shapes.ts';
export {
  makeBatchSymbolic,
  type SymbolicBatch,
  type SymbolicBatchOptions,
  symbolicBatchDefaults,
} from './onnx/passes/symbolic-batch.ts';
export { opsetRange, upgrade } from './onnx/passes/upgrade.ts';
export { printGraph } from './onnx/print.ts';
export { type ReadOptions, readModel } from './onnx/reader.ts';
export type { ExternalData } from './onnx/tensors.ts';
export { assertValid, type Finding, validate } from './onnx/validate.ts';
export { writeModel } from './onnx/writer.ts';
export { type CompileOptions, compile, compileDefaults, type Evaluator } from './runtime/compile.ts';
export {
  createRuntime,
  type Feeds,
  type OrtModule,
  type Runtime,
  type RuntimeOptions,
  runtimeDefaults,
  type Session,
} from './runtime/runtime.ts';
export { readNpy, readNpz, writeNpy, writeNpz } from './tensor/npy.ts';
export { philox, type Stream, stream } from './tensor/random.ts';
export {
  type DType,
  f32,
  i64,
  type NumericDType,
  numbersOf,
  scalar,
  sizeOf,
  type Tensor,
  tensor,
  zeros,
} from './tensor/tensor.ts';
