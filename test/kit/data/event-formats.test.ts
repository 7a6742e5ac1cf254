/** The formats of event data over trees in memory, as an experiment opens them. */
import { expect, test } from 'vitest';
import { writeNpz } from '../../../src/core/tensor/npy.ts';
import { f32 } from '../../../src/core/tensor/tensor.ts';
import { adapt } from '../../../src/kit/data/adapt.ts';
import { framesOf } from '../../../src/kit/data/events/binning.ts';
import { type EventFormatName, writeEvents } from '../../../src/kit/data/events/formats.ts';
import { type FormatOptions, formats, openFormat } from '../../../src/kit/data/registry.ts';
import type { RawArray } from '../../../src/kit/data/source.ts';
import { streamOf } from './events/arbitrary.ts';
import { bytesOf, complaint, everything, problemsOf, spec, treeOf, usableOf } from './samples.ts';

/** A recording of `n` events on the diagonal, 100 us apart. */
const diagonal = (size: number, n: number, start = 0) =>
  streamOf(
    size,
    size,
    Array.from({ length: n }, (_, i) => [i % size, i % size, i % 2, start + 100 * i] as const),
  );

const file = (format: EventFormatName, size = 128, n = 20) => writeEvents(diagonal(size, n), format);

const host = (files: Record<string, string | Uint8Array>) => ({
  name: 'mine',
  tree: () => treeOf(files, 'mine'),
  bytes: async () => bytesOf(''),
  decodeImage: async () => {
    throw new Error('there are no images');
  },
});

const open = (format: string, files: Record<string, string | Uint8Array>, options: FormatOptions = {}) =>
  openFormat(format, host(files), options);

const ids = async (format: string, files: Record<string, string | Uint8Array>, usage?: string) =>
  usableOf(await everything(await open(format, files, { frames: 2, ...(usage === undefined ? {} : { usage }) }))).map(
    (i) => i.id,
  );

const cifar = Object.fromEntries(
  ['cat', 'dog'].flatMap((c) =>
    Array.from({ length: 20 }, (_, i) => [`${c}/cifar10_${c}_${i}.aedat`, file('aedat-2.0')] as const),
  ),
);

test('cifar10-dvs: frames with the windows they were cut by; downsampled, as counts, by time where asked', async () => {
  const source = await open('cifar10-dvs', cifar, { frames: 4, downsample: 2, values: 'count', by: 'time' });
  expect([source.name, source.labels, source.count]).toEqual(['mine', ['cat', 'dog'], 40]);
  expect(source.reading).toBe('4 frames by time, count, 2 x 2 pixels of the sensor as one; address bits as jaer reads them');
  const item = usableOf([await source.item(0)])[0]!;
  const frames = item.inputs[''] as RawArray;
  expect([item.id, item.label, frames.shape]).toEqual(['cat/cifar10_cat_0', 'cat', [4, 2, 64, 64]]);
  expect(frames.data).toEqual(framesOf(item.events![''] as never));
  expect([...item.events!['']!.edges]).toEqual([0, 475, 950, 1425, 1901]);
  expect(frames.data.reduce((sum, v) => sum + v)).toBe(20);
});

test('cifar10-dvs: the last tenth of each class by name (code) or the lowest numbers (tebn) are for testing', async () => {
  expect(await ids('cifar10-dvs', cifar, 'test')).toEqual([
    'cat/cifar10_cat_8',
    'cat/cifar10_cat_9',
    'dog/cifar10_dog_8',
    'dog/cifar10_dog_9',
  ]);
  expect(await ids('cifar10-dvs', cifar, 'code-test')).toEqual(await ids('cifar10-dvs', cifar, 'test'));
  expect((await ids('cifar10-dvs', cifar, 'tebn-test')).slice(0, 2)).toEqual(['cat/cifar10_cat_0', 'cat/cifar10_cat_1']);
  for (const rule of ['code-', 'tebn-']) {
    const parts = await Promise.all(['fit', 'validation', 'test'].map((s) => ids('cifar10-dvs', cifar, rule + s)));
    expect(parts.map((p) => p.length)).toEqual([32, 4, 4]);
    expect(new Set(parts.flat()).size).toBe(40);
    expect(await ids('cifar10-dvs', cifar, `${rule}train`)).toEqual(expect.arrayContaining([...parts[0]!, ...parts[1]!]));
  }
  expect(await complaint(() => open('cifar10-dvs', cifar, { usage: 'tets' }))).toContain(
    'mine has no split "tets" -> did you mean "test"?',
  );
});

test('a bad recording is a problem of its own; the others go on', async () => {
  const source = await open(
    'cifar10-dvs',
    { ...cifar, 'cat/cifar10_cat_3.aedat': file('aedat-2.0').slice(0, -1) },
    { frames: 2 },
  );
  const items = await everything(source);
  expect(usableOf(items)).toHaveLength(39);
  expect(problemsOf(items)).toEqual([
    {
      item: 'cat/cifar10_cat_3',
      reason: '"cat/cifar10_cat_3.aedat" is cut short: 7 bytes are left after event 18, an event takes 8',
      remedy: 'copy or download the file again',
    },
  ]);
  const few = problemsOf(await everything(await open('cifar10-dvs', cifar, { frames: 21 })));
  expect(few[0]!.reason).toBe('"cat/cifar10_cat_0.aedat" has 20 events, fewer than the 21 frames asked for');
});

test('the convention decides what is read, and so the digest', async () => {
  const [ours, theirs] = await Promise.all(
    (['jaer', 'tonic'] as const).map(async (convention) => open('cifar10-dvs', cifar, { frames: 1, convention })),
  );
  expect(ours!.sha256).not.toBe(theirs!.sha256);
  const [a, b] = await Promise.all(
    [ours!, theirs!].map(async (s) => (usableOf([await s.item(0)])[0]!.inputs[''] as RawArray).data),
  );
  expect(a).not.toEqual(b);
});

const table = (...lines: string[]) => `class,startTime_usec,endTime_usec\n${lines.join('\n')}\n`;
const gestures = {
  'user01_led.aedat': file('aedat-3.1'),
  'user01_led_labels.csv': table('1,0,1000', '11,500,1950', '1,1000,1500'),
  'user20_led.aedat': file('aedat-3.1'),
  'user20_led_labels.csv': table('2,0,1000'),
  'user24_led.aedat': file('aedat-3.1'),
  'user24_led_labels.csv': table('3,0,1000'),
};

test('dvs-gesture: a line of the table is a sample, start <= t < end, overlapping or repeated as they may be', async () => {
  const items = usableOf(await everything(await open('dvs-gesture', gestures, { frames: 2 })));
  expect(items.map((i) => [i.id, i.group, i.label, i.events!['']!.stream.t.length])).toEqual([
    ['user01_led-1', 'user01', 'hand clapping', 10],
    ['user01_led-2', 'user01', 'other gestures', 15],
    ['user01_led-3', 'user01', 'hand clapping', 5],
    ['user20_led-1', 'user20', 'right hand wave', 10],
    ['user24_led-1', 'user24', 'left hand wave', 10],
  ]);
  expect([...items[1]!.events!['']!.edges]).toEqual([500, 1200, 1901]);
});

test('dvs-gesture: people 1-23 train (20-23 validate), 24-29 test, unless lists say otherwise', async () => {
  expect(await ids('dvs-gesture', gestures, 'train')).toEqual(['user01_led-1', 'user01_led-2', 'user01_led-3', 'user20_led-1']);
  expect(await ids('dvs-gesture', gestures, 'validation')).toEqual(['user20_led-1']);
  expect(await ids('dvs-gesture', gestures, 'test')).toEqual(['user24_led-1']);
  const listed = { ...gestures, 'trials_to_test.txt': 'user20_led.aedat\nuser29_led.aedat\n' };
  expect(await ids('dvs-gesture', listed, 'test')).toEqual(['user20_led-1']);
  expect(problemsOf(await everything(await open('dvs-gesture', listed, { usage: 'test' })))[0]).toMatchObject({
    item: 'user29_led.aedat',
    reason: 'trials_to_test.txt names it, but the file is not there',
  });
});

test('dvs-gesture: what is wrong with a table costs what it speaks of', async () => {
  const { 'user24_led_labels.csv': _, ...rest } = gestures;
  const files = {
    ...rest,
    'user01_led_labels.csv': table('1,0,1000', '12,0,10', '2,9,3', 'x,1,2', '1,5000,6000'),
    'user20_led_labels.csv': 'a,b\n',
  };
  const reasons = problemsOf(await everything(await open('dvs-gesture', files, { frames: 2 }))).map(
    (p) => `${p.item}: ${p.reason}`,
  );
  expect(reasons).toEqual([
    'user01_led.aedat, line 3 of the table: user01_led_labels.csv: its class is 12, and there are 1 to 11',
    'user01_led.aedat, line 4 of the table: user01_led_labels.csv: it ends at 3 us and begins at 9 us',
    'user01_led.aedat, line 5 of the table: user01_led_labels.csv: it is "x,1,2", not three whole numbers',
    'user01_led-5: "user01_led.aedat, 5000 to 6000 us" has 0 events, fewer than the 2 frames asked for',
    'user20_led.aedat: user20_led_labels.csv: its first line is "a,b", not class,startTime_usec,endTime_usec',
    'user24_led.aedat: it has no table of labels, user24_led_labels.csv',
  ]);
});

test('n-mnist: Train and Test, fit and validation as parts of Train; synthetic.json says what is generated', async () => {
  const files = {
    ...Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`Train/3/0000${i}.bin`, file('atis', 34)])),
    'Test/4/00001.bin': file('atis', 34),
    'synthetic.json': '{ "synthetic": "made up" }',
  };
  const source = await open('n-mnist', files);
  expect([source.labels, source.count, source.synthetic]).toEqual([['3', '4'], 11, 'made up']);
  expect(await ids('n-mnist', files, 'test')).toEqual(['Test/4/00001']);
  expect(await ids('n-mnist', files, 'validation')).toEqual(['Train/3/00009']);
  expect(await ids('n-mnist', files, 'fit')).toHaveLength(9);
});

test('events: files of every format in a folder per class; frames somebody has binned; index.json names splits, classes and sensor', async () => {
  const frames = f32(
    Float32Array.from({ length: 2 * 2 * 3 * 3 }, (_, i) => i % 3),
    [2, 2, 3, 3],
  );
  const files = {
    'index.json': JSON.stringify({ classes: ['b', 'a'], sensor: [16, 16], splits: { train: 'one', test: ['two/b/4.npz'] } }),
    'one/a/1.csv': file('csv', 16),
    'one/a/2.npz': writeNpz({ frames }),
    'one/b/p/3.aedat': file('aedat-3.1'),
    'one/c/5.csv': file('csv', 16),
    'two/b/4.npz': file('npz', 16),
  };
  const items = await everything(await open('events', files, { frames: 2 }));
  expect(
    usableOf(items).map((i) => [i.id, i.label, i.group, (i.inputs[''] as RawArray).shape.join('x'), i.events !== undefined]),
  ).toEqual([
    ['one/a/1', 'a', 'one/a/1.csv', '2x2x16x16', true],
    ['one/a/2', 'a', 'one/a/2.npz', '2x2x3x3', false],
    ['one/b/p/3', 'b', 'p', '2x2x128x128', true],
    ['two/b/4', 'b', 'two/b/4.npz', '2x2x16x16', true],
  ]);
  expect(problemsOf(items)).toMatchObject([{ item: 'one/c/5', reason: 'its folder "c" is none of the classes of index.json' }]);
  expect(await ids('events', files, 'test')).toEqual(['two/b/4']);
  expect(await complaint(() => open('events', { 'a/1.csv': '' }, { usage: 'test' }))).toContain('mine names no splits');
  expect(await complaint(() => open('events', { 'index.json': '{"sensor":[1]}' }))).toMatch(/^"mine\/index.json": sensor/);
});

test('events: two recordings of one name are refused before anything is read', async () => {
  const two = { 'wave/01.aedat': file('aedat-3.1'), 'wave/01.npz': file('npz'), 'clap/01.npz': file('npz') };
  expect(await complaint(() => open('events', two))).toBe(
    'mine holds two recordings called "wave/01": wave/01.aedat and wave/01.npz -> give one of them another name, or take it out',
  );
  const splits = { train: ['wave/01.npz'], test: ['wave/01.npz', 'clap/01.npz'] };
  const listed = { 'wave/01.npz': file('npz'), 'clap/01.npz': file('npz'), 'index.json': JSON.stringify({ splits }) };
  expect(await complaint(() => open('events', listed))).toContain('mine: "wave/01.npz" is listed twice in index.json');
  expect((await open('events', listed, { usage: 'test' })).count).toBe(2);
});

test('options a format does not know are refused by name', async () => {
  expect(await complaint(() => open('sequences', {}, { frames: 3 }))).toBe(
    'the data format sequences has no option "frames" -> it takes: usage',
  );
  expect(await complaint(() => open('image-folder', {}, { usage: 'x' }))).toBe(
    'the data format image-folder has no option "usage" -> it takes none: leave it out',
  );
  expect(await complaint(() => open('cifar10-dvs', {}, { sensor: [1, 1] }))).toContain(
    'it takes: usage, frames, by, values, convention, downsample',
  );
  expect(await complaint(() => open('event', {}))).toContain('there is no data format "event" -> did you mean "events"?');
});

test('frames that do not fit the model say which option of data: decides', async () => {
  const input = spec({ shape: [4, 2, 64, 64], layout: 'NTCHW', modality: 'events', domain: 'binary', storage: 'binary' });
  const remedyOf = async (options: FormatOptions) => {
    const [item] = usableOf(await everything(await open('cifar10-dvs', cifar, options)));
    const made = adapt(item!, { inputs: { frames: input }, classes: ['cat', 'dog'] });
    return 'reason' in made ? made.remedy : undefined;
  };
  expect(await remedyOf({ frames: 4, downsample: 2 })).toBeUndefined();
  expect(await remedyOf({ frames: 5, downsample: 2 })).toMatch(/frames: and downsample: under data:/);
  expect(await remedyOf({ frames: 4 })).toMatch(/frames: and downsample: under data:/);
  const coarse = { ...input, shape: [4, 2, 2, 2] };
  const [counted] = usableOf(await everything(await open('cifar10-dvs', cifar, { frames: 4, downsample: 64, values: 'count' })));
  expect(adapt(counted!, { inputs: { frames: coarse }, classes: ['cat', 'dog'] })).toMatchObject({
    reason: 'input "frames" is declared binary and holds 3',
    remedy: 'cut recordings with values: binary under data:, or declare another domain in the manifest',
  });
});

test.each(['cifar10-dvs', 'dvs-gesture', 'n-mnist', 'events'])('%s without recordings is refused', async (format) => {
  expect(formats[format]!.needs).toBe('folder');
  expect(await complaint(() => open(format, { 'readme.txt': '' }))).toMatch(/"mine" holds no recordings/);
});

test('a sample carries its recording under the name of the input', async () => {
  const source = await open('cifar10-dvs', cifar, { frames: 4, downsample: 2 });
  const item = usableOf([await source.item(0)])[0]!;
  const input = spec({ shape: [4, 2, 64, 64], layout: 'NTCHW', modality: 'events', domain: 'binary', storage: 'binary' });
  const sample = adapt(item, { inputs: { frames: input }, classes: ['cat', 'dog'] });
  expect(sample).toMatchObject({ id: item.id, label: 0, events: { frames: { counts: 'binary' } } });
  expect(Object.keys((sample as { inputs: object }).inputs)).toEqual(['frames']);
});
