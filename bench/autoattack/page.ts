/** @file The figures as Markdown. */
import type { Figures, Results } from './figures.ts';
import type { Attacked } from './victim.ts';

/** docs/AUTOATTACK.md. */
export function page(results: Results, { standing, originalWithItself, oursWithOriginal, mostWithOriginal }: Figures): string {
  const { samples, right, norm, eps, model, data, synthetic, seeds, original, versions } = results;
  const n = right.filter(Boolean).length;
  const row = (name: string, counts: readonly number[], runs: readonly Attacked[] = []): string =>
    `| ${name} | ${counts.map((c) => `${c}`).join(', ')} | ${counts.map((c) => ((100 * c) / samples).toFixed(1)).join(', ')} | ${mean(runs.map((r) => r.forwards))} | ${mean(runs.map((r) => r.backwards))} |`;
  const parts = (runs: readonly Attacked[]): string =>
    [...new Set(runs.flatMap(({ by }) => Object.keys(by)))]
      .map((name) => `${name} ${runs.map(({ by }) => by[name] ?? 0).join(', ')}`)
      .join('; ');
  return [
    '# AutoAttack against its original',
    '',
    "Written by `npm run -s autoattack` (bench/autoattack). One net, the same samples, the same graph: the authors' code runs it in PyTorch, ours in onnxruntime.",
    'The net is that of examples/training/faces-adversarial.yaml, trained here against PGD.',
    '',
    `${synthetic === null ? 'Data' : '**Synthetic data**'}: ${data}${synthetic === null ? '' : ` (${synthetic})`}; ${samples} samples, of which ${n} are classified right; ${norm}, eps ${eps.toPrecision(4)};`,
    `${model.classes} classes, so min(9, ${model.classes - 1}) targets on both sides; seeds ${seeds.join(', ')}. Model sha256 ${model.sha256.slice(0, 16)}.`,
    `Versions: ${Object.entries(versions)
      .map(([what, version]) => `${what} ${version}`)
      .join(', ')}; ${original.version ?? 'the original was not there'}.`,
    '',
    '| attack | samples that stand, by seed | robust accuracy (%) | forwards, mean | backwards, mean |',
    '|---|---|---|---|---|',
    row('PGD-10', standing.pgd10, results.pgd10),
    ...(original.runs === undefined ? [] : [row('AutoAttack, original', standing.original, original.runs)]),
    row('`autoattack`', standing.autoattack, results.autoattack),
    row('`worst-case`', standing.worstCase, results.worstCase),
    '',
    `Broken by each part, by seed: \`autoattack\`: ${parts(results.autoattack)}. \`worst-case\`: ${parts(results.worstCase)}.`,
    '',
    ...(oursWithOriginal === null
      ? []
      : [
          `Samples on which \`autoattack\` and the original disagree, seed by seed: ${oursWithOriginal.join(', ')}; the most over all pairs of seeds: ${mostWithOriginal}. The original disagrees with itself on up to ${originalWithItself} between two of its seeds.`,
          '',
        ]),
    'Both count an example as it was found, in float32, before any rounding to storage. A sample that stands has survived these attacks, no more.',
    '',
  ].join('\n');
}

const mean = (values: readonly number[]): string =>
  values.length === 0 ? '' : Math.round(values.reduce((a, b) => a + b, 0) / values.length).toLocaleString('en');
