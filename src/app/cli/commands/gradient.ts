import { realpath } from 'node:fs/promises';
import { UserError } from '../../../core/errors.ts';
import { writeModel } from '../../../core/onnx/writer.ts';
import { describeSubstitutes } from '../../../kit/model/element-types.ts';
import { gradientModel, statedSubstitutes } from '../../../kit/model/gradient-model.ts';
import type { ModelReference } from '../../experiment/schema.ts';
import { writeWhole } from '../../host/files.ts';
import { loadModel, modelReference, standIns } from '../../host/models.ts';
import { nodeRuntime } from '../../host/runtime.ts';
import { type LimitFlags, limitsOf, withLimits } from '../limits.ts';
import type { Register } from '../register.ts';
import { spikesFlag, spikesOf } from '../settings.ts';

interface Options extends LimitFlags {
  out: string;
  wrt?: string[];
  loss: string;
  output?: string;
  manifest?: string;
  spikes?: string[];
}

export const gradient: Register = (program, exit, guard) => {
  withLimits(program.command('gradient <model>'))
    .description("write a model's gradient as a plain ONNX model (default domain only)")
    .requiredOption('-o, --out <file>', 'where to write it')
    .option('--wrt <names...>', 'inputs to differentiate with respect to (default: all attacked ones)')
    .option('--loss <name>', 'ce or margin', 'ce')
    .option(...spikesFlag)
    .option('--output <name>', 'which output holds the class scores')
    .option('--manifest <file>', 'manifest of the model')
    .addHelpText(
      'after',
      "\nInputs of the result: the model's own, and label (int64 [N]).\nOutputs: the model's own, loss (float [N]), and grad_NAME for each input.\n\nExample:\n  $ provoke gradient model.onnx -o gradient.onnx",
    )
    .action(async (name: string, options: Options) => {
      const { loss } = options;
      if (loss !== 'ce' && loss !== 'margin') throw new UserError(`--loss: there is no loss "${loss}"`, 'one of: ce, margin');
      const reference = modelReference(name, options, spikesOf(options.spikes));
      await refuseToReplace(reference, options.out);
      exit(await guard({ reference, limits: limitsOf(options) }, () => write(reference, loss, options)));
    });
};

/** The gradient may not take the place of what it is made from. */
async function refuseToReplace(reference: ModelReference, out: string): Promise<void> {
  if (!('path' in reference)) return;
  const real = (path: string) => realpath(path).catch(() => undefined);
  const target = await real(out);
  for (const source of [reference.path, reference.manifest])
    if (target !== undefined && source !== undefined && target === (await real(source)))
      throw new UserError(`--out: "${out}" is what the gradient is made from`, 'give the gradient a name of its own');
}

async function write(reference: ModelReference, loss: 'ce' | 'margin', options: Options): Promise<void> {
  const runtime = nodeRuntime();
  const loaded = await loadModel(reference, { base: process.cwd(), runtime });
  const graph = await gradientModel(loaded.model, {
    execute: runtime.execute,
    loss,
    ...standIns(loaded),
    ...(options.wrt === undefined ? {} : { wrt: options.wrt }),
  });
  await writeWhole(options.out, writeModel(graph));
  process.stdout.write(
    [
      `${options.out}: inputs ${graph.inputs.map((v) => v.name).join(', ')}; outputs ${graph.outputs.map((v) => v.name).join(', ')}`,
      ...describeSubstitutes(statedSubstitutes(graph)).map((line) => `substitute: ${line}`),
      '',
    ].join('\n'),
  );
}
