import type { ModelReference } from '../../experiment/schema.ts';
import { modelReference } from '../../host/models.ts';
import { predictFiles } from '../../host/predict-files.ts';
import { percent } from '../../report/format.ts';
import type { Allow } from '../guard.ts';
import { type LimitFlags, limitsOf, withLimits } from '../limits.ts';
import type { Register } from '../register.ts';
import { table } from '../table.ts';

interface Options extends LimitFlags {
  json?: boolean;
  output?: string;
  manifest?: string;
  resize?: boolean;
}

export const predict: Register = (program, exit, guard) => {
  withLimits(program.command('predict <model> <inputs...>'))
    .description('class probabilities for files')
    .option('--json', 'as JSON')
    .option('--resize', 'bring images to the size the model wants')
    .option('--output <name>', 'which output holds the class scores')
    .option('--manifest <file>', 'manifest of the model')
    .addHelpText(
      'after',
      '\nExamples:\n  $ provoke predict face-api/expression face.png\n  $ provoke predict model.onnx a.png b.png --json',
    )
    .action(async (model: string, inputs: string[], options: Options) => {
      const reference = modelReference(model, options);
      exit(await guard({ reference, limits: limitsOf(options) }, (allow) => show(reference, inputs, options, allow)));
    });
};

async function show(reference: ModelReference, inputs: string[], options: Options, allow: Allow): Promise<void> {
  const { predictions, classes } = await predictFiles(reference, inputs, { ...options, allow });
  if (options.json) {
    process.stdout.write(`${JSON.stringify(predictions, null, 2)}\n`);
    return;
  }
  const rows = predictions.map((p) => [p.input, p.prediction, ...classes.map((c) => percent(p.classes[c]!))]);
  process.stdout.write(`${table([['input', 'prediction', ...classes], ...rows])}\n`);
}
