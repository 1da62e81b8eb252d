// npm run bench [-- deliveries | matching]: what Ringline costs beside a bare client, on real parts, in calls or in deliveries of
// webhooks; or how well and how fast it finds who has a number.
// Figures go to standard output as JSON.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { compile } from './compile.mjs';
import { ensureInstalled } from './install.mjs';
import { requireNode } from './project.mjs';

requireNode();
try {
  await ensureInstalled();
  const what = ['deliveries', 'matching'].find((name) => name === process.argv[2]) ?? 'bench';
  await import(pathToFileURL(join(await compile(), `bench/${what}.js`)).href);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  // What was started for it would keep this process.
  process.exit(1);
}
