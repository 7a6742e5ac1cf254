import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { backward } from '../../../src/core/autodiff/gradient.ts';
import { type RuledOp, rules } from '../../../src/core/autodiff/rules/index.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { stream } from '../../../src/core/tensor/random.ts';
import { numbersOf } from '../../../src/core/tensor/tensor.ts';
import { interpret } from '../../oracles/interpreter/index.ts';
import { type F64, fromTensor } from '../../oracles/interpreter/types.ts';
import { directionalDisagreement, disagreement, exactDisagreement } from './agreement.ts';
import { type Case, feedsOfCase, gradientsOf, graphOf, inputName, outputName, recordedCases } from './cases.ts';

const runtime = createRuntime(ort);
const families = recordedCases();

/** The same point in float64, cotangents rounded as they are fed. */
function claimOf(c: Case, gradients: Readonly<Record<string, ArrayLike<number>>>) {
  const feeds: Record<string, F64> = {};
  for (const [name, value] of Object.entries(feedsOfCase(c, false))) feeds[name] = fromTensor(value);
  const cotangents: Record<string, number[]> = {};
  for (const [i, cotangent] of c.cotangents.entries())
    if (cotangent !== null) cotangents[outputName(i)] = cotangent.data.map(Math.fround);
  return { graph: graphOf(c), feeds, cotangents, gradients };
}

for (const [family, cases] of families) {
  describe(`derivative rules: ${family}`, () => {
    it.each(cases.map((c) => [c.name, c] as const))('%s', async (_name, c) => {
      const claim = claimOf(c, {});
      const forward = await runtime.execute(claim.graph, feedsOfCase(c, false));
      const reference = interpret(claim.graph, claim.feeds);
      for (const [i, output] of c.outputs.entries()) {
        if (output === null) continue;
        expect(forward[outputName(i)]!.dims, `shape of output ${i}`).toEqual(output.dims);
        expect(
          disagreement(numbersOf(forward[outputName(i)]!), output.data),
          `output ${i}: onnxruntime against PyTorch`,
        ).toBeUndefined();
        expect(
          exactDisagreement(reference.get(outputName(i))!.data, output.data),
          `output ${i}: interpreter against PyTorch`,
        ).toBeUndefined();
      }
      const tensors = await gradientsOf(runtime, c);
      const gradients = Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, numbersOf(t)]));
      for (const i of c.wrt) {
        expect(tensors[inputName(i)]!.dims, `shape of gradient ${i}`).toEqual(c.grads[i]!.dims);
        const why = disagreement(gradients[inputName(i)]!, c.grads[i]!.data, c.float32Error[i]);
        expect(why, `gradient of input ${i} against PyTorch`).toBeUndefined();
      }
      if (c.kink || c.wrt.length === 0) return;
      const why = directionalDisagreement({ ...claim, gradients }, stream('rules', c.name));
      expect(why, 'gradient against finite differences').toBeUndefined();
    });
  });
}

describe('the comparisons notice a planted defect', () => {
  const tanh = families.flatMap(([, cases]) => cases).find((c) => c.op === 'Tanh')!;
  const truth = tanh.grads[0]!.data;
  const offByOnePercent = truth.map((g) => g * 1.01);
  const oneElementOff = truth.map((g, i) => (i === 3 ? g + 1e-4 * Math.max(...truth.map(Math.abs)) : g));

  it('accepts the truth', () => {
    expect(disagreement(truth, truth)).toBeUndefined();
    expect(directionalDisagreement(claimOf(tanh, { x0: truth }), stream('planted'))).toBeUndefined();
  });
  it('rejects a gradient that is 1 % too large, one wrong element, and not-a-number', () => {
    expect(disagreement(offByOnePercent, truth)).toMatch(/^relative L2 0\.010000/);
    expect(disagreement(oneElementOff, truth)).toMatch(/^relative L2 /);
    expect(
      disagreement(
        truth.map((g, i) => (i === 0 ? Number.NaN : g)),
        truth,
      ),
    ).toMatch(/^relative L2 NaN/);
    expect(
      exactDisagreement(
        truth.map((g) => g * (1 + 1e-9)),
        truth,
      ),
    ).toMatch(/^largest difference /);
  });
  it('rejects it by finite differences too', () => {
    expect(directionalDisagreement(claimOf(tanh, { x0: offByOnePercent }), stream('planted'))).toMatch(
      /^directional derivative /,
    );
  });
});

describe('the table of rules', () => {
  const ops = Object.keys(rules) as RuledOp[];

  it('has a recorded case for every op with a derivative', () => {
    const recorded = new Set(families.flatMap(([, cases]) => cases.map((c) => c.op)));
    // operations with bodies are no single nodes: control-flow.test.ts
    const single = ops.filter((op) => typeof rules[op] !== 'string' && !['If', 'Loop', 'Scan'].includes(op));
    expect(single.filter((op) => !recorded.has(op))).toEqual([]);
  });

  it.each(ops.filter((op) => typeof rules[op] === 'string'))('%s ends the gradient, and says so where it cuts', (op) => {
    const g = graphBuilder();
    g.input('x', [2]);
    g.op(op, ['x'], {}, 'y');
    g.output('y', [2]);
    const known = { dtype: 'float32', dims: [2] } as const;
    const shapes = new Map([
      ['x', known],
      ['y', known],
    ]);
    const made = backward({ graph: g.build(), standIn: new Map() }, shapes, { of: ['y'], wrt: ['x'] });
    expect(made.cuts).toEqual(rules[op] === 'cuts' ? [{ node: 'y', op }] : []);
    expect(made.graph.nodes.map((n) => n.op)).toEqual([op, 'ConstantOfShape']);
  });
});
