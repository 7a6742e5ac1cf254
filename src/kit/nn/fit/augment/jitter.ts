import { firstOf, fraction } from '../../../option-checks.ts';
import { boxValues } from '../../../threat/elements.ts';
import type { AugmentationFamily } from './augmentation.ts';
import { between, isContinuous, isPicture } from './axes.ts';

const defaults = { brightness: 0.1, contrast: 0.1 };

/**
 * x -> mean + (1 + c) (x - mean) + b range, the mean over the whole picture; b uniform in -brightness .. brightness, c in -contrast .. contrast, the range
 * that of the input's bounds.
 */
export const jitter: AugmentationFamily<typeof defaults> = {
  name: 'jitter',
  title: 'brighter or darker, more or less contrast (pictures)',
  defaults,
  about: { brightness: 'most that is added, as a share of the range', contrast: 'most that differences grow or shrink by' },
  check: ({ brightness, contrast }) => firstOf(fraction('brightness', brightness), fraction('contrast', contrast)),
  suits: (spec) => isPicture(spec) && isContinuous(spec) && spec.bounds !== 'unbounded',
  apply(values, spec, random, { brightness, contrast }) {
    const { lower, upper } = boxValues(spec);
    const b = between(brightness, random.uniform());
    const c = between(contrast, random.uniform());
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    return values.map((v, i) => mean + (1 + c) * (v - mean) + b * (upper[i]! - lower[i]!));
  },
};
