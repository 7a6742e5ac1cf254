/**
 * @file Adversarial examples on disk: PNG where the one input is an 8-bit picture, an event file where it is frames of a recording, npz otherwise; read back
 * exactly as the model will see them.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { readNpz, writeNpz } from '../../core/tensor/npy.ts';
import { f32, type Tensor } from '../../core/tensor/tensor.ts';
import { frameShape, framesOf } from '../../kit/data/events/binning.ts';
import { realise } from '../../kit/data/events/realise.ts';
import { isClipFile, readClip, writeClip } from '../../kit/data/events/saved-clip.ts';
import type { EventClip } from '../../kit/data/events/stream.ts';
import type { RawImage } from '../../kit/data/source.ts';
import { clipShapeOf } from '../../kit/model/clip-shape.ts';
import type { InputSpec, Inputs, Model } from '../../kit/model/model.ts';
import { fromBytes, toBytes } from '../../kit/threat/storage.ts';
import type { ExampleStore } from '../experiment/unit-context.ts';
import { writeWhole } from './files.ts';
import { decodeImage, encodePng } from './images.ts';

/** Whether samples of this input are pictures of 8 bits: [C, H, W] or [H, W, C] with 1 or 3 channels. */
export const isPicture = (spec: InputSpec): boolean =>
  spec.modality === 'image' &&
  spec.storage === 'uint8' &&
  (spec.layout === 'NCHW' || spec.layout === 'NHWC') &&
  [1, 3].includes(channelsOf(spec));

const channelsOf = ({ layout, shape }: InputSpec): number => shape[layout.indexOf('C') - 1] ?? 0;

/** The example store below a run directory. */
export function exampleStore(folder: string, model: Pick<Model, 'inputs'>): ExampleStore {
  const names = Object.keys(model.inputs);
  const only = names.length === 1 ? names[0]! : undefined;
  const spec = only === undefined ? undefined : model.inputs[only]!;
  if (only !== undefined && spec !== undefined && isPicture(spec)) {
    return {
      async save(name, inputs) {
        const path = `adversarial/${name}.png`;
        await writeWhole(join(folder, path), await encodePng(pictureOf(spec, inputs[only]!)));
        return path;
      },
      async load(path) {
        const picture = await decodeImage(await readFile(join(folder, path)));
        return { [only]: valuesOf(spec, picture.data) };
      },
    };
  }
  const asNumbers: ExampleStore = {
    async save(name, inputs) {
      const path = `adversarial/${name}.npz`;
      await writeWhole(join(folder, path), writeNpz(tensorsOf(model, inputs)));
      return path;
    },
    load(path) {
      return readExample(folder, model.inputs, path);
    },
  };
  if (only === undefined || spec === undefined || clipShapeOf(spec) === undefined) return asNumbers;
  return {
    async save(name, inputs, recorded) {
      const clean = recorded?.clips[only];
      if (recorded === undefined || clean === undefined || !shows(clean, spec)) return asNumbers.save(name, inputs);
      const { bytes, ending } = writeClip(realise(clean, inputs[only]!, recorded.times).clip);
      const path = `adversarial/${name}${ending}`;
      await writeWhole(join(folder, path), bytes);
      return path;
    },
    load: asNumbers.load,
    async recordings(path) {
      return isClipFile(path) ? { [only]: await readRecording(folder, path) } : {};
    },
  };
}

/** Whether the frames of a recording are what the input holds. */
const shows = (clip: EventClip, spec: InputSpec): boolean =>
  clip.counts === 'binary' && frameShape(clip).join() === spec.shape.join();

/** A recording saved with its windows. */
export async function readRecording(folder: string, path: string): Promise<EventClip> {
  const clip = await readClip(await readFile(join(folder, path)), path);
  if (clip === undefined)
    throw new UserError(`"${join(folder, path)}" has lost its windows`, 'the file was changed after the run: run it again');
  return clip;
}

/** The inputs of an example saved as npz or as an event file. */
export async function readExample(folder: string, inputs: Model['inputs'], path: string): Promise<Inputs> {
  if (isClipFile(path)) {
    const frames = framesOf(await readRecording(folder, path));
    return Object.fromEntries(Object.keys(inputs).map((name) => [name, frames]));
  }
  const arrays = readNpz(await readFile(join(folder, path)), path);
  return Object.fromEntries(Object.entries(inputs).map(([name, spec]) => [name, valuesFrom(spec, arrays.get(name)!)]));
}

/** Interleaved 8-bit pixels of one sample. */
export function pictureOf(spec: InputSpec, values: Float32Array): RawImage {
  const bytes = toBytes(spec, values);
  const size = (letter: string) => spec.shape[spec.layout.indexOf(letter) - 1]!;
  const [channels, height, width] = [size('C') as 1 | 3, size('H'), size('W')];
  if (spec.layout === 'NHWC') return { kind: 'image', width, height, channels, data: bytes };
  const data = new Uint8Array(bytes.length);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < width * height; i++) data[i * channels + c] = bytes[c * width * height + i]!;
  return { kind: 'image', width, height, channels, data };
}

/** The inverse of pictureOf. */
function valuesOf(spec: InputSpec, pixels: Uint8Array): Float32Array {
  if (spec.layout === 'NHWC') return fromBytes(spec, pixels);
  const channels = channelsOf(spec);
  const plane = pixels.length / channels;
  const bytes = new Uint8Array(pixels.length);
  for (let c = 0; c < channels; c++) for (let i = 0; i < plane; i++) bytes[c * plane + i] = pixels[i * channels + c]!;
  return fromBytes(spec, bytes);
}

/** 8-bit inputs as bytes, everything else as float32. */
const tensorsOf = (model: Pick<Model, 'inputs'>, inputs: Inputs): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, values]) => {
      const spec = model.inputs[name]!;
      return [
        name,
        spec.storage === 'uint8'
          ? ({ dtype: 'uint8', dims: spec.shape, data: toBytes(spec, values) } as const)
          : f32(values, spec.shape),
      ];
    }),
  );

const valuesFrom = (spec: InputSpec, { dtype, data }: Tensor): Float32Array =>
  dtype === 'uint8' ? fromBytes(spec, data) : Float32Array.from(data as ArrayLike<number>);
