/** @file docs/COVERAGE.md, from the rules as they are and the errors just measured. */
import { writeFileSync } from 'node:fs';
import {
  casesByOp,
  denominators,
  howOf,
  isCovered,
  knownOps,
  rewritten,
  versionsOf,
  withBodies,
} from '../../core/autodiff/coverage.ts';

/** A model whose gradient agreed with finite differences. */
export interface Differentiated {
  readonly name: string;
  /** Operators of the model, those in bodies included. */
  readonly ops: ReadonlySet<string>;
  /** Largest error of a directional derivative, over |g| |v|. */
  readonly error: number;
}

export interface CoverageNumbers {
  /** Largest relative L2 error of a gradient against PyTorch in float64, by operator. */
  readonly pytorch: ReadonlyMap<string, number>;
  readonly differentiated: readonly Differentiated[];
  /** A line of counts per stage. */
  readonly counts: readonly string[];
  readonly versions: { readonly runtime: string; readonly torch: string };
}

const short = (v: number | undefined): string => (v === undefined ? '' : v === 0 ? '0' : v.toExponential(1));

/** Writes the table. */
export function writeCoverage({ pytorch, differentiated, counts, versions }: CoverageNumbers): void {
  const cases = casesByOp();
  const rows = knownOps.map((op) => {
    const models = differentiated.filter((d) => d.ops.has(op));
    const worst = models.length === 0 ? undefined : Math.max(...models.map((d) => d.error));
    const checked = withBodies.includes(op) ? ' (a)' : '';
    return `| ${op} | ${versionsOf(op).join(', ')} | ${rewritten[op] ?? howOf(op)} | ${cases.get(op) ?? ''} | ${short(pytorch.get(op))} | ${models.length || ''}${checked} | ${short(worst)} |`;
  });
  const lists = denominators().map(({ name, of }) => {
    const covered = of.filter(isCovered);
    const missing = of.filter((op) => !isCovered(op));
    return `| ${name} | ${covered.length} of ${of.length} | ${missing.join(', ')} |`;
  });
  const total = [...cases.values()].reduce((a, b) => a + b, 0);
  const text = `# Coverage of operators

Written by the test itself: \`PROVOKE_WRITE_COVERAGE=1 npx vitest run --project slow test/slow/conformance.test.ts\`. The columns operator, gradient and
cases are compared with the code in every unit run (test/docs/coverage.test.ts); the errors are those of the last run that wrote, with
onnxruntime ${versions.runtime} (float32, CPU) and PyTorch ${versions.torch}.

| of the | covered | not covered |
|---|---|---|
${lists.join('\n')}

Covered: a gradient graph can be made through the operator, be the derivative a formula or zero. ${total} derivative cases are recorded from PyTorch in float64
(test/fixtures/rules), each also checked by finite differences of the float64 interpreter (test/oracles/interpreter).

## ONNX's own backend models

Every model is read and written byte for byte and printed (read); validated, written anew, run, and its outputs compared with the stored ones to
1e-3 relative and 1e-7 absolute, as ONNX does (run); prepared (functions inlined, opset 18 or later, constants folded) and run again (prepare); then the
gradient of all float outputs, weighted at random, with respect to all float inputs is compared along three random directions with differences of the
float64 interpreter, whose outputs must be the stored ones too (gradient; 1e-5 of |g| |v| is allowed). A model at a kink, a step or a tie has no gradient:
it is told by differences to either side that disagree. Names and reasons of every exception: test/slow/conformance/exceptions.ts.

${counts.map((line) => `- ${line}`).join('\n')}

## Operators

- **gradient**: *rule*; *rule or cut, by attributes*; *zero*: nothing to differentiate (sizes, indices, logic, chance); *cut*: zero almost everywhere, so the
  gradient ends there, is listed by \`inspect\`, and a substitute may stand in; *becomes*: rewritten before differentiation.
- **cases**, **error**: recorded PyTorch cases, and the largest relative L2 error of our float32 gradient against PyTorch's in float64.
- **models**, **error**: backend models with the operator whose gradient agreed with finite differences, and the largest error of a directional derivative
  over |g| |v|. (a): bodies are proved by test/core/autodiff/control-flow.test.ts besides.
- Operators that draw random numbers (RandomNormal, RandomUniform and their Like forms, Bernoulli, Multinomial, Dropout in training mode): the row is that of
  the bare operator. When a model is opened, those outside the bodies of If, Loop and Scan become functions of inputs that hold standard draws
  (src/core/onnx/passes/random-inputs.ts): the gradient passes through what is done to a draw, and results can be repeated. Seeds in the file are not kept.

| operator | versions | gradient | cases | error | models | error |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`;
  writeFileSync(new URL('../../../docs/COVERAGE.md', import.meta.url), text);
}
