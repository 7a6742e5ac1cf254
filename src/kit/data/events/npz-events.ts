/**
 * @file Events as a NumPy archive (.npz): arrays x, y, p and t of one length, t in microseconds, as SpikingJelly keeps recordings; and, as we write them,
 * sensor = [width, height].
 */
import { UserError } from '../../../core/errors.ts';
import { readNpz, writeNpz } from '../../../core/tensor/npy.ts';
import { i64, type Tensor, tensor } from '../../../core/tensor/tensor.ts';
import type { Sensor } from './aedat-header.ts';
import { chunkBuffers, chunkEvents, type RawReader } from './chunk.ts';
import { coordinate, polarityOf } from './event-values.ts';
import type { EventStream } from './stream.ts';

export interface NpzEventsOptions {
  /** Used where the archive does not name it. */
  sensor?: Sensor;
}

type Numbers = ArrayLike<number | bigint>;

/** Opens an archive; the arrays lie in memory. Throws a UserError where one is missing, or they do not fit together. */
export function openNpzEvents(bytes: Uint8Array, name: string, options: NpzEventsOptions = {}): RawReader {
  return fromArrays(readNpz(bytes, `"${name}"`), name, options);
}

/** The recording in arrays that have been read. */
export function fromArrays(arrays: ReadonlyMap<string, Tensor>, name: string, options: NpzEventsOptions = {}): RawReader {
  const array = (key: string): Numbers => {
    const t = arrays.get(key);
    if (t === undefined)
      throw new UserError(
        `"${name}" has no array "${key}"`,
        `events are the arrays x, y, p and t (it has: ${[...arrays.keys()].join(', ')})`,
      );
    if (t.dims.length !== 1 || t.dtype === 'string' || t.dtype === 'float16')
      throw new UserError(`"${name}": ${key} is ${t.dtype} [${t.dims.join(', ')}]`, 'give one number per event');
    return t.data;
  };
  const [xs, ys, ps, ts] = [array('x'), array('y'), array('p'), array('t')];
  const odd = Object.entries({ y: ys, p: ps, t: ts }).find(([, values]) => values.length !== xs.length);
  if (odd !== undefined)
    throw new UserError(
      `"${name}": ${odd[0]} has ${odd[1].length} entries, x has ${xs.length}`,
      'give one number per event in each of x, y, p and t',
    );
  const { width, height } = sensorOf(arrays.get('sensor'), name) ?? options.sensor ?? unknownSensor(name);
  return {
    width,
    height,
    convention: 'as the arrays say',
    most: xs.length,
    async *chunks() {
      const buffers = chunkBuffers(Math.min(chunkEvents, xs.length));
      const { x, y, p, t } = buffers;
      for (let from = 0; from < xs.length; from += chunkEvents) {
        const count = Math.min(chunkEvents, xs.length - from);
        for (let i = 0; i < count; i++) {
          const where = () => `"${name}", event ${from + i}`;
          x[i] = coordinate(Number(xs[from + i]), 'x', where);
          y[i] = coordinate(Number(ys[from + i]), 'y', where);
          p[i] = polarityOf(Number(ps[from + i]), where);
          t[i] = Number(ts[from + i]);
        }
        yield buffers.chunk(count);
      }
    },
  };
}

/** What to say where nothing names the size of the sensor. */
export function unknownSensor(name: string): never {
  throw new UserError(
    `"${name}" does not say how large the sensor is`,
    'name it: sensor: [width, height] under data:, or --sensor WIDTHxHEIGHT',
  );
}

function sensorOf(array: Tensor | undefined, name: string): Sensor | undefined {
  if (array === undefined) return undefined;
  const [width, height, ...rest] = Array.from(array.data as ArrayLike<unknown>, Number);
  if (rest.length > 0 || !(Number.isInteger(width) && width! > 0 && Number.isInteger(height) && height! > 0))
    throw new UserError(
      `"${name}": sensor is [${Array.from(array.data as ArrayLike<unknown>).join(', ')}]`,
      'it has to be [width, height]',
    );
  return { width: width!, height: height! };
}

/**
 * A recording as an archive, with further arrays if there are any; times become int64 where they are whole, else float64. The same recording gives the
 * same bytes.
 */
export function writeNpzEvents(
  { width, height, x, y, p, t }: EventStream,
  further: Readonly<Record<string, Tensor>> = {},
): Uint8Array {
  const n = [t.length];
  const times: Tensor = t.every(Number.isInteger) ? tensor('int64', n, BigInt64Array.from(t, BigInt)) : tensor('float64', n, t);
  return writeNpz({
    t: times,
    x: tensor('uint16', n, x),
    y: tensor('uint16', n, y),
    p: tensor('uint8', n, p),
    sensor: i64([width, height]),
    ...further,
  });
}
