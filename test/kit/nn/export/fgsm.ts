/** One attack on a model as it was opened: FGSM in linf on a few drawn samples. */
import type { Runtime } from '../../../../src/core/runtime/runtime.ts';
import { stream } from '../../../../src/core/tensor/random.ts';
import { crossEntropy } from '../../../../src/kit/losses/loss.ts';
import { drawn } from '../../../../src/kit/model/find-coupling.ts';
import { createOracle } from '../../../../src/kit/model/make-oracle.ts';
import { attackedInputs, type Model } from '../../../../src/kit/model/model.ts';
import { argmax } from '../../../../src/kit/model/oracle.ts';
import { openSessions, type SessionOptions } from '../../../../src/kit/model/sessions.ts';
import type { Status } from '../../../../src/kit/record/outcome.ts';
import { lpThreat } from '../../../../src/kit/threat/lp.ts';
import { fgsm } from '../../../../src/methods/attacks/fgsm.ts';

/** Statuses of the attack, and the mean cross-entropy of the clean predictions before and after one step of eps along the gradient's sign. */
export async function fgsmOn(
  model: Model,
  runtime: Runtime,
  eps: number,
  options: SessionOptions = {},
): Promise<{ before: number; after: number; statuses: Set<Status> }> {
  const count = 6;
  const sessions = openSessions(model, runtime, options);
  const oracle = createOracle(sessions, { maxBatch: 4 });
  const batch = Array.from({ length: count }, (_, i) => ({ id: `${i}`, group: `${i}`, inputs: drawn(model, `fgsm ${i}`) }));
  const ask = (inputs: readonly (typeof batch)[number]['inputs'][]) =>
    oracle.logits(inputs.map((given, of) => ({ of, inputs: given })));
  const clean = await ask(batch.map((s) => s.inputs));
  const labels = clean.map(argmax);
  const outcomes = await fgsm.run(
    {
      oracle,
      batch,
      goals: labels.map((label) => ({ kind: 'untargeted', label })),
      threats: batch.map(() =>
        Object.fromEntries(attackedInputs(model).map((name) => [name, lpThreat(model.inputs[name]!, { norm: 'linf', eps })])),
      ),
      random: (sample, restart) => stream(sample, restart),
      signal: new AbortController().signal,
      progress: () => {},
    },
    fgsm.defaults,
  );
  const { gradient } = await oracle.gradient(
    batch.map((s, of) => ({ of, inputs: s.inputs })),
    labels.map((label) => crossEntropy({ kind: 'untargeted', label })),
  );
  const changed = await ask(
    batch.map(({ inputs }, i) =>
      Object.fromEntries(
        Object.entries(inputs).map(([name, x]) => [name, x.map((v, k) => v + eps * Math.sign(gradient[i]![name]![k]!))]),
      ),
    ),
  );
  await sessions.release();
  const mean = (logits: readonly Float32Array[]): number =>
    logits.reduce((sum, z, i) => sum + Math.log(z.reduce((s, v) => s + Math.exp(v), 0)) - z[labels[i]!]!, 0) / count;
  return { before: mean(clean), after: mean(changed), statuses: new Set(outcomes.map((o) => o.status)) };
}
