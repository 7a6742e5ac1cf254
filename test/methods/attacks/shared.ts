/** The committed small nets (test/oracles/attacks/nets.py) as oracles of our own engine, their samples, and readers of what peers made of them (shared.py: record). */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { readModel } from '../../../src/core/onnx/reader.ts';
import { createRuntime } from '../../../src/core/runtime/runtime.ts';
import type { Goal } from '../../../src/kit/losses/loss.ts';
import { createOracle, type OracleOptions } from '../../../src/kit/model/make-oracle.ts';
import type { Inputs, Model, Sample } from '../../../src/kit/model/model.ts';
import { openModel } from '../../../src/kit/model/open.ts';
import type { GradientOracle } from '../../../src/kit/model/oracle.ts';
import { type ModelSessions, openSessions } from '../../../src/kit/model/sessions.ts';
import { lpThreat } from '../../../src/kit/threat/lp.ts';
import type { Threat, ThreatOptions } from '../../../src/kit/threat/threat.ts';
import type { Attack, Need } from '../../../src/methods/attacks/attack.ts';
import { readOptions } from '../../../src/methods/attacks/registry.ts';
import { jobOf, untargeted } from './linear.ts';

/** smooth: 3x8x8 in [0, 1], 5 classes; relu: the same, 10 classes; sequence: 4x32 unbounded, 2 classes; two-stream: rgb 3x6x6 in [0, 1] and pose 2x10 unbounded, 4 classes. */
export type NetName = 'smooth' | 'relu' | 'sequence' | 'two-stream';

interface Facts {
  readonly classes: number;
  readonly inputs: Readonly<
    Record<
      string,
      { readonly shape: readonly number[]; readonly bounds: 'unbounded' | readonly [number, number]; readonly values: string }
    >
  >;
  readonly labels: readonly number[];
  readonly logits: string;
}

export interface Net {
  readonly model: Model;
  readonly sessions: ModelSessions;
  /** The 24 samples, all classified right. */
  readonly batch: readonly Sample[];
  readonly labels: readonly number[];
  /** PyTorch's logits of every sample. */
  readonly logits: readonly Float32Array[];
  /** Untargeted, every sample from its label. */
  readonly goals: readonly Goal[];
  /** Targeted at the class after the label. */
  readonly targetedGoals: readonly Goal[];
  /** A fresh oracle, so fresh counts. */
  oracle(options?: Partial<OracleOptions>): GradientOracle;
  /** The same budget for every sample and every attacked input. */
  threats(options: ThreatOptions): Readonly<Record<string, Threat>>[];
  release(): Promise<void>;
}

const fixtures = new URL('../../fixtures/attacks/', import.meta.url);

/** Opens a net through the engine as a user's file is; release it after the tests. */
export async function openNet(name: NetName): Promise<Net> {
  const facts = JSON.parse(readFileSync(new URL(`nets/${name}.json`, fixtures), 'utf8')) as Facts;
  const runtime = createRuntime(ort);
  const model = await openModel(readModel(readFileSync(new URL(`nets/${name}.onnx`, fixtures))), {
    name,
    sha256: '',
    execute: runtime.execute,
    manifest: {
      inputs: Object.fromEntries(
        Object.entries(facts.inputs).map(([input, { shape, bounds }]) => [
          input,
          {
            layout: shape.length === 3 ? 'NCHW' : 'NCT',
            modality: shape.length === 3 ? 'image' : 'physiology',
            unit: shape.length === 3 ? 'intensity' : 'sigma',
            bounds: bounds === 'unbounded' ? bounds : { lower: bounds[0], upper: bounds[1] },
            storage: 'float32',
          },
        ]),
      ),
      classes: Array.from({ length: facts.classes }, (_, c) => `class ${c}`),
      output: { name: 'logits', kind: 'logits' },
    },
  });
  const sessions = openSessions(model, runtime);
  const { labels } = facts;
  const values = Object.entries(facts.inputs).map(([input, entry]) => [input, rows(entry.values, labels.length)] as const);
  const batch = labels.map((label, k): Sample => {
    const inputs: Inputs = Object.fromEntries(values.map(([input, all]) => [input, all[k]!]));
    return { id: `${name} ${k}`, group: `${k}`, label, inputs };
  });
  return {
    model,
    sessions,
    batch,
    labels,
    logits: rows(facts.logits, labels.length),
    goals: labels.map(untargeted),
    targetedGoals: labels.map((label) => ({ kind: 'targeted', label, target: (label + 1) % facts.classes })),
    oracle: (options = {}) => createOracle(sessions, { maxBatch: 32, ...options }),
    threats: (options) =>
      batch.map(() => Object.fromEntries(Object.entries(model.inputs).map(([input, spec]) => [input, lpThreat(spec, options)]))),
    release: () => sessions.release(),
  };
}

/** Runs an attack over all samples of a net; `options` over the attack's defaults, `seed` names the random streams. */
export async function attackNet(
  net: Net,
  attack: Attack,
  { norm, eps, mask, options = {}, goals = net.goals, oracle = net.oracle(), seed = 7 }: AttackNetOptions,
): ReturnType<Attack['run']> {
  const job = jobOf(oracle, net.batch, goals, net.threats({ norm, eps, ...(mask === undefined ? {} : { mask }) }));
  const named = { ...job, random: (i: number, restart: number) => job.random(i, restart).fork(seed) };
  return (attack as Attack<Need>).run(named, readOptions(attack, options));
}

export interface AttackNetOptions extends ThreatOptions {
  readonly options?: Readonly<Record<string, number | string | boolean>>;
  readonly goals?: readonly Goal[];
  readonly oracle?: GradientOracle;
  readonly seed?: number;
}

/** What `record(file, ...)` of shared.py wrote. */
export const golden = <T>(file: string): T & { readonly versions: readonly string[] } =>
  JSON.parse(readFileSync(new URL(file, fixtures), 'utf8')) as T & { readonly versions: readonly string[] };

/** A tensor in a golden file: all its float32 values. */
export function values(base64: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(base64, 'base64')).buffer);
}

/** The same, one array per sample. */
export function rows(base64: string, samples: number): Float32Array[] {
  const all = values(base64);
  const n = all.length / samples;
  return Array.from({ length: samples }, (_, k) => all.slice(k * n, (k + 1) * n));
}

/** The largest distance of two values at the same place. */
export function farthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values cannot be compared with ${b.length}`);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

/** The middle value (the mean of the two middle ones); failures count as infinite. */
export function median(all: readonly number[]): number {
  const sorted = [...all].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2;
}
