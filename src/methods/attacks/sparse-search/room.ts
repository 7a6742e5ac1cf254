/** @file Which events of a clip may be touched: one polarity, a window of time. */
import { UserError } from '../../../core/errors.ts';
import { sampleAxis } from '../../../kit/model/model.ts';
import type { Flipping } from '../frame/flipping.ts';
import type { Part } from '../frame/space.ts';

export interface Touched {
  /** Channel 1 is on (it became brighter), channel 0 off. */
  readonly polarity: string;
  /** Time steps from <= t < until. */
  readonly from: number;
  readonly until: number | string;
}

/** The space in which nothing else may flip. Throws a UserError for an input without such an axis, or one that ends before `from`. */
export function within(space: Flipping, touched: Touched): Flipping {
  const { polarity, from, until } = touched;
  if (polarity === 'both' && from === 0 && until === 'auto') return space;
  const [flip, low, high] = [space.flip.slice(), space.low.slice(), space.high.slice()];
  for (const part of space.parts) {
    const channel = polarity === 'both' ? undefined : indicesOf(part, 'C', 'polarity');
    const time = from === 0 && until === 'auto' ? undefined : indicesOf(part, 'T', 'from, until');
    const wanted = polarity === 'on' ? 1 : 0;
    refuseBeyond(part, time === undefined ? undefined : from);
    const end = until === 'auto' ? Number.POSITIVE_INFINITY : Number(until);
    for (let i = part.from; i < part.to; i++) {
      const step = time?.(i - part.from) ?? from;
      if ((channel?.(i - part.from) ?? wanted) === wanted && step >= from && step < end) continue;
      flip[i] = 0;
      low[i] = 0;
      high[i] = 0;
    }
  }
  return { ...space, flip, low, high };
}

/** A window that begins after the last step leaves nothing to flip: a net that stands there would look robust. */
function refuseBeyond({ name, threat: { input } }: Part, from: number | undefined): void {
  if (from === undefined) return;
  const steps = input.shape[sampleAxis(input, 'T')]!;
  if (from < steps) return;
  throw new UserError(`sda: from is ${from}, but input "${name}" has ${steps} time steps`, `choose from in 0..${steps - 1}`);
}

/** The index of an element along an axis. */
function indicesOf({ name, threat: { input } }: Part, letter: 'C' | 'T', option: string): (element: number) => number {
  const axis = sampleAxis(input, letter);
  const size = input.shape[axis];
  if (size === undefined || (letter === 'C' && size !== 2))
    throw new UserError(
      letter === 'C'
        ? `sda: polarity needs an input with two channels, off and on; "${name}" has layout ${input.layout} and shape [${input.shape}]`
        : `sda: from and until count time steps, and "${name}" has none: its layout is ${input.layout}`,
      `leave ${option} out, or state the layout in the manifest, e.g. NTCHW`,
    );
  const inner = input.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return (element) => Math.floor(element / inner) % size;
}
