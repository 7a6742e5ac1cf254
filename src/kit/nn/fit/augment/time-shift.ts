import { firstOf, oneOf, wholeFrom } from '../../../option-checks.ts';
import type { AugmentationFamily } from './augmentation.ts';
import { fills, isSequence, shifted } from './axes.ts';

const defaults = { by: 2, fill: 'edge' };

/** A sequence begun earlier or later by whole moments, uniform in -by .. by. */
export const timeShift: AugmentationFamily<typeof defaults> = {
  name: 'time-shift',
  title: 'begun earlier or later (sequences)',
  defaults,
  about: { by: 'most moments, earlier or later', fill: 'what is uncovered: edge (the first or last moment) or zero' },
  check: ({ by, fill }) => firstOf(wholeFrom(0, 'by', by), oneOf(fills, 'fill', fill)),
  suits: isSequence,
  apply: (values, spec, random, { by, fill }) => shifted(values, spec, 'T', random.integer(2 * by + 1) - by, fill),
};
