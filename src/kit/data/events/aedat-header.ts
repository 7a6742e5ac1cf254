/** @file The text at the head of .aedat files: lines that begin with #, the first one naming the version. */
import { UserError } from '../../../core/errors.ts';
import type { ByteSource } from '../source.ts';

export interface AedatHeader {
  readonly version: string;
  /** Without #, in order, without the line of the version and the one that ends the header. */
  readonly lines: readonly string[];
  /** Where the events begin. */
  readonly end: number;
}

/** Most headers are shorter; jAER's may hold all preferences of a camera. */
const headBytes = 2 ** 16;

/**
 * Reads the header. Data that happen to begin with # are told apart: a line of the header is printable and ends with a line feed, and nothing
 * follows the line that ends it. Throws a UserError for versions other than 2.0 and 3.x.
 */
export async function readAedatHeader(source: ByteSource, name: string): Promise<AedatHeader> {
  let found: { lines: string[]; end: number } | undefined;
  for (let length = headBytes; found === undefined; length *= 4) {
    const whole = length >= source.size;
    found = linesOf(await source.read(0, Math.min(length, source.size)), whole);
  }
  const { lines, end } = found;
  const version = /^!AER-DAT(\d+\.\d+)/.exec(lines[0] ?? '')?.[1];
  if (version === undefined)
    throw new UserError(
      `"${name}" does not begin with #!AER-DAT and a version: it is no AEDAT file, or one of version 1.0`,
      'convert it to AEDAT 2.0 with jAER, or give .npz or .csv with x, y, p and t',
    );
  if (version !== '2.0' && !/^3\./.test(version))
    throw new UserError(
      `"${name}" is AEDAT ${version}: versions 2.0 and 3.1 can be read`,
      version.startsWith('4.')
        ? 'convert it with dv-processing, or give .npz or .csv with x, y, p and t'
        : 'convert it to AEDAT 2.0 with jAER, or give .npz or .csv with x, y, p and t',
    );
  return { version, lines: lines.slice(1), end };
}

const latin1 = new TextDecoder('latin1');

/** The lines, and where they end; undefined where that is beyond these bytes. */
function linesOf(head: Uint8Array, whole: boolean): { lines: string[]; end: number } | undefined {
  const lines: string[] = [];
  let end = 0;
  while (head[end] === 0x23) {
    const feed = head.indexOf(10, end);
    if (feed < 0 && !whole && isText(head, end, head.length)) return undefined;
    if (feed < 0 || !isText(head, end, feed)) return { lines, end };
    const line = latin1.decode(head.subarray(end + 1, feed)).replace(/\r$/, '');
    end = feed + 1;
    if (/^!END-HEADER$|^End Of ASCII Header$/i.test(line)) return { lines, end };
    lines.push(line);
  }
  return end === head.length && !whole ? undefined : { lines, end };
}

function isText(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    if ((byte < 32 && byte !== 9 && byte !== 13) || byte === 127) return false;
  }
  return true;
}

export interface Sensor {
  readonly width: number;
  readonly height: number;
}

const chips: readonly (readonly [RegExp, Sensor])[] = [
  [/dvs128|dvs-128/i, { width: 128, height: 128 }],
  [/davis-?240/i, { width: 240, height: 180 }],
  [/davis-?346/i, { width: 346, height: 260 }],
  [/davis-?640/i, { width: 640, height: 480 }],
];

/** The size of the camera a header names ("AEChip: ...", "Source 1: DVS128"), where it is known, or says itself ("Source 1: 64x64"). */
export function sensorNamed(lines: readonly string[]): Sensor | undefined {
  const named = lines.filter((line) => /^\s*(aechip|source|hardwareinterface)\b/i.test(line)).join('\n');
  const size = /^\s*source \d+: (\d+)x(\d+)$/im.exec(named);
  if (size !== null) return { width: Number(size[1]), height: Number(size[2]) };
  return chips.find(([chip]) => chip.test(named))?.[1];
}

/** Header lines as bytes; every line gets its # and ends with CR LF. */
export const aedatHeaderBytes = (lines: readonly string[]): Uint8Array =>
  new TextEncoder().encode(lines.map((line) => `#${line.replaceAll(/[^\x20-\x7e]/g, '?')}\r\n`).join(''));
