import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);

it.each(['attack', 'smallest', 'data', 'model'])('docs/own-code.md shows examples/own/%s.mjs as it is', async (name) => {
  const [text, code] = await Promise.all([
    readFile(at('docs/own-code.md'), 'utf8'),
    readFile(at(`examples/own/${name}.mjs`), 'utf8'),
  ]);
  expect(text).toContain(`\`\`\`js\n${code}\`\`\``);
});
