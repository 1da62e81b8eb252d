// What CI runs: install, checks, every test, every proof for a minute. A failed check counts as one failure in the closing line.
import { ensureInstalled } from './install.mjs';
import { requireNode } from './project.mjs';
import { runKept } from './run-kept.mjs';
import { runProofs } from './run-proofs.mjs';
import { closing, noCounts, runTests } from './run-tests.mjs';

requireNode();
process.env.CI ||= 'true';
let counts = { ...noCounts(), failed: 1 };
try {
  await ensureInstalled();
  const checks = await runKept('npm', ['run', 'check']);
  const filters = process.argv.slice(2);
  counts = await runTests(filters);
  if (filters.length === 0) {
    const proved = await runProofs();
    counts.passed += proved.passed;
    counts.failed += proved.failed;
    counts.failures.push(...proved.failures);
  }
  if (checks !== 0) {
    counts.failures.push(`"npm run check" failed (${checks}): see above, before the tests`);
    counts.failed += 1;
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
}
console.log(closing(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;
