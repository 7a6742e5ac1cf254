import { firstOf, notNegative } from '../../../option-checks.ts';
import type { AugmentationFamily } from './augmentation.ts';
import { between, isContinuous, isPicture } from './axes.ts';
import { warped } from './warp.ts';

const defaults = { degrees: 10 };

/** A picture turned about its centre by an angle uniform in -degrees .. degrees; bilinear, the border continued outwards. */
export const rotate: AugmentationFamily<typeof defaults> = {
  name: 'rotate',
  title: 'turned by a small angle (pictures)',
  defaults,
  about: { degrees: 'largest angle, to either side' },
  check: ({ degrees }) =>
    firstOf(notNegative('degrees', degrees), degrees <= 180 ? undefined : `degrees is ${degrees}, but must be at most 180`),
  suits: (spec) => isPicture(spec) && isContinuous(spec),
  apply(values, spec, random, { degrees }) {
    const angle = (between(degrees, random.uniform()) * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return warped(values, spec, (y, x) => [cos * y - sin * x, sin * y + cos * x]);
  },
};
