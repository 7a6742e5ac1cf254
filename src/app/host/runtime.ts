import { availableParallelism } from 'node:os';
import * as ort from 'onnxruntime-node';
import { suggestion, UserError } from '../../core/errors.ts';
import { createRuntime, type Runtime } from '../../core/runtime/runtime.ts';

export interface NodeRuntimeOptions {
  /** Compute threads; default: one per core. */
  threads?: number;
  device?: string;
}

/** What this build of the runtime was made for: it would pass over any other name, and compute on the CPU. */
const devices = ort.listSupportedBackends().map((b) => b.name);

/** onnxruntime-node on this machine. */
export function nodeRuntime({ threads = availableParallelism(), device = 'cpu' }: NodeRuntimeOptions = {}): Runtime {
  if (!devices.includes(device)) throw new UserError(`--device: there is no device "${device}"`, suggestion(device, devices));
  const runtime = createRuntime(ort, { threads, providers: device === 'cpu' ? ['cpu'] : [device, 'cpu'] });
  return device === 'cpu' ? runtime : refusing(runtime, device);
}

/** The runtime, with a device that cannot be had said in words. */
const refusing = (runtime: Runtime, device: string): Runtime => {
  const explain = (cause: unknown): never => {
    const { message } = cause as Error;
    if (!/execution.?provider|shared library|backend|adapter/i.test(message)) throw cause;
    throw new UserError(
      `--device: "${device}" cannot be used here: ${message}`,
      `install what the runtime needs for ${device}, or use --device cpu`,
      { cause },
    );
  };
  return {
    ...runtime,
    open: (graph) => runtime.open(graph).catch(explain),
    execute: (graph, feeds) => runtime.execute(graph, feeds).catch(explain),
  };
};

/** Version of the runtime, for the record. */
export const runtimeVersion: string = ort.env.versions.node ?? ort.env.versions.common;
