import type { AugmentationFamily } from './augmentation.ts';
import { axisOf, between, isContinuous, isPicture } from './axes.ts';
import { warped } from './warp.ts';

const defaults = { least: 0.8 };

/** A part of the picture enlarged to the whole: its sides are a share of the picture's uniform in least .. 1, its place uniform; bilinear. */
export const cropResize: AugmentationFamily<typeof defaults> = {
  name: 'crop-resize',
  title: 'a part enlarged to the whole (pictures)',
  defaults,
  about: { least: "smallest part of the picture's sides that is kept" },
  check: ({ least }) => (least > 0 && least <= 1 ? undefined : `least is ${least}, and is a share above 0, at most 1`),
  suits: (spec) => isPicture(spec) && isContinuous(spec),
  apply(values, spec, random, { least }) {
    const share = least + (1 - least) * random.uniform();
    const room = (letter: string): number => ((1 - share) * (axisOf(spec, letter)!.size - 1)) / 2;
    const centreY = between(room('H'), random.uniform());
    const centreX = between(room('W'), random.uniform());
    return warped(values, spec, (y, x) => [centreY + share * y, centreX + share * x]);
  },
};
