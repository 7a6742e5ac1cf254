/** @file Models whose nodes carry graphs, through everything that opens and attacks them. */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { numbersOf } from '../../../src/core/tensor/tensor.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';

const runtime = createRuntime(ort);
const fixture = new URL('../../fixtures/torch-exports/control-flow-cond.onnx', import.meta.url);

it('inputs of the loss get names no body uses ("linear" is a value inside a branch), and a batch of 1 is padded', async () => {
  const model = await openModel(readModel(new Uint8Array(readFileSync(fixture))), {
    execute: runtime.execute,
    name: 'cond',
    sha256: '',
  });
  const sessions = openSessions(model, runtime);
  const { session, lossInputs, pairs } = await sessions.gradient();
  expect(session.inputs).toContain(lossInputs.linear);
  expect(lossInputs.linear).not.toBe('linear');
  expect(pairs).toBe(true);
  await sessions.release();
});

it('the forward session gives what the file gives', async () => {
  const bytes = new Uint8Array(readFileSync(fixture));
  const model = await openModel(readModel(bytes), { execute: runtime.execute, name: 'cond', sha256: '' });
  const x = { dtype: 'float32', dims: [2, 3], data: Float32Array.of(1, -0.5, 0.3, -2, 0.1, 0.2) } as const;
  const sessions = openSessions(model, runtime);
  const forward = await sessions.forward();
  const [ours, file] = [await forward.session.run({ x }), await (await runtime.open(bytes)).run({ x })];
  expect(numbersOf(ours[forward.logits]!)).toEqual(numbersOf(file.y!));
  await sessions.release();
});
