// npm run record-fixture -- NAME [NAME ...]: plays rows of test/lab/outcome-table.ts and keeps their scrubbed streams with
// the records they fold to in test/fixtures/ari, and their logs in test/fixtures/cel. Without a name it lists all.
import { join } from 'node:path';

import { ensureInstalled } from './install.mjs';
import { projectRoot, requireNode } from './project.mjs';
import { runKept } from './run-kept.mjs';

requireNode();
try {
  await ensureInstalled();
  process.exitCode = await runKept(
    process.execPath,
    [join(projectRoot, 'node_modules/vitest/vitest.mjs'), 'run', '--project=lab', 'test/lab/outcomes.test.ts'],
    { env: { ...process.env, RECORD_FIXTURES: process.argv.slice(2).join(',') || '?' } },
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
