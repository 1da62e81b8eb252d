// npm run scrub -- FILE > OUT: replaces what names people and places in a recorded stream.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { compile } from './compile.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNode } from './project.mjs';

requireNode();
try {
  await ensureInstalled();
  await import(pathToFileURL(join(await compile(), 'lab/scrub.js')).href);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
