import { fraction } from '../../../option-checks.ts';
import type { AugmentationFamily } from './augmentation.ts';
import { axisOf, isPicture } from './axes.ts';

const defaults = { p: 0.5 };

/** Left and right exchanged, with probability p. */
export const flip: AugmentationFamily<typeof defaults> = {
  name: 'flip',
  title: 'left and right exchanged (pictures)',
  defaults,
  about: { p: 'share of the samples it happens to' },
  check: ({ p }) => fraction('p', p),
  suits: isPicture,
  apply(values, spec, random, { p }) {
    if (random.uniform() >= p) return values;
    const { size, stride } = axisOf(spec, 'W')!;
    return values.map((_, i) => {
      const x = Math.floor(i / stride) % size;
      return values[i + (size - 1 - 2 * x) * stride]!;
    });
  },
};
