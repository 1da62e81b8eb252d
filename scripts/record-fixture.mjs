// npm run record-fixture -- NAME [NAME ...]: plays rows of test/lab/outcome-table.ts and keeps their scrubbed streams with
// the records they fold to in test/fixtures/ari, and their logs in test/fixtures/cel. Without a name it lists all. Names
// `phone-transfer-...` and `pbx-transfer-...` are those of the tests of transfers, `hold-...` of those of hold.
import { join } from 'node:path';

import { ensureInstalled } from './install.mjs';
import { projectRoot, requireNode } from './project.mjs';
import { runKept } from './run-kept.mjs';

const names = process.argv.slice(2);
const areAll = (kind) => names.length > 0 && names.every((name) => kind.test(name));
const files = areAll(/^(phone|pbx)-transfer-/)
  ? ['test/lab/phone-transfer.test.ts', 'test/lab/pbx-transfer.test.ts']
  : areAll(/^hold-/)
    ? ['test/lab/hold.test.ts']
    : ['test/lab/outcomes.test.ts'];

requireNode();
try {
  await ensureInstalled();
  process.exitCode = await runKept(
    process.execPath,
    [join(projectRoot, 'node_modules/vitest/vitest.mjs'), 'run', '--project=lab', ...files],
    { env: { ...process.env, RECORD_FIXTURES: names.join(',') || '?' } },
  );
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
