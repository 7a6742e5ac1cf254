import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { attributes, graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { f32 } from '../../../src/core/tensor/tensor.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';

const runtime = createRuntime(ort, { threads: 1 });

/** scores = 2 x, and the names scikit-learn gives: an output "label" that holds text. */
function labelling() {
  const g = graphBuilder({ name: 'labelling', irVersion: 8 });
  const x = g.input('x', ['N', 3]);
  g.op('Mul', [x, g.number(2)], {}, 'scores');
  const texts = { dtype: 'string' as const, dims: [3], data: ['a', 'b', 'c'] };
  const at = g.op('ArgMax', ['scores'], { axis: 1, keepdims: 0 });
  g.add({
    op: 'Gather',
    domain: '',
    name: 'label',
    inputs: [g.constant(texts), at],
    outputs: ['label'],
    attributes: attributes({ axis: 0 }),
  });
  g.output('label', ['N'], 'string');
  g.output('scores', ['N', 3]);
  return g.build();
}

it('takes the gradient of a model that has an output named as the loss names its inputs, and does not need that output', async () => {
  const model = await openModel(labelling(), {
    name: 'labelling',
    sha256: '',
    execute: runtime.execute,
    manifest: { output: { name: 'scores', kind: 'logits' } },
  });
  const sessions = openSessions(model, runtime);
  const inputs = { x: f32([0.5, 0, -0.5], [3]).data as Float32Array };
  const { gradient } = await createOracle(sessions, { maxBatch: 4 }).gradient([{ of: 0, inputs }], [{ label: 1, ce: 1 }]);
  const exps = [Math.exp(1), 1, Math.exp(-1)];
  const total = exps.reduce((a, b) => a + b);
  const expected = exps.map((e, c) => 2 * (e / total - (c === 1 ? 1 : 0)));
  for (const [c, value] of expected.entries()) expect(gradient[0]!.x![c]).toBeCloseTo(value, 5);
  await sessions.release();
});
