/** @file PNG files of few colours: small, and see-through where the page's own ground should show. */
import { zlibSync } from 'fflate';

/** Red, green, blue and opacity, 0..255. */
export type Colour = readonly [red: number, green: number, blue: number, alpha: number];

export interface IndexedPicture {
  readonly width: number;
  readonly height: number;
  /** A number of the palette for every pixel, row by row. */
  readonly pixels: Uint8Array;
  /** At most 16. */
  readonly palette: readonly Colour[];
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = (c & 1) === 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

function crc(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = table[(c ^ byte) & 0xff]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  out.set(
    [...name].map((c) => c.charCodeAt(0)),
    4,
  );
  out.set(data, 8);
  view.setUint32(8 + data.length, crc(out.subarray(4, 8 + data.length)));
  return out;
}

/** The picture as a PNG file, four bits a pixel. Source: PNG specification, third edition (W3C 2025). Throws an Error where the sizes do not fit. */
export function indexedPng({ width, height, pixels, palette }: IndexedPicture): Uint8Array {
  if (pixels.length !== width * height || palette.length > 16) throw new Error(`no picture of ${width} x ${height}`);
  const line = 1 + Math.ceil(width / 2);
  const packed = new Uint8Array(line * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) packed[y * line + 1 + (x >> 1)]! |= pixels[y * width + x]! << (x % 2 === 0 ? 4 : 0);
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([4, 3, 0, 0, 0], 8);
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', head),
    chunk('PLTE', Uint8Array.from(palette.flatMap((colour) => colour.slice(0, 3)))),
    chunk(
      'tRNS',
      Uint8Array.from(palette, ([, , , a]) => a),
    ),
    chunk('IDAT', zlibSync(packed, { level: 9 })),
    chunk('IEND', new Uint8Array(0)),
  ];
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
