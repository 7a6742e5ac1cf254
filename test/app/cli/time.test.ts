/** `provoke inspect` says whether probes that begin alike can share passes, and why not. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { graphBuilder } from '../../../src/core/onnx/builder.ts';
import { writeModel } from '../../../src/core/onnx/writer.ts';
import { frame, spikingNet } from '../../core/onnx/passes/time/nets.ts';
import { weights } from './models.ts';
import { inFolder, provokeInTurn } from './provoke.ts';

/** A mean over all steps, before anything else. */
function averaging(): Uint8Array {
  const g = graphBuilder();
  const x = g.input('x', ['N', 4, ...frame]);
  const mean = g.op('ReduceMean', [x, g.ints([1])], { keepdims: 0 });
  g.op('Gemm', [g.op('Flatten', [mean], { axis: 1 }), g.constant(weights('head', [72, 3]))], {}, 'logits');
  g.output('logits', ['N', 3]);
  return writeModel(g.build());
}

it('says of a clip what its steps can share', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'spikes.onnx'), writeModel(spikingNet({ form: 'folded', steps: 4, width: 2, reset: 'hard' })));
    await writeFile(join(folder, 'mean.onnx'), averaging());
    await writeFile(join(folder, 'm.yaml'), 'inputs: { x: { layout: NTCHW, modality: events, bounds: [0, 1] } }\n');
    const of = (file: string, ...more: string[]) => ({ args: ['inspect', file, '--manifest', 'm.yaml', ...more], cwd: folder });
    const [spikes, mean, json] = await provokeInTurn([of('spikes.onnx'), of('mean.onnx'), of('mean.onnx', '--json')]);
    expect(spikes!.stdout).toContain('\ntime: 4 steps, sliceable: probes that begin alike share passes in 4 slices\n');
    expect(mean!.stdout).toMatch(/\ntime: 4 steps, not sliceable: ReduceMean ".*" joins all time steps\n/);
    expect(JSON.parse(json!.stdout).time).toEqual({
      steps: 4,
      slices: { reason: expect.stringContaining('joins all time steps') },
    });
  }));
