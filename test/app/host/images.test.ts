import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeImage, encodePng } from '../../../src/app/host/images.ts';
import { decodeJpeg, photoBytes, syntheticPicture } from '../../kit/model/builtin/faces.ts';

const raw = (width: number, height: number, channels: 1 | 2 | 3 | 4, data: readonly number[]) =>
  sharp(Uint8Array.from(data), { raw: { width, height, channels } });

describe('images', () => {
  test.each([1, 3] as const)('PNG keeps every byte of %i channels', async (channels) => {
    const source = syntheticPicture(40, 30);
    const image = channels === 3 ? source : { ...source, channels, data: source.data.slice(0, 40 * 30) };
    const png = await encodePng(image);
    const decoded = await decodeImage(png);
    expect([decoded.width, decoded.height, decoded.channels]).toEqual([40, 30, channels]);
    expect(Buffer.compare(decoded.data, image.data)).toBe(0);
  });

  test('JPEG decodes to nearly what the exact decoder gives', async () => {
    const bytes = await photoBytes('sample1.jpg');
    const [ours, exact] = [await decodeImage(bytes), decodeJpeg(bytes)];
    expect([ours.width, ours.height]).toEqual([exact.width, exact.height]);
    let sum = 0;
    for (let i = 0; i < exact.data.length; i += 101) sum += Math.abs(ours.data[i]! - exact.data[i]!);
    expect((sum * 101) / exact.data.length).toBeLessThan(1);
  });

  test('is turned as EXIF says', async () => {
    const oriented = await decodeImage(
      await raw(2, 1, 3, [10, 20, 30, 200, 210, 220]).withMetadata({ orientation: 6 }).png().toBuffer(),
    );
    expect([oriented.width, oriented.height]).toEqual([1, 2]);
    expect(Array.from(oriented.data)).toEqual([10, 20, 30, 200, 210, 220]);
  });

  test('16 bits are cut to 8, grey stays grey', async () => {
    const data = Uint16Array.from([0, 256, 0x7fff, 0xffff]);
    const grey = await sharp(data, { raw: { width: 4, height: 1, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    expect((await sharp(grey).metadata()).depth).toBe('ushort');
    const decoded = await decodeImage(grey);
    expect([decoded.channels, ...decoded.data]).toEqual([1, 0, 1, 127, 255]);
    const colour = await sharp(Uint16Array.from([0, 0x7fff, 0xffff]), { raw: { width: 1, height: 1, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    expect((await sharp(colour).metadata()).depth).toBe('ushort');
    expect(Array.from((await decodeImage(colour)).data)).toEqual([0, 127, 255]);
  });

  test('an opaque alpha channel is dropped, transparent pixels are refused', async () => {
    const opaque = await raw(2, 1, 4, [1, 2, 3, 255, 4, 5, 6, 255]).png().toBuffer();
    expect(Array.from((await decodeImage(opaque)).data)).toEqual([1, 2, 3, 4, 5, 6]);
    const glass = await raw(2, 1, 4, [1, 2, 3, 255, 4, 5, 6, 254]).png().toBuffer();
    await expect(decodeImage(glass)).rejects.toThrow('it has transparent pixels: flatten it onto a background first');
  });

  test('says in a sentence what cannot be decoded', async () => {
    await expect(decodeImage(new TextEncoder().encode('no image'))).rejects.toThrow(/^it is not a readable image: .*unsupported/);
    const png = await encodePng(syntheticPicture(40, 30));
    await expect(decodeImage(png.subarray(0, 900))).rejects.toThrow(/^it is not a readable image: /);
    const jpeg = await photoBytes('sample1.jpg');
    await expect(decodeImage(jpeg.subarray(0, jpeg.length / 2))).rejects.toThrow(/^it is not a readable image: /);
  });
});
