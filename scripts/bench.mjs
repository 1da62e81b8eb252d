// npm run bench: what Ringline costs beside a bare client, on real parts. Figures go to standard output as JSON.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { compile } from './compile.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNode } from './project.mjs';

requireNode();
try {
  await ensureInstalled();
  await import(pathToFileURL(join(await compile(), 'bench/bench.js')).href);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
