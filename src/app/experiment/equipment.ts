/** @file The sessions attacks are run on: those of the model as the experiment states it, and of one other choice for its spikes at a time. */
import type { Runtime } from '../../core/runtime/runtime.ts';
import type { Model } from '../../kit/model/model.ts';
import { type ModelSessions, openSessions } from '../../kit/model/sessions.ts';
import { chooseSpikes } from '../../kit/spiking/choose.ts';
import { type LoadedModel, standIns } from '../host/models.ts';
import type { PlannedAttack } from './plan.ts';
import { type Drawing, factsOf, referenceOf, type SpikeFacts } from './reference-set.ts';

export interface Equipment {
  readonly model: Model;
  readonly sessions: ModelSessions;
  /** What stands in for spikes; absent where nothing does. */
  readonly spikes?: SpikeFacts;
}

export interface Equipments {
  /** As the model's own reference says. */
  readonly usual: Equipment;
  /** What an attack is run on. An attack's own choice replaces the one before it: attacks come one after the other. */
  for(planned: Pick<PlannedAttack, 'spikes'>): Promise<Equipment>;
  release(): Promise<void>;
}

/** Opens nothing yet but the statistics of clean samples, where they are asked for. */
export async function equip(loaded: LoadedModel, drawing: Drawing, runtime: Runtime): Promise<Equipments> {
  const made = async (from: Pick<LoadedModel, 'model' | 'surrogates' | 'spikes'>): Promise<Equipment> => {
    const reference = await referenceOf(from, drawing);
    return {
      model: from.model,
      sessions: openSessions(from.model, runtime, standIns(from, reference)),
      ...(from.spikes === undefined ? {} : { spikes: factsOf(from.spikes, reference) }),
    };
  };
  const usual = await made(loaded);
  let other: { readonly key: string; readonly equipment: Equipment } | undefined;
  return {
    usual,
    async for({ spikes }) {
      if (spikes === undefined) return usual;
      const key = JSON.stringify(spikes);
      if (other?.key !== key) {
        await other?.equipment.sessions.release();
        other = undefined;
        other = { key, equipment: await made({ ...chooseSpikes(loaded.opened, spikes), surrogates: loaded.surrogates }) };
      }
      return other.equipment;
    },
    async release() {
      await usual.sessions.release();
      await other?.equipment.sessions.release();
    },
  };
}
