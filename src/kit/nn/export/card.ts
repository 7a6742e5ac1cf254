/**
 * @file The model card: Markdown with the sections of Mitchell et al. 2019 (Model Cards for Model Reporting, section 4), under a YAML front matter that
 * holds the recipe and the provenance: what is needed to train the same weights again.
 */
import type { Architecture } from '../architecture.ts';
import { analyses, evaluationData, trainingData } from './card-figures.ts';
import { defenceLine, describeRobustness, inline, syntheticSets } from './card-words.ts';
import type { Provenance, RecipeObject } from './provenance.ts';
import { yamlText } from './yaml-text.ts';

/** What the front matter calls itself; a reader refuses other versions. */
export const cardFormat = { format: 'provoke-model-card', version: 1 } as const;

export interface CardFacts {
  readonly architecture: Pick<Architecture, 'name' | 'inputs' | 'classes'>;
  readonly recipe: RecipeObject;
  readonly provenance: Provenance;
}

/** Writes the card. Every number in it is one of the provenance's. */
export function writeCard(facts: CardFacts): string {
  const { recipe, provenance } = facts;
  const front = yamlText({ ...cardFormat, ...provenance, recipe });
  const sections = [
    `# Model card: ${provenance.name}`,
    headline(facts),
    section('Model details', details(facts)),
    section('Intended use', intendedUse(facts)),
    section('Factors', factors(provenance)),
    section('Metrics', metrics(facts)),
    section('Evaluation data', evaluationData(provenance)),
    section('Training data', trainingData(provenance, recipe)),
    section('Quantitative analyses', analyses(provenance)),
    section('Ethical considerations', ethics(provenance)),
    section('Caveats and recommendations', caveats(facts)),
  ];
  return `---\n${front}---\n\n${sections.join('\n\n')}\n`;
}

const section = (title: string, lines: readonly string[]): string => `## ${title}\n\n${lines.join('\n')}`;

/** The first thing a reader has to know. */
function headline({ provenance }: CardFacts): string {
  const made = syntheticSets(provenance);
  if (made.length === 0) return 'Written by provoke from the run that trained the model.';
  const all = made.length === provenance.data.length;
  return `**${all ? 'All data are' : 'Part of the data is'} synthetic** (${made.map((d) => `${d.split}: ${d.name}`).join(', ')}). Numbers from them tell that the machinery works, and nothing about people.`;
}

function details({ architecture, recipe, provenance }: CardFacts): string[] {
  const { weights, training, versions, runtime, exported } = provenance;
  const inputs = Object.entries(architecture.inputs).map(
    ([name, s]) => `\`${name}\` ${s.layout} [${s.shape.join(', ')}] (${s.modality}, ${s.role})`,
  );
  const epochs = `${training.epochs} epochs, ${training.steps} steps${training.stoppedEarly ? ', stopped early' : ''}`;
  const chosen = training.bestEpoch === undefined ? '' : `; the weights are those after epoch ${training.bestEpoch}`;
  return [
    `- Network: ${inline(recipe.model) || architecture.name}, ${weights.parameters} trained parameters, ${weights.statistics} running statistics`,
    `- Inputs: ${inputs.join('; ')}`,
    `- Output: \`logits\`, ${architecture.classes.length} classes: ${architecture.classes.join(', ')}`,
    `- Trained: ${epochs}, seed ${provenance.seed}${chosen}${weights.averaged ? ' (averages over the steps)' : ''}`,
    `- Optimiser: ${inline(recipe.optimiser)}; schedule: ${inline(recipe.schedule) || 'constant'}; loss: cross-entropy${recipe.loss === undefined ? '' : ` (${inline(recipe.loss)})`}`,
    `- Defence: ${defenceLine(recipe)}`,
    ...surrogateLines(provenance),
    `- Versions: ${Object.entries(versions)
      .map(([name, v]) => `${name} ${v}`)
      .join(
        ', ',
      )}; ${runtime.threads === 1 ? '1 thread' : `${runtime.threads} threads`}, optimisation ${runtime.optimization}, ${runtime.providers.join(', ')}`,
    `- File: ${fileForm(provenance)}; its logits differ from those of the trained network by at most ${exported.difference.toExponential(1)}, relative to the largest logit of a sample or 1, on ${exported.samples} ${exported.drawn ? 'random' : 'validation'} samples`,
    `- sha256 of the weights: \`${weights.sha256}\``,
  ];
}

/** How the file differs from the network that was trained. */
const fileForm = ({ exported, weights }: Provenance): string => {
  if (weights.statistics === 0) return 'dropout gone';
  return `${exported.folded ? 'normalisation folded into the weights' : 'normalisation as it was trained'}, dropout gone`;
};

const surrogateLines = ({ surrogates, exported }: Provenance): string[] =>
  surrogates === undefined || surrogates.length === 0
    ? []
    : [
        `- Surrogate derivatives: ${surrogates.join(', ')}. The file holds the comparisons themselves, whose derivative is zero; an attack needs a surrogate of its own`,
        `- Rounding decides whether a potential at its threshold fires: after the runtime's own optimisation, ${exported.moved ?? 0} of ${exported.samples} samples have other logits than node by node`,
      ];

function intendedUse({ architecture, provenance }: CardFacts): string[] {
  const modalities = [...new Set(Object.values(architecture.inputs).map((i) => i.modality))].join(' and ');
  return [
    `- A reference model (${modalities} in, ${architecture.classes.length} classes out) for measuring how easily such models are fooled, and what defences are worth.`,
    '- For research and tests. Not for decisions about people, in any setting.',
    ...(syntheticSets(provenance).length === 0
      ? []
      : ['- Trained or judged on synthetic data: not for use on recordings of people without being trained and judged anew.']),
  ];
}

function factors({ evaluations }: Provenance): string[] {
  const groups = evaluations.map(
    (e) => `${e.split}: ${e.n} samples in ${e.groups} independent groups (clips, speakers, subjects)`,
  );
  return [
    '- The data name classes and groups, and no other factor: age, gender, skin tone, language, lighting and device are not annotated, so there are no figures by them.',
    ...groups.map((line) => `- ${line}`),
  ];
}

function metrics({ recipe, provenance }: CardFacts): string[] {
  return [
    '- Accuracy with its Wilson 95 % interval; recall and precision per class; unweighted average recall (the mean over the classes that occur), which a frequent class cannot lift; mean cross-entropy in nats.',
    '- The predicted class is that of the largest logit; no threshold was chosen.',
    `- ${describeRobustness(recipe, provenance)}`,
  ];
}

function ethics(provenance: Provenance): string[] {
  return [
    '- Such models read signs that people show, and not what people feel or intend; the classes are those of whoever labelled the data.',
    '- Nothing here shows that its errors are spread evenly over people: without annotated factors this card cannot say.',
    ...(syntheticSets(provenance).length === provenance.data.length
      ? ['- No recording of a person was used as labelled by anyone: the labels follow from how the data were made.']
      : ['- Whether the people in the data agreed to this use is for the source of the data to say.']),
  ];
}

function caveats({ recipe, provenance }: CardFacts): string[] {
  const test = provenance.evaluations.some((e) => e.split === 'test');
  const chosen = provenance.training.bestEpoch !== undefined || recipe.earlyStop !== undefined;
  return [
    ...(test ? [] : ['- There was no test set.']),
    ...(chosen && provenance.evaluations.some((e) => e.split === 'validation')
      ? ['- The weights were chosen by the validation data: figures on those flatter the model.']
      : []),
    '- Whether a person, clip or speaker occurs in several splits was not checked.',
    ...(recipe.defence === undefined
      ? ['- No defence: nothing was done against small changes made to fool it.']
      : ['- Adversarial training speaks for the threat it was trained against, and for no other.']),
    '- `provoke train` with this card as its recipe trains the same weights again, bit for bit, on the data named above, with the same versions, threads and optimisation level on the same kind of processor.',
    `- Measure with \`provoke run\` before relying on it${provenance.robustness === undefined ? '' : '; the robust accuracy above is that against the attacks named, an upper bound'}.`,
  ];
}
