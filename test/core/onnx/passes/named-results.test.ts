import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Attribute, Graph } from '../../../../src/core/onnx/graph.ts';
import { nameResults } from '../../../../src/core/onnx/passes/control-flow/named-results.ts';
import { prepare } from '../../../../src/core/onnx/passes/prepare.ts';
import { someNode } from '../../../../src/core/onnx/passes/rewrite.ts';
import { validate } from '../../../../src/core/onnx/validate.ts';
import { f32, numbersOf } from '../../../../src/core/tensor/tensor.ts';
import { execute } from './compare.ts';

/** Results left out anywhere but "y". */
type Results = readonly ('y' | '')[];

const body = (graph: Graph): Attribute => ({ type: 'graph', value: graph });

/** A body of two states, each turned over or doubled, and a scanned result: the first state, squared. */
function turn(isLoop: boolean): Graph {
  const g = graphBuilder({ name: 'turn' });
  if (isLoop) {
    g.input('i', [], 'int64');
    g.op('Identity', [g.input('go', [], 'bool')], {}, 'goes_on');
    g.output('goes_on', [], 'bool');
  }
  const [s, t] = [g.input('s', [2]), g.input('t', [2])];
  g.op('Neg', [s], {}, 'turned');
  g.op('Add', [t, isLoop ? t : g.input('e', [2])], {}, 'doubled');
  g.op('Mul', [s, s], {}, 'squared');
  for (const name of ['turned', 'doubled', 'squared']) g.output(name, [2]);
  return g.build();
}

function flow(op: 'If' | 'Loop' | 'Scan', outputs: Results): Graph {
  const g = graphBuilder();
  const x = g.input('x', [2]);
  const largest = g.op('ReduceMax', [x], { keepdims: 0 });
  const add = (inputs: string[], attributes: [string, Attribute][]): void =>
    g.add({ op, domain: '', name: op, inputs, outputs, attributes: new Map(attributes) });
  if (op === 'Loop') add([g.op('Cast', [largest], { to: 7 }), '', x, x], [['body', body(turn(true))]]);
  if (op === 'Scan') {
    const stack = g.op('Reshape', [g.op('Tile', [x, g.ints([3])]), g.ints([3, 2])]);
    add(
      [x, x, stack],
      [
        ['body', body(turn(false))],
        ['num_scan_inputs', { type: 'int', value: 1 }],
      ],
    );
  }
  if (op === 'If') {
    const branch = (name: string): Attribute => {
      const b = graphBuilder({ name });
      for (const [i, made] of ['Neg', 'Exp', 'Abs'].entries()) {
        b.op(made, [x], {}, `${name}_${i}`);
        b.output(`${name}_${i}`, [2]);
      }
      return body(b.build());
    };
    add(
      [g.op('Greater', [largest, g.number(0)])],
      [
        ['then_branch', branch('then')],
        ['else_branch', branch('other')],
      ],
    );
  }
  g.untypedOutput('y');
  return g.build();
}

describe('results left out', () => {
  // the runtime (1.30) ends the process over such a Loop, and refuses such an If or Scan
  it.each<['If' | 'Loop' | 'Scan', Results, number[]]>([
    ['Loop', ['', '', 'y'], [9, 4, 9, 4, 9, 4]],
    ['Loop', ['', 'y'], [24, -16]],
    ['Loop', ['y', ''], [-3, 2]],
    ['Loop', ['y'], [-3, 2]],
    ['Scan', ['', '', 'y'], [9, 4, 9, 4, 9, 4]],
    ['Scan', ['', 'y', ''], [12, -8]],
    ['If', ['', 'y'], [Math.exp(3), Math.exp(-2)]],
    ['If', ['y', '', ''], [-3, 2]],
  ])('%s %j', async (op, outputs, expected) => {
    const graph = flow(op, outputs);
    expect(validate(graph)).toEqual([]);
    const prepared = await prepare(graph, execute);
    expect(someNode(prepared, (n) => n.outputs.includes(''))).toBe(false);
    const { y } = await execute(prepared, { x: f32([3, -2], [2]) });
    for (const [i, v] of numbersOf(y!).entries()) expect(v).toBeCloseTo(expected[i]!, 5);
    expect(numbersOf(y!)).toHaveLength(expected.length);
  });

  it('a graph that names all of them stays the same', () => {
    const named = nameResults(flow('Loop', ['', 'y', '']));
    expect(nameResults(named)).toBe(named);
  });
});
