/** @file The command line: one file per command below commands/, one place for errors and exit codes. */
import { Command, CommanderError } from 'commander';
import { suggestion, UserError } from '../../core/errors.ts';
import { version } from '../host/version.ts';
import { commands } from './commands/index.ts';
import type { Guard } from './guard.ts';
import { Interrupted } from './interrupt.ts';

/** Runs one command line; the exit code: 0 done, 1 internal error, 2 bad input, 100 below --fail-under, 130 interrupted. */
export async function runProgram(argv: readonly string[], guard: Guard): Promise<number> {
  const program = new Command('provoke')
    .description('Finds out how easily models that read people (emotion, action) can be fooled.')
    .version(version)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .showHelpAfterError(false);
  let code = 0;
  for (const name of asked(argv)) (await commands[name]!())(program, (exitCode) => (code = exitCode), guard);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => undefined });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return explain(error, program);
  }
}

/** The command the line begins with, or all: they are in the help. */
const asked = ([first]: readonly string[]): readonly string[] =>
  first !== undefined && Object.hasOwn(commands, first) ? [first] : Object.keys(commands);

function explain(error: unknown, program: Command): number {
  if (error instanceof CommanderError) return explainUsage(error, program);
  if (error instanceof UserError) {
    process.stderr.write(`error: ${error.message}\n  ${error.remedy}\n`);
    return 2;
  }
  if (error instanceof Interrupted) {
    process.stderr.write(`${error.message}\n`);
    return 130;
  }
  process.stderr.write(
    `internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\nthis is a bug in provoke: please report it with the lines above\n`,
  );
  return 1;
}

function explainUsage(error: CommanderError, program: Command): number {
  if (error.exitCode === 0) return 0;
  if (error.code === 'commander.help') {
    process.stdout.write(program.helpInformation());
    return 0;
  }
  const message = error.message.replace(/^error: /, '');
  const unknown = /unknown command '(.*?)'/.exec(message)?.[1];
  const remedy =
    unknown === undefined ? 'see provoke --help, or provoke COMMAND --help' : suggestion(unknown, Object.keys(commands));
  process.stderr.write(`error: ${message.split('\n')[0]}\n  ${remedy}\n`);
  return 2;
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
