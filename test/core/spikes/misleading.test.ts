/** Nets that compare, mask, gate and binarise, and have no spiking neuron: none is found in any of them. */
import { describe, expect, it } from 'vitest';
import { i64 } from '../../../src/core/tensor/tensor.ts';
import { features, look, net, type Writer } from './look.ts';

type Write = (w: Writer) => string;

/** Every net with the number of comparisons in it that become numbers: what had to be turned down. */
const nets: [string, number, Write][] = [
  [
    'ReLU as Where(x > 0, x, 0)',
    0,
    ({ g, x, c, linear }) => g.op('Where', [g.op('Greater', [linear(x, 5, features), c(0)]), linear(x, 5, features), c(0)]),
  ],
  [
    'ReLU as x * (x > 0), one after the other with shortcuts',
    4,
    ({ g, x, c, fires }) => {
      let h = x;
      for (let i = 0; i < 4; i++) h = g.op('Add', [g.op('Mul', [h, fires(h, 'Greater', c(0))]), x]);
      return h;
    },
  ],
  [
    'ReLU as x * (x > 0), scaled and shifted, element by element',
    3,
    ({ g, x, c, fires }) => {
      let h = x;
      for (let i = 0; i < 3; i++) h = g.op('Sub', [g.op('Mul', [g.op('Mul', [h, fires(h, 'Greater', c(0))]), c(0.9)]), c(0.1)]);
      return h;
    },
  ],
  [
    'LeakyReLU as Where(x > 0, x, 0.1 x), three layers',
    0,
    ({ g, x, c, linear }) => {
      let h = x;
      for (let i = 0; i < 3; i++) {
        const y = linear(h, features, features);
        h = g.op('Where', [g.op('Greater', [y, c(0)]), y, g.op('Mul', [y, c(0.1)])]);
      }
      return h;
    },
  ],
  [
    'PReLU as m x + (1 - m) a x, element by element',
    3,
    ({ g, x, c, fires }) => {
      let h = x;
      for (let i = 0; i < 3; i++) {
        const m = fires(h, 'Greater', c(0));
        const kept = g.op('Mul', [m, h]);
        h = g.op('Add', [g.op('Add', [kept, g.op('Mul', [g.op('Mul', [g.op('Sub', [c(1), m]), h]), c(0.25)])]), x]);
      }
      return h;
    },
  ],
  [
    'a dropout mask drawn in the graph',
    0,
    ({ g, x, c, fires }) => g.op('Mul', [x, fires(g.op('RandomUniformLike', [x]), 'Greater', c(0.5))]),
  ],
  ['a Bernoulli draw with the probabilities x', 0, ({ g, x, fires }) => fires(g.op('RandomUniformLike', [x]), 'Less', x)],
  [
    'rate coding in the graph: x compared with random numbers at each of four steps',
    0,
    ({ g, x, linear, fires }) => {
      const steps = Array.from({ length: 4 }, () => linear(fires(x, 'Greater', g.op('RandomUniformLike', [x])), 4, features));
      return g.op('Sum', steps);
    },
  ],
  [
    'a causal mask of positions',
    0,
    ({ g, x, c }) => {
      const n = g.op('Cast', [g.op('Range', [c(0), c(features), c(1)])], { to: 1 });
      const allowed = g.op('GreaterOrEqual', [g.op('Unsqueeze', [n, g.ints([1])]), n]);
      const mask = g.op('Sub', [g.op('Cast', [allowed], { to: 1 }), c(1)]);
      return g.op('Softmax', [g.op('Add', [g.op('MatMul', [x, g.op('Mul', [mask, c(1e4)])]), x])], { axis: -1 });
    },
  ],
  [
    'a padding mask of integers',
    0,
    ({ g, x }) => {
      const ids = g.op('Cast', [x], { to: 7 });
      return g.op('Mul', [x, g.op('Cast', [g.op('Greater', [ids, g.constant(i64([0], []))])], { to: 1 })]);
    },
  ],
  [
    'a binary net with real shortcuts: x + f(x > 0), four blocks',
    4,
    ({ g, x, c, linear, fires }) => {
      let h = x;
      for (let i = 0; i < 4; i++) h = g.op('Add', [h, linear(fires(h, 'Greater', c(0)), features, features)]);
      return h;
    },
  ],
  [
    'a binary net: linear, x >= 0, linear, x >= 0',
    3,
    ({ x, c, linear, fires }) => {
      let h = x;
      for (let i = 0; i < 3; i++) h = fires(linear(h, features, features), 'GreaterOrEqual', c(0));
      return linear(h, 4, features);
    },
  ],
  [
    'a binary net of signs: relu(sign(x)) with shortcuts',
    0,
    ({ g, x, linear }) => {
      let h = x;
      for (let i = 0; i < 3; i++) h = g.op('Add', [h, linear(g.op('Relu', [g.op('Sign', [h])]), features, features)]);
      return h;
    },
  ],
  [
    'quantise and dequantise with a saturation count',
    2,
    ({ g, x, c, fires }) => {
      const q = g.op('Clip', [g.op('Round', [g.op('Div', [x, c(0.05)])]), c(-128), c(127)]);
      const saturated = g.op('Add', [fires(q, 'GreaterOrEqual', c(127)), fires(q, 'LessOrEqual', c(-128))]);
      return g.op('Add', [g.op('Mul', [q, c(0.05)]), g.op('Mul', [saturated, c(1e-3)])]);
    },
  ],
  [
    'a gate of the largest expert',
    1,
    ({ g, x, linear, fires }) => {
      const scores = linear(x, 5, features);
      return g.op('Mul', [scores, fires(scores, 'GreaterOrEqual', g.op('ReduceMax', [scores, g.ints([-1])]))]);
    },
  ],
  [
    'a floor in decibels, and how much of the signal is above it',
    1,
    ({ g, x, c, fires }) => {
      const db = g.op('Mul', [g.op('Log', [g.op('Add', [g.op('Mul', [x, x]), c(1e-6)])]), c(4.34)]);
      const floor = c(-20);
      const floored = g.op('Where', [g.op('Greater', [db, floor]), db, floor]);
      return g.op('Add', [floored, g.op('ReduceMean', [fires(floored, 'Greater', floor), g.ints([-1])])]);
    },
  ],
  [
    'boxes kept by their scores (suppression of neighbours unrolled)',
    4,
    ({ g, x, c, fires }) => {
      let scores = g.op('Sigmoid', [x]);
      let kept = scores;
      for (let i = 0; i < 4; i++) {
        const best = g.op('ReduceMax', [scores, g.ints([-1])]);
        const overlap = g.op('Exp', [g.op('Neg', [g.op('Abs', [g.op('Sub', [scores, best])])])]);
        scores = g.op('Mul', [scores, g.op('Sub', [c(1), fires(overlap, 'Greater', c(0.9))])]);
        kept = g.op('Add', [kept, scores]);
      }
      return kept;
    },
  ],
  [
    'a residual code: r - a (r > 0), four times',
    4,
    ({ g, x, c, fires }) => {
      let r = x;
      const bits: string[] = [];
      for (let i = 0; i < 4; i++) {
        bits.push(fires(r, 'Greater', c(0.5)));
        r = g.op('Sub', [r, g.op('Mul', [bits.at(-1)!, c(0.5)])]);
      }
      return g.op('Sum', bits);
    },
  ],
  [
    'successive approximation: one bit after the other',
    4,
    ({ g, x, c, fires }) => {
      let low = g.op('Mul', [x, c(0)]);
      for (let i = 1; i <= 4; i++) {
        const step = c(2 ** -i);
        const bit = fires(g.op('Sub', [g.op('Sub', [x, low]), step]), 'GreaterOrEqual', c(0));
        low = g.op('Add', [low, g.op('Mul', [bit, step])]);
      }
      return low;
    },
  ],
  [
    'a thermometer code: x above each of five thresholds',
    5,
    ({ g, x, c, fires }) =>
      g.op(
        'Sum',
        [0.1, 0.3, 0.5, 0.7, 0.9].map((t) => fires(x, 'Greater', c(t))),
      ),
  ],
  [
    'the same threshold on x before and after an affine map',
    2,
    ({ g, x, c, fires }) => {
      const y = g.op('Add', [g.op('Mul', [x, c(0.5)]), c(0.1)]);
      return g.op('Add', [fires(x, 'Greater', c(0.4)), fires(y, 'Greater', c(0.4))]);
    },
  ],
  [
    'a voice gate: the signal times (its running mean > 0.2), six steps',
    6,
    ({ g, x, c, fires }) => {
      const parts = g.ops('Split', [x], 6, { axis: 1, num_outputs: 6 });
      let mean = parts[0]!;
      const gated = parts.map((part, t) => {
        if (t > 0) mean = g.op('Add', [g.op('Mul', [mean, c(0.9)]), g.op('Mul', [part, c(0.1)])]);
        return g.op('Mul', [part, fires(mean, 'Greater', c(0.2))]);
      });
      return g.op('Concat', gated, { axis: 1 });
    },
  ],
  [
    'a running maximum that has passed a level, six steps',
    6,
    ({ g, x, c, fires }) => {
      const parts = g.ops('Split', [x], 6, { axis: 1, num_outputs: 6 });
      let peak = parts[0]!;
      const passed = parts.map((part, t) => {
        if (t > 0) peak = g.op('Max', [peak, part]);
        return fires(peak, 'Greater', c(0.9));
      });
      return g.op('Concat', passed, { axis: 1 });
    },
  ],
  [
    'a recurrent net with step gates',
    5,
    ({ g, x, c, linear, fires }) => {
      let h = linear(x, 5, features);
      for (let t = 0; t < 5; t++) {
        const gate = fires(linear(h, 5, 5), 'Greater', c(0));
        h = g.op('Add', [g.op('Mul', [gate, g.op('Tanh', [linear(h, 5, 5)])]), g.op('Mul', [g.op('Sub', [c(1), gate]), h])]);
      }
      return h;
    },
  ],
  [
    'iterative hard thresholding: z = h (h > t), h = z + W(y - z)',
    4,
    ({ g, x, c, linear, fires }) => {
      let z = x;
      for (let i = 0; i < 4; i++) {
        const h = g.op('Add', [z, linear(g.op('Sub', [x, z]), features, features)]);
        z = g.op('Mul', [h, fires(h, 'Greater', c(0.3))]);
      }
      return z;
    },
  ],
  [
    'a hard tanh of two comparisons, repeated',
    6,
    ({ g, x, c, fires }) => {
      let h = x;
      for (let i = 0; i < 3; i++) {
        const [high, low] = [fires(h, 'Greater', c(1)), fires(h, 'Less', c(-1))];
        const inside = g.op('Sub', [g.op('Sub', [c(1), high]), low]);
        h = g.op('Add', [g.op('Sub', [g.op('Add', [g.op('Mul', [h, inside]), high]), low]), x]);
      }
      return h;
    },
  ],
  [
    'sparsemax: the size of the support',
    1,
    ({ g, x, c, fires }) => {
      const sums = g.op('CumSum', [x, g.constant(i64([1], []))]);
      return g.op('ReduceSum', [fires(g.op('Add', [g.op('Mul', [x, c(3)]), c(1)]), 'Greater', sums), g.ints([-1])]);
    },
  ],
  [
    'ages counted over ordinal thresholds',
    1,
    ({ g, x, c, linear, fires }) =>
      g.op('ReduceSum', [fires(g.op('Sigmoid', [linear(x, 9, features)]), 'Greater', c(0.5)), g.ints([-1])]),
  ],
  [
    'zero crossings',
    2,
    ({ g, x, c, fires }) => g.op('Abs', [g.op('Sub', [fires(x, 'Greater', c(0)), fires(g.op('Neg', [x]), 'Greater', c(0))])]),
  ],
];

describe('no spiking neuron is found in', () => {
  it.each(nets)('%s', async (_name, candidates, write) => {
    const seen = await look(net(write));
    expect(seen.found?.spiking).toBeUndefined();
    expect(seen.candidates).toBe(candidates);
  });

  it('is said of more than twenty nets, most of which have comparisons to mislead', () => {
    expect(nets.length).toBeGreaterThan(20);
    expect(nets.filter(([, candidates]) => candidates > 0).length).toBeGreaterThan(20);
  });
});
