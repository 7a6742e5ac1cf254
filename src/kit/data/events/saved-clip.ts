/**
 * @file A recording kept together with the windows it was cut by, so that it can be cut in the same way by somebody who has nothing but the file: AEDAT 3.1
 * with the windows as a line of its header, or, where times are not whole microseconds from 0, an archive with them as further arrays.
 */
import { UserError } from '../../../core/errors.ts';
import { readNpz } from '../../../core/tensor/npy.ts';
import { numbersOf, tensor } from '../../../core/tensor/tensor.ts';
import { readAedatHeader } from './aedat-header.ts';
import { openAedat3, writeAedat3 } from './aedat3.ts';
import { rebin, type Windows } from './binning.ts';
import { checked, collect, type RawReader } from './chunk.ts';
import { fromArrays, writeNpzEvents } from './npz-events.ts';
import { inMemory } from './sequential.ts';
import type { EventClip } from './stream.ts';

/** How the names of such files end. */
export const clipEndings = ['.aedat', '.events.npz'] as const;

/** Whether a file of that name may hold a recording with its windows. */
export const isClipFile = (path: string): boolean => clipEndings.some((ending) => path.endsWith(ending));

const mark = 'windows of the frames:';

/** A clip as a file. Whatever convention AEDAT 3.1 is read by, it is the same recording: all events are valid, and packets are full. */
export function writeClip(clip: EventClip): { readonly bytes: Uint8Array; readonly ending: (typeof clipEndings)[number] } {
  const { stream, edges, ties, counts } = clip;
  const { width, height, t } = stream;
  if (width <= 2 ** 15 && height <= 2 ** 15 && t.every((time) => Number.isInteger(time) && time >= 0)) {
    const windows = JSON.stringify({ counts, edges: [...edges], ...(ties === undefined ? {} : { ties }) });
    return { bytes: writeAedat3(stream, { comments: [`${mark} ${windows}`] }), ending: '.aedat' };
  }
  const frames = [edges.length];
  return {
    bytes: writeNpzEvents(stream, {
      edges: tensor('float64', frames, edges),
      ties: tensor('float64', frames, Float64Array.from(ties ?? new Array(edges.length).fill(0))),
      binary: tensor('bool', [1], Uint8Array.of(counts === 'binary' ? 1 : 0)),
    }),
    ending: '.events.npz',
  };
}

/**
 * A file of `writeClip`, cut by its own windows; undefined for a recording without windows. Throws a UserError where the file is broken. A recording from
 * which every event was deleted is read, too.
 */
export async function readClip(bytes: Uint8Array, name: string): Promise<EventClip | undefined> {
  const read = async (raw: RawReader, windows: Windows): Promise<EventClip> =>
    rebin(await collect(raw.most === 0 ? raw : checked(raw, name)), windows);
  if (name.endsWith('.npz')) {
    const arrays = readNpz(bytes, `"${name}"`);
    const [edges, ties, binary] = ['edges', 'ties', 'binary'].map((key) => arrays.get(key));
    if (edges === undefined || ties === undefined || binary === undefined) return undefined;
    const windows = { counts: binary.data[0] === 1 ? 'binary' : 'count', edges: numbersOf(edges), ties: numbersOf(ties) };
    return read(fromArrays(arrays, name), windowsFrom(windows, name));
  }
  const source = inMemory(bytes);
  const header = await readAedatHeader(source, name);
  const line = header.lines.find((text) => text.trim().startsWith(mark));
  if (line === undefined) return undefined;
  const windows = windowsFrom(parsed(line.trim().slice(mark.length), name), name);
  return read(openAedat3(source, name, header), windows);
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw damaged(name, 'is not JSON', cause);
  }
}

interface Told {
  readonly counts?: unknown;
  readonly edges?: ArrayLike<unknown>;
  readonly ties?: ArrayLike<unknown>;
}

function windowsFrom(told: unknown, name: string): Windows {
  const { counts, edges, ties } = (typeof told === 'object' && told !== null ? told : {}) as Told;
  if (counts !== 'binary' && counts !== 'count') throw damaged(name, 'does not say what the frames count');
  const times = Float64Array.from(edges ?? [], Number);
  if (times.length < 2 || times.some((time, i) => !Number.isFinite(time) || (i > 0 && time <= times[i - 1]!)))
    throw damaged(name, 'names no ascending times');
  if (ties === undefined) return { counts, edges: times };
  const kept = Array.from(ties, Number);
  if (kept.length !== times.length || kept.some((n) => !Number.isInteger(n) || n < 0))
    throw damaged(name, `has ${kept.length} ties for ${times.length} edges`);
  return kept.some((n) => n > 0) ? { counts, edges: times, ties: kept } : { counts, edges: times };
}

const damaged = (name: string, what: string, cause?: unknown): UserError =>
  new UserError(
    `"${name}": its list of windows ${what}`,
    'write the file again, or take the list out: it is then cut by number',
    cause === undefined ? {} : { cause },
  );
