/** @file A raw item as a sample of a model: sizes, channels, range and label brought to what the model declares, or the reason why that is not possible. */
import { UserError } from '../../core/errors.ts';
import { sizeOf } from '../../core/tensor/tensor.ts';
import { type InputSpec, type Model, type Sample, sampleAxis } from '../model/model.ts';
import { boxOf } from '../threat/elements.ts';
import { onGrid } from '../threat/storage.ts';
import { pixelsOf } from './crop.ts';
import { classIndex, type LabelMap } from './labels.ts';
import { resizeCentred } from './resize.ts';
import type { Problem, RawArray, RawImage, RawItem } from './source.ts';

export interface AdaptOptions {
  /** The data's label to the model's class; labels that are not in it are matched by name, ignoring case. */
  labels?: LabelMap;
  /** 'bilinear' stretches images to the size the model wants; with 'none' other sizes are a problem. */
  resize?: 'none' | 'bilinear';
}

export const adaptDefaults = { labels: {}, resize: 'none' } as const;

/** What is needed of a model. */
export type AdaptTarget = Pick<Model, 'inputs' | 'classes'>;

/**
 * The sample a raw item makes for a model. Images 0..255 are spread over the input's bounds, grey becomes RGB and the reverse; arrays have to
 * come in the model's shape and units. Values are put on the grid of the input's storage. A Problem where this one item cannot be used; throws a
 * UserError where no item could (an input is missing, a label has no class).
 */
export function adapt(item: RawItem, target: AdaptTarget, options: AdaptOptions = {}): Sample | Problem {
  const { labels, resize } = { ...adaptDefaults, ...options };
  const inputs: Record<string, Float32Array> = {};
  for (const [name, raw] of named(item, target)) {
    const spec = target.inputs[name]!;
    const values =
      raw.kind === 'image' ? fromImage(raw, name, spec, resize) : fromArray(raw, name, spec, item.events !== undefined);
    if (!(values instanceof Float32Array)) return { item: item.id, ...values };
    inputs[name] = onGrid(spec, values);
  }
  const events = item.events === undefined ? {} : { events: Object.fromEntries(byInput(item.events, target)) };
  const label = item.label === undefined ? {} : { label: classIndex(item.label, target.classes, labels) };
  return { id: item.id, group: item.group, inputs, ...label, ...events };
}

/** Things by input name, where '' stands for the only attacked input. */
function byInput<T>(things: Readonly<Record<string, T>>, { inputs }: AdaptTarget): [string, T][] {
  const attacked = Object.keys(inputs).filter((name) => inputs[name]!.role === 'attacked');
  return Object.entries(things).map(([name, thing]): [string, T] => {
    if (name !== '') return [name, thing];
    if (attacked.length === 1) return [attacked[0]!, thing];
    throw new UserError(
      `the data give one value per sample, the model has ${attacked.length} attacked inputs: ${attacked.join(', ')}`,
      'give data with one array per input (.npz), or mark the other inputs role: given',
    );
  });
}

/** The item's parts by input name. */
function named(item: RawItem, target: AdaptTarget): [string, RawImage | RawArray][] {
  const { inputs } = target;
  const parts = byInput(item.inputs, target);
  const have = new Set(parts.map(([name]) => name));
  const unknown = parts.find(([name]) => inputs[name] === undefined)?.[0];
  if (unknown !== undefined) {
    throw new UserError(
      `the data name an input "${unknown}", which the model does not have`,
      `its inputs: ${Object.keys(inputs).join(', ')}`,
    );
  }
  const missing = Object.keys(inputs).find((name) => !have.has(name));
  if (missing !== undefined) {
    throw new UserError(`the data have nothing for the model's input "${missing}"`, 'give data with one array per input (.npz)');
  }
  return parts;
}

type Reason = Pick<Problem, 'reason' | 'remedy'>;

function fromImage(image: RawImage, name: string, spec: InputSpec, resize: 'none' | 'bilinear'): Float32Array | Reason {
  const [c, h, w] = [sampleAxis(spec, 'C'), sampleAxis(spec, 'H'), sampleAxis(spec, 'W')];
  const channels = c < 0 ? 1 : spec.shape[c]!;
  if (h < 0 || w < 0 || spec.shape.length !== (c < 0 ? 2 : 3) || (channels !== 1 && channels !== 3)) {
    throw new UserError(
      `the data are images, and input "${name}" is [${spec.shape}] with layout ${spec.layout}`,
      'declare the layout in the manifest (NCHW, NHWC or NHW, 1 or 3 channels), or give arrays (.npy)',
    );
  }
  if (spec.bounds === 'unbounded') {
    throw new UserError(
      `the data are images, and input "${name}" declares no bounds: what black and white are is unknown`,
      'declare bounds in the manifest, e.g. bounds: [0, 1]',
    );
  }
  const [height, width] = [spec.shape[h]!, spec.shape[w]!];
  if (resize === 'none' && (image.width !== width || image.height !== height)) {
    return {
      reason: `it is ${image.width}x${image.height}, the model's input "${name}" is ${width}x${height}`,
      remedy: 'crop it to that size, or have it resized: --resize, or resize: bilinear under data: in the experiment',
    };
  }
  const pixels = resizeCentred(pixelsOf(image), width, height);
  const { lower, upper } = boxOf(spec);
  const strides = spec.shape.map((_, axis) => sizeOf(spec.shape.slice(axis + 1)));
  const out = new Float32Array(sizeOf(spec.shape));
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let k = 0; k < channels; k++) {
        const value = colour(pixels.data, y * width + x, image.channels, channels, k);
        const at = y * strides[h]! + x * strides[w]! + (c < 0 ? 0 : k * strides[c]!);
        out[at] = lower(at) + (value / 255) * (upper(at) - lower(at));
      }
    }
  }
  return out;
}

/** Channel k of a pixel: grey is repeated; RGB becomes the luminance of ITU-R BT.601, as image libraries do. */
function colour(data: Float32Array, pixel: number, have: 1 | 3, want: number, k: number): number {
  if (have === want) return data[pixel * have + k]!;
  if (have === 1) return data[pixel]!;
  return 0.299 * data[pixel * 3]! + 0.587 * data[pixel * 3 + 1]! + 0.114 * data[pixel * 3 + 2]!;
}

/** `cut`: whether it was cut from a recording, so that what `data:` says decides its shape and values. */
function fromArray({ shape, data }: RawArray, name: string, spec: InputSpec, cut: boolean): Float32Array | Reason {
  if (shape.join() !== spec.shape.join()) {
    return {
      reason: `its shape is [${shape.join(', ')}], the model's input "${name}" is [${spec.shape.join(', ')}] (${spec.layout}, without the batch)`,
      remedy: cut
        ? 'recordings are cut as frames: and downsample: under data: say, from a sensor of the size they come from'
        : 'bring the array to that shape',
    };
  }
  const broken = data.findIndex((v) => !Number.isFinite(v));
  if (broken >= 0)
    return { reason: `value ${broken} for input "${name}" is ${data[broken]}`, remedy: 'remove or repair the item' };
  if (spec.domain === 'binary') {
    const odd = data.find((v) => v !== 0 && v !== 1);
    if (odd !== undefined) {
      return {
        reason: `input "${name}" is declared binary and holds ${odd}`,
        remedy: cut
          ? 'cut recordings with values: binary under data:, or declare another domain in the manifest'
          : 'give zeros and ones, or declare another domain',
      };
    }
  }
  if (integral.test(spec.dtype)) {
    const odd = data.find((v) => !Number.isInteger(v));
    if (odd !== undefined)
      return { reason: `input "${name}" takes whole numbers (${spec.dtype}) and holds ${odd}`, remedy: 'give whole numbers' };
  }
  return withinBounds(data, name, spec);
}

const integral = /^u?int|^bool/;

/** Rounding may carry a value this far beyond a bound, in units of the range: it is brought back. */
const slack = 1e-6;

function withinBounds(data: Float32Array, name: string, spec: InputSpec): Float32Array | Reason {
  if (spec.bounds === 'unbounded') return data;
  const { lower, upper } = boxOf(spec);
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const [low, high] = [lower(i), upper(i)];
    const give = slack * (high - low);
    if (data[i]! < low - give || data[i]! > high + give) return range(data, name, spec);
    out[i] = Math.min(high, Math.max(low, data[i]!));
  }
  return out;
}

function range(data: Float32Array, name: string, { bounds }: InputSpec): Reason {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of data) [min, max] = [Math.min(min, v), Math.max(max, v)];
  const declared = bounds === 'unbounded' ? '' : `${list(bounds.lower)}..${list(bounds.upper)}`;
  const bytes = declared === '0..1' && min >= 0 && max > 1 && max <= 255;
  return {
    reason: `values ${short(min)}..${short(max)} in input "${name}", declared ${declared}`,
    remedy: bytes
      ? 'divide them by 255, or declare bounds: [0, 255] in the manifest'
      : 'bring the values into these bounds, or declare the true bounds in the manifest',
  };
}

const short = (v: number): string => String(Number(v.toPrecision(6)));
const list = (v: number | readonly number[]): string => (typeof v === 'number' ? short(v) : `[${v.map(short).join(', ')}]`);
