// npm run webhook-listen: a receiver for trying out, which verifies and prints what comes. See lab/webhook-listen.ts.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { compile } from './compile.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNode } from './project.mjs';

requireNode();
try {
  await ensureInstalled();
  await import(pathToFileURL(join(await compile(), 'lab/webhook-listen.js')).href);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
