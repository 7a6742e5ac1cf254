import { intOf, type Node } from '../../../src/core/onnx/graph.ts';
import { axisOf, type F64, filledBy, type Kernels, offsetOf } from './types.ts';

interface Complex {
  readonly re: number;
  readonly im: number;
}

/** Element k of the transform of a line of `length` elements, from the definition. */
function bin(line: (at: number) => Complex, length: number, k: number, inverse: boolean): Complex {
  let [re, im] = [0, 0];
  for (let t = 0; t < length; t++) {
    const angle = ((inverse ? 2 : -2) * Math.PI * ((k * t) % length)) / length;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const x = line(t);
    re += x.re * c - x.im * s;
    im += x.re * s + x.im * c;
  }
  return inverse ? { re: re / length, im: im / length } : { re, im };
}

/** The element at `index` with component 0 and, where there is one, 1; zero beyond the ends. */
function complexAt(x: F64, index: readonly number[]): Complex {
  if (index.some((v, axis) => v >= x.dims[axis]!)) return { re: 0, im: 0 };
  const flat = offsetOf(x.dims, [...index, 0]);
  return { re: x.data[flat]!, im: x.dims.at(-1) === 2 ? x.data[flat + 1]! : 0 };
}

function transform(x: F64, given: F64 | undefined, axisInput: F64 | undefined, node: Node): F64 {
  const axis = axisOf(intOf(node, 'axis') ?? axisInput?.data[0] ?? -2, x.dims.length);
  const [inverse, onesided] = [intOf(node, 'inverse', 0) === 1, intOf(node, 'onesided', 0) === 1];
  const toReal = inverse && onesided;
  const length = given?.data[0] ?? (toReal ? 2 * (x.dims[axis]! - 1) : x.dims[axis]!);
  const half = Math.floor(length / 2) + 1;
  const bins = onesided && !inverse ? half : length;
  const dims = x.dims.map((d, i) => (i === axis ? bins : i === x.dims.length - 1 ? (toReal ? 1 : 2) : d));
  return filledBy(dims, (index) => {
    const line = (at: number): Complex => {
      const mirrored = toReal && at >= half;
      const value = complexAt(
        x,
        index.slice(0, -1).map((v, i) => (i === axis ? (mirrored ? length - at : at) : v)),
      );
      // the first and the middle bin of a real signal are real
      if (toReal && (at === 0 || 2 * at === length)) return { re: value.re, im: 0 };
      return mirrored ? { re: value.re, im: -value.im } : value;
    };
    const y = bin(line, length, index[axis]!, inverse);
    return index.at(-1) === 0 ? y.re : y.im;
  });
}

export const fourier: Kernels = {
  DFT: ([x, length, axis], node) => [transform(x!, length, axis, node)],

  STFT([x, step, window, given], node) {
    const signal = x!.dims[1]!;
    const size = given?.data[0] ?? window?.dims[0] ?? signal;
    const frames = Math.floor((signal - size) / step!.data[0]!) + 1;
    const bins = intOf(node, 'onesided', 1) === 1 ? Math.floor(size / 2) + 1 : size;
    return [
      filledBy([x!.dims[0]!, frames, bins, 2], ([b, f, k, part]) => {
        const line = (t: number): Complex => {
          const { re, im } = complexAt(x!, [b!, f! * step!.data[0]! + t]);
          const w = window?.data[t] ?? 1;
          return { re: re * w, im: im * w };
        };
        const y = bin(line, size, k!, false);
        return part === 0 ? y.re : y.im;
      }),
    ];
  },
};
