/** What people really export, opened and differentiated: every file of test/oracles/exports against PyTorch in float64, alone and in a batch. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { check } from '../exports/check.ts';
import { suites } from '../exports/records.ts';

const runtime = createRuntime(ort);

describe.each(suites)('$suite', ({ nets }) => {
  const cases = nets.flatMap((net) => net.files.map((file) => [file.file, net, file] as const));
  it.each(cases)('%s', async (_file, net, file) => {
    expect((await check(net, file, runtime)).wrong).toEqual([]);
  });
});
