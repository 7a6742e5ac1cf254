/** @file From finished units to the run's tables: run.json, samples.parquet, report.html. */
import { parquetWriteBuffer } from 'hyparquet-writer';
import { stringify } from 'yaml';
import { UserError } from '../../core/errors.ts';
import { summarise } from '../../kit/metrics/summary.ts';
import { type EventFacts, eventFigures } from '../../kit/record/event-facts.ts';
import type { Row } from '../../kit/record/row.ts';
import type { Summary } from '../../kit/record/summary.ts';
import type { SpikesReference } from '../../kit/spiking/choose.ts';
import { relaxedInputs, relaxedNote } from '../../kit/threat/relaxed.ts';
import type { Attack, Need } from '../../methods/attacks/attack.ts';
import { runtimeVersion } from '../host/runtime.ts';
import { version } from '../host/version.ts';
import { costingOf } from './cost.ts';
import { formatVersion } from './format-version.ts';
import type { SpikeFacts } from './reference-set.ts';
import { problemsOf, type RunResult } from './run.ts';
import type { ExperimentFile } from './schema.ts';
import type { Store } from './store.ts';
import type { GradientFacts } from './task.ts';
import type { Overview } from './workbench.ts';

/** What run.json holds; docs/experiment.md describes the directory. */
export interface RunRecord {
  readonly format: number;
  readonly identity: string;
  readonly state: 'finished' | 'partial';
  readonly name: string;
  readonly experiment: ExperimentFile;
  readonly created: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly model: {
    readonly name: string;
    readonly sha256: string;
    readonly classes: readonly string[];
    readonly inferred: readonly string[];
    readonly note: string;
    readonly coupling: Overview['model']['coupling'];
    readonly inputs: Overview['model']['inputs'];
  };
  readonly data: {
    readonly name: string;
    readonly sha256: string;
    readonly count: number;
    readonly labelsAre: string;
    readonly labelled: boolean;
    readonly synthetic: string | null;
  };
  readonly seed: number;
  readonly settings: {
    readonly batch: number;
    readonly threads: number;
    readonly workers: number;
    readonly optimization: string;
    readonly device: string;
  };
  readonly attacks: readonly {
    readonly label: string;
    readonly name: string;
    readonly title: string;
    readonly needs: Need;
    readonly kind: 'bounded' | 'minimal';
    readonly options: Readonly<Record<string, unknown>>;
    readonly paper: string;
    /** What stood in for the derivative of spikes, where the attack had a choice of its own. */
    readonly spikes?: SpikesReference;
    /** Of a suite: the attacks it runs, in order. */
    readonly executes?: ReturnType<NonNullable<Attack['parts']>>;
  }[];
  readonly counts: {
    readonly samples: number;
    readonly problems: number;
    readonly units: number;
    readonly resumed: number;
    readonly forwards: number;
    readonly backwards: number;
    readonly queries: number;
  };
  readonly seconds: number;
  readonly problems: readonly { readonly item: string; readonly reason: string }[];
  /** What the run had to adapt, e.g. a halved batch. */
  readonly notes: readonly string[];
  readonly substitutes: readonly { readonly label: string; readonly at: string }[];
  readonly cuts: readonly { readonly node: string; readonly op: string }[];
  /** What was chosen for the derivative of spikes; absent where the model has none, or nothing stands in. */
  readonly spikes?: SpikeFacts;
  readonly summary: Summary;
  readonly audit: readonly never[];
}

export interface MergeInput {
  readonly experiment: ExperimentFile;
  readonly name: string;
  readonly overview: Overview;
  /** Asked only where an attack needs gradients. */
  gradient(): Promise<GradientFacts>;
  readonly run: RunResult;
  readonly workers: number;
  readonly threads: number;
  readonly device: string;
}

/** The record and the rows of a run; units of other shards may be missing, the state then is "partial". */
export async function mergeResults(input: MergeInput): Promise<{ record: RunRecord; rows: Row[] }> {
  const { experiment, name, overview, run } = input;
  const { model, data, plan } = overview;
  const rows = run.units.flatMap((u) => u?.rows ?? []);
  refuseTwins(rows, data.name);
  const problems = problemsOf(run.units);
  const total = (key: 'forwards' | 'backwards' | 'queries') => rows.reduce((sum, row) => sum + row[key], 0);
  const needsGradient = plan.attacks.some(({ attack }) => attack.needs === 'gradient');
  const { cuts, substitutes } = needsGradient ? await input.gradient() : { cuts: [], substitutes: [] };
  const record: RunRecord = {
    format: formatVersion,
    identity: plan.sha256,
    state: run.units.every((u) => u !== undefined) ? 'finished' : 'partial',
    name,
    experiment,
    created: new Date().toISOString(),
    versions: {
      provoke: version,
      onnxruntime: runtimeVersion,
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
    },
    model: {
      name: model.name,
      sha256: model.sha256,
      classes: model.classes,
      inferred: model.inferred,
      note: model.note ?? '',
      coupling: model.coupling,
      inputs: model.inputs,
    },
    data: {
      name: data.name,
      sha256: data.sha256,
      count: data.count,
      labelsAre: data.labelsAre,
      labelled: data.labels.length > 0,
      synthetic: data.synthetic ?? null,
    },
    seed: plan.seed,
    settings: {
      batch: overview.batch,
      threads: input.threads,
      workers: input.workers,
      optimization: 'all',
      device: input.device,
    },
    attacks: plan.attacks.map(({ label, attack, options, spikes }) => ({
      label,
      name: attack.name,
      title: attack.title,
      needs: attack.needs,
      kind: attack.kind,
      options,
      ...(spikes === undefined ? {} : { spikes }),
      ...(attack.parts === undefined ? {} : { executes: attack.parts(options, costingOf(plan, model)) }),
      paper: attack.paper,
    })),
    counts: {
      samples: new Set(rows.map((r) => r.sample)).size,
      problems: problems.length,
      units: plan.units.length,
      resumed: run.resumed,
      forwards: total('forwards'),
      backwards: total('backwards'),
      queries: total('queries'),
    },
    seconds: run.seconds,
    problems,
    notes: [
      ...new Set([
        ...relaxedInputs(model.inputs).map(relaxedNote),
        ...run.units.flatMap((u) => u?.notes ?? []),
        ...breakdowns(run),
      ]),
    ],
    substitutes,
    cuts,
    ...(overview.spikes === undefined ? {} : { spikes: overview.spikes }),
    summary: summarise(rows),
    audit: [],
  };
  return { record, rows };
}

/** Samples lost to crashes, hangs and want of memory: how many, to which attack, why, and the first of them. */
function breakdowns({ units }: RunResult): string[] {
  const lost = new Map<string, { attack: string; reason: string; samples: Set<string> }>();
  for (const unit of units) {
    if (unit?.broken === undefined) continue;
    for (const { attack, sample, cleanPrediction, status, reason = '' } of unit.rows) {
      if (status !== 'invalid' || cleanPrediction !== -1) continue;
      const key = JSON.stringify([attack, reason]);
      const found = lost.get(key) ?? { attack, reason, samples: new Set() };
      found.samples.add(sample);
      lost.set(key, found);
    }
  }
  return [...lost.values()].map(
    ({ attack, reason, samples }) =>
      `${attack}: ${samples.size} sample${samples.size === 1 ? '' : 's'} could not be judged: ${reason} (${samples.size === 1 ? '' : 'first of them: '}${[...samples][0]})`,
  );
}

/** Two samples of one name would be counted as one in some figures and as two in others. */
function refuseTwins(rows: readonly Row[], data: string): void {
  const seen = new Set<string>();
  for (const { sample, attack, norm, eps } of rows) {
    const key = JSON.stringify([sample, attack, norm, eps]);
    if (seen.has(key)) throw new UserError(`${data} holds two samples named "${sample}"`, 'give every sample an id of its own');
    seen.add(key);
  }
}

/** Writes run.json and samples.parquet. */
export async function writeTables(store: Store, record: RunRecord, rows: readonly Row[]): Promise<void> {
  await store.write('samples.parquet', parquetOf(rows));
  await store.write('run.json', `${JSON.stringify(record, null, 2)}\n`);
}

/** The merged experiment as YAML, defaults filled in. */
export const experimentText = (experiment: ExperimentFile): string => stringify(experiment);

/** Rows as flat columns: maps and lists become JSON text. */
export function flatColumns(
  rows: readonly Row[],
): { name: string; data: unknown[]; type: 'STRING' | 'INT32' | 'DOUBLE' | 'BOOLEAN' | 'JSON' }[] {
  const text = (name: string, of: (row: Row) => string) => ({ name, data: rows.map(of), type: 'STRING' as const });
  const whole = (name: string, of: (row: Row) => number) => ({ name, data: rows.map(of), type: 'INT32' as const });
  const first = <T>(map: Readonly<Record<string, T>>): T | undefined => Object.values(map)[0];
  const simple = (map: Readonly<Record<string, unknown>>): string =>
    Object.keys(map).length === 1 ? String(first(map)) : JSON.stringify(map);
  return [
    text('sample', (r) => r.sample),
    text('group', (r) => r.group),
    whole('label', (r) => r.label),
    whole('cleanPrediction', (r) => r.cleanPrediction),
    text('attack', (r) => r.attack),
    text('norm', (r) => simple(r.norm)),
    text('eps', (r) => simple(r.eps)),
    text('status', (r) => r.status),
    text('reason', (r) => r.reason ?? ''),
    whole('prediction', (r) => r.prediction),
    { name: 'floatSuccess', data: rows.map((r) => r.floatSuccess), type: 'BOOLEAN' },
    text('norms', (r) => JSON.stringify(r.norms)),
    { name: 'distance', data: rows.map((r) => r.distance), type: 'DOUBLE' },
    text('cleanProbabilities', (r) => JSON.stringify(r.cleanProbabilities)),
    text('probabilities', (r) => JSON.stringify(r.probabilities)),
    whole('forwards', (r) => r.forwards),
    whole('backwards', (r) => r.backwards),
    whole('queries', (r) => r.queries),
    { name: 'seconds', data: rows.map((r) => r.seconds), type: 'DOUBLE' },
    { name: 'foundAt', data: rows.map((r) => r.foundAt ?? null), type: 'INT32' },
    text('by', (r) => r.by ?? ''),
    text('trace', (r) => (r.trace === undefined ? '' : JSON.stringify(r.trace))),
    text('original', (r) => r.original ?? ''),
    text('example', (r) => r.example ?? ''),
    ...eventColumns(rows),
  ];
}

type Column = { name: string; data: unknown[]; type: 'DOUBLE' | 'BOOLEAN' };

/** Figures of inputs made of events, a column each, null where the model was not fooled; with the input's name in front where there are several. */
function eventColumns(rows: readonly Row[]): Column[] {
  const inputs = [...new Set(rows.flatMap(({ events }) => Object.keys(events ?? {})))];
  return inputs.flatMap((input) => {
    const column = (figure: keyof EventFacts, type: Column['type']): Column => ({
      name: inputs.length === 1 ? figure : `${input}.${figure}`,
      data: rows.map(({ events }) => events?.[input]?.[figure] ?? null),
      type,
    });
    return [...eventFigures.map((figure) => column(figure, 'DOUBLE')), column('rebinned', 'BOOLEAN')];
  });
}

function parquetOf(rows: readonly Row[]): Uint8Array {
  const columnData = flatColumns(rows).map(({ name, data, type }) => ({ name, data, type }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}
