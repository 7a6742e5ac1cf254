/** @file What computes here, and what of it is not as a model card has it. */
import type { Runtime } from '../../core/runtime/runtime.ts';
import { changedSince, type Provenance } from '../../kit/nn/export/provenance.ts';
import { runtimeVersion } from '../host/runtime.ts';
import { version } from '../host/version.ts';

/** What a card records of the programs it was made with. */
export const versionsHere: Provenance['versions'] = {
  provoke: version,
  onnxruntime: runtimeVersion,
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
};

/** One line for everything that is not as it was when the card was written; undefined where nothing is. */
export function sinceCard(
  card: Pick<Provenance, 'versions' | 'runtime'>,
  { options }: Pick<Runtime, 'options'>,
): string | undefined {
  const changes = changedSince(card, { versions: versionsHere, runtime: options });
  return changes.length === 0
    ? undefined
    : `not as when the card was written, so the weights may differ in their last bits: ${changes.join('; ')}`;
}
