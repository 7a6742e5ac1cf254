/** @file The program of the process in which a command meets a model nobody has vouched for. */
import { speakToUser } from '../host/voice.ts';
import { inside, tell } from './guard.ts';
import { runProgram } from './program.ts';

speakToUser();
const orphaned = () => process.exit(1);
process.on('disconnect', orphaned);
const code = await runProgram(process.argv.slice(2), inside);
process.exitCode = code;
tell({ kind: 'ended', code });
process.off('disconnect', orphaned).disconnect();
