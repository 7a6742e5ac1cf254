/**
 * ONNX's own backend test models, every one through every stage of the engine: read and written byte for byte, printed; validated and run; prepared
 * and run; differentiated, against finite differences of the float64 interpreter. What a stage cannot be asked is excluded by rule, and counted.
 * PROVOKE_ONNX_TESTDATA names the folder of the data if libonnx-testdata is not installed; PROVOKE_WRITE_COVERAGE=1 writes docs/COVERAGE.md.
 */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { type Differentiated, writeCoverage } from './conformance/coverage-table.ts';
import { casesOfArchive, casesOfFolder, howToInstall, type StoredCase, testDataFolder } from './conformance/data.ts';
import { gradientStage } from './conformance/gradients.ts';
import { countsOf, type Outcome } from './conformance/outcome.ts';
import { recordedErrors, torchVersion } from './conformance/recorded-errors.ts';
import { nodesOf, prepareStage, readStage, runStage } from './conformance/stages.ts';

const runtime = createRuntime(ort);
const folder = testDataFolder();
const stages = ['read', 'run', 'prepare', 'gradient'] as const;
type Stage = (typeof stages)[number];

/** What each stage said of each model it was asked about. */
type Answers = Record<Stage, Map<string, Outcome>>;

const lines: string[] = [];
const differentiated: Differentiated[] = [];

/** One model through all stages it reaches. */
async function through(stored: StoredCase, answers: Answers): Promise<void> {
  const { name } = stored;
  const read = readStage(stored);
  answers.read.set(name, read.outcome);
  if (read.graph === undefined) return;
  const ran = await runStage(stored, read.graph, runtime);
  answers.run.set(name, ran.outcome);
  if (ran.opened === undefined) return;
  const prepared = await prepareStage(ran.opened, runtime);
  answers.prepare.set(name, prepared);
  if (prepared.is !== 'right') return;
  const { outcome, error } = await gradientStage(ran.opened, runtime);
  answers.gradient.set(name, outcome);
  if (outcome.is === 'right')
    differentiated.push({ name, ops: new Set(nodesOf(read.graph).map((n) => n.op)), error: error ?? 0 });
}

function conforms(set: string, cases: () => StoredCase[], atLeast: Partial<Record<Stage, number>>): void {
  describe(`the ONNX backend models, ${set}`, () => {
    const answers: Answers = { read: new Map(), run: new Map(), prepare: new Map(), gradient: new Map() };
    beforeAll(async () => {
      for (const stored of cases()) await through(stored, answers);
    }, 600_000);

    const asked = stages.filter((stage) => atLeast[stage] !== undefined);
    it.each(asked)('%s', (stage) => {
      const outcomes = answers[stage];
      lines.push(countsOf(`${set}, ${stage}`, outcomes.values()));
      expect([...outcomes].flatMap(([name, o]) => (o.is === 'wrong' ? [`${name}: ${o.why}`] : []))).toEqual([]);
      expect([...outcomes.values()].filter((o) => o.is === 'right').length).toBeGreaterThanOrEqual(atLeast[stage]!);
    });
  });
}

const archive = (): StoredCase[] =>
  casesOfArchive(readFileSync(new URL('../fixtures/onnx/node-cases.zip', import.meta.url)), 'newer node');

conforms('newer node (onnx 1.23)', archive, { read: 495, run: 458, prepare: 458, gradient: 295 });

if (folder !== undefined) {
  const from = (set: string) => () => casesOfFolder(folder, set);
  conforms('node (onnx 1.12)', from('node'), { read: 932, run: 846, prepare: 847, gradient: 575 });
  conforms('simple', from('simple'), { read: 23, run: 17, prepare: 16, gradient: 11 });
  conforms('pytorch-operator', from('pytorch-operator'), { read: 35 });
  conforms('pytorch-converted', from('pytorch-converted'), { read: 82, run: 2, prepare: 2, gradient: 2 });
} else if (process.env.CI) {
  it('the ONNX backend models are there', () => expect.fail(howToInstall));
} else {
  it.skip(howToInstall, () => undefined);
}

afterAll(async () => {
  process.stdout.write(`${lines.join('\n')}\n`);
  if (process.env.PROVOKE_WRITE_COVERAGE !== '1') return;
  if (folder === undefined) throw new Error(howToInstall);
  writeCoverage({
    pytorch: await recordedErrors(runtime),
    differentiated,
    counts: lines,
    versions: { runtime: ort.env.versions.node ?? 'unknown', torch: torchVersion() },
  });
}, 600_000);
