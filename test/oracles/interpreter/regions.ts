import { floatOf, intOf, intsOf, stringOf } from '../../../src/core/onnx/graph.ts';
import { type F64, filledBy, type Kernels, offsetOf } from './types.ts';
import { windowAxes } from './windows.ts';

const at = (t: F64, index: readonly number[]): number => t.data[offsetOf(t.dims, index)]!;

/** The image between its pixels, zero outside. */
function between(x: F64, [n, c]: readonly [number, number], y: number, u: number): number {
  const [top, left] = [Math.floor(y), Math.floor(u)];
  let sum = 0;
  for (const i of [top, top + 1])
    for (const j of [left, left + 1])
      if (i >= 0 && i < x.dims[2]! && j >= 0 && j < x.dims[3]!)
        sum += (1 - Math.abs(y - i)) * (1 - Math.abs(u - j)) * at(x, [n, c, i, j]);
  return sum;
}

const clamp = (v: number, size: number): number => Math.min(Math.max(v, 0), size - 1);

export const regions: Kernels = {
  RoiAlign([x, boxes, owners], node) {
    const [height, width] = [x!.dims[2]!, x!.dims[3]!];
    const bins = [intOf(node, 'output_height', 1), intOf(node, 'output_width', 1)] as const;
    const aligned = stringOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel';
    const scale = floatOf(node, 'spatial_scale', 1);
    return [
      filledBy([boxes!.dims[0]!, x!.dims[1]!, ...bins], ([r, c, p, q]) => {
        const [left, top, right, bottom] = [0, 1, 2, 3].map((k) => at(boxes!, [r!, k]) * scale - (aligned ? 0.5 : 0)) as [
          number,
          number,
          number,
          number,
        ];
        const [tall, wide] = [bottom - top, right - left].map((s, i) => (aligned ? s : Math.max(s, 1)) / bins[i]!) as [
          number,
          number,
        ];
        const ratio = intOf(node, 'sampling_ratio', 0);
        const [rows, columns] = [ratio || Math.ceil(tall), ratio || Math.ceil(wide)];
        let sum = 0;
        for (let i = 0; i < rows; i++)
          for (let j = 0; j < columns; j++) {
            const y = top + (p! + (i + 0.5) / rows) * tall;
            const u = left + (q! + (j + 0.5) / columns) * wide;
            if (y < -1 || y > height || u < -1 || u > width) continue;
            sum += between(x!, [owners!.data[r!]!, c!], clamp(y, height), clamp(u, width));
          }
        return sum / Math.max(rows * columns, 1);
      }),
    ];
  },

  MaxRoiPool([x, boxes], node) {
    const bins = intsOf(node, 'pooled_shape', []);
    const scale = floatOf(node, 'spatial_scale', 1);
    return [
      filledBy([boxes!.dims[0]!, x!.dims[1]!, ...bins], ([r, c, p, q]) => {
        const [owner, left, top, right, bottom] = [0, 1, 2, 3, 4].map((k) =>
          Math.round(at(boxes!, [r!, k]) * (k === 0 ? 1 : scale)),
        ) as [number, number, number, number, number];
        const range = (first: number, last: number, k: number, count: number, size: number): [number, number] => {
          const bin = Math.max(last - first + 1, 1) / count;
          return [Math.max(first + Math.floor(k * bin), 0), Math.min(first + Math.ceil((k + 1) * bin), size)];
        };
        const [fromY, toY] = range(top, bottom, p!, bins[0]!, x!.dims[2]!);
        const [fromX, toX] = range(left, right, q!, bins[1]!, x!.dims[3]!);
        let most = Number.NEGATIVE_INFINITY;
        for (let i = fromY; i < toY; i++) for (let j = fromX; j < toX; j++) most = Math.max(most, at(x!, [owner, c!, i, j]));
        return most === Number.NEGATIVE_INFINITY ? 0 : most;
      }),
    ];
  },

  DeformConv([x, weights, offset, bias, mask], node) {
    const [rows, columns] = [weights!.dims[2]!, weights!.dims[3]!];
    const axes = windowAxes(node, x!.dims.slice(2), [rows, columns]);
    const perGroup = weights!.dims[1]!;
    const filtersPerGroup = weights!.dims[0]! / intOf(node, 'group', 1);
    const width = x!.dims[1]! / intOf(node, 'offset_group', 1);
    const [tall, wide] = [offset!.dims[2]!, offset!.dims[3]!];
    return [
      filledBy([x!.dims[0]!, weights!.dims[0]!, tall, wide], ([n, f, oy, ox]) => {
        let sum = bias?.data[f!] ?? 0;
        for (let c = 0; c < perGroup; c++)
          for (let i = 0; i < rows; i++)
            for (let j = 0; j < columns; j++) {
              const channel = Math.floor(f! / filtersPerGroup) * perGroup + c;
              const tap = Math.floor(channel / width) * rows * columns + i * columns + j;
              const [down, across] = axes as [(typeof axes)[number], (typeof axes)[number]];
              const y = oy! * down.stride - down.padBegin + i * down.dilation + at(offset!, [n!, 2 * tap, oy!, ox!]);
              const u = ox! * across.stride - across.padBegin + j * across.dilation + at(offset!, [n!, 2 * tap + 1, oy!, ox!]);
              const shown = mask === undefined ? 1 : at(mask, [n!, tap, oy!, ox!]);
              sum += at(weights!, [f!, c, i, j]) * shown * between(x!, [n!, channel], y, u);
            }
        return sum;
      }),
    ];
  },
};
