#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/app/cli/main.js', import.meta.url);
if (!existsSync(fileURLToPath(main))) {
  console.error('error: provoke is not built yet\n  run: npm run build');
  process.exit(2);
}
await import(main.href);
