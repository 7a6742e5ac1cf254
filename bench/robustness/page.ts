/** @file The figures as Markdown, and their place in docs/ROBUSTNESS.md. */
import type { Gain } from '../../src/kit/metrics/gain.ts';
import type { Figures } from './figures.ts';

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const points = (share: number): string => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)}`;
const range = ({ gain, lower, upper }: Gain, write: (value: number) => string): string =>
  `${write(gain)} (${write(lower)} to ${write(upper)})`;
const threatText = (threat: unknown): string => {
  const { norm = 'linf', eps } = threat as { norm?: string; eps?: unknown };
  return eps === undefined ? JSON.stringify(threat) : `${norm}, eps ${Array.isArray(eps) ? eps.join(', ') : String(eps)}`;
};

/** A section for one experiment. */
export function section(name: string, figures: Figures): string {
  const { synthetic, n, groups, seeds, attack, threat, versions, threads, models, comparisons, defences, epochs } = figures;
  const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(3)}`;
  return [
    `## ${name}`,
    '',
    `${synthetic === null ? 'Data' : '**Synthetic data**'}: ${figures.data}${synthetic === null ? '' : ` (${synthetic})`}; n = ${n} test samples of ${groups} ${groups === 1 ? 'group' : 'groups'} (people, photos), ${seeds.length} seeds (${seeds.join(', ')}).`,
    `Attack: ${attack}, ${threatText(threat)}, on the exported model, judged on the rounded and re-read example. Robust accuracy is an upper bound: a stronger attack may find more.`,
    `Recipes: ${Object.keys(epochs)
      .map(
        (recipe) => `${recipe} (${epochs[recipe]} epochs${defences[recipe] == null ? '' : `, ${defenceText(defences[recipe])}`})`,
      )
      .join('; ')}.`,
    `Versions: ${Object.entries(versions)
      .map(([what, version]) => `${what} ${version}`)
      .join(', ')}; ${threads} ${threads === 1 ? 'thread' : 'threads'}.`,
    '',
    '| recipe | seed | clean accuracy | clean loss | robust accuracy |',
    '|---|---|---|---|---|',
    ...models.map((m) => `| ${m.recipe} | ${m.seed} | ${percent(m.clean)} | ${m.loss.toFixed(3)} | ${percent(m.robust)} |`),
    '',
    `Differences, means over seeds and samples (percentage points; nats for the loss); in brackets the one-sided 95 % bounds (between both lie 90 %) of a paired bootstrap over seeds and samples. It sees ${seeds.length - 1}/${seeds.length} of the variance between trainings, and takes samples of one group for independent; the last column draws seeds and whole groups instead:`,
    '',
    '| recipe | over | robust accuracy | clean accuracy | clean loss | robust accuracy, by groups |',
    '|---|---|---|---|---|---|',
    ...comparisons.map(
      (c) =>
        `| ${c.recipe} | ${c.over} | **${range(c.robust, points)}** | ${range(c.clean, points)} | ${range(c.loss, signed)} | ${range(c.robustByGroup, points)} |`,
    ),
    '',
  ].join('\n');
}

const defenceText = (defence: unknown): string => {
  const { use, ...options } = typeof defence === 'string' ? { use: defence } : (defence as Record<string, unknown>);
  const rest = Object.entries(options).map(([key, value]) => `${key} ${String(value)}`);
  return [String(use), ...rest].join(', ');
};

const heading = `# Robustness

What adversarial training is worth on the recipes in examples/training, measured by \`npm run -s robustness\` (bench/robustness): every recipe is trained with several
seeds by \`provoke train\`, every exported model attacked by \`provoke run\`. The sections below are written by that program. The corpora are those of
\`provoke synth sequences -o seq34 --count 3400\` and \`provoke synth faces -o faces34.csv --count 3400\`; the budgets stood in the recipes before the runs. The weights kept are those
of the epoch with the smallest loss on clean validation data, under a defence too.
`;

/** The page with the section of this name replaced, or added at its end. */
export function withSection(page: string | undefined, name: string, text: string): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const block = `${begin}\n${text}${end}`;
  const whole = page ?? heading;
  const from = whole.indexOf(begin);
  const to = whole.indexOf(end);
  return from === -1 || to === -1
    ? `${whole.trimEnd()}\n\n${block}\n`
    : whole.slice(0, from) + block + whole.slice(to + end.length);
}
