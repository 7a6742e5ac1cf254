import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { commandLine } from '../../../src/app/cli/command-line.ts';

describe('a command to paste', () => {
  it('is as plain as it can be', () => {
    expect(commandLine('provoke', 'train', '../a/b-c.yaml', '--seed', '3')).toBe('provoke train ../a/b-c.yaml --seed 3');
    expect(commandLine('provoke', 'train', 'my recipe.yaml')).toBe('provoke train "my recipe.yaml"');
  });

  it
    .skipIf(process.platform === 'win32')
    .each(['plain.yaml', 'with space.yaml', "it's", 'a"b', '$HOME/x', '`id`', 'a\\b', 'a;b&c|d', '(x)', '*', '', 'ü', "'$'"])(
    'reaches a program as it was: %j',
    (word) => {
      const print = 'process.stdout.write(process.argv[1])';
      expect(execFileSync('/bin/sh', ['-c', commandLine(process.execPath, '-e', print, '--', word)], { encoding: 'utf8' })).toBe(
        word,
      );
    },
  );
});
