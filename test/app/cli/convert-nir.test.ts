/** `provoke convert NET.nir`: an ONNX model that inspect understands, and one clear message for what is missing. */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inFolder, provokeInTurn } from './provoke.ts';

it('converts a network of spikes', () =>
  inFolder(async (folder) => {
    await copyFile('test/fixtures/nir/spikingjelly.nir', join(folder, 'net.nir'));
    await copyFile('test/app/cli/convert-nir.test.ts', join(folder, 'text.nir'));
    const convert = (...args: string[]) => ({ args: ['convert', ...args, '-o', 'net.onnx'], cwd: folder });
    const [done, inspected, still, kind, count, text, sensor, builtin, tfjs] = await provokeInTurn([
      convert('net.nir', '--dt', '1e-4', '--steps', '6', '--reset', 'zero'),
      { args: ['inspect', 'net.onnx', '--json'], cwd: folder },
      convert('net.nir'),
      convert('net.nir', '--reset', 'subtarct'),
      convert('net.nir', '--steps', '0'),
      convert('text.nir', '--dt', '1e-4'),
      convert('net.nir', '--dt', '1e-4', '--sensor', '128x128'),
      convert('face-api/expression', '--steps', '6'),
      convert('model.json', '--convention', 'jaer'),
    ]);
    expect(done!.stdout).toMatch(/^net\.onnx: \d+ nodes; inputs input_1; outputs logits\n$/);
    expect(JSON.parse(inspected!.stdout)).toMatchObject({
      inputs: { input_1: { shape: [6, 2, 6, 6], layout: 'NTCHW', modality: 'events' } },
      time: { steps: 6, slices: 5 },
    });
    expect(still!.stderr).toContain('the file does not say how long a time step is');
    expect(kind!.stderr).toContain('there is no reset "subtarct"');
    expect(count!.stderr).toContain('--steps is "0"');
    expect(text!.stderr).toContain('text.nir cannot be read as HDF5');
    expect(sensor!.stderr).toContain(
      '--sensor is for event files, and "net.nir" is a NIR network\n  leave it out; NIR networks have --dt, --steps, --reset, --read',
    );
    expect(builtin!.stderr).toContain('--steps is for NIR networks, and "face-api/expression" is a built-in model');
    expect(tfjs!.stderr).toContain('--convention is for event files, and "model.json" is a TensorFlow.js model');
    expect([still, kind, count, text, sensor, builtin, tfjs].map((ended) => ended!.code)).toEqual([2, 2, 2, 2, 2, 2, 2]);
  }));
