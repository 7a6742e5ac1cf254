/** @file A model of two streams with budgets of their own, and data for it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { tensor } from '../../../src/core/tensor/tensor.ts';
import { weights } from './models.ts';

/** Linear in the colours of 4 frames of 6 values (8 bits) and the joints of 4 frames of 3 numbers (no bounds); three classes. With `dropout` the colours are dropped at random. */
function twoStreams(dropout: number): Uint8Array {
  const manifest = {
    classes: ['walk', 'wave', 'fall'],
    inputs: {
      rgb: { layout: 'NTC', modality: 'features', unit: 'colour', bounds: [0, 1], storage: 'uint8' },
      skeleton: { layout: 'NTC', modality: 'skeleton', unit: 'metre', bounds: 'unbounded', storage: 'float32' },
    },
  };
  const g = graphBuilder({ name: 'streams', metadata: new Map([['provoke', JSON.stringify(manifest)]]) });
  const [rgb, skeleton] = (['rgb', 'skeleton'] as const).map((name) => {
    const channels = { rgb: 6, skeleton: 3 }[name];
    const x = g.input(name, ['N', 4, channels]);
    const flat = g.op('Flatten', [x], { axis: 1 });
    const seen =
      dropout === 0 || name === 'skeleton'
        ? flat
        : g.op('Dropout', [flat, g.number(dropout), g.constant(tensor('bool', [], Uint8Array.of(1)))]);
    return g.op('MatMul', [seen, g.constant(weights(name, [4 * channels, 3]))]);
  });
  g.op('Add', [rgb!, skeleton!], {}, 'scores');
  g.output('scores', ['N', 3]);
  return writeModel({ ...g.build(), opsets: new Map([['', 18]]) });
}

const data = `const draw = (i, size, make) => ({ kind: 'array', shape: [4, size / 4], data: Float32Array.from({ length: size }, (_, k) => make(Math.sin(12.9898 * (i + 1) * (k + 1)))) });
export default async () => ({
  name: 'drawn', labels: [], labelsAre: 'none', count: 20, sha256: 'drawn',
  item: async (i) => ({ id: 'clip ' + String(i).padStart(2, '0'), group: 'g', inputs: {
    rgb: draw(i, 24, (v) => Math.round(127.5 + 100 * v) / 255),
    skeleton: draw(i, 12, (v) => v),
  } }),
});
`;

/** Writes model (of a `dropout` that is never off), data and x.yaml with `lines` for threat and attacks. */
export async function writeStreams(folder: string, lines: readonly string[], { dropout = 0 } = {}): Promise<void> {
  await writeFile(join(folder, 'streams.onnx'), twoStreams(dropout));
  await writeFile(join(folder, 'data.mjs'), data);
  await writeFile(
    join(folder, 'x.yaml'),
    ['model: { path: streams.onnx }', 'data: { use: ./data.mjs }', ...lines, ''].join('\n'),
  );
}
