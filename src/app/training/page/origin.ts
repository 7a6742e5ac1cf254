/** @file What was trained, on what, with what: enough to train it again. */
import { count, duration } from '../../report/format.ts';
import { html, type Markup } from '../../report/html.ts';
import { facts, hash, list } from '../../report/sections/experiment.ts';
import type { TrainingPage } from './page-data.ts';

/** Recipe, data and provenance. */
export function origin(page: TrainingPage): Markup {
  const { provenance, problems } = page;
  const { weights, training, runtime, exported } = provenance;
  return html`<div class="columns"><div>
<h3>Model</h3>
${facts([
  ['Network', page.model],
  ['Trained numbers', count(weights.parameters)],
  ['Running statistics', count(weights.statistics)],
  ['Weights of', `epoch ${page.bestEpoch} of ${training.epochs}${weights.averaged ? ', averages over the steps' : ''}`],
  ['sha256 of weights', hash(weights.sha256)],
  ['sha256 of model.onnx', exported.sha256 === undefined ? undefined : hash(exported.sha256)],
  ['Exported logits differ by', `${exported.difference.toExponential(1)} of the largest, on ${exported.samples} samples`],
])}
<h3>Provenance</h3>
${facts([
  ['Ended', page.date],
  ['Seed', String(provenance.seed)],
  ['Time', duration(page.seconds)],
  ['Threads', String(runtime.threads)],
  ...Object.entries(provenance.versions),
])}
</div><div>
<h3>Data</h3>
${provenance.data.map((d) =>
  facts([
    [d.split, d.name],
    ['Samples', `${count(d.count)}${d.share === undefined ? '' : `, share ${d.share} of each batch`}`],
    ['Synthetic', d.synthetic],
    ['sha256', hash(d.sha256)],
  ]),
)}
${list(
  'Items that could not be used',
  problems.map((p) => `${p.item}: ${p.reason}`),
  'None.',
)}
</div></div>
<h3>Recipe</h3>
<p class="note">As it was trained, defaults filled in. <code>provoke train model-card.md</code> trains the same weights again.</p>
<pre tabindex="0"><code>${page.recipe.trimEnd()}</code></pre>
<h3>Files beside this page</h3>
${facts(page.files.map(([name, what]) => [name, what] as const))}`;
}
