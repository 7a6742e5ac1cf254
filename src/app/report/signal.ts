/** @file A drawing of numbers for which there is no picture: channels as lines, one above another. */
import { html, type Markup } from './html.ts';

/** Channels drawn at most; the first ones are shown. */
export const maxChannels = 8;

const columns = 220;

/** Lowest and highest value of each of `columns` stretches, as one closed outline in a box of height `height` at `y`. */
function outline(values: Float32Array, low: number, high: number, y: number, height: number): string {
  const n = Math.min(columns, values.length);
  const span = high - low || 1;
  const at = (value: number): number => Math.round(10 * (y + height - ((value - low) / span) * height)) / 10;
  const upper: string[] = [];
  const lower: string[] = [];
  for (let i = 0; i < n; i++) {
    const part = values.subarray(Math.floor((i * values.length) / n), Math.floor(((i + 1) * values.length) / n));
    let min = part[0]!;
    let max = part[0]!;
    for (const value of part) {
      if (value < min) min = value;
      if (value > max) max = value;
    }
    const x = Math.round((10 * 320 * i) / Math.max(1, n - 1)) / 10;
    upper.push(`${x},${at(max)}`);
    lower.push(`${x},${at(min)}`);
  }
  return `M${[...upper, ...lower.reverse()].join('L')}Z`;
}

const range = (values: readonly Float32Array[]): [number, number] => {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const array of values) {
    for (const value of array) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return [low, high];
};

/** One curve of a drawing: its values, channel after channel, and which colour it has. */
export interface Curve {
  readonly values: Float32Array;
  readonly tone: 'original' | 'attacked' | 'change';
}

/**
 * Lines of up to maxChannels channels, one above another, each channel on a scale that holds all curves; later curves lie on earlier ones.
 * @param shape how a curve's values divide into channels of `length` values
 */
export function drawSignal(
  shape: { readonly channels: number; readonly length: number },
  curves: readonly Curve[],
  name: string,
): Markup {
  const shown = Math.min(shape.channels, maxChannels);
  const height = 320 / shown;
  return html`<svg class="signal" viewBox="0 0 320 320" role="img" aria-label="${name}">${Array.from(
    { length: shown },
    (_, c) => {
      const parts = curves.map((curve) => curve.values.subarray(c * shape.length, (c + 1) * shape.length));
      const [low, high] = range(parts);
      return parts.map(
        (part, k) => html`<path class="${curves[k]!.tone}" d="${outline(part, low, high, c * height + 2, height - 4)}"/>`,
      );
    },
  )}</svg>`;
}
