import { describe, expect, it } from 'vitest';
import { graphBuilder } from '../../../../src/core/onnx/builder.ts';
import type { Graph } from '../../../../src/core/onnx/graph.ts';
import { plainRecurrent } from '../../../../src/core/onnx/passes/plain-recurrent.ts';
import { prepare } from '../../../../src/core/onnx/passes/prepare.ts';
import { f32, numbersOf, type Tensor } from '../../../../src/core/tensor/tensor.ts';
import { execute, normal, opsOf, throughFile } from './compare.ts';

const [time, batch, inputs, hidden] = [4, 3, 2, 5];
const gates = { LSTM: 4, GRU: 3, RNN: 1 } as const;

/** A bidirectional net with initial states, batch first (layout 1) or time first. */
function net(op: keyof typeof gates, layout: 0 | 1): Graph {
  const g = graphBuilder();
  const states = op === 'LSTM' ? ['h', 'c'] : ['h'];
  const weights = [
    normal([2, gates[op] * hidden, inputs], 'w'),
    normal([2, gates[op] * hidden, hidden], 'r'),
    normal([2, 2 * gates[op] * hidden], 'b'),
  ].map((w) => g.constant(w));
  const x = g.input('x', layout === 1 ? ['N', time, inputs] : [time, 'N', inputs]);
  const initial = states.map((s) => g.input(s, layout === 1 ? ['N', 2, hidden] : [2, 'N', hidden]));
  const outputs = ['y', 'y_h', ...(op === 'LSTM' ? ['y_c'] : [])];
  g.ops(op, [x, ...weights, '', ...initial], outputs, {
    hidden_size: hidden,
    direction: 'bidirectional',
    ...(layout === 1 ? { layout } : {}),
  });
  for (const name of outputs) g.untypedOutput(name);
  return g.build();
}

/** The tensor with its axes permuted. */
function transpose(t: Tensor, perm: readonly number[]): Tensor<'float32'> {
  const strides = t.dims.map((_, axis) => t.dims.slice(axis + 1).reduce((a, b) => a * b, 1));
  const dims = perm.map((axis) => t.dims[axis]!);
  const from = numbersOf(t);
  const data = from.map((_, flat) => {
    let [rest, source] = [flat, 0];
    for (let i = dims.length - 1; i >= 0; i--) {
      source += (rest % dims[i]!) * strides[perm[i]!]!;
      rest = Math.floor(rest / dims[i]!);
    }
    return from[source]!;
  });
  return f32(data, dims);
}

describe('plainRecurrent', () => {
  it.each(['LSTM', 'GRU', 'RNN'] as const)('%s with the batch first computes what it does with the time first', async (op) => {
    const feeds = { x: normal([time, batch, inputs], 'x'), h: normal([2, batch, hidden], 'h') };
    const all = op === 'LSTM' ? { ...feeds, c: normal([2, batch, hidden], 'c') } : feeds;
    const expected = await execute(net(op, 0), all);
    const swapped = Object.fromEntries(Object.entries(all).map(([name, t]) => [name, transpose(t, [1, 0, 2])]));
    const found = await execute(await prepare(throughFile(net(op, 1)), execute), swapped);
    expect(found.y).toEqual(transpose(expected.y!, [2, 0, 1, 3]));
    expect(found.y_h).toEqual(transpose(expected.y_h!, [1, 0, 2]));
    if (op === 'LSTM') expect(found.y_c).toEqual(transpose(expected.y_c!, [1, 0, 2]));
  });

  it('calls no new node like one the file has', async () => {
    const graph = net('GRU', 1);
    const g = graphBuilder({ from: graph });
    g.output(g.op('Neg', ['y_h'], {}, 'negative'), ['N', 2, hidden]);
    const built = g.build();
    const named = { ...built, nodes: built.nodes.map((n) => (n.op === 'Neg' ? { ...n, name: 'Transpose_0' } : n)) };
    const plain = throughFile(await prepare(named, execute));
    const feeds = { x: normal([batch, time, inputs], 'x'), h: normal([batch, 2, hidden], 'h') };
    const results = await execute(plain, feeds);
    expect(numbersOf(results.negative!)).toEqual(numbersOf(results.y_h!).map((v) => -v));
  });

  it('names the states of all moments where the model reads only the last, and leaves everything else alone', () => {
    const g = graphBuilder();
    const weights = [normal([1, hidden, inputs], 'w'), normal([1, hidden, hidden], 'r')].map((w) => g.constant(w));
    g.ops('RNN', [g.input('x', [time, 'N', inputs]), ...weights], ['', 'last'], { hidden_size: hidden });
    g.untypedOutput('last');
    const named = plainRecurrent(g.build());
    expect(named.nodes[0]!.outputs[0]).not.toBe('');
    expect(named.nodes[0]!.outputs[1]).toBe('last');
    expect(plainRecurrent(named)).toBe(named);
    expect(opsOf(plainRecurrent(net('GRU', 0)))).toEqual(['GRU']);
  });
});
