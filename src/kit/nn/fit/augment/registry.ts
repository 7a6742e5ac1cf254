/** @file The augmentations a recipe can name. A new one is one file and one line here. */
import { findNamed } from '../../../../core/errors.ts';
import type { AugmentationFamily } from './augmentation.ts';
import { channelDropout } from './channel-dropout.ts';
import { cropResize } from './crop-resize.ts';
import { cutout } from './cutout.ts';
import { eventDrop } from './event-drop.ts';
import { flip } from './flip.ts';
import { gaussian } from './gaussian.ts';
import { jitter } from './jitter.ts';
import { rotate } from './rotate.ts';
import { shift } from './shift.ts';
import { timeMask } from './time-mask.ts';
import { timeShift } from './time-shift.ts';

const all: readonly AugmentationFamily[] = [
  flip,
  shift,
  cropResize,
  rotate,
  jitter,
  cutout,
  timeShift,
  timeMask,
  channelDropout,
  eventDrop,
  gaussian,
];

export const augmentations: Readonly<Record<string, AugmentationFamily>> = Object.fromEntries(
  all.map((family) => [family.name, family]),
);

/** The augmentation of that name; throws a UserError with the nearest name otherwise. */
export const findAugmentation = (name: string): AugmentationFamily => findNamed('augmentation', augmentations, name);
