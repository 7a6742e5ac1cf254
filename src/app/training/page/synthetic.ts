/** @file The word that stands by every number from data that were generated. */
import type { Provenance } from '../../../kit/nn/export/provenance.ts';

/** "synthetic " before what a split's samples are called, "partly synthetic " where some of its sets were generated, '' where none was. */
export function syntheticWord({ data }: Pick<Provenance, 'data'>, split: Provenance['data'][number]['split']): string {
  const sets = data.filter((d) => d.split === split);
  const made = sets.filter((d) => d.synthetic !== undefined);
  return made.length === 0 ? '' : made.length === sets.length ? 'synthetic ' : 'partly synthetic ';
}
