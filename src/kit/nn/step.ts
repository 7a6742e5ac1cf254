/** @file One training step as one graph: forward, backward and the update of every parameter; weights and the optimiser's memory are its state. */
import { UserError } from '../../core/errors.ts';
import { trainingGradient } from '../../core/layout/training/index.ts';
import { graphBuilder } from '../../core/onnx/builder.ts';
import { plainBodies } from '../../core/onnx/passes/control-flow/plain-bodies.ts';
import { dropDead } from '../../core/onnx/passes/drop-dead.ts';
import { prepare } from '../../core/onnx/passes/prepare.ts';
import type { Runtime } from '../../core/runtime/runtime.ts';
import { type Architecture, inputSignals } from './architecture.ts';
import { asInputs } from './as-inputs.ts';
import { openNet } from './net.ts';
import { type Step, type StepOptions, settingsOf, stepNames } from './step-terms.ts';
import { writeUpdates } from './updates.ts';

/**
 * Writes the step. Outputs: those of `stepNames`, the gradients asked for, and the next state. Throws a UserError where an option cannot be used, or the
 * loss does not depend on a parameter.
 */
export async function makeStep(architecture: Architecture, runtime: Runtime, options: StepOptions): Promise<Step> {
  refuseOptions(options);
  const settings = settingsOf(options);
  const forward = writeForward(architecture, options);
  const { whole, parameters, statistics, noise } = forward;
  const wrtInputs = options.wrtInputs ?? [];
  const surrogates = [...(options.surrogates ?? []), ...(architecture.surrogates ?? [])];

  const free = await prepare(asInputs(whole, [...parameters, ...statistics.keys()]), runtime.execute);
  const made = await trainingGradient(plainBodies(free), runtime.execute, {
    of: [stepNames.loss],
    wrt: [...parameters, ...wrtInputs],
    ...(surrogates.length === 0 ? {} : { surrogates }),
    hold: parameters,
  });
  refuseUnreached(architecture, new Set(made.unreached), parameters);

  const u = graphBuilder({ from: { ...made.graph, outputs: [] } });
  for (const { name, dims } of forward.heads) u.output(name, dims);
  const inputGradients = Object.fromEntries(wrtInputs.map((name) => [name, made.gradients[name]!]));
  for (const name of Object.values(inputGradients)) u.untypedOutput(name);
  const updates = writeUpdates(u, {
    ...options,
    ...forward,
    settings,
    first: whole.initializers,
    gradientOf: made.gradients,
    held: made.held,
  });
  return { graph: dropDead(u.build()), parameters, statistics: [...statistics.keys()], noise, inputGradients, ...updates };
}

/** The loss of the network in training, and what its statistics become, with all weights at their first values. */
export function writeForward(architecture: Architecture, { objective, seed }: StepOptions) {
  const { net, written } = openNet({ mode: 'training', seed });
  const { g } = net;
  const inputs = inputSignals(net, architecture);
  const { loss, logits } = objective.write({
    g,
    inputs,
    classes: architecture.classes.length,
    label: g.input(stepNames.label, ['N'], 'int64'),
    network: (signals) => architecture.write(net, signals).name,
    input: (name, shape, dtype = 'float32') => ({ name: g.input(name, ['N', ...shape], dtype), shape }),
  });
  const losses = g.op('Identity', [loss], {}, stepNames.losses);
  const heads = [
    { name: g.op('ReduceMean', [losses], { keepdims: 0 }, stepNames.loss), dims: [] },
    { name: losses, dims: ['N'] },
    { name: g.op('Identity', [logits], {}, stepNames.logits), dims: ['N', architecture.classes.length] },
  ];
  const { parameters, statistics, noise } = written();
  for (const { name, dims } of heads) g.output(name, dims);
  for (const [name, value] of statistics) if (name !== value) g.untypedOutput(value);
  return { whole: g.build(), parameters, statistics, noise, heads };
}

function refuseOptions({ clip, ema, outputs }: StepOptions): void {
  if (clip !== undefined && !(clip > 0))
    throw new UserError(
      `clip is ${clip}: the largest norm of the gradient is above 0`,
      'leave clip out to train without clipping',
    );
  if (ema !== undefined && !(ema >= 0 && ema < 1))
    throw new UserError(
      `ema is ${ema}: the decay of the average is at least 0 and below 1`,
      'use 0.99 or 0.999, or leave ema out',
    );
  if (outputs === 'gradients' && (clip !== undefined || ema !== undefined))
    throw new Error('clipping and averaging are part of the update: a step that returns gradients leaves them to its caller');
}

function refuseUnreached({ name }: Architecture, unreached: ReadonlySet<string>, parameters: readonly string[]): void {
  const lost = parameters.filter((parameter) => unreached.has(parameter));
  if (lost.length === 0) return;
  const some = lost.slice(0, 5).map((parameter) => `"${parameter}"`);
  throw new UserError(
    `the loss of ${name} does not depend on ${some.join(', ')}${lost.length > 5 ? ` and ${lost.length - 5} more` : ''}: nothing could be learnt there`,
    'leave that layer out, join it to the logits, or give the node that cuts its gradient a surrogate',
  );
}
