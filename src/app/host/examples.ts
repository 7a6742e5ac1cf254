/** @file Adversarial examples on disk: PNG where the one input is an 8-bit picture, npz otherwise; read back exactly as the model will see them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readNpz, writeNpz } from '../../core/tensor/npy.ts';
import { f32, type Tensor } from '../../core/tensor/tensor.ts';
import type { RawImage } from '../../kit/data/source.ts';
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
  return {
    async save(name, inputs) {
      const path = `adversarial/${name}.npz`;
      await writeWhole(join(folder, path), writeNpz(tensorsOf(model, inputs)));
      return path;
    },
    load(path) {
      return readExample(folder, model.inputs, path);
    },
  };
}

/** The inputs of a saved npz example. */
export async function readExample(folder: string, inputs: Model['inputs'], path: string): Promise<Inputs> {
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
