/** @file The results of a study as Markdown. */
import type { Claim, Table } from '../../judgement/chapter.ts';
import { duration, percent } from '../report/format.ts';
import { type StudyRecord, syntheticNotes, timeText } from './record.ts';

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const grid = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escaped).join(' | ')} |`).join('\n');

const tableText = ({ title, head, rows }: Table): string => `**${title}**\n\n${grid(head, rows)}`;

const claimsText = (claims: readonly Claim[]): string =>
  grid(
    ['claim', 'tested', 'verdict', 'because'],
    claims.map(({ claim, tested, verdict, because }) => [claim, tested, `**${verdict}**`, because]),
  );

/** A page of Markdown: claims first, then a chapter per part, then what was run. */
export function studyMarkdown(record: StudyRecord): string {
  const { name, chapters, runs, versions, processors, seed } = record;
  const claims = chapters.flatMap((chapter) => chapter.claims);
  const synthetic = syntheticNotes(record);
  return [
    `# ${name}`,
    `Written by \`provoke study\`. ${runs.length} runs, ${timeText(record)} on ${processors} logical processors; seed ${seed}; ${Object.entries(
      versions,
    )
      .map(([what, version]) => `${what} ${version}`)
      .join(', ')}.`,
    ...(synthetic.length === 0 ? [] : [`**Synthetic data.** ${synthetic.join(' ')}`]),
    ...(claims.length === 0 ? [] : ['## Claims', claimsText(claims)]),
    ...chapters.flatMap(({ title, paragraphs, tables }) => [`## ${title}`, ...paragraphs, ...tables.map(tableText)]),
    '## Runs',
    grid(
      ['run', 'model', 'sha256', 'data', 'samples', 'clean accuracy', 'time'],
      runs.map((run) => [
        run.name,
        run.model,
        run.sha256.slice(0, 12),
        run.data,
        String(run.samples),
        percent(run.cleanAccuracy),
        duration(run.seconds),
      ]),
    ),
    '',
  ].join('\n\n');
}
