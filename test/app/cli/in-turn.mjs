// Runs the command lines it is given as JSON, [{ args, cwd }], one after another as the program would, and ends both streams of each with a mark.
import { outside } from '../../../dist/app/cli/guard.js';
import { runProgram } from '../../../dist/app/cli/program.js';

const [, , mark, lines] = process.argv;
for (const { args, cwd } of JSON.parse(lines)) {
  process.chdir(cwd);
  const code = await runProgram(args, outside(args));
  process.stderr.write(mark);
  process.stdout.write(`${mark}${code}${mark}`);
}
