import { intOf, type Node } from '../../../src/core/onnx/graph.ts';
import { axisOf, type F64, filledBy, type Kernels, offsetOf } from './types.ts';

interface Complex {
  readonly re: number;
  readonly im: number;
}

/** The first `bins` elements of the transform of a line of `length` elements, from the definition. */
function spectrum(line: (at: number) => Complex, length: number, bins: number, inverse: boolean): Complex[] {
  const angles = Array.from({ length }, (_, r) => ((inverse ? 2 : -2) * Math.PI * r) / length);
  const [cos, sin] = [Float64Array.from(angles, Math.cos), Float64Array.from(angles, Math.sin)];
  const xs = Array.from({ length }, (_, t) => line(t));
  const [xRe, xIm] = [Float64Array.from(xs, (x) => x.re), Float64Array.from(xs, (x) => x.im)];
  return Array.from({ length: bins }, (_, k) => {
    let [re, im] = [0, 0];
    for (let t = 0; t < length; t++) {
      const r = (k * t) % length;
      re += xRe[t]! * cos[r]! - xIm[t]! * sin[r]!;
      im += xRe[t]! * sin[r]! + xIm[t]! * cos[r]!;
    }
    return inverse ? { re: re / length, im: im / length } : { re, im };
  });
}

/** What `make` gives for an index, made once for each. */
function once<T>(make: (index: readonly number[]) => T): (index: readonly number[]) => T {
  const made = new Map<string, T>();
  return (index) => {
    const key = index.join();
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(index);
    made.set(key, value);
    return value;
  };
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
  const along = once((index) => {
    const line = (at: number): Complex => {
      const mirrored = toReal && at >= half;
      const value = complexAt(
        x,
        index.map((v, i) => (i === axis ? (mirrored ? length - at : at) : v)),
      );
      // the first and the middle bin of a real signal are real
      if (toReal && (at === 0 || 2 * at === length)) return { re: value.re, im: 0 };
      return mirrored ? { re: value.re, im: -value.im } : value;
    };
    return spectrum(line, length, bins, inverse);
  });
  return filledBy(dims, (index) => {
    const y = along(index.slice(0, -1).map((v, i) => (i === axis ? 0 : v)))[index[axis]!]!;
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
    const along = once(([b, f]) => {
      const line = (t: number): Complex => {
        const { re, im } = complexAt(x!, [b!, f! * step!.data[0]! + t]);
        const w = window?.data[t] ?? 1;
        return { re: re * w, im: im * w };
      };
      return spectrum(line, size, bins, false);
    });
    return [
      filledBy([x!.dims[0]!, frames, bins, 2], ([b, f, k, part]) => {
        const y = along([b!, f!])[k!]!;
        return part === 0 ? y.re : y.im;
      }),
    ];
  },
};
