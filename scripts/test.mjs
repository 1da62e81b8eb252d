// npm test [-- vitest filters]: installs what is missing, runs every tier, and closes with the one line of counts.
import { ensureInstalled } from './install.mjs';
import { requireNode } from './project.mjs';
import { closing, noCounts, runTests } from './run-tests.mjs';

requireNode();
let counts = { ...noCounts(), failed: 1 };
try {
  await ensureInstalled();
  counts = await runTests(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
}
console.log(closing(counts));
process.exitCode = counts.failed === 0 ? 0 : 1;
