import { firstOf, oneOf, wholeFrom } from '../../../option-checks.ts';
import type { AugmentationFamily } from './augmentation.ts';
import { fills, isPicture, shifted } from './axes.ts';

const defaults = { by: 2, fill: 'edge' };

/** A picture moved by whole pixels, uniform in -by .. by, down and to the right. */
export const shift: AugmentationFamily<typeof defaults> = {
  name: 'shift',
  title: 'moved by a few pixels (pictures)',
  defaults,
  about: { by: 'most pixels, in each direction', fill: 'what is uncovered: edge (the nearest pixel) or zero' },
  check: ({ by, fill }) => firstOf(wholeFrom(0, 'by', by), oneOf(fills, 'fill', fill)),
  suits: isPicture,
  apply(values, spec, random, { by, fill }) {
    const down = random.integer(2 * by + 1) - by;
    const right = random.integer(2 * by + 1) - by;
    return shifted(shifted(values, spec, 'H', down, fill), spec, 'W', right, fill);
  },
};
