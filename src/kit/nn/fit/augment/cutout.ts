import { firstOf, fraction } from '../../../option-checks.ts';
import type { AugmentationFamily } from './augmentation.ts';
import { axisOf, isPicture } from './axes.ts';

const defaults = { p: 0.5, share: 0.25, fill: 0 };

/** With probability p a rectangle is filled (DeVries and Taylor 2017): its sides are a share of the picture's, its centre is uniform, so that it may reach beyond the border. */
export const cutout: AugmentationFamily<typeof defaults> = {
  name: 'cutout',
  title: 'a rectangle blotted out (pictures)',
  defaults,
  about: {
    p: 'share of the samples it happens to',
    share: "its sides, as a share of the picture's",
    fill: 'value put there, clipped to the bounds',
  },
  check: ({ p, share }) => firstOf(fraction('p', p), fraction('share', share)),
  suits: isPicture,
  apply(values, spec, random, { p, share, fill }) {
    const happens = random.uniform() < p;
    const [h, w] = [axisOf(spec, 'H')!, axisOf(spec, 'W')!];
    const [height, width] = [Math.round(share * h.size), Math.round(share * w.size)];
    const top = random.integer(h.size) - Math.floor(height / 2);
    const left = random.integer(w.size) - Math.floor(width / 2);
    if (!happens) return values;
    return values.map((v, i) => {
      const y = Math.floor(i / h.stride) % h.size;
      const x = Math.floor(i / w.stride) % w.size;
      return y >= top && y < top + height && x >= left && x < left + width ? fill : v;
    });
  },
};
