import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isRuled, rules } from '../../../src/core/autodiff/rules/index.ts';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { upgrade } from '../../../src/core/onnx/passes/upgrade.ts';
import { i64 } from '../../../src/core/tensor/tensor.ts';

interface Listed {
  readonly onnx: string;
  readonly opset: number;
  readonly ops: number;
  readonly tagged: readonly string[];
}

const listed = JSON.parse(
  readFileSync(new URL('../../fixtures/onnx/differentiable-ops.json', import.meta.url), 'utf8'),
) as Listed;

describe('the ops ONNX 1.12 tags as differentiable', () => {
  it('are 110 of 178, Scatter among them', () => {
    expect([listed.opset, listed.ops, listed.tagged.length]).toEqual([17, 178, 110]);
    expect(listed.tagged).toContain('Scatter');
  });

  it('all have a derivative rule once the graph is prepared', () => {
    // Scatter left the standard in opset 11 and is rewritten
    expect(listed.tagged.filter((op) => !isRuled(op))).toEqual(['Scatter']);
    const g = graphBuilder({ opset: 10 });
    g.op('Scatter', [g.input('x', [3]), g.constant(i64([1])), g.input('u', [1])], { axis: 0 }, 'y');
    g.output('y', [3]);
    expect(upgrade(g.build()).nodes.map((n) => n.op)).toEqual(['ScatterElements']);
  });

  it('have a rule that cuts only where the derivative is zero or the type decides', () => {
    expect(listed.tagged.filter((op) => isRuled(op) && typeof rules[op] === 'string')).toEqual(['Hardmax']);
  });
});
