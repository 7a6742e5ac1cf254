import { basename } from 'node:path';
import { readRun } from '../../experiment/read-run.ts';
import { flatColumns } from '../../experiment/results.ts';
import { writeWhole } from '../../host/files.ts';
import type { Register } from '../register.ts';

export const exportRun: Register = (program) => {
  program
    .command('export <run>')
    .description("a run's table, one row per (sample, attack, budget)")
    .option('--csv', 'comma-separated (the default)')
    .option('--jsonl', 'one JSON object per line')
    .option('--out <file>', 'write to a file instead of the terminal')
    .addHelpText(
      'after',
      '\nExamples:\n  $ provoke export runs/face-expression --csv > rows.csv\n  $ provoke export runs/face-expression --jsonl --out rows.jsonl',
    )
    .action(async (folder: string, options: { jsonl?: boolean; out?: string }) => {
      const { rows } = await readRun(folder);
      const text = options.jsonl ? rows.map((r) => JSON.stringify(r)).join('\n') : csv(flatColumns(rows));
      if (options.out === undefined) process.stdout.write(`${text}\n`);
      else {
        await writeWhole(options.out, `${text}\n`);
        process.stderr.write(`${rows.length} rows written to ${basename(options.out)}\n`);
      }
    });
};

function csv(columns: ReturnType<typeof flatColumns>): string {
  const quote = (value: unknown) => (/[",\n\r]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const head = columns.map((c) => c.name).join(',');
  return [head, ...(columns[0]?.data ?? []).map((_, i) => columns.map((c) => quote(c.data[i])).join(','))].join('\n');
}
