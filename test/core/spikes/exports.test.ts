/** One export of every library and kind of neuron; test/slow/spiking-exports.test.ts takes all. */
import { describe, expect, it } from 'vitest';
import { expectComplete, files, opened, valuesOf } from './exported.ts';

const names = [
  'snn-leaky-subtract-torchscript17',
  'snn-leaky-zero-dynamo18',
  'snn-leaky-graded-torchscript17',
  'snn-synaptic-zero-torchscript17',
  'snn-conv-torchscript17',
  'norse-lif-cell-torchscript17',
  'norse-lif-box-subtract-dynamo18-dynamic',
  'sj14-lif-multi-torchscript17',
  'sj14-residual-torchscript17-dynamic',
  'sj2-plif-soft-multi-dynamo18',
];
const taken = names.map((name) => files.find(([file]) => file === name)!);

describe('the neurons of the Python model, all of them', () => {
  it.each([...taken, ...files.filter(([name]) => name === 'norse-lsnn-cell-dynamo18')])('%s', async (_name, row, file) => {
    await expectComplete(row, file);
  });
});

describe('the plain form', () => {
  it.each(taken)('%s: computes the same bits, under names that say layer, step and role', async (_name, row, file) => {
    const [plain, before] = [await opened(row, file), await opened(row, file, { none: true })];
    expect(before.spiking).toBeUndefined();
    expect(await valuesOf(plain.graph, row, [plain.output.name])).toEqual(await valuesOf(before.graph, row, [plain.output.name]));
    const comparisons = new Map(plain.graph.nodes.filter((n) => n.op.startsWith('Greater')).map((n) => [n.name, n]));
    for (const layer of plain.spiking!.layers) {
      for (const { node, step, role } of layer.spikes) {
        expect(node).toBe(`${layer.name}/step${step}/${role}`);
        const spike = plain.graph.nodes.find((n) => n.op === 'Cast' && n.inputs[0] === comparisons.get(node)?.outputs[0]);
        expect(spike).toBeDefined();
        comparisons.delete(node);
      }
      // all but the last step are read by the reset too
      if (layer.reset !== 'none')
        expect(layer.spikes.filter((s) => s.role === 'reset').map((s) => s.step)).toEqual(
          layer.outputs.slice(1).map((_, t) => t),
        );
    }
    expect([...comparisons.keys()]).toEqual([]);
  });
});
