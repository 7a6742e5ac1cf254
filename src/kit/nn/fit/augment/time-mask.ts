import { fraction } from '../../../option-checks.ts';
import type { AugmentationFamily } from './augmentation.ts';
import { axisOf, isSequence } from './axes.ts';

const defaults = { share: 0.2, fill: 0 };

/** A span of moments is filled (Park et al. 2019, SpecAugment): its length is uniform in 0 .. share of all, its place uniform among those it fits in. */
export const timeMask: AugmentationFamily<typeof defaults> = {
  name: 'time-mask',
  title: 'a span of moments blotted out (sequences)',
  defaults,
  about: { share: 'most that is blotted out, as a share of all moments', fill: 'value put there, clipped to the bounds' },
  check: ({ share }) => fraction('share', share),
  suits: isSequence,
  apply(values, spec, random, { share, fill }) {
    const { size, stride } = axisOf(spec, 'T')!;
    const length = random.integer(Math.floor(share * size) + 1);
    const start = random.integer(size - length + 1);
    return values.map((v, i) => {
      const t = Math.floor(i / stride) % size;
      return t >= start && t < start + length ? fill : v;
    });
  },
};
