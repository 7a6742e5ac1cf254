/** @file Commands as a user can paste them into a shell. */

/** Words joined to a line; those a shell would take apart are quoted, in a way that cmd and PowerShell understand too where that can be. */
export const commandLine = (...words: readonly string[]): string => words.map(quoted).join(' ');

function quoted(word: string): string {
  if (/^(?!~)[\w./:=@%+,\\~-]+$/.test(word)) return process.platform === 'win32' ? word : word.replaceAll('\\', '\\\\');
  return /["$`!\\]/.test(word) && process.platform !== 'win32' ? `'${word.replaceAll("'", "'\\''")}'` : `"${word}"`;
}
