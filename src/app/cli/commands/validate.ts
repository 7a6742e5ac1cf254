import { dirname, extname, resolve } from 'node:path';
import { UserError } from '../../../core/errors.ts';
import { assertValid } from '../../../core/onnx/validate.ts';
import { parseExperiment } from '../../experiment/parse.ts';
import { type ExperimentFile, experimentJsonSchema } from '../../experiment/schema.ts';
import { openWorkbench } from '../../experiment/workbench.ts';
import { readUserFile } from '../../host/files.ts';
import { readOnnxFile } from '../../host/models.ts';
import { nodeRuntime } from '../../host/runtime.ts';
import { type LimitFlags, limitsOf, withLimits } from '../limits.ts';
import type { Register } from '../register.ts';

export const validate: Register = (program, exit, guard) => {
  withLimits(program.command('validate [file]'))
    .description('check an experiment file or an ONNX model without running it')
    .option('--schema', "print the experiment file's JSON Schema, for editors")
    .addHelpText(
      'after',
      '\nExamples:\n  $ provoke validate face.yaml\n  $ provoke validate model.onnx\n  $ provoke validate --schema > experiment.schema.json',
    )
    .action(async (file: string | undefined, { schema, ...flags }: { schema?: boolean } & LimitFlags) => {
      if (file === undefined && !schema)
        throw new UserError('validate needs a file', 'name an experiment file or an ONNX model, or ask for --schema');
      if (file === undefined || schema) {
        process.stdout.write(`${JSON.stringify(experimentJsonSchema(), null, 2)}\n`);
        return;
      }
      const limits = limitsOf(flags);
      if (extname(file) === '.onnx') return exit(await guard({ reference: { path: file }, limits }, () => checkModel(file)));
      const experiment = parseExperiment(new TextDecoder().decode(await readUserFile(file, 'the experiment file')), file);
      exit(await guard({ reference: experiment.model, limits }, () => checkExperiment(file, experiment)));
    });
};

async function checkModel(file: string): Promise<void> {
  const { graph } = await readOnnxFile(file);
  assertValid(graph, file);
  const session = await nodeRuntime().open(graph);
  await session.release();
  process.stdout.write(`${file}: valid, ${graph.nodes.length} nodes, loads in the runtime\n`);
}

async function checkExperiment(file: string, experiment: ExperimentFile): Promise<void> {
  const bench = await openWorkbench(experiment, { base: resolve(dirname(file)), folder: '.', runtime: nodeRuntime() });
  const { plan, model, data } = bench;
  await bench.release();
  process.stdout.write(
    `${file}: valid; ${model.name} on ${data.name}, ${plan.items.length} samples, ${plan.attacks.length} attacks, ${plan.budgets.length} budgets, ${plan.units.length} units\n`,
  );
}
