import { describe, expect, test } from 'vitest';
import { fer2013, fer2013Labels } from '../../../src/kit/data/fer2013.ts';
import type { ByteSource, RawImage } from '../../../src/kit/data/source.ts';
import { bytesOf, complaint, everything, problemsOf, usableOf } from './samples.ts';

const pixels = (seed: number) => Array.from({ length: 2304 }, (_, i) => (i * 7 + seed) % 256);
const line = (emotion: number, seed: number, usage: string) => `${emotion},${pixels(seed).join(' ')},${usage}`;
const file = ['emotion,pixels,Usage', line(0, 1, 'Training'), line(3, 2, 'PublicTest'), line(6, 3, 'Training')].join('\n');

describe('fer2013', () => {
  test('reads pixels, labels and line numbers', async () => {
    const data = await fer2013(bytesOf(`${file}\n`));
    expect(data.labels).toEqual(fer2013Labels);
    const items = usableOf(await everything(data));
    expect(items.map(({ id, label }) => [id, label])).toEqual([
      ['line-2', 'Angry'],
      ['line-3', 'Happy'],
      ['line-4', 'Neutral'],
    ]);
    const image = items[1]!.inputs[''] as RawImage;
    expect([image.width, image.height, image.channels]).toEqual([48, 48, 1]);
    expect(Array.from(image.data)).toEqual(pixels(2));
  });

  test('keeps one split, and says so in its name and digest', async () => {
    const all = await fer2013(bytesOf(file));
    const training = await fer2013(bytesOf(file), { usage: 'Training', name: 'faces.csv' });
    expect(training.name).toBe('faces.csv (Training)');
    expect(usableOf(await everything(training)).map((i) => i.id)).toEqual(['line-2', 'line-4']);
    expect(training.sha256).not.toBe(all.sha256);
  });

  test('takes other column orders, quotes, blanks, CRLF, a byte order mark, and files without Usage', async () => {
    const text = `\uFEFFemotion, Usage, pixels\r\n4, Training, ${pixels(5).join(' ')}\r\n\r\n`;
    expect(usableOf(await everything(await fer2013(bytesOf(text))))[0]!.label).toBe('Sad');
    const bare = `"emotion","pixels"\n1,"${pixels(5).join(' ')}"`;
    const [item] = usableOf(await everything(await fer2013(bytesOf(bare))));
    expect(item!.label).toBe('Disgust');
    expect(Array.from((item!.inputs[''] as RawImage).data)).toEqual(pixels(5));
  });

  test('reads a file larger than its pieces without holding it', async () => {
    const rows = Array.from({ length: 700 }, (_, i) => line(i % 7, i, 'Training'));
    const bytes = new TextEncoder().encode(['emotion,pixels,Usage', ...rows].join('\n'));
    let largest = 0;
    const source: ByteSource = {
      size: bytes.length,
      read: async (offset, length) => {
        largest = Math.max(largest, length);
        return bytes.subarray(offset, offset + length);
      },
    };
    const data = await fer2013(source);
    expect(bytes.length).toBeGreaterThan(2 ** 22);
    expect(largest).toBeLessThanOrEqual(2 ** 22);
    expect(data.count).toBe(700);
    for (const i of [0, 500, 699]) {
      const item = await data.item(i);
      expect('inputs' in item && Array.from((item.inputs[''] as RawImage).data)).toEqual(pixels(i));
    }
  });

  test('malformed lines are problems that name the line, and the rest goes on', async () => {
    const short = `3,${pixels(1).slice(1).join(' ')},Training`;
    const loud = `3,${[256, ...pixels(1).slice(1)].join(' ')},Training`;
    const word = `3,${['x', ...pixels(1).slice(1)].join(' ')},Training`;
    const text = ['emotion,pixels,Usage', '7,1 2,Training', short, loud, word, '3,1 2 3', line(2, 1, 'Training')].join('\n');
    const items = await everything(await fer2013(bytesOf(text)));
    expect(problemsOf(items)).toEqual([
      { item: 'line 2', reason: 'its emotion is "7", not a number 0..6' },
      { item: 'line 3', reason: 'it has 2303 pixels, 48 x 48 = 2304 are needed' },
      { item: 'line 4', reason: 'pixel 0 is "256", not a whole number 0..255' },
      { item: 'line 5', reason: 'pixel 0 is "x", not a whole number 0..255' },
      { item: 'line 6', reason: 'it has 2 fields, the header has 3' },
    ]);
    expect(usableOf(items).map((i) => i.id)).toEqual(['line-7']);
  });

  test('refuses what is not FER2013, what is empty, and splits that are not there', async () => {
    expect(await complaint(() => fer2013(bytesOf('a,b,c\n1,2,3'), { name: 'x.csv' }))).toBe(
      'x.csv does not begin like FER2013: its first line is "a,b,c" -> the first line has to be emotion,pixels,Usage (Usage may be missing)',
    );
    expect(await complaint(() => fer2013(bytesOf('')))).toBe('fer2013 is empty -> give the file fer2013.csv');
    expect(await complaint(() => fer2013(bytesOf('emotion,pixels\n')))).toBe(
      'fer2013 holds no samples -> give a file with a line per face below the header',
    );
    expect(await complaint(() => fer2013(bytesOf(file), { usage: 'PublicTst' }))).toBe(
      'fer2013 has no split "PublicTst" -> did you mean "PublicTest"? (one of: PublicTest, Training)',
    );
    expect(await complaint(() => fer2013(bytesOf('emotion,pixels\n0,1'), { usage: 'Training' }))).toBe(
      'fer2013 has no column Usage, so it has no split "Training" -> leave usage out, or use the original release',
    );
  });
});
