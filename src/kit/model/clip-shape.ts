import type { ClipShape } from '../metrics/flips.ts';
import type { InputSpec } from './model.ts';

/** The sizes of an input that holds binary frames of events, [T, C, H, W]; undefined for every other input. */
export function clipShapeOf({ modality, domain, layout, shape }: InputSpec): ClipShape | undefined {
  if (modality !== 'events' || domain !== 'binary' || layout !== 'NTCHW' || shape.length !== 4) return undefined;
  const [steps, channels, height, width] = shape as [number, number, number, number];
  return { steps, channels, height, width };
}
