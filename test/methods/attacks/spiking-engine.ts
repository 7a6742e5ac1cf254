/** Spiking networks of the fixtures' kind through the engine: as an ONNX graph with PDSG, run by the runtime. */
import * as ort from 'onnxruntime-node';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { createOracle, type OracleOptions } from '../../../src/kit/model/make-oracle.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import type { GradientOracle } from '../../../src/kit/model/oracle.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import { chooseSpikes, substitutesFor } from '../../../src/kit/spiking/choose.ts';
import { type NetworkCase, networkGraph } from '../../oracles/spiking/graph.ts';

export interface SpikingNet {
  /** A fresh oracle, so fresh counts. */
  oracle(options?: Partial<OracleOptions>): GradientOracle;
  release(): Promise<void>;
}

/** Samples are x [T, C, H, W]; the statistics of PDSG are the sample's own. Release it after the tests. */
export async function openSpiking(of: NetworkCase, classes: number): Promise<SpikingNet> {
  const { graph } = networkGraph(of);
  const runtime = createRuntime(ort);
  const opened = await openModel(graph, {
    name: 'spiking',
    sha256: '',
    execute: runtime.execute,
    manifest: {
      inputs: {
        x: {
          layout: 'TNCHW',
          modality: 'events',
          domain: 'binary',
          storage: 'binary',
          bounds: { lower: 0, upper: 1 },
          unit: 'event',
        },
      },
      classes: Array.from({ length: classes }, (_, c) => `class ${c}`),
      output: { name: 'logits', kind: 'logits' },
    },
  });
  const { model, spikes } = chooseSpikes(opened, { use: 'pdsg', statistics: 'sample' });
  const sessions = openSessions(model, runtime, substitutesFor(spikes!));
  return {
    oracle: (options = {}) => createOracle(sessions, { maxBatch: 64, ...options }),
    release: () => sessions.release(),
  };
}
