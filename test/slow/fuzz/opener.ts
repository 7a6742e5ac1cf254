/** @file The program of the child that opens damaged models: answers how each went, if it lives to answer. */
import * as ort from 'onnxruntime-node';
import { isRefusal } from '../../../src/core/errors.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { openModel } from '../../../src/kit/model/open.ts';

const runtime = createRuntime(ort);

async function open(bytes: Uint8Array): Promise<string> {
  try {
    const external = new Map([['weights/external.bin', new Uint8Array(256)]]);
    await openModel(readModel(bytes, { external }), { name: 'damaged', sha256: '', execute: runtime.execute });
    return 'opened';
  } catch (error) {
    if (isRefusal(error)) return 'refused';
    return `wrong: ${(error as Error).stack?.slice(0, 400)}`;
  }
}

process.on('message', (bytes) => void open(bytes as Uint8Array).then((end) => process.send?.(end)));
