/** A net of spikes: its gradient is cut everywhere, which is said instead of handed on as zeros, until something stands in. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../src/core/errors.ts';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import { createOracle } from '../../../src/kit/model/make-oracle.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import { openSessions } from '../../../src/kit/model/sessions.ts';
import { bytesOf, feedsOf, suites } from '../../exports/records.ts';
import { arctangentTwins } from '../../exports/spikes.ts';

const runtime = createRuntime(ort);
const nets = suites.find((s) => s.suite === 'spiking')!.nets;

describe.each(nets.map((net) => [net.name, net] as const))('%s', (_, net) => {
  const [file] = net.files as [(typeof net.files)[0]];
  const opened = () => openModel(readModel(bytesOf(file)), { name: net.name, sha256: '', execute: runtime.execute });
  const ask = (sessions: ReturnType<typeof openSessions>, zeroGradients = false) =>
    createOracle(sessions, { maxBatch: 2, zeroGradients }).gradient(
      [{ of: 0, inputs: { image: feedsOf(net, [1]).image!.data as Float32Array } }],
      [{ label: 0, ce: 1 }],
    );

  it('lists where the gradient is cut, and refuses to answer with zeros', async () => {
    const sessions = openSessions(await opened(), runtime);
    const { cuts, unreached } = await sessions.gradient();
    // the last layer's four steps: nothing before them is reached
    expect(new Set(cuts.map((c) => c.op))).toEqual(new Set(net.cuts));
    expect(unreached).toEqual(['image']);
    const refused = await ask(sessions).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UserError);
    expect((refused as UserError).message).toContain(`every path is cut, at ${cuts[0]!.op} "${cuts[0]!.node}"`);
    expect((refused as UserError).remedy).toContain(`surrogates: { match: { op: ${cuts[0]!.op} }`);
    const zeros = await ask(sessions, true);
    expect(zeros.gradient[0]!.image!.every((v) => v === 0)).toBe(true);
    await sessions.release();
  });

  it('answers once the arctangent stands in', async () => {
    const model = await opened();
    const sessions = openSessions(model, runtime, { twins: arctangentTwins(model.graph) });
    const { cuts, unreached, substitutes } = await sessions.gradient();
    expect([cuts, unreached]).toEqual([[], []]);
    // two layers of four steps; in the plain form the reset of all but the last has comparisons of its own
    expect(substitutes.length).toBe(model.spiking === undefined ? 8 : 14);
    const { gradient } = await ask(sessions);
    expect(gradient[0]!.image!.some((v) => v !== 0)).toBe(true);
    await sessions.release();
  });
});
