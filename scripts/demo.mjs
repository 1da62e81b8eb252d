// npm run demo: everything from nothing. Installs what is missing, then hands over to lab/demo.ts.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { compile } from './compile.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNode } from './project.mjs';

requireNode();
try {
  await ensureInstalled();
  const demo = join(await compile(), 'lab/demo.js');
  if (!existsSync(demo)) throw new Error('lab/demo.ts is missing');
  await import(pathToFileURL(demo).href);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
