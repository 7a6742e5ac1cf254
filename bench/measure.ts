/** @file Interleaved timing: ours and the peer take turns, so that a noisy machine disturbs both alike. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface BenchLine {
  readonly name: string;
  readonly case: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly ratio: number | null;
  readonly unit: string;
  readonly peerVersion: string | null;
  readonly runs: number;
  /** (slowest - fastest) / median of ours. */
  readonly spread: number;
  /** gradient-cost: PyTorch's own gradient-to-forward ratio. */
  readonly pytorch?: number | null;
  /** gradient-cost: our gradient's time over PyTorch's. */
  readonly overPytorch?: number | null;
  /** Most memory of a process that does the job (MB), ours and the peer's. */
  readonly memory?: { readonly ours: number; readonly peer: number | null; readonly ratio: number | null };
  /** train-step: largest difference of the losses the first steps began with. */
  readonly lossDifference?: number | null;
}

/** The line of a comparison with a peer in the same unit: medians, their ratio, the spread of ours. */
export function comparison(
  of: Pick<BenchLine, 'name' | 'case' | 'unit'>,
  [ours, theirs]: readonly [ours: readonly number[], theirs?: readonly number[] | undefined],
  peerVersion: string | null,
): BenchLine {
  const [mine, peer] = [median(ours), theirs === undefined || theirs.length === 0 ? null : median(theirs)];
  return {
    ...of,
    ours: mine,
    peer,
    ratio: peer === null ? null : mine / peer,
    peerVersion,
    runs: ours.length,
    spread: spreadOf(ours),
  };
}

/** `cases`: only these, where a benchmark has cases with names. */
export type Bench = (cases?: readonly string[]) => AsyncGenerator<BenchLine>;

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

export const spreadOf = (values: readonly number[]): number => (Math.max(...values) - Math.min(...values)) / median(values);

/** Seconds of one call. */
export async function seconds(call: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await call();
  return (performance.now() - started) / 1000;
}

/** Milliseconds of rest before every measurement: idle threads of the one before (PyTorch's OpenMP pool spins on) must not run into it. */
const rest = 300;

/** Alternates the calls `rounds` times after one warm-up each, with a rest in between; returns the seconds of each. */
export async function interleave(rounds: number, calls: readonly (() => Promise<number>)[]): Promise<number[][]> {
  for (const call of calls) await call();
  const times: number[][] = calls.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, call] of calls.entries()) {
      await new Promise((resolve) => setTimeout(resolve, rest));
      times[i]!.push(await call());
    }
  }
  return times;
}

/** A Python program that holds the peer ready: one line in, the seconds of one measurement out. */
export interface Peer {
  readonly version: string;
  measure(what: string): Promise<number>;
  /** One line in, one line out. */
  ask(what: string): Promise<string>;
  close(): void;
}

/** Starts bench/peers/SCRIPT, or returns undefined where there is no Python with PyTorch (PROVOKE_PEER_PYTHON names another than python3). */
export async function startPeer(script: string, args: readonly string[]): Promise<Peer | undefined> {
  const python = process.env.PROVOKE_PEER_PYTHON ?? 'python3';
  const child: ChildProcess = spawn(python, [fileURLToPath(new URL(`./peers/${script}`, import.meta.url)), ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const errors: string[] = [];
  child.stderr!.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
  const lines = createInterface({ input: child.stdout! });
  const waiting: ((line: string | undefined) => void)[] = [];
  lines.on('line', (line) => waiting.shift()?.(line));
  const ended = () => {
    for (const waiter of waiting.splice(0)) waiter(undefined);
  };
  child.once('error', ended);
  child.once('exit', ended);
  const answer = () => new Promise<string | undefined>((resolve) => waiting.push(resolve));
  const first = await answer();
  if (first === undefined) {
    if (!/No module named|ENOENT/.test(errors.join('')) && errors.length > 0)
      throw new Error(`the peer failed: ${errors.join('')}`);
    process.stderr.write('the peer or its Python is not installed: it is left out (PROVOKE_PEER_PYTHON names another Python)\n');
    return undefined;
  }
  const ask = async (what: string): Promise<string> => {
    child.stdin!.write(`${what}\n`);
    const line = await answer();
    if (line === undefined) throw new Error(`the peer ended: ${errors.join('')}`);
    return line;
  };
  return { version: first, ask, measure: async (what) => Number(await ask(what)), close: () => child.kill() };
}
