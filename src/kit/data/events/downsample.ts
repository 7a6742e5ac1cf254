import { UserError } from '../../../core/errors.ts';
import type { EventStream } from './stream.ts';

/**
 * The recording of a coarser sensor: each of its pixels stands for `factor` x `factor` of the true one, and fires whenever one of them does. Throws a
 * UserError where the sensor is no multiple of the factor.
 */
export function downsample(stream: EventStream, factor: number, name = 'the recording'): EventStream {
  if (factor === 1) return stream;
  const { width, height, x, y } = stream;
  if (width % factor !== 0 || height % factor !== 0)
    throw new UserError(
      `${name} is from a sensor of ${width} x ${height}, which cannot be divided by ${factor}`,
      'choose a downsample: that divides both',
    );
  return {
    ...stream,
    width: width / factor,
    height: height / factor,
    x: x.map((v) => Math.floor(v / factor)),
    y: y.map((v) => Math.floor(v / factor)),
  };
}
