import { spawn } from 'node:child_process';
import { readRun } from '../../experiment/read-run.ts';
import { writeReport } from '../../report/from-run.ts';
import type { Register } from '../register.ts';

export const view: Register = (program) => {
  program
    .command('view <run>')
    .description("rebuild a run's report.html from its tables and open it")
    .option('--no-open', 'only rebuild it')
    .addHelpText('after', '\nExample:\n  $ provoke view runs/face-expression')
    .action(async (folder: string, { open }: { open: boolean }) => {
      const { record, rows } = await readRun(folder);
      const report = await writeReport(folder, record, rows);
      if (open) openInBrowser(report);
      process.stdout.write(`report: ${report}\n`);
    });
};

function openInBrowser(path: string): void {
  const [command, ...args] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['cmd', '/c', 'start', ''] : ['xdg-open'];
  const child = spawn(command!, [...args, path], { stdio: 'ignore', detached: true });
  child.on('error', () => process.stderr.write('no browser could be started: open the file yourself\n'));
  child.unref();
}
