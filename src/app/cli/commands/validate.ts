import { dirname, extname, resolve } from 'node:path';
import { suggestion, UserError } from '../../../core/errors.ts';
import { assertValid } from '../../../core/onnx/validate.ts';
import { parseExperiment } from '../../experiment/parse.ts';
import { type ExperimentFile, experimentJsonSchema } from '../../experiment/schema.ts';
import { openWorkbench } from '../../experiment/workbench.ts';
import { readUserFile } from '../../host/files.ts';
import { readOnnxFile } from '../../host/models.ts';
import { nodeRuntime } from '../../host/runtime.ts';
import { choicesOf, nameOf } from '../../training/choices.ts';
import { isRecipe, parseRecipe } from '../../training/parse.ts';
import { recipeJsonSchema } from '../../training/schema.ts';
import { type LimitFlags, limitsOf, withLimits } from '../limits.ts';
import type { Register } from '../register.ts';

export const validate: Register = (program, exit, guard) => {
  withLimits(program.command('validate [file]'))
    .description('check an experiment file, a recipe or an ONNX model without running it')
    .option('--schema [kind]', 'print the JSON Schema of experiment files, or with "recipe" that of recipes, for editors')
    .addHelpText(
      'after',
      '\nExamples:\n  $ provoke validate face.yaml\n  $ provoke validate recipe.yaml\n  $ provoke validate model.onnx\n  $ provoke validate --schema > experiment.schema.json\n  $ provoke validate --schema recipe > recipe.schema.json',
    )
    .action(async (file: string | undefined, { schema, ...flags }: { schema?: boolean | string } & LimitFlags) => {
      if (schema !== undefined) {
        process.stdout.write(`${JSON.stringify(schemaOf(schema === true ? 'experiment' : String(schema)), null, 2)}\n`);
        return;
      }
      if (file === undefined)
        throw new UserError('validate needs a file', 'name an experiment file, a recipe or an ONNX model, or ask for --schema');
      const limits = limitsOf(flags);
      if (extname(file) === '.onnx') return exit(await guard({ reference: { path: file }, limits }, () => checkModel(file)));
      const text = new TextDecoder().decode(await readUserFile(file, 'the experiment file'));
      if (isRecipe(text)) return checkRecipe(file, text);
      const experiment = parseExperiment(text, file);
      exit(await guard({ reference: experiment.model, limits }, () => checkExperiment(file, experiment)));
    });
};

const schemas: Readonly<Record<string, () => unknown>> = { experiment: experimentJsonSchema, recipe: recipeJsonSchema };

function schemaOf(kind: string): unknown {
  if (!Object.hasOwn(schemas, kind)) throw new UserError(`there is no schema "${kind}"`, suggestion(kind, Object.keys(schemas)));
  return schemas[kind]!();
}

/** The recipe and what it names; the data are opened by `provoke train --dry-run`. */
function checkRecipe(file: string, text: string): void {
  const { value, where } = parseRecipe(text, file);
  const { architecture, optimiser, recipe } = choicesOf(value, where);
  process.stdout.write(
    `${file}: valid; ${architecture.name} with ${architecture.classes.length} classes, ${optimiser.name}, ${recipe.epochs} epochs, ${recipe.defence === undefined ? 'standard training' : `defence ${nameOf(recipe.defence)}`}; its data are looked at by provoke train --dry-run\n`,
  );
}

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
