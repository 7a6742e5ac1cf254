/** @file What `spikes:` can name. A new one is a file beside this one and a line here. */
import { findNamed } from '../../core/errors.ts';
import { assg } from './assg.ts';
import { fixedGradients, straightThroughGradient } from './fixed.ts';
import { pdsg } from './pdsg.ts';
import { pdsgNarrow } from './pdsg-narrow.ts';
import { rateBased } from './rate-based.ts';
import type { SpikeGradient } from './spike-gradient.ts';

export const spikeGradients: Readonly<Record<string, SpikeGradient>> = Object.fromEntries(
  [
    pdsgNarrow as SpikeGradient,
    pdsg as SpikeGradient,
    assg as SpikeGradient,
    ...fixedGradients,
    straightThroughGradient as SpikeGradient,
    ...rateBased,
  ].map((gradient) => [gradient.name, gradient]),
);

/** The stand-in of this name; throws a UserError that says which was probably meant. */
export const findSpikeGradient = (name: string): SpikeGradient => findNamed('surrogate of spikes', spikeGradients, name);
