/** @file The manifest of an exported network: everything is stated, nothing is left to be inferred. */
import type { InputSpec, Model } from '../../model/model.ts';
import { type Architecture, logitsOutput } from '../architecture.ts';
import { yamlText } from './yaml-text.ts';

export interface ManifestFacts extends Pick<Architecture, 'inputs' | 'classes'> {
  readonly name: string;
  readonly coupling: Model['coupling'];
  readonly note: string;
}

/** The manifest as an object, in the form of a manifest file (docs/manifest.md). */
export function manifestObject({ name, inputs, classes, coupling, note }: ManifestFacts): Readonly<Record<string, unknown>> {
  return {
    name,
    inputs: Object.fromEntries(Object.entries(inputs).map(([input, spec]) => [input, statedInput(spec)])),
    classes: [...classes],
    output: { name: logitsOutput, kind: 'logits', layout: 'NC' },
    coupling,
    note,
  };
}

function statedInput({ shape, layout, modality, unit, role, domain, bounds, storage }: InputSpec): Record<string, unknown> {
  const ends = bounds === 'unbounded' ? bounds : [bounds.lower, bounds.upper];
  return { shape: [...shape], layout, modality, unit, role, domain, bounds: ends, storage };
}

/** The sidecar file. */
export const manifestText = (manifest: Readonly<Record<string, unknown>>): string => yamlText(manifest);
