import type { Inputs, Model, Sample } from '../../kit/model/model.ts';
import { budgetViolation } from '../../kit/threat/budget.ts';
import type { Budget } from './plan.ts';

/** Why the example read back is not one the attacker may make, or undefined where it is: an attack only proposes. */
export function breachOf(model: Model, budget: Budget, { inputs, mask }: Sample, x: Inputs): string | undefined {
  for (const [name, spec] of Object.entries(model.inputs)) {
    const [x0, values, eps, allowed] = [inputs[name]!, x[name]!, budget.eps[name], mask?.[name]];
    const why =
      eps === undefined
        ? values.some((v, i) => v !== x0[i])
          ? 'it is not attacked and was changed'
          : undefined
        : budgetViolation(
            spec,
            { norm: budget.norm[name]!, eps, ...(allowed === undefined ? {} : { mask: allowed }) },
            x0,
            values,
          );
    if (why !== undefined) return `the attack's example breaks its rules: input "${name}": ${why}`;
  }
  return undefined;
}
