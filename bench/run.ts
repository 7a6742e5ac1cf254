/** @file `npm run -s bench -- NAME [CASE ...] [--json]`: one JSON object per case on a line; medians over interleaved rounds, ratio = ours / peer. */
import { suggestion } from '../src/core/errors.ts';
import { adversarialTraining } from './cases/adversarial-epoch.ts';
import { autoattackBench } from './cases/autoattack.ts';
import { eventReading } from './cases/event-reading.ts';
import { gradientCost } from './cases/gradient-cost.ts';
import { lstm } from './cases/lstm.ts';
import { memory } from './cases/memory.ts';
import { pgdResnet18 } from './cases/pgd-resnet18.ts';
import { sdaBench } from './cases/sda.ts';
import { throughput } from './cases/throughput.ts';
import { trainStep } from './cases/train-step.ts';
import type { Bench, BenchLine } from './measure.ts';

const benches: Readonly<Record<string, Bench>> = {
  'pgd-resnet18': pgdResnet18,
  'gradient-cost': gradientCost,
  lstm,
  memory,
  throughput,
  'train-step': trainStep,
  'adversarial-epoch': adversarialTraining,
  autoattack: autoattackBench,
  'event-reading': eventReading,
  sda: sdaBench,
};

const [name, ...rest] = process.argv.slice(2).filter((arg) => arg !== '--');
const flags = rest.filter((arg) => arg.startsWith('--'));
const cases = rest.filter((arg) => !arg.startsWith('--'));
const bench = benches[name ?? ''];
if (name === undefined || bench === undefined) {
  process.stderr.write(`error: there is no benchmark "${name ?? ''}"\n  ${suggestion(name ?? '', Object.keys(benches))}\n`);
  process.exitCode = 2;
} else {
  for await (const line of bench(...(cases.length === 0 ? [] : [cases])))
    process.stdout.write(`${flags.includes('--json') ? JSON.stringify(line) : text(line)}\n`);
}

function text(line: BenchLine): string {
  const peer =
    line.peer === null
      ? 'peer not installed'
      : `peer ${line.peer.toPrecision(4)} ${line.unit} (${line.peerVersion}), ratio ${line.ratio!.toFixed(3)}`;
  const torch =
    line.pytorch === undefined ? '' : `, pytorch's own ratio ${line.pytorch === null ? 'not measured' : line.pytorch.toFixed(3)}`;
  const over = line.overPytorch == null ? '' : `, gradient over pytorch's ${line.overPytorch.toFixed(3)}`;
  const memory =
    line.memory === undefined
      ? ''
      : `, memory ${line.memory.ours.toFixed(0)} MB${line.memory.ratio === null ? '' : ` (peer ${line.memory.peer!.toFixed(0)}, ratio ${line.memory.ratio.toFixed(3)})`}`;
  const losses = line.lossDifference == null ? '' : `, first losses differ by ${line.lossDifference.toExponential(1)}`;
  return `${line.name} / ${line.case}: ours ${line.ours.toPrecision(4)} ${line.unit}, ${peer}${torch}${over}${memory}${losses}, ${line.runs} rounds, spread ${(100 * line.spread).toFixed(0)} %`;
}
