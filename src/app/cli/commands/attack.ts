import { suggestion, UserError } from '../../../core/errors.ts';
import { createOracle } from '../../../kit/model/make-oracle.ts';
import type { Model, Sample } from '../../../kit/model/model.ts';
import { openSessions } from '../../../kit/model/sessions.ts';
import type { Row } from '../../../kit/record/row.ts';
import { parseEps } from '../../../kit/threat/parse-eps.ts';
import type { Norm } from '../../../kit/threat/threat.ts';
import type { Attack } from '../../../methods/attacks/attack.ts';
import { allowance, forwardSeconds } from '../../experiment/pace.ts';
import { checkAttack, factsOf, type GoalPlan } from '../../experiment/plan.ts';
import { experimentSchema, type ModelReference } from '../../experiment/schema.ts';
import { runUnit } from '../../experiment/unit.ts';
import { loadAttacks } from '../../host/attacks.ts';
import { exampleStore } from '../../host/examples.ts';
import { writableFolder } from '../../host/files.ts';
import { loadModel, modelReference, standIns } from '../../host/models.ts';
import { fileSample, onlyAttackedInput } from '../../host/predict-files.ts';
import { nodeRuntime } from '../../host/runtime.ts';
import { epsText, percent, size } from '../../report/format.ts';
import type { Allow } from '../guard.ts';
import { interruptSignal } from '../interrupt.ts';
import { type LimitFlags, limitsOf, withLimits } from '../limits.ts';
import { createProgress } from '../progress.ts';
import type { Register } from '../register.ts';
import { settings, spikesFlag, spikesOf } from '../settings.ts';
import { table } from '../table.ts';

interface Options extends LimitFlags {
  attack: string;
  eps: string;
  norm: string;
  out: string;
  target?: string;
  seed: string;
  set: string[];
  spikes?: string[];
  output?: string;
  manifest?: string;
  resize?: boolean;
  json?: boolean;
}

export const attack: Register = (program, exit, guard) => {
  withLimits(program.command('attack <model> <inputs...>'))
    .description('attack single files')
    .requiredOption('--attack <name>', 'which attack: provoke list attacks, or ./file.mjs')
    .requiredOption('--eps <size>', 'largest change, e.g. 8/255')
    .option('--norm <name>', 'linf, l2, l1 or l0', 'linf')
    .option('--target <class>', 'aim at this class instead of any wrong one')
    .option('--set <key=value...>', "the attack's options, e.g. --set steps=50 restarts=5", [] as string[])
    .option(...spikesFlag)
    .option('--seed <n>', 'seed of the random streams', '0')
    .option('--out <dir>', 'where examples go', 'attacked')
    .option('--resize', 'bring images to the size the model wants')
    .option('--output <name>', 'which output holds the class scores')
    .option('--manifest <file>', 'manifest of the model')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  $ provoke attack face-api/expression face.png --attack pgd --eps 8/255\n  $ provoke attack model.onnx a.png --attack pgd --eps 2 --norm l2 --set steps=40 --target happy',
    )
    .action(async (name: string, paths: string[], options: Options) => {
      const reference = modelReference(name, options, spikesOf(options.spikes));
      const task = `${options.attack} on ${paths.slice(0, 3).join(', ')}${paths.length > 3 ? ` and ${paths.length - 3} more` : ''}`;
      exit(await guard({ reference, limits: limitsOf(options), task }, (allow) => attackFiles(reference, paths, options, allow)));
    });
};

async function attackFiles(reference: ModelReference, paths: string[], options: Options, allow: Allow): Promise<void> {
  const [planned] = await loadAttacks([{ use: options.attack, ...settings(options.set) }], process.cwd());
  const chosen = planned!.attack;
  const eps = parseEps(options.eps, '--eps');
  const norm = normOf(options.norm);
  if (!chosen.norms.includes(norm))
    throw new UserError(
      `attack ${chosen.name} works under ${chosen.norms.join(', ')}, not ${norm}`,
      'choose another --norm or --attack',
    );
  const seed = Number(options.seed);
  if (!Number.isInteger(seed) || seed < 0)
    throw new UserError(`--seed: "${options.seed}" is not a whole number`, 'for example --seed 1');
  const runtime = nodeRuntime();
  const started = performance.now();
  const loaded = await loadModel(reference, { base: process.cwd(), runtime });
  const { model } = loaded;
  const input = onlyAttackedInput(model);
  const goal = goalOf(model, options.target);
  const budgets = [{ norm: { [input]: norm }, eps: { [input]: eps } }];
  checkAttack(planned!, budgets, goal, model);
  const samples: Sample[] = [];
  for (const path of new Set(paths)) {
    const sample = await fileSample(path, model, options);
    // files of one name in two folders are two samples
    samples.push(samples.some((s) => s.id === sample.id) ? { ...sample, id: path } : sample);
  }
  await writableFolder(options.out);
  const sessions = openSessions(model, runtime, standIns(loaded));
  const forward = await forwardSeconds(model, sessions);
  const open = (performance.now() - started) / 1000;
  const most = Math.max(samples.length, model.fixedBatch ?? 1);
  allow(allowance({ planned: planned!, budgets: 1, samples: most, ...factsOf(budgets, model), forward, open }));
  const interrupt = interruptSignal('interrupted');
  const progress = createProgress(chosen.name);
  try {
    const { rows } = await runUnit({
      model,
      oracle: (_, random) => createOracle(sessions, { maxBatch: 16, signal: interrupt.signal, random }),
      samples,
      problems: [],
      planned: planned!,
      budgets,
      goal,
      seed,
      examples: exampleStore(options.out, model),
      signal: interrupt.signal,
      progress: (share) => progress.update(share, 1, 'attacking'),
    });
    progress.end();
    process.stdout.write(
      options.json
        ? `${JSON.stringify(rows, null, 2)}\n`
        : `${text(rows, model, input, { norm, eps, kind: chosen.kind })}\nexamples: ${options.out}/adversarial\n`,
    );
  } finally {
    interrupt.dispose();
    await sessions.release();
  }
}

const norms = experimentSchema.shape.threat.options[0].shape.norm.unwrap().options;

function normOf(name: string): (typeof norms)[number] {
  const norm = norms.find((n) => n === name);
  if (norm === undefined) throw new UserError(`--norm: there is no norm "${name}"`, suggestion(name, norms));
  return norm;
}

function goalOf(model: Model, target: string | undefined): GoalPlan {
  if (target === undefined) return { kind: 'untargeted' };
  const index = model.classes.indexOf(target);
  if (index < 0) throw new UserError(`--target: the model has no class "${target}"`, suggestion(target, model.classes));
  return { kind: 'targeted', target: index };
}

interface Asked {
  readonly norm: Norm;
  readonly eps: number;
  readonly kind: Attack['kind'];
}

function text(rows: readonly Row[], model: Model, input: string, { norm, eps, kind }: Asked): string {
  const minimal = kind === 'minimal';
  const suite = rows.some((r) => r.by !== undefined);
  const found = ({ distance }: Row): string => (distance === null ? '' : size(distance, norm, model.inputs[input]));
  const className = (i: number) => model.classes[i] ?? '-';
  const lines = rows.map((r) => [
    r.sample,
    r.status,
    className(r.cleanPrediction),
    percent(r.cleanProbabilities[r.cleanPrediction] ?? 0),
    r.status === 'success' ? className(r.prediction) : '',
    r.status === 'success' ? percent(r.probabilities[r.prediction] ?? 0) : '',
    r.status === 'success' ? size(r.norms[input]!.linf, 'linf', model.inputs[input]) : '',
    r.status === 'success' ? r.norms[input]!.l2.toFixed(4) : '',
    ...(minimal ? [found(r)] : []),
    String(r.queries),
    ...(suite ? [r.by ?? ''] : []),
    r.example ?? r.reason ?? '',
  ]);
  const head = ['input', 'status', 'before', '', 'after', '', 'linf', 'l2'];
  const more = [...(minimal ? [`smallest ${norm} found`] : []), 'queries', ...(suite ? ['by'] : []), 'example'];
  return `within eps ${epsText(eps, norm, model.inputs)}:\n${table([[...head, ...more], ...lines])}`;
}
