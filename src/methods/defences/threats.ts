/** @file The budgets a defence trains against: checked once, then made for every sample. */
import { suggestion, UserError } from '../../core/errors.ts';
import type { InputSpec, Sample } from '../../kit/model/model.ts';
import { lpThreat } from '../../kit/threat/lp.ts';
import type { Threat } from '../../kit/threat/threat.ts';
import { perInput } from '../attacks/point.ts';
import type { Threats } from './defence.ts';

/** Throws a UserError where there is no budget, or gradient steps do not fit its norm. */
export function checkThreats(defence: string, threats: Threats): void {
  if (Object.keys(threats).length === 0)
    throw new UserError(`${defence} needs a threat to train against`, 'add e.g. threat: { norm: linf, eps: 8/255 }');
  for (const [name, { norm, eps }] of Object.entries(threats)) {
    if (norm === 'l0')
      throw new UserError(
        `${defence} climbs along gradients, which the l0 budget of input "${name}" does not allow`,
        'train against linf, l2 or l1',
      );
    if (!(eps > 0))
      throw new UserError(`the budget of input "${name}" is ${eps}`, `give it an eps above 0, or train without ${defence}`);
  }
}

/** Throws a UserError where a budget names an input that the network does not have, or that cannot be attacked by gradient. */
export function checkInputs(inputs: Readonly<Record<string, InputSpec>>, threats: Threats): void {
  for (const name of Object.keys(threats)) {
    const spec = inputs[name];
    if (spec === undefined)
      throw new UserError(
        `the threat names the input "${name}", which the network does not have`,
        suggestion(name, Object.keys(inputs)),
      );
    if (spec.role !== 'attacked')
      throw new UserError(
        `the threat names the input "${name}", whose role is "${spec.role}"`,
        'give it the role "attacked", or no budget',
      );
    if (spec.dtype !== 'float32')
      throw new UserError(`input "${name}" holds ${spec.dtype} values, which have no gradient`, 'give it no budget');
  }
}

/** The budget around one sample, by input. */
export const threatsOf = (
  inputs: Readonly<Record<string, InputSpec>>,
  threats: Threats,
  sample: Sample,
): Record<string, Threat> =>
  perInput(threats, (options, name) => {
    const mask = both(options.mask, sample.mask?.[name]);
    return lpThreat(inputs[name]!, mask === undefined ? options : { ...options, mask });
  });

const both = (a: Float32Array | undefined, b: Float32Array | undefined): Float32Array | undefined =>
  a === undefined ? b : b === undefined ? a : a.map((allowed, i) => allowed * b[i]!);
