/** @file The tables of docs/ACCURACY.md, from what the test has just measured. */
import { writeFileSync } from 'node:fs';
import { recordedNets } from './recorded.ts';

export interface Measured {
  readonly net: string;
  readonly scalar: string;
  readonly elements: number;
  readonly samples: number;
  readonly ours: number;
  readonly pytorch: number;
  readonly norm: number;
  readonly kinks: { readonly units: number; readonly moved: number };
}

/** Of one sample, against the float64 interpreter. */
export interface Interpreted {
  readonly net: string;
  /** Largest difference of the outputs, over the largest output. */
  readonly forward: number;
  /** Largest error of a directional derivative, over |g| |v|. */
  readonly direction: number;
}

const short = (v: number): string => v.toExponential(1);

/** Writes the tables; `runtime` is the version of onnxruntime it was measured with. */
export function writeAccuracy(rows: readonly Measured[], interpreted: readonly Interpreted[], runtime: string): void {
  const { torch } = recordedNets.versions;
  const margin = recordedNets.nets[0]!.kinks.margin;
  const lines = rows.map(
    (r) =>
      `| ${r.net} | ${r.scalar} | ${r.samples} of ${r.elements} | ${short(r.ours)} | ${short(r.pytorch)} | ${(r.ours / r.pytorch).toFixed(2)} | ${short(r.norm)} | ${r.kinks.moved} of ${r.kinks.units} |`,
  );
  const worst = rows.reduce((a, b) => (b.ours / b.pytorch > a.ours / a.pytorch ? b : a));
  const largest = rows.reduce((a, b) => (b.ours > a.ours ? b : a));
  const text = `# Accuracy of gradients

Gradients of whole nets with respect to their input, computed by provoke's gradient graphs in onnxruntime ${runtime} (float32, CPU), against PyTorch ${torch}
in float64. Written by the test itself: \`PROVOKE_WRITE_ACCURACY=1 npx vitest run --project slow test/slow/gradients.test.ts\`.

| net | scalar | compared | ours | PyTorch float32 | ratio | norm | kinks |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}

Largest error: ${short(largest.ours)} (${largest.net}, ${largest.scalar}). Largest ratio to PyTorch's own float32 error: ${(worst.ours / worst.pytorch).toFixed(2)} (${worst.net}, ${worst.scalar}).

- **scalar**: what is differentiated. \`outputs\`: the sum of all outputs, each weighted by a fixed random number in -1..1; \`cross-entropy\`: the sum over
  the batch, through the oracle an attack uses.
- **compared**: elements of the gradient recorded from PyTorch (one at random in each of 4096 equal stretches), of all.
- **ours**: relative L2 error over these elements. **PyTorch float32**: of PyTorch's own float32 gradient at the same input, over all elements.
  The test allows max(2e-6, 1.5 times PyTorch's), and elementwise 1e-5 max|g| + 1e-6.
- **norm**: relative error of the L2 norm over all elements; 1e-5 is allowed.
- **kinks**: where a ReLU's input or the difference of the two largest elements of a max-pool lies within rounding of 0, float32 arithmetic of any
  library may take the other side, and each such unit changes the gradient by about 1e-3. Instead of excluding samples, inputs are moved: until no unit
  with a gradient lies within ${margin} rounding errors of its kink (rounding error: root mean square, over the layer, of PyTorch's float32 minus its float64).
  Only PyTorch's numbers decide about it. Given is how many times a unit was moved, of all units.
- Inputs are uniform in 0..1, weights of ResNet-18 and of the nine ONNX light topologies are random, those of the others are the published ones.
  resnet50 and shufflenet are differentiated before their Softmax: with random weights it saturates to a gradient of exactly 0.

## The nets people use, against a float64 interpreter

A second oracle that shares nothing with PyTorch: the graph in float64 (\`test/oracles/interpreter\`), at the first sample. **outputs**: largest difference of
the float32 outputs, over the largest output (2e-6 is allowed). **directions**: <g, v> against central differences along four directions, over |g| |v|
(1e-5 is allowed); two directions are the gradient with each element weighted at random, which see most of it, two are random.

| net | outputs | directions |
|---|---|---|
${interpreted.map((r) => `| ${r.net} | ${short(r.forward)} | ${short(r.direction)} |`).join('\n')}
`;
  writeFileSync(new URL('../../../docs/ACCURACY.md', import.meta.url), text);
}
