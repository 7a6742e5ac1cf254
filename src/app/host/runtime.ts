import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { suggestion, UserError } from '../../core/errors.ts';
import { createRuntime, type Runtime } from '../../core/runtime/runtime.ts';

export interface NodeRuntimeOptions {
  /** Compute threads; default: one per core. */
  threads?: number;
  device?: string;
}

const devices = ['cpu', 'cuda', 'webgpu', 'dml', 'coreml'];

/** onnxruntime-node on this machine. */
export function nodeRuntime({ threads = availableParallelism(), device = 'cpu' }: NodeRuntimeOptions = {}): Runtime {
  if (!devices.includes(device)) throw new UserError(`--device: there is no device "${device}"`, suggestion(device, devices));
  return createRuntime(ort, { threads, providers: device === 'cpu' ? ['cpu'] : [device, 'cpu'] });
}

/** Version of the runtime, for the record. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common;
