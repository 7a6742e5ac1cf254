/** @file Errors of our gradients against the numbers recorded from PyTorch, operator by operator. */
import { readFileSync } from 'node:fs';
import type { Runtime } from '../../../src/core/runtime/runtime.ts';
import { numbersOf } from '../../../src/core/tensor/tensor.ts';
import { relativeL2 } from '../../core/autodiff/agreement.ts';
import { gradientsOf, inputName, recordedCases } from '../../core/autodiff/cases.ts';

/** The largest relative L2 error of each operator with recorded cases. */
export async function recordedErrors(runtime: Runtime): Promise<Map<string, number>> {
  const worst = new Map<string, number>();
  for (const c of recordedCases().flatMap(([, cases]) => cases)) {
    const gradients = await gradientsOf(runtime, c);
    const errors = c.wrt.map((i) => {
      const truth = c.grads[i]!.data;
      // the error of a gradient that is 0 has no size to be compared with: the unit test holds it to 1e-6
      return truth.every((v) => v === 0) ? 0 : relativeL2(numbersOf(gradients[inputName(i)]!), truth);
    });
    worst.set(c.op, Math.max(worst.get(c.op) ?? 0, ...errors));
  }
  return worst;
}

/** The PyTorch the cases were recorded with. */
export function torchVersion(): string {
  const file = new URL('../../fixtures/rules/arithmetic.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { versions: { torch: string } }).versions.torch;
}
