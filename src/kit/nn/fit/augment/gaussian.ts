import { notNegative } from '../../../option-checks.ts';
import type { AugmentationFamily } from './augmentation.ts';
import { isContinuous } from './axes.ts';

const defaults = { sd: 0.05 };

/** Independent Gaussian noise on every element. */
export const gaussian: AugmentationFamily<typeof defaults> = {
  name: 'noise',
  title: 'Gaussian noise on every element',
  defaults,
  about: { sd: "standard deviation, in the input's units" },
  check: ({ sd }) => notNegative('sd', sd),
  suits: isContinuous,
  apply(values, _, random, { sd }, input) {
    const own = random.fork(input);
    return values.map((v) => v + sd * own.normal());
  },
};
