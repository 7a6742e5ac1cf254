/**
 * ONNX's own backend test models, every one through every stage of the engine: read and written byte for byte, printed; validated and run; prepared
 * and run; differentiated, against finite differences of the float64 interpreter. What a stage cannot be asked is excluded by rule, and counted.
 * PROVOKE_ONNX_TESTDATA names the folder of the data if libonnx-testdata is not installed.
 */
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRuntime } from '../../src/core/runtime/runtime.ts';
import { casesOfArchive, casesOfFolder, howToInstall, type StoredCase, testDataFolder } from './conformance/data.ts';
import { gradientStage } from './conformance/gradients.ts';
import { countsOf, type Outcome } from './conformance/outcome.ts';
import { prepareStage, readStage, runStage } from './conformance/stages.ts';

const runtime = createRuntime(ort);
const folder = testDataFolder();
const stages = ['read', 'run', 'prepare', 'gradient'] as const;
type Stage = (typeof stages)[number];

/** What each stage said of each model it was asked about. */
type Answers = Record<Stage, Map<string, Outcome>>;

/** One model through all stages it reaches. */
async function through(stored: StoredCase, answers: Answers): Promise<void> {
  const read = readStage(stored);
  answers.read.set(stored.name, read.outcome);
  if (read.graph === undefined) return;
  const ran = await runStage(stored, read.graph, runtime);
  answers.run.set(stored.name, ran.outcome);
  if (ran.opened === undefined) return;
  const prepared = await prepareStage(ran.opened, runtime);
  answers.prepare.set(stored.name, prepared);
  if (prepared.is !== 'right') return;
  answers.gradient.set(stored.name, (await gradientStage(ran.opened, runtime)).outcome);
}

const lines: string[] = [];

function conforms(set: string, cases: () => StoredCase[], atLeast: Record<Stage, number>): void {
  describe(`the ONNX backend models: ${set}`, () => {
    const answers: Answers = { read: new Map(), run: new Map(), prepare: new Map(), gradient: new Map() };
    beforeAll(async () => {
      for (const stored of cases()) await through(stored, answers);
    }, 600_000);

    it.each(stages)('%s', (stage) => {
      const outcomes = answers[stage];
      lines.push(countsOf(`${set}, ${stage}`, outcomes.values()));
      expect([...outcomes].flatMap(([name, o]) => (o.is === 'wrong' ? [`${name}: ${o.why}`] : []))).toEqual([]);
      expect([...outcomes.values()].filter((o) => o.is === 'right').length).toBeGreaterThanOrEqual(atLeast[stage]);
    });
  });
}

const archive = (): StoredCase[] =>
  casesOfArchive(readFileSync(new URL('../fixtures/onnx/node-cases.zip', import.meta.url)), 'newer node');

conforms('of opset 18 and later', archive, { read: 490, run: 400, prepare: 400, gradient: 100 });

if (folder !== undefined) {
  conforms('node', () => casesOfFolder(folder, 'node'), { read: 932, run: 830, prepare: 830, gradient: 470 });
  conforms('simple', () => casesOfFolder(folder, 'simple'), { read: 23, run: 17, prepare: 17, gradient: 0 });
  conforms('pytorch-operator', () => casesOfFolder(folder, 'pytorch-operator'), { read: 35, run: 0, prepare: 0, gradient: 0 });
  conforms('pytorch-converted', () => casesOfFolder(folder, 'pytorch-converted'), { read: 82, run: 2, prepare: 2, gradient: 2 });
} else if (process.env.CI) {
  it('the ONNX backend models are there', () => expect.fail(howToInstall));
} else {
  it.skip(howToInstall, () => undefined);
}

afterAll(() => {
  process.stdout.write(`${lines.join('\n')}\n`);
});
