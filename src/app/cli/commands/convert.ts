import { UserError } from '../../../core/errors.ts';
import { writeModel } from '../../../core/onnx/writer.ts';
import { builtinModels } from '../../../kit/model/builtin/index.ts';
import { writeWhole } from '../../host/files.ts';
import { builtinGraph } from '../../host/models.ts';
import { readTfjsModel } from '../../host/tfjs.ts';
import type { Register } from '../register.ts';

export const convert: Register = (program) => {
  program
    .command('convert <source>')
    .description('TensorFlow.js graph models (model.json), and built-in models, to ONNX')
    .requiredOption('-o, --out <file>', 'where to write the ONNX model')
    .addHelpText(
      'after',
      '\nExamples:\n  $ provoke convert node_modules/@vladmandic/human/models/emotion.json -o emotion.onnx\n  $ provoke convert face-api/expression -o expression.onnx',
    )
    .action(async (source: string, { out }: { out: string }) => {
      const graph = Object.hasOwn(builtinModels, source) ? (await builtinGraph(source)).graph : await fromFile(source);
      await writeWhole(out, writeModel(graph));
      process.stdout.write(
        `${out}: ${graph.nodes.length} nodes; inputs ${graph.inputs.map((v) => v.name).join(', ')}; outputs ${graph.outputs.map((v) => v.name).join(', ')}\n`,
      );
    });
};

async function fromFile(source: string) {
  if (source.endsWith('.json')) return readTfjsModel(source);
  throw new UserError(
    `provoke cannot convert "${source}"`,
    `give a TensorFlow.js model.json, or one of: ${Object.keys(builtinModels).join(', ')}`,
  );
}
