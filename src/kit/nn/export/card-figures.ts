/** @file Sections of a card that are tables: the data, and what was counted on them. */
import { wilson } from '../../metrics/rates.ts';
import { inline, percent, syntheticTag } from './card-words.ts';
import { type Evaluation, figuresOf } from './evaluate.ts';
import type { DataRecord, Provenance, RecipeObject, RobustnessRecord } from './provenance.ts';

const dataLine = (d: DataRecord): string =>
  `- ${d.split}: ${d.name}${syntheticTag(d.synthetic)}, ${d.count} samples${d.share === undefined ? '' : `, share ${d.share} of each batch`}, sha256 \`${d.sha256}\``;

/** What the figures were counted on. */
export function evaluationData({ data }: Provenance): string[] {
  const others = data.filter((d) => d.split !== 'train');
  return others.length === 0 ? ['- none'] : others.map(dataLine);
}

/** What the weights were learned from. */
export function trainingData({ data }: Provenance, { augment }: RecipeObject): string[] {
  const changes = inline(augment);
  return [
    ...data.filter((d) => d.split === 'train').map(dataLine),
    changes === '' ? '- No augmentation' : `- Augmentation: ${changes}`,
  ];
}

/** Figures of every set the exported file was run on, per class, and robust accuracies where there are any. */
export function analyses({ evaluations, robustness = [], classes }: Provenance): string[] {
  if (evaluations.length === 0 && robustness.length === 0) return ['Nothing was measured.'];
  const tables = evaluations.map((e) => [...figuresTable(e, classes), '', ...confusionTable(e, classes)]);
  const robust = robustness.length === 0 ? [] : [robustTable(robustness)];
  return [...tables, ...robust].flatMap((lines, i) => (i === 0 ? lines : ['', ...lines]));
}

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
const head = (cells: readonly string[]): string[] => [row(cells), row(cells.map(() => '---'))];
const between = ([low, high]: readonly [number, number]): string => `${percent(low)} to ${percent(high)}`;

function figuresTable(e: Evaluation, classes: readonly string[]): string[] {
  const f = figuresOf(e.confusion, classes);
  return [
    `### ${e.split}: ${e.data}${syntheticTag(e.synthetic)}`,
    '',
    `Accuracy ${percent(f.accuracy)} (95 %: ${between(f.interval)}, n = ${f.n}), unweighted average recall ${percent(f.averageRecall)}, mean cross-entropy ${e.loss.toFixed(4)}.`,
    '',
    ...head(['class', 'n', 'recall', '95 %', 'precision', 'predicted']),
    ...f.classes.map((c) =>
      row([
        c.name,
        c.n,
        c.recall === undefined ? 'none in the data' : percent(c.recall),
        c.recall === undefined ? '' : between(c.interval),
        c.precision === undefined ? 'never predicted' : percent(c.precision),
        c.predicted,
      ]),
    ),
  ];
}

const confusionTable = ({ confusion }: Evaluation, classes: readonly string[]): string[] => [
  ...head(['labelled \\ predicted', ...classes]),
  ...confusion.map((counts, c) => row([classes[c]!, ...counts])),
];

const budget = (eps: RobustnessRecord['eps']): string =>
  typeof eps === 'number'
    ? String(eps)
    : Object.entries(eps)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ');

const robustTable = (robustness: readonly RobustnessRecord[]): string[] => [
  '### Robust accuracy',
  '',
  'An upper bound: the share of n samples that these attacks did not turn. Another attack, or more of the same, may turn more.',
  '',
  ...head(['data', 'attack', 'norm', 'eps', 'accuracy before', 'robust accuracy', '95 %', 'n']),
  ...robustness.map((r) =>
    row([
      `${r.split}: ${r.data}${syntheticTag(r.synthetic)}`,
      r.attack,
      r.norm,
      budget(r.eps),
      r.n === 0 || r.clean === undefined ? '' : percent(r.clean / r.n),
      r.n === 0 ? 'no samples' : percent(r.right / r.n),
      between(wilson(r.right, r.n)),
      r.n,
    ]),
  ),
];
