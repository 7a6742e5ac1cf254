import { fraction } from '../../../option-checks.ts';
import type { AugmentationFamily } from './augmentation.ts';
import { axisOf } from './axes.ts';

const defaults = { p: 0.1, fill: 0 };

/** Every channel is filled with probability p, as if its sensor had failed; where that would be all of them, none is. */
export const channelDropout: AugmentationFamily<typeof defaults> = {
  name: 'channel-dropout',
  title: 'single channels missing',
  defaults,
  about: { p: 'share of the channels it happens to', fill: 'value put there, clipped to the bounds' },
  check: ({ p }) => fraction('p', p),
  suits: (spec) => (axisOf(spec, 'C')?.size ?? 1) > 1,
  apply(values, spec, random, { p, fill }, input) {
    const own = random.fork(input);
    const { size, stride } = axisOf(spec, 'C')!;
    const gone = Array.from({ length: size }, () => own.uniform() < p);
    if (!gone.includes(true) || !gone.includes(false)) return values;
    return values.map((v, i) => (gone[Math.floor(i / stride) % size] ? fill : v));
  },
};
