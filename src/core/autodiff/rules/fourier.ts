/** @file Fourier transforms: linear maps, whose transpose is a product with a constant matrix (faster than the runtime's DFT up to about 1024 elements). */
import { UserError } from '../../errors.ts';
import { describeNode, intOf, type Node } from '../../onnx/graph.ts';
import { fourierMatrix, hasOddSpectrum, multiplicity, type Transform } from '../../onnx/passes/fourier-matrix.ts';
import { i64, numbersOf } from '../../tensor/tensor.ts';
import type { Family, Scene } from '../rule.ts';
import { floatConstant, once } from './constants.ts';
import { overlapped } from './overlap.ts';
import { inputOf, positive, reshapeTo, type Size, sizesOf } from './sizes.ts';
import { pad } from './spread.ts';

type Op = 'DFT' | 'STFT';

/** A transform, and the type it is computed in. */
interface Typed extends Transform {
  readonly dtype: 'float32' | 'float64';
}

/** Above so many entries the matrix is not written, and the runtime transforms (measured: 1024 elements 3 against 8 ms, 2048 28 against 18 ms). */
const largestMatrix = 2 ** 21;

export const fourier: Family<Op> = {
  // y_k = sum of x_t e^(-2 pi i k t / n), with + and 1 / n for the inverse: dx is the transposed map of dy
  DFT: ([dy], node, scene) => {
    if (dy === undefined) return [];
    const [x, y] = [inputOf(node, 0), node.outputs[0]!];
    const sizes = scene.dims(x);
    const rank = sizes.length;
    const axis = positive(axisOf(node, scene), rank);
    const transform: Typed = {
      size: fixed(sizes[axis], node, `the size of axis ${axis}`),
      bins: fixed(scene.dims(y)[axis], node, `the size of axis ${axis}`),
      length: lengthOf(node, scene, axis),
      fromParts: sizes[rank - 1]!,
      toParts: scene.dims(y)[rank - 1]!,
      inverse: intOf(node, 'inverse', 0) === 1,
      dtype: scene.dtype(x) === 'float64' ? 'float64' : 'float32',
    };
    refuseOddSpectrum(transform, node);
    if (axis === rank - 2) return [transposedMap(scene, dy, sizesOf(scene, y), transform)];
    const swap = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 2 : i === rank - 2 ? axis : i));
    const turn = (value: string): string => scene.g.op('Transpose', [value], { perm: swap });
    const turned = sizesOf(scene, y);
    return [
      turn(
        transposedMap(
          scene,
          turn(dy),
          turned.map((_, i) => turned[swap[i]!]!),
          transform,
        ),
      ),
    ];
  },

  // frames of x, a step apart, times the window, each transformed: dx adds up the frames' cotangents where they overlap
  STFT: ([dy], node, scene) => (dy === undefined ? [] : shortTime(scene, node, dy)),
};

const fixed = (size: number | null | undefined, node: Node, what: string): number => {
  if (typeof size === 'number') return size;
  throw new UserError(
    `${describeNode(node)}: ${what} is not fixed, and the derivative needs it`,
    'export the model with fixed sizes',
  );
};

function refuseOddSpectrum(transform: Transform, node: Node): void {
  if (!hasOddSpectrum(transform)) return;
  const { length, size } = transform;
  const half = Math.floor(length / 2) + 1;
  throw new UserError(
    `${describeNode(node)} makes a real signal of ${length} elements from ${size} bins instead of ${half}: it has no derivative rule`,
    `cut or fill the spectrum to ${half} bins before it`,
  );
}

/** A number a node reads from an input, undefined where that is left out. */
function numberAt(node: Node, index: number, scene: Scene, what: string): number | undefined {
  const name = node.inputs[index] ?? '';
  if (name === '') return undefined;
  const value = scene.constant(name);
  return fixed(value === undefined ? null : numbersOf(value)[0], node, what);
}

/** An attribute up to opset 19, an input from 20. */
const axisOf = (node: Node, scene: Scene): number => intOf(node, 'axis') ?? numberAt(node, 2, scene, 'the axis') ?? -2;

function lengthOf(node: Node, scene: Scene, axis: number): number {
  const given = numberAt(node, 1, scene, 'the length of the transform');
  if (given !== undefined) return given;
  const isHalved = intOf(node, 'onesided', 0) === 1 && intOf(node, 'inverse', 0) === 0;
  return isHalved ? scene.dims(inputOf(node, 0))[axis]! : scene.dims(node.outputs[0]!)[axis]!;
}

/** `value` [.., bins, parts of y], whose sizes are `sizes`, through the transposed map: [.., size, parts of x]; `weights` (one per element of x) scale it. */
function transposedMap(scene: Scene, value: string, sizes: readonly Size[], t: Typed, weights?: Weights): string {
  const { g } = scene;
  const { dtype } = t;
  const [rows, columns] = [t.bins * t.toParts, t.size * t.fromParts];
  const isMatrix = rows * columns <= largestMatrix;
  const isWeighted = isMatrix && weights?.values !== undefined;
  const byMatrix = (): string => {
    const key = `fourier ${Object.values(t).join()} ${isWeighted ? weights.name : ''}`;
    const matrix = once(g, key, () => floatConstant(g, fourierMatrix(t, weights?.values), [rows, columns], dtype));
    return g.op('MatMul', [g.op('Reshape', [value, g.ints([-1, rows])]), matrix]);
  };
  const made = reshapeTo(scene, isMatrix ? byMatrix() : byTransform(scene, value, t), [
    ...sizes.slice(0, -2),
    t.size,
    t.fromParts,
  ]);
  return weights === undefined || isWeighted ? made : g.op('Mul', [made, g.op('Unsqueeze', [weights.name, g.ints([-1])])]);
}

/** A window: its value, and its numbers where they are constant. */
interface Weights {
  readonly name: string;
  readonly values: readonly number[] | undefined;
}

/**
 * The same by the runtime's transform: the transpose of the DFT is the inverse without its 1 / n on the spectrum filled up with zeros, that of the
 * inverse the DFT with it; of a spectrum made real, the first half of the DFT with mirrored bins counted twice.
 */
function byTransform(scene: Scene, value: string, t: Typed): string {
  const { g } = scene;
  const { size, length, bins, fromParts, toParts, inverse, dtype } = t;
  const isReal = inverse && toParts === 1;
  // with three axes the default axis is the second in every opset
  const lines = g.op('Reshape', [value, g.ints([-1, bins, toParts])]);
  const whole = pad(scene, lines, 3, [{ axis: 1, before: 0, after: length - bins }]);
  const made = g.op('DFT', [whole], { inverse: inverse ? 0 : 1, onesided: isReal ? 1 : 0 });
  const used = isReal ? Math.floor(length / 2) + 1 : length;
  const counts = Float64Array.from({ length: used }, (_, k) => multiplicity(k, length) / length);
  const scale = isReal ? floatConstant(g, counts, [used, 1], dtype) : scene.number(inverse ? 1 / length : length, dtype);
  const filled = pad(scene, g.op('Mul', [made, scale]), 3, [{ axis: 1, before: 0, after: size - used }]);
  return fromParts === 2 ? filled : g.op('Slice', [filled, g.ints([0]), g.ints([1]), g.ints([2])]);
}

/** The derivative by the signal, and by a window that is computed. */
function shortTime(scene: Scene, node: Node, dy: string): readonly (string | undefined)[] {
  const { g, active } = scene;
  const [x, y] = [inputOf(node, 0), node.outputs[0]!];
  const step = fixed(numberAt(node, 1, scene, 'the step between frames'), node, 'the step between frames');
  const window = node.inputs[2] || undefined;
  const signal = fixed(scene.dims(x)[1], node, 'the length of the signal');
  const size =
    numberAt(node, 3, scene, 'the length of a frame') ??
    (window === undefined ? signal : fixed(scene.dims(window)[0], node, 'the length of the window'));
  const sizes = sizesOf(scene, y);
  const frames = fixed(scene.dims(y)[1], node, 'the number of frames');
  const parts = scene.dims(x)[2] ?? 1;
  const transform: Typed = {
    size,
    length: size,
    bins: fixed(scene.dims(y)[2], node, 'the number of bins'),
    fromParts: parts,
    toParts: 2,
    inverse: false,
    dtype: scene.dtype(x) === 'float64' ? 'float64' : 'float32',
  };
  const known = window === undefined ? undefined : scene.constant(window);
  const weights = window === undefined ? undefined : { name: window, values: known === undefined ? undefined : numbersOf(known) };
  const toSignal = (): string => {
    const cotangents = transposedMap(scene, dy, sizes, transform, weights);
    const added = overlapped(scene, cotangents, {
      frames,
      size: size * parts,
      step: step * parts,
      length: signal * parts,
      dtype: transform.dtype,
    });
    return scene.reshapeLike(added, x);
  };
  // each frame of x times what its windowed form receives, over all frames
  const toWindow = (): string => {
    const positions = Array.from({ length: frames * size }, (_, i) => Math.floor(i / size) * step + (i % size));
    const seen = g.op('Gather', [x, g.constant(i64(positions, [frames, size]))], { axis: 1 });
    const product = g.op('Mul', [
      reshapeTo(scene, seen, [sizes[0]!, frames, size, parts]),
      transposedMap(scene, dy, sizes, transform),
    ]);
    return g.op('ReduceSum', [product, g.ints([0, 1, 3])], { keepdims: 0 });
  };
  return [active(0) ? toSignal() : undefined, undefined, active(2) ? toWindow() : undefined];
}
