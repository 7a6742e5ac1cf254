/** @file Whether changes of an input can be made in the world: frames of event counts change by fractions, which no events give. */
import type { InputSpec } from '../model/model.ts';
import { isBinary } from './grid.ts';

/** Names of attacked inputs made of events that are not binary: budgets on them are relaxed, and what is found is not realisable. */
export const relaxedInputs = (
  inputs: Readonly<Record<string, Pick<InputSpec, 'role' | 'modality' | 'domain' | 'storage'>>>,
): string[] =>
  Object.entries(inputs).flatMap(([name, spec]) =>
    spec.role === 'attacked' && spec.modality === 'events' && !isBinary(spec) ? [name] : [],
  );

/** One sentence for reports. */
export const relaxedNote = (name: string): string =>
  `input "${name}" holds counts of events: its changes are relaxed, not realisable, for no events give them (binary frames and flips are realisable)`;
