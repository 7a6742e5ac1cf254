/** @file Thousands of damaged files: each is read, or refused with a UserError; none hangs, none brings this process down. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { watch } from '../../src/app/host/watch.ts';
import { UserError } from '../../src/core/errors.ts';
import { stream } from '../../src/core/tensor/random.ts';
import { damaged, damagedModel } from './fuzz/mutations.ts';
import { readers } from './fuzz/readers.ts';

const budget = { files: 5200, seed: 1, seconds: 2, opened: 300, openSeconds: 5, memory: 2 ** 30 } as const;

interface Tally {
  files: number;
  accepted: number;
  refused: number;
  worstMs: number;
  readonly wrong: string[];
}

const models: Uint8Array[] = [];

describe('damaged files', () => {
  it(`${budget.files} of them are read or refused in words, each within ${budget.seconds} s`, () => {
    const all = readers();
    expect(all.reduce((sum, r) => sum + r.share, 0)).toBeCloseTo(1);
    const wrong: string[] = [];
    for (const reader of all) {
      const tally: Tally = { files: Math.round(budget.files * reader.share), accepted: 0, refused: 0, worstMs: 0, wrong };
      for (let i = 0; i < tally.files; i++) {
        const random = stream(budget.seed, reader.name, i);
        const file = random.integer(reader.files.length);
        const other = reader.files[random.integer(reader.files.length)]!;
        const { how, bytes } = (reader.name === 'ONNX' ? damagedModel : damaged)(reader.files[file]!, other, random);
        // processor time: the machine may have other things to do
        const started = process.cpuUsage();
        try {
          const valid = reader.read(bytes, file);
          tally.accepted++;
          if (reader.name === 'ONNX' && valid && models.length < budget.opened) models.push(bytes);
        } catch (error) {
          tally.refused++;
          if (!(error instanceof UserError)) wrong.push(`${reader.name} ${i} (${how}): ${(error as Error).stack?.slice(0, 400)}`);
        }
        const { user, system } = process.cpuUsage(started);
        const ms = (user + system) / 1000;
        if (ms > 1000 * budget.seconds) wrong.push(`${reader.name} ${i} (${how}) took ${ms.toFixed(0)} ms`);
        tally.worstMs = Math.max(tally.worstMs, ms);
      }
      const { files, accepted, refused, worstMs } = tally;
      process.stdout.write(
        `${reader.name}: ${files} files, ${accepted} accepted, ${refused} refused, worst ${worstMs.toFixed(0)} ms\n`,
      );
    }
    expect(wrong).toEqual([]);
  });

  it('those the validator accepts are opened by the runtime in a child under limits: an answer, or an end that is noticed', async () => {
    const ends: Record<string, number> = {};
    let [next, worst] = [0, 0];
    while (next < models.length) {
      const opener = startOpener();
      try {
        for (; next < models.length; next++) {
          const started = performance.now();
          const end = await opener.open(models[next]!);
          worst = Math.max(worst, performance.now() - started);
          ends[end] = (ends[end] ?? 0) + 1;
          if (end.startsWith('ended')) {
            next++;
            break;
          }
        }
      } finally {
        opener.stop();
      }
    }
    process.stdout.write(`opened ${models.length}: ${JSON.stringify(ends)}, worst ${worst.toFixed(0)} ms\n`);
    expect(Object.values(ends).reduce((a, b) => a + b, 0)).toBe(models.length);
    expect(models.length).toBe(budget.opened);
    expect(Object.keys(ends).filter((end) => end.startsWith('wrong'))).toEqual([]);
  });
});

/** A child that opens models (fuzz/opener.ts) until one ends it. */
function startOpener(): { open(bytes: Uint8Array): Promise<string>; stop(): void } {
  const child = fork(fileURLToPath(new URL('./fuzz/opener.ts', import.meta.url)), [], {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const clock = watch(child, budget.memory);
  return {
    open: (bytes) =>
      new Promise((resolve) => {
        const onEnd = (code: number | null, signal: string | null) =>
          resolve(`ended: ${clock.breach?.kind ?? signal ?? `code ${code}`}`);
        child.once('exit', onEnd);
        child.once('message', (message) => {
          child.off('exit', onEnd);
          clock.rest();
          resolve(String(message));
        });
        clock.allow(budget.openSeconds);
        child.send(bytes);
      }),
    stop: () => void child.kill('SIGKILL'),
  };
}
