/** @file Runs the built command line as a user would, in a folder of its own. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../../bin/provoke.js', import.meta.url));
const inTurn = fileURLToPath(new URL('in-turn.mjs', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `provoke ARGS` in `cwd` (packages are found from provoke's own place) and waits for its end. */
export const provoke = (args: readonly string[], cwd: string): Promise<Ended> => node([launcher, ...args], cwd);

/** A command line, and the folder it is run in. */
export interface Line {
  readonly args: readonly string[];
  readonly cwd: string;
}

/** Runs many command lines that end soon, one after another in one process, which saves most of what they take; the process must end by itself, as `provoke` must. */
export async function provokeInTurn(lines: readonly Line[]): Promise<Ended[]> {
  const mark = '\u0001end of a command\u0001';
  const { code, stdout, stderr } = await node([inTurn, mark, JSON.stringify(lines)], tmpdir());
  const [said, complained] = [stdout.split(mark), stderr.split(mark)];
  if (code !== 0 || said.length !== 2 * lines.length + 1 || said.at(-1) !== '' || complained.at(-1) !== '')
    throw new Error(`a command line took the process down, with code ${code}: ${stderr}`);
  return lines.map((_, i) => ({ code: Number(said[2 * i + 1]), stdout: said[2 * i]!, stderr: complained[i]! }));
}

function node(args: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, CI: 'true' },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** An empty folder, removed after `use`. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'provoke-test-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
