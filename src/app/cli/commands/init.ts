import { existsSync, statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { stringify } from 'yaml';
import { suggestion, UserError } from '../../../core/errors.ts';
import { attackedInputs, type InputSpec } from '../../../kit/model/model.ts';
import { parseExperiment } from '../../experiment/parse.ts';
import type { DataReference, ExperimentFile, ModelReference } from '../../experiment/schema.ts';
import { dataSets, loadData } from '../../host/data.ts';
import { writeWhole } from '../../host/files.ts';
import { loadModel, modelReference } from '../../host/models.ts';
import { nodeRuntime } from '../../host/runtime.ts';
import { type LimitFlags, limitsOf, withLimits } from '../limits.ts';
import type { Register } from '../register.ts';

interface Options extends LimitFlags {
  out: string;
  force?: boolean;
  output?: string;
  manifest?: string;
}

export const init: Register = (program, exit, guard) => {
  withLimits(program.command('init <model> <data>'))
    .description('look at a model and data, and write a runnable experiment file')
    .option('--out <file>', 'where to write it', 'experiment.yaml')
    .option('--force', 'replace the file if it is there')
    .option('--output <name>', 'which output holds the class scores')
    .option('--manifest <file>', 'manifest of the model')
    .addHelpText(
      'after',
      '\nExamples:\n  $ provoke init face-api/expression face-api/samples\n  $ provoke init model.onnx photos/ --out photos.yaml',
    )
    .action(async (modelName: string, dataName: string, options: Options) => {
      if (existsSync(options.out) && !options.force)
        throw new UserError(`"${options.out}" exists`, 'choose another name with --out, or --force to replace it');
      const reference = modelReference(modelName, options);
      exit(await guard({ reference, limits: limitsOf(options) }, () => write(reference, dataName, options)));
    });
};

async function write(reference: ModelReference, dataName: string, options: Options): Promise<void> {
  const runtime = nodeRuntime();
  const { model } = await loadModel(reference, { base: process.cwd(), runtime });
  const data = dataReference(dataName);
  const source = await loadData(data, { base: process.cwd(), runtime });
  const { map, unknown } = mapLabels(source.labels, model.classes);
  const labels = Object.keys(map).length === 0 ? {} : { labels: map };
  const spec = model.inputs[attackedInputs(model)[0]!]!;
  const experiment = {
    name: basename(options.out, extname(options.out)),
    model: reference,
    data: { ...data, ...(source.count > 200 ? { limit: 200 } : {}), ...labels },
    threat: threatFor(spec),
    attacks: ['noise', 'fgsm', { use: 'pgd', steps: 20, restarts: 1 }],
    goal: 'untargeted' as const,
    seed: 0,
  } satisfies Partial<ExperimentFile>;
  const head = [
    `# ${model.name}: ${model.classes.length} classes (${model.classes.join(', ')})`,
    `# ${source.name}: ${source.count} samples; labels: ${source.labelsAre}`,
    ...model.inferred.map((sentence) => `# inferred: ${sentence}`),
    ...(Object.keys(map).length === 0
      ? []
      : ['# check the label map below: the data spell these labels otherwise than the model']),
    ...(unknown.length === 0 ? [] : [`# no class resembles ${unknown.join(', ')}: map them under data.labels before the run`]),
  ];
  const text = `${head.join('\n')}\n${stringify(experiment)}`;
  parseExperiment(text, options.out);
  await writeWhole(options.out, text);
  process.stdout.write(`${options.out} written; next: provoke run ${options.out}\n`);
}

/** Labels spelled otherwise than a class, mapped to the class that begins alike; the rest has to be mapped by hand. */
function mapLabels(labels: readonly string[], classes: readonly string[]): { map: Record<string, string>; unknown: string[] } {
  const map: Record<string, string> = {};
  const unknown: string[] = [];
  for (const label of labels) {
    const alike = (c: string, length: number) => c.slice(0, length).toLowerCase() === label.slice(0, length).toLowerCase();
    if (classes.some((c) => c.toLowerCase() === label.toLowerCase())) continue;
    const found = classes.find((c) => label.length >= 3 && alike(c, 3));
    if (found === undefined) unknown.push(label);
    else map[label] = found;
  }
  return { map, unknown };
}

/** Budgets that make sense for the input's range: four steps up to 8/255 of a bounded range, or of one unit where it is unbounded. */
function threatFor({ bounds }: InputSpec): ExperimentFile['threat'] {
  const range = bounds === 'unbounded' ? 1 : Math.max(...[bounds.upper].flat()) - Math.min(...[bounds.lower].flat());
  return { norm: 'linf', eps: [1, 2, 4, 8].map((k) => (range === 1 ? `${k}/255` : (k * range) / 255)) };
}

function dataReference(name: string): DataReference {
  if (dataSets.some((d) => d.kind === 'built-in' && d.name === name) || /\.m?js$/.test(name)) return { use: name };
  if (existsSync(name))
    return { format: statSync(name).isDirectory() || !/fer/i.test(basename(name)) ? 'image-folder' : 'fer2013', path: name };
  throw new UserError(
    `there is no built-in data set "${name}", and no file or folder of that name`,
    suggestion(
      name,
      dataSets.map((d) => d.name),
    ),
  );
}
