/** @file The option all stand-ins of spikes share: whether a derivative passes through the spike inside a neuron's own reset. */
import type { Surrogate } from '../../core/autodiff/substitutes.ts';
import type { SpikingLayer } from '../../core/spikes/layer.ts';

export interface ResetOption {
  readonly reset: string;
}

export const resetDefault = 'through';
export const resetAbout =
  'whether a derivative passes through the spike inside the reset (through), or that spike is a constant (detach)';
export const resetChoices = ['through', 'detach'] as const;

/** A surrogate for every spike of a layer that is to have one. */
export const surrogatesOf = (layer: SpikingLayer, { reset }: ResetOption, label: string, rule: Surrogate['rule']): Surrogate[] =>
  layer.spikes
    .filter(({ role }) => role === 'output' || reset === 'through')
    .map(({ node }) => ({ match: { name: node }, label: reset === 'through' ? label : `${label}, reset detached`, rule }));
