/** @file Derivatives of convolutions with respect to their input: the convolution and its transpose as maps of an image. */
import type { AttributeInput } from '../../../onnx/builder.ts';
import type { Scene } from '../../rule.ts';
import { type Size, sizeList, sizesOf } from '../sizes.ts';
import { pad, spread } from '../spread.ts';
import { reach, type Windows } from '../window.ts';
import { flipped, withUnitAxis } from './kernel.ts';

interface Convolution {
  readonly w: string;
  readonly group: number;
  readonly windows: Windows;
}

const spatial = (i: number): number => i + 2;

/** Conv of `value` with the weights as they are; negative pads crop. */
export function correlate(scene: Scene, { value, w, group, windows }: Convolution & { readonly value: string }): string {
  const { strides, padsBegin } = windows;
  // an end pad may grow by less than a stride without a further output: rather that than a copy of the image
  const padsEnd = windows.padsEnd.map((p, i) => (p < 0 && p + strides[i]! - 1 >= 0 ? 0 : p));
  const cropped = crop(scene, value, padsBegin, padsEnd);
  return scene.g.op('Conv', [cropped, w], attributesOf({ ...windows, padsEnd }, group));
}

/** Drops what negative pads say. */
export const crop = (scene: Scene, value: string, begin: readonly number[], end: readonly number[]): string =>
  pad(
    scene,
    value,
    begin.length + 2,
    begin.map((p, i) => ({ axis: spatial(i), before: Math.min(p, 0), after: Math.min(end[i]!, 0) })),
  );

const attributesOf = ({ strides, dilations, padsBegin, padsEnd }: Windows, group: number): Record<string, AttributeInput> => ({
  strides,
  dilations,
  pads: [...padsBegin, ...padsEnd].map((p) => Math.max(p, 0)),
  group,
});

interface Transpose extends Convolution {
  readonly dy: string;
  /** The value whose gradient is wanted, and the output dy belongs to. */
  readonly like: string;
  readonly y: string;
}

/** dx of a convolution: whichever form the provider computes fastest. */
export function transposeConv(scene: Scene, t: Transpose): string {
  const { strides } = t.windows;
  if (strides.every((s) => s === 1))
    return prefersTranspose(scene, t) ? transpose(scene, t, [0, 0]) : flippedConv(scene, t, t.dy);
  const sizes = scene.dims(t.like).slice(2);
  const known = sizes.every((n) => n !== null);
  if (known && prefersStuffing(scene, t)) return stuffedConv(scene, t);
  if (known) return transpose(scene, t, shortfall(t.windows, sizes));
  const unpadded = { ...t, windows: { ...t.windows, padsEnd: strides.map(() => 0) } };
  const none = strides.map(() => 0);
  return resized(scene, transpose(scene, unpadded, none), t.like);
}

const transpose = (scene: Scene, t: Transpose, padding: readonly number[]): string =>
  t.windows.rank === 1
    ? rowTranspose(scene, t, padding)
    : scene.g.op('ConvTranspose', [t.dy, t.w], transposeAttributes(t, padding));

const transposeAttributes = ({ windows, group }: Transpose, padding: readonly number[]): Record<string, AttributeInput> => ({
  ...attributesOf(windows, group),
  output_padding: padding,
});

/** By how much the transposed convolution is shorter than x: the steps at its end that a further window would have needed. */
const shortfall = (windows: Windows, sizes: readonly number[]): number[] => {
  const far = reach(windows);
  return sizes.map((n, i) => (n + windows.padsBegin[i]! + windows.padsEnd[i]! - far[i]! - 1) % windows.strides[i]!);
};

/** A strided convolution over one axis as one over two, whose transpose has a fast kernel. */
function rowTranspose(scene: Scene, { dy, w, group, windows }: Transpose, padding: readonly number[]): string {
  const { g } = scene;
  const axes = g.ints([2]);
  const dx = g.op('ConvTranspose', [g.op('Unsqueeze', [dy, axes]), withUnitAxis(scene, w)], {
    strides: [1, ...windows.strides],
    dilations: [1, ...windows.dilations],
    pads: [0, ...windows.padsBegin, 0, ...windows.padsEnd],
    output_padding: [0, ...padding],
    group,
  });
  return g.op('Squeeze', [dx, axes]);
}

/** `value` cut off, or continued with zeros, at the end to the run-time sizes of `like`. */
function resized(scene: Scene, value: string, like: string): string {
  const { g } = scene;
  const missing = g.op('Sub', [sizeList(scene, sizesOf(scene, like)), g.op('Shape', [value])]);
  const pads = g.op('Concat', [g.ints(scene.dims(like).map(() => 0)), missing], { axis: 0 });
  return g.op('Pad', [value, pads]);
}

/** The stride-1 form: dy, already spread out, convolved with the flipped weights. */
function flippedConv(scene: Scene, { w, group, windows }: Transpose, dy: string): string {
  const far = reach(windows);
  return correlate(scene, {
    value: dy,
    w: flipped(scene, w, group),
    group,
    windows: {
      ...windows,
      strides: windows.strides.map(() => 1),
      padsBegin: far.map((r, i) => r - windows.padsBegin[i]!),
      padsEnd: far.map((r, i) => r - windows.padsEnd[i]!),
    },
  });
}

function stuffedConv(scene: Scene, t: Transpose): string {
  const sizes = scene.dims(t.like).slice(2) as number[];
  const padding = shortfall(t.windows, sizes);
  const dySizes: Size[] = sizesOf(scene, t.y);
  const axes = t.windows.strides.map((step, i) => ({ axis: spatial(i), step, before: 0, after: padding[i]! }));
  return flippedConv(scene, t, spread(scene, t.dy, dySizes, axes));
}

/**
 * For pictures of few channels (a model's first layer): the blocked convolution computes 16 channels whether it needs them or not. Measured at 2
 * threads: 1 channel of 29 x 128, 5 x 5 weights, batch 144: 6 against 27 ms; 3 of 112 x 112, 3 x 3, batch 8: 4 against 9; 4 equal; 8 no gain.
 */
function prefersTranspose({ provider, dims }: Scene, { w, group, windows }: Transpose): boolean {
  if (provider !== 'cpu' || windows.rank !== 2 || group !== 1) return false;
  return dims(w)[1]! < 4 && [...windows.padsBegin, ...windows.padsEnd].every((p) => p >= 0);
}

/**
 * Measured with one and two threads: over three axes and a stride along one of them, zeros cost less than ConvTranspose (1.5 against 4 ms); with
 * more zeros, or fewer axes, ConvTranspose wins (31 against 95 ms at strides 1 2 2). WebGPU has no ConvTranspose over three axes.
 */
function prefersStuffing({ provider }: Scene, { windows }: Transpose): boolean {
  if (windows.rank < 3) return false;
  return provider === 'webgpu' || windows.strides.reduce((a, b) => a * b, 1) <= 2;
}
