/** @file Which parameters weight decay pulls towards zero. */
import { oneOf } from '../../option-checks.ts';
import type { UpdateScene } from './optimiser.ts';

export const decayDefaults = { weightDecay: 0, decay: 'all' };

export const decayAbout = {
  weightDecay: 'pull of the parameters towards zero',
  decay: 'what is pulled: all, or matrices (weights of two and more axes, not biases and the scales of normalisations)',
};

/** Biases by the last part of their path; those of recurrent layers (ONNX's `B`) have a direction as an axis of their own. */
const isBias = (parameter: string): boolean => /(^|\.)(B|(\w+_)?bias)$/.test(parameter);

/** The weight decay of this parameter; 0 where it is spared. */
export const decayOf = (
  { parameter, dims }: Pick<UpdateScene, 'parameter' | 'dims'>,
  { weightDecay, decay }: typeof decayDefaults,
): number => (decay === 'all' || (dims.length >= 2 && !isBias(parameter)) ? weightDecay : 0);

export const checkDecay = ({ decay }: typeof decayDefaults): string | undefined => oneOf(['all', 'matrices'], 'decay', decay);

/** gradient + weightDecay parameter: decay as the gradient of a penalty (weightDecay / 2) |w|^2. */
export const withPenalty = (scene: UpdateScene, options: typeof decayDefaults): string => {
  const { g, gradient, parameter } = scene;
  const strength = decayOf(scene, options);
  return strength === 0 ? gradient : g.op('Add', [gradient, g.op('Mul', [g.number(strength), parameter])]);
};
