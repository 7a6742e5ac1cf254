/** Neurons written by hand: every way to write a spike, a reset and a current is told apart, and what is stated wins. */
import { describe, expect, it } from 'vitest';
import { f32 } from '../../../src/core/tensor/tensor.ts';
import { features, look, net, outputOf, type Writer } from './look.ts';

interface Neuron {
  /** From potential and threshold to the spike. */
  readonly spike?: (w: Writer, v: string) => string;
  /** From potential and spike to what is remembered. */
  readonly reset?: (w: Writer, v: string, s: string) => string;
  readonly steps?: number;
  readonly leak?: number;
}

const hard = ({ g, c }: Writer, v: string, s: string): string => g.op('Mul', [v, g.op('Sub', [c(1), s])]);
const soft = ({ g }: Writer, v: string, s: string): string => g.op('Sub', [v, s]);

/** Linear, neurons, linear, the mean over the steps; the potential of the first step is the current itself. */
const lif =
  ({ spike = ({ fires, c }, v) => fires(v, 'GreaterOrEqual', c(1)), reset = hard, steps = 4, leak = 0.5 }: Neuron = {}) =>
  (w: Writer): string => {
    const current = w.linear(w.x, 5, features);
    let kept: string | undefined;
    const spikes: string[] = [];
    for (let t = 0; t < steps; t++) {
      const v = kept === undefined ? current : w.g.op('Add', [leak === 1 ? kept : w.g.op('Mul', [kept, w.c(leak)]), current]);
      spikes.push(spike(w, v));
      kept = reset(w, v, spikes.at(-1)!);
    }
    return w.linear(steps === 1 ? spikes[0]! : w.g.op('Sum', spikes), 3, 5);
  };

const found = async (write: (w: Writer) => string, stated?: Parameters<typeof look>[1]) => {
  const seen = await look(net(write), stated);
  expect(seen.found).toBeDefined();
  const { graph, spiking } = seen.found!;
  expect(await outputOf(graph)).toEqual(await outputOf(seen.prepared));
  return { graph, layers: spiking.layers, layer: spiking.layers[0]!, said: spiking.said };
};

describe('resets', () => {
  it.each([
    ['hard: v (1 - s)', hard, 'hard'],
    ['hard: v - s v', ({ g }: Writer, v: string, s: string) => g.op('Sub', [v, g.op('Mul', [s, v])]), 'hard'],
    [
      'hard, to 0.2',
      ({ g, c }: Writer, v: string, s: string) =>
        g.op('Add', [g.op('Mul', [v, g.op('Sub', [c(1), s])]), g.op('Mul', [s, c(0.2)])]),
      'hard',
    ],
    [
      'hard, chosen by the comparison',
      ({ g, c }: Writer, v: string) => g.op('Where', [g.op('GreaterOrEqual', [v, c(1)]), c(0), v]),
      'hard',
    ],
    ['soft: v - s', soft, 'soft'],
    ['soft: v - 0.7 s', ({ g, c }: Writer, v: string, s: string) => g.op('Sub', [v, g.op('Mul', [s, c(0.7)])]), 'soft'],
    ['soft: -s + v', ({ g }: Writer, v: string, s: string) => g.op('Add', [g.op('Neg', [s]), v]), 'soft'],
    ['none', (_: Writer, v: string) => v, 'none'],
    [
      'half of v is left',
      ({ g, c }: Writer, v: string, s: string) => g.op('Mul', [v, g.op('Sub', [c(1), g.op('Mul', [s, c(0.5)])])]),
      'unknown',
    ],
  ] as const)('%s', async (_name, reset, kind) => {
    for (const leak of [0.5, 1]) {
      const { layers, layer } = await found(lif({ reset, leak }));
      expect(layers.length).toBe(1);
      expect([layer.steps, layer.reset, layer.threshold, layer.strict]).toEqual([4, kind, 1, false]);
      expect(new Set(layer.currents)).toEqual(new Set([layer.currents![0]]));
    }
  });

  it.each([hard, soft])('two steps of one current, which is the first potential too', async (reset) => {
    for (const leak of [0.5, 1]) {
      const { layer } = await found(lif({ reset, leak, steps: 2 }));
      expect([layer.steps, layer.reset]).toEqual([2, reset === hard ? 'hard' : 'soft']);
      expect(layer.currents![1]).toBe(layer.currents![0]);
    }
  });
});

describe('spikes', () => {
  const ones = (w: Writer): string => w.g.constant(f32(new Float32Array(5).fill(1), [1, 5]));
  const zeros = (w: Writer): string => w.g.constant(f32(new Float32Array(5), [1, 5]));
  it.each([
    ['v > 1', (w: Writer, v: string) => w.fires(v, 'Greater', w.c(1)), true],
    ['1 < v', (w: Writer, v: string) => w.fires(w.c(1), 'Less', v), true],
    ['v - 1 >= 0', (w: Writer, v: string) => w.fires(w.g.op('Sub', [v, w.c(1)]), 'GreaterOrEqual', w.c(0)), false],
    ['v + (-1) > 0', (w: Writer, v: string) => w.fires(w.g.op('Add', [v, w.c(-1)]), 'Greater', w.c(0)), true],
    ['Where(v > 1, 1, 0)', (w: Writer, v: string) => w.g.op('Where', [w.g.op('Greater', [v, w.c(1)]), ones(w), zeros(w)]), true],
    ['Where(v < 1, 0, 1)', (w: Writer, v: string) => w.g.op('Where', [w.g.op('Less', [v, w.c(1)]), zeros(w), ones(w)]), false],
    ['not (v < 1)', (w: Writer, v: string) => w.g.op('Cast', [w.g.op('Not', [w.g.op('Less', [v, w.c(1)])])], { to: 1 }), false],
    [
      'not (v < 1), by way of another Cast',
      (w: Writer, v: string) =>
        w.g.op('Cast', [w.g.op('Not', [w.g.op('Cast', [w.g.op('Less', [v, w.c(1)])], { to: 9 })])], { to: 1 }),
      false,
    ],
    [
      'heaviside of v - 1 as dynamo writes it',
      (w: Writer, v: string) => {
        const u = w.g.op('Sub', [v, w.c(1)]);
        const inner = w.g.op('Where', [w.g.op('Less', [u, w.c(0)]), w.c(0), w.c(1)]);
        return w.g.op('Where', [w.g.op('Equal', [u, w.c(0)]), w.c(1), inner]);
      },
      false,
    ],
    [
      'hard + soft - soft',
      (w: Writer, v: string) => {
        const smooth = w.g.op('Sigmoid', [w.g.op('Sub', [v, w.c(1)])]);
        return w.g.op('Sub', [w.g.op('Add', [w.fires(v, 'Greater', w.c(1)), smooth]), smooth]);
      },
      true,
    ],
    ['a spike of height 2', (w: Writer, v: string) => w.g.op('Mul', [w.fires(v, 'Greater', w.c(1)), w.c(2)]), true],
  ] as const)('%s', async (name, spike, strict) => {
    const reset = name.endsWith('height 2')
      ? ({ g, c }: Writer, v: string, s: string) => g.op('Sub', [v, g.op('Mul', [s, c(0.5)])])
      : soft;
    const { graph, layers, layer } = await found(lif({ spike, reset }));
    expect(layers.length).toBe(1);
    expect([layer.steps, layer.reset, layer.threshold, layer.strict]).toEqual([4, 'soft', 1, strict]);
    expect(layer.spikes.map((s) => `${s.step} ${s.role}`)).toEqual([
      '0 output',
      '0 reset',
      '1 output',
      '1 reset',
      '2 output',
      '2 reset',
      '3 output',
    ]);
    expect(graph.nodes.filter((n) => /^(Greater|Less)/.test(n.op)).map((n) => n.name)).toEqual(layer.spikes.map((s) => s.node));
  });

  it.each([
    ['sign', (w: Writer, u: string) => w.g.op('Div', [w.g.op('Add', [w.g.op('Sign', [u]), w.c(1)]), w.c(2)]), true],
    ['relu-sign', (w: Writer, u: string) => w.g.op('Relu', [w.g.op('Sign', [u])]), true],
    ['floor', (w: Writer, u: string) => w.g.op('Clip', [w.g.op('Floor', [w.g.op('Add', [u, w.c(1)])]), w.c(0), w.c(1)]), false],
  ] as const)('%s, when it is asked for', async (idiom, write, strict) => {
    const neuron = lif({ spike: (w, v) => write(w, w.g.op('Sub', [v, w.c(0.8)])), reset: soft });
    expect((await look(net(neuron))).found).toBeUndefined();
    const { layer } = await found(neuron, { idioms: [idiom] });
    expect([layer.steps, layer.reset, layer.strict]).toEqual([4, 'soft', strict]);
  });
});

describe('layers', () => {
  it('keep apart where the potential of one is a sum with that of the one before', async () => {
    const { layers } = await found((w) => {
      const kept: (string | undefined)[] = [undefined, undefined];
      const spikes: string[] = [];
      const image = w.linear(w.x, 5, features);
      for (let t = 0; t < 3; t++) {
        let flow = image;
        for (const l of [0, 1]) {
          const before = kept[l];
          const v = before === undefined ? flow : w.g.op('Add', [w.g.op('Mul', [before, w.c(0.5)]), flow]);
          const s = w.fires(v, 'Greater', w.c(0.5));
          kept[l] = hard(w, v, s);
          flow = w.g.op('Add', [flow, w.linear(s, 5, 5)]);
        }
        spikes.push(flow);
      }
      return w.g.op('Sum', spikes);
    });
    expect(layers.map((l) => [l.name, l.steps, l.reset])).toEqual([
      ['lif1', 3, 'hard'],
      ['lif2', 3, 'hard'],
    ]);
  });

  it('of two thresholds on one potential are two', async () => {
    const { layers } = await found((w) => {
      const current = w.linear(w.x, 5, features);
      let kept = current;
      const spikes: string[] = [];
      for (let t = 0; t < 3; t++) {
        const v = t === 0 ? current : w.g.op('Add', [kept, current]);
        const [up, far] = [w.fires(v, 'Greater', w.c(0.5)), w.fires(v, 'Greater', w.c(1.5))];
        kept = w.g.op('Sub', [w.g.op('Sub', [v, up]), far]);
        spikes.push(up, far);
      }
      return w.g.op('Sum', spikes);
    });
    expect(layers.map((l) => [l.threshold, l.steps, l.reset])).toEqual([
      [0.5, 3, 'soft'],
      [1.5, 3, 'soft'],
    ]);
  });

  it('know batch, channel and space', async () => {
    const write = (w: Writer): string => {
      let kept: string | undefined;
      const spikes: string[] = [];
      for (let t = 0; t < 2; t++) {
        const current = w.conv(w.x);
        const v: string = kept === undefined ? current : w.g.op('Add', [kept, current]);
        spikes.push(w.fires(v, 'Greater', w.c(0.3)));
        kept = soft(w, v, spikes.at(-1)!);
      }
      return w.g.op('Sum', spikes);
    };
    const [layer] = (await look(net(write, [3, 4, 4]))).found!.spiking.layers;
    expect([layer!.axes, layer!.space]).toEqual([{ batch: 0, channel: 1 }, 16]);
  });

  it('say what their current is multiplied by', async () => {
    const { layer } = await found((w) => {
      const current = w.linear(w.x, 5, features);
      let v = w.g.op('Div', [current, w.c(4)]);
      const spikes: string[] = [];
      for (let t = 0; t < 3; t++) {
        spikes.push(w.fires(v, 'GreaterOrEqual', w.c(0.3)));
        const kept = hard(w, v, spikes.at(-1)!);
        v = w.g.op('Add', [kept, w.g.op('Div', [w.g.op('Sub', [current, kept]), w.c(4)])]);
      }
      return w.g.op('Sum', spikes);
    });
    expect(layer.gains).toEqual([1, 0.25, 0.25]);
    expect(layer.reset).toBe('hard');
  });
});

describe('what is stated wins', () => {
  const once = lif({ steps: 1 });

  it('one step is a layer only where somebody says so', async () => {
    expect((await look(net(once))).found).toBeUndefined();
    const { layer } = await found(once, { layers: 'all' });
    expect([layer.steps, layer.reset, layer.spikes.length]).toEqual([1, 'none', 1]);
  });

  it('names of comparisons, flat or layer by layer', async () => {
    const graph = (await look(net(lif()))).prepared;
    const names = graph.nodes.filter((n) => n.op === 'GreaterOrEqual').map((n) => n.name);
    for (const layers of [names, [names]] as const) {
      const { layer } = await found(lif(), { layers });
      expect([layer.steps, layer.reset]).toEqual([4, 'hard']);
    }
    const { layers } = await found(lif(), { layers: [names.slice(0, 2), names.slice(2)] });
    expect(layers.map((l) => l.steps)).toEqual([2, 2]);
  });

  it('a name that is no comparison is refused', async () => {
    await expect(look(net(lif()), { layers: ['Sum_0'] })).rejects.toThrow(/"Sum_0" is no comparison of floats/);
  });

  it('none is none', async () => {
    expect((await look(net(lif()), { none: true })).found).toBeUndefined();
  });
});
