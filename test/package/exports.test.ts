import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const { exports } = JSON.parse(await readFile('package.json', 'utf8')) as { exports: Record<string, unknown> };

it.each(Object.keys(exports))('%s of the package can be imported and exports something', async (path) => {
  // by its own name, as a user's program would: through package.json and the build
  const entry = (await import(/* @vite-ignore */ path.replace('.', 'provoke'))) as Record<string, unknown>;
  expect(Object.keys(entry).length).toBeGreaterThan(5);
});
