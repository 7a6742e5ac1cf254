import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AdaptOptions, adapt } from '../../../src/kit/data/adapt.ts';
import { classIndices } from '../../../src/kit/data/labels.ts';
import type { RawArray, RawImage, RawItem } from '../../../src/kit/data/source.ts';
import type { InputSpec, Sample } from '../../../src/kit/model/model.ts';
import { complaint, spec } from './samples.ts';

const image = (width: number, height: number, channels: 1 | 3, data: readonly number[]): RawImage => ({
  kind: 'image',
  width,
  height,
  channels,
  data: Uint8Array.from(data),
});
const array = (shape: readonly number[], data: readonly number[]): RawArray => ({
  kind: 'array',
  shape,
  data: Float32Array.from(data),
});
const item = (raw: RawImage | RawArray, over: Partial<RawItem> = {}): RawItem => ({
  id: 'one',
  group: 'g',
  inputs: { '': raw },
  ...over,
});
const classes = ['neutral', 'happy', 'angry'];
const run = (raw: RawImage | RawArray, input: InputSpec, options?: AdaptOptions) =>
  adapt(item(raw), { inputs: { image: input }, classes }, options);
const values = (raw: RawImage | RawArray, input: InputSpec, options?: AdaptOptions) =>
  Array.from((run(raw, input, options) as Sample).inputs.image!);

const rgb = image(2, 2, 3, [0, 51, 102, 255, 204, 153, 10, 20, 30, 40, 50, 60]);

describe('images', () => {
  test('become planes or stay interleaved, as the layout says, spread over the bounds', () => {
    const planar = [0, 255, 10, 40, 51, 204, 20, 50, 102, 153, 30, 60];
    expect(values(rgb, spec())).toEqual(planar.map((v) => Math.fround(v / 255)));
    expect(values(rgb, spec({ bounds: { lower: 0, upper: 255 } }))).toEqual(planar);
    expect(values(rgb, spec({ shape: [2, 2, 3], layout: 'NHWC', bounds: { lower: 0, upper: 255 } }))).toEqual(
      Array.from(rgb.data),
    );
    const standard = values(rgb, spec({ bounds: { lower: [-2, -1, 0], upper: [2, 1, 51] } }));
    expect([standard[0], standard[1], standard[4]]).toEqual([-2, 2, Math.fround(-1 + (51 / 255) * 2)]);
    expect(standard[8]).toBeCloseTo(20.4, 5);
  });

  test('every byte comes back as the same byte from an input of 8 bits', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 12, maxLength: 12 }), (bytes) => {
        const out = values(image(2, 2, 3, bytes), spec({ shape: [2, 2, 3], layout: 'NHWC' }));
        expect(out.map((v) => v * 255)).toEqual(bytes.map((b) => expect.closeTo(b, 4)));
      }),
    );
  });

  test('grey is repeated for RGB; RGB becomes the luminance for grey, with or without a channel axis', () => {
    const grey = image(2, 1, 1, [5, 250]);
    const byte = { bounds: { lower: 0, upper: 255 } };
    expect(values(grey, spec({ shape: [3, 1, 2], ...byte }))).toEqual([5, 250, 5, 250, 5, 250]);
    expect(values(image(1, 1, 3, [100, 200, 50]), spec({ shape: [1, 1], layout: 'NHW', ...byte }))).toEqual([153]);
    expect(values(image(1, 1, 3, [100, 200, 50]), spec({ shape: [1, 1, 1], ...byte }))).toEqual([153]);
  });

  test('another size is a problem, unless bilinear is asked for', () => {
    const wide = image(4, 2, 1, [0, 0, 100, 100, 0, 0, 100, 100]);
    const input = spec({ shape: [1, 2, 2], bounds: { lower: 0, upper: 255 } });
    expect(run(wide, input)).toEqual({
      item: 'one',
      reason: 'it is 4x2, the model\'s input "image" is 2x2',
      remedy: 'crop it to that size, or have it resized: --resize, or resize: bilinear under data: in the experiment',
    });
    expect(values(wide, input, { resize: 'bilinear' })).toEqual([0, 100, 0, 100]);
    const up = values(image(2, 1, 1, [0, 100]), spec({ shape: [1, 1, 4], bounds: { lower: 0, upper: 255 } }), {
      resize: 'bilinear',
    });
    expect(up).toEqual([0, 25, 75, 100]);
  });

  test('cannot feed an input that is no picture, or one without bounds', async () => {
    expect(await complaint(() => run(rgb, spec({ shape: [12], layout: 'NC' })))).toBe(
      'the data are images, and input "image" is [12] with layout NC -> declare the layout in the manifest (NCHW, NHWC or NHW, 1 or 3 channels), or give arrays (.npy)',
    );
    expect(await complaint(() => run(rgb, spec({ bounds: 'unbounded', storage: 'float32' })))).toBe(
      'the data are images, and input "image" declares no bounds: what black and white are is unknown -> declare bounds in the manifest, e.g. bounds: [0, 1]',
    );
  });
});

describe('arrays', () => {
  const free = spec({ shape: [3], layout: 'NC', modality: 'features', storage: 'float32' });

  test('pass unchanged where shape and bounds agree; a rounding error beyond a bound is brought back', () => {
    expect(values(array([3], [0.1, 0.5, 1]), free)).toEqual([0.1, 0.5, 1].map(Math.fround));
    expect(values(array([3], [-1e-8, 0.5, 1.0000001]), free)).toEqual([0, 0.5, 1]);
    expect(values(array([3], [-7, 0.5, 900]), { ...free, bounds: 'unbounded' })).toEqual([-7, 0.5, 900]);
  });

  test.each([
    [
      [0, 128, 255],
      free,
      'values 0..255 in input "image", declared 0..1',
      'divide them by 255, or declare bounds: [0, 255] in the manifest',
    ],
    [
      [-1, 0, 1],
      free,
      'values -1..1 in input "image", declared 0..1',
      'bring the values into these bounds, or declare the true bounds in the manifest',
    ],
    [
      [0, 0, 1e6],
      free,
      'values 0..1000000 in input "image", declared 0..1',
      'bring the values into these bounds, or declare the true bounds in the manifest',
    ],
    [[0, Number.NaN, 1], free, 'value 1 for input "image" is NaN', 'remove or repair the item'],
    [
      [0, 0.5, 1],
      { ...free, domain: 'binary' as const },
      'input "image" is declared binary and holds 0.5',
      'give zeros and ones, or declare another domain',
    ],
    [
      [0, 0.5, 1],
      { ...free, dtype: 'int32' as const },
      'input "image" takes whole numbers (int32) and holds 0.5',
      'give whole numbers',
    ],
  ])('%j is a problem (case %#)', (data, input, reason, remedy) => {
    expect(run(array([3], data), input)).toEqual({ item: 'one', reason, remedy });
  });

  test('another shape is a problem that states both', () => {
    expect(run(array([1, 3], [0, 0, 0]), free)).toEqual({
      item: 'one',
      reason: 'its shape is [1, 3], the model\'s input "image" is [3] (NC, without the batch)',
      remedy: 'bring the array to that shape',
    });
  });
});

describe('several inputs', () => {
  const inputs = {
    video: spec({ shape: [1], layout: 'NC', storage: 'float32' }),
    pose: spec({ shape: [1], layout: 'NC', storage: 'float32' }),
  };
  const given: Record<string, InputSpec> = { ...inputs, pose: { ...inputs.pose, role: 'given' as const } };
  const one = array([1], [0.5]);

  test('are taken by name; the nameless part goes to the only attacked one', () => {
    const sample = adapt(item(one, { inputs: { '': one, pose: one } }), { inputs: given, classes }) as Sample;
    expect(Object.keys(sample.inputs).sort()).toEqual(['pose', 'video']);
  });

  test('are refused when ambiguous, unknown or missing', async () => {
    const say = (parts: RawItem['inputs'], of = given) =>
      complaint(() => adapt(item(one, { inputs: parts }), { inputs: of, classes }));
    expect(await say({ '': one }, inputs)).toBe(
      'the data give one value per sample, the model has 2 attacked inputs: video, pose -> give data with one array per input (.npz), or mark the other inputs role: given',
    );
    expect(await say({ video: one })).toBe(
      'the data have nothing for the model\'s input "pose" -> give data with one array per input (.npz)',
    );
    expect(await say({ video: one, pose: one, sound: one })).toBe(
      'the data name an input "sound", which the model does not have -> its inputs: video, pose',
    );
  });
});

describe('labels', () => {
  const input = spec({ shape: [1], layout: 'NC', storage: 'float32' });
  const labelled = (label: string, labels?: Record<string, string>) =>
    adapt(item(array([1], [0]), { label }), { inputs: { x: input }, classes }, labels ? { labels } : {}) as Sample;

  test('match by name, ignoring case, or through the map', () => {
    expect(labelled('Happy').label).toBe(1);
    expect(labelled('Wut', { Wut: 'angry' }).label).toBe(2);
    expect(labelled('happy', { happy: 'neutral' }).label).toBe(0);
    expect((adapt(item(array([1], [0])), { inputs: { x: input }, classes }) as Sample).label).toBeUndefined();
    expect([...classIndices(['Happy', 'Wut'], classes, { Wut: 'ANGRY' })]).toEqual([
      ['Happy', 1],
      ['Wut', 2],
    ]);
  });

  test('without a class are refused with both sides and the map as remedy', async () => {
    expect(await complaint(() => labelled('Contempt'))).toBe(
      'the data\'s label "Contempt" is not among the model\'s classes: neutral, happy, angry -> say which class each stands for, under data: labels: { Contempt: CLASS }',
    );
    expect(await complaint(() => classIndices(['Happy', 'Contempt', 'Hapy'], classes))).toBe(
      'the data\'s labels "Contempt", "Hapy" are not among the model\'s classes: neutral, happy, angry -> say which class each stands for, under data: labels: { Contempt: CLASS, Hapy: happy }',
    );
  });

  test('a map that names no class or no label is refused', async () => {
    expect(await complaint(() => classIndices(['Happy'], classes, { Happy: 'glad' }))).toBe(
      'labels: "Happy" is mapped to "glad", which is not a class of the model -> the classes are: neutral, happy, angry',
    );
    expect(await complaint(() => classIndices(['Happy'], classes, { Hapy: 'happy' }))).toBe(
      'labels: "Hapy" is not a label of the data -> the data\'s labels are: Happy',
    );
  });
});
