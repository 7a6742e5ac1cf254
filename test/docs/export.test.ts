import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);

describe('docs/export.md', () => {
  it('shows only lines of the scripts that were run', async () => {
    const text = await readFile(at('docs/export.md'), 'utf8');
    const sections = text.split(/^## /m).filter((section) => section.includes('```python'));
    expect(sections).toHaveLength(4);
    for (const section of sections) {
      const script = /\]\(\.\.\/(test\/oracles\/export\/\w+\.py)\)/.exec(section)![1]!;
      const run = new Set((await readFile(at(script), 'utf8')).split('\n').map((line) => line.trim()));
      const shown = [...section.matchAll(/```python\n(.*?)```/gs)]
        .flatMap(([, block]) => block!.split('\n'))
        .map((l) => l.trim());
      expect(shown.filter((line) => line !== '' && !run.has(line))).toEqual([]);
    }
  });
});
