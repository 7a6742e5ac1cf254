/** @file Many small pictures in one, to look at. */
import type { RawImage } from '../../kit/data/source.ts';
import { encodePng } from './images.ts';

/** A PNG of pictures of one size, all grey or all in colour, in rows (each row left-aligned), enlarged `zoom` times, with a line between them. */
export async function contactSheet(rows: readonly (readonly RawImage[])[], zoom = 2): Promise<Uint8Array> {
  const { width, height, channels } = rows.flat()[0]!;
  const [wide, high] = [zoom * width + 1, zoom * height + 1];
  const across = Math.max(...rows.map((row) => row.length)) * wide;
  const data = new Uint8Array(across * rows.length * high * channels);
  for (const [r, row] of rows.entries()) {
    for (const [c, picture] of row.entries()) {
      for (let y = 0; y < zoom * height; y++) {
        const from = Math.floor(y / zoom) * width;
        const to = (r * high + y) * across + c * wide;
        for (let x = 0; x < zoom * width; x++)
          for (let k = 0; k < channels; k++)
            data[channels * (to + x) + k] = picture.data[channels * (from + Math.floor(x / zoom)) + k]!;
      }
    }
  }
  return encodePng({ kind: 'image', width: across, height: rows.length * high, channels, data });
}
