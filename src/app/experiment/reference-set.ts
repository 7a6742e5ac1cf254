/** @file The clean samples whose potentials surrogates of spikes may be measured on: drawn from the experiment's data with its seed. */
import type { Runtime } from '../../core/runtime/runtime.ts';
import { stream } from '../../core/tensor/random.ts';
import { type AdaptOptions, adapt } from '../../kit/data/adapt.ts';
import type { DataSource } from '../../kit/data/source.ts';
import type { Sample } from '../../kit/model/model.ts';
import type { ChosenSpikes } from '../../kit/spiking/choose.ts';
import { referenceStatistics } from '../../kit/spiking/reference.ts';
import type { ReferenceStatistics } from '../../kit/spiking/spike-gradient.ts';
import type { LoadedModel } from '../host/models.ts';

/** What a run records of it. */
export interface SpikeFacts {
  readonly use: string;
  readonly options: ChosenSpikes['options'];
  /** Names of the samples of the reference set; null where none was asked for. */
  readonly reference: readonly string[] | null;
}

export const factsOf = ({ gradient, options }: ChosenSpikes, reference: ReferenceStatistics | undefined): SpikeFacts => ({
  use: gradient.name,
  options,
  reference: reference?.samples ?? null,
});

export interface Drawing {
  readonly data: DataSource;
  readonly seed: number;
  readonly adaptation: AdaptOptions;
  readonly runtime: Runtime;
}

/** The statistics the chosen surrogate asks for, undefined where it asks for none: the same in every process that opens the experiment. */
export async function referenceOf(
  { model, spikes }: Pick<LoadedModel, 'model' | 'spikes'>,
  { data, seed, adaptation, runtime }: Drawing,
): Promise<ReferenceStatistics | undefined> {
  if (spikes === undefined || !spikes.wantsReference) return undefined;
  const samples: Sample[] = [];
  const random = stream(seed, 'reference set');
  const indices = Array.from({ length: data.count }, (_, i) => i);
  for (let i = 0; i < data.count && samples.length < spikes.samples; i++) {
    const j = i + random.integer(data.count - i);
    [indices[i], indices[j]] = [indices[j]!, indices[i]!];
    const item = await data.item(indices[i]!);
    const adapted = 'reason' in item ? item : adapt(item, model, adaptation);
    if (!('reason' in adapted)) samples.push(adapted);
  }
  return samples.length === 0 ? undefined : referenceStatistics(model, spikes.spiking, samples, runtime);
}
