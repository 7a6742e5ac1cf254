/** @file Light and camera: a gradient, gain and gamma over the fine picture; then blur, pixels, noise, bytes. */
import type { Stream } from '../../../../core/tensor/random.ts';
import type { RawImage } from '../../source.ts';

/** Square pictures of values 0..1: brought to a common contrast, then lit from a side, brighter or darker. */
export function light(values: Float32Array, width: number, draw: Stream): Float32Array {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const sd = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  const contrast = (0.2 * Math.exp(0.15 * draw.normal())) / Math.max(sd, 0.02);
  const level = 0.48 + 0.06 * draw.normal();
  const gamma = Math.exp(0.15 * draw.normal());
  const [angle, depth] = [2 * Math.PI * draw.uniform(), 0.3 * draw.uniform()];
  const [gx, gy] = [depth * Math.cos(angle), depth * Math.sin(angle)];
  return values.map((v, i) => {
    const [x, y] = [(2 * (i % width)) / width - 1, (2 * Math.floor(i / width)) / width - 1];
    const even = level + contrast * (v - mean);
    return Math.max(0, even * (1 + gx * x + gy * y)) ** gamma;
  });
}

/** Blurred, averaged `fine` x `fine` values to a pixel, with noise, rounded to bytes. */
export function camera(values: Float32Array, width: number, fine: number, draw: Stream): RawImage {
  const smooth = blur(values, width, fine * (0.15 + 0.5 * draw.uniform()));
  const noise = 0.02 * draw.uniform();
  const out = width / fine;
  const data = new Uint8Array(out * out);
  for (let row = 0; row < out; row++) {
    for (let column = 0; column < out; column++) {
      let sum = 0;
      for (let j = 0; j < fine; j++) for (let i = 0; i < fine; i++) sum += smooth[(row * fine + j) * width + column * fine + i]!;
      const value = sum / (fine * fine) + noise * draw.normal();
      data[row * out + column] = Math.min(255, Math.max(0, Math.round(255 * value)));
    }
  }
  return { kind: 'image', width: out, height: out, channels: 1, data };
}

/** Gaussian, rows then columns, edges repeated; sigma in values. */
function blur(values: Float32Array, width: number, sigma: number): Float32Array {
  const radius = Math.ceil(2.5 * sigma);
  const taps = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * sigma * sigma)));
  const sum = taps.reduce((a, b) => a + b, 0);
  const along = (from: Float32Array, across: boolean): Float32Array => {
    const [step, line] = across ? [1, width] : [width, 1];
    const out = new Float32Array(from.length);
    for (let i = 0; i < width; i++) {
      for (let k = 0; k < width; k++) {
        let total = 0;
        for (let tap = -radius; tap <= radius; tap++) {
          const at = Math.min(width - 1, Math.max(0, k + tap));
          total += taps[tap + radius]! * from[i * line + at * step]!;
        }
        out[i * line + k * step] = total / sum;
      }
    }
    return out;
  };
  return along(along(values, true), false);
}
