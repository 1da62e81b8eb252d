import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { projectRoot } from './project.mjs';
import { runKept } from './run-kept.mjs';

// One after another: the later ones measure times on real parts, and want the machine for themselves.
const TIERS = ['unit', 'contract', 'project', 'integration', 'lab'];

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/**
 * Runs every tier and counts. Finding no test at all is a failure.
 * @param {readonly string[]} filters as vitest takes them
 * @returns {Promise<Counts>}
 */
export async function runTests(filters) {
  const reports = mkdtempSync(join(tmpdir(), 'ringline-tests-'));
  const total = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const tier of TIERS) {
      const counts = tier === 'lab' && !canHaveLab() ? skippedLab() : await runTier(tier, filters, reports);
      total.passed += counts.passed;
      total.failed += counts.failed;
      total.skipped += counts.skipped;
    }
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
  if (total.passed + total.failed === 0) {
    console.log('No test was found, which is a failure.');
    total.failed += 1;
  }
  return total;
}

/** @param {Counts} counts */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

async function runTier(tier, filters, reports) {
  const report = join(reports, `${tier}.json`);
  const vitest = join(projectRoot, 'node_modules/vitest/vitest.mjs');
  const code = await runKept(process.execPath, [
    vitest,
    'run',
    `--project=${tier}`,
    '--passWithNoTests',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ]);
  const counts = existsSync(report) ? countsOf(JSON.parse(readFileSync(report, 'utf8'))) : noCounts();
  // An error outside any test, or a vitest that died: never a success.
  if (code !== 0 && counts.failed === 0) counts.failed = 1;
  return counts;
}

function countsOf({ numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults }) {
  // A file that could not be loaded, or whose set-up failed, has no failed test of its own.
  const broken = testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  );
  return {
    passed: numPassedTests,
    failed: numFailedTests + broken.length,
    skipped: numPendingTests + numTodoTests,
  };
}

function noCounts() {
  return { passed: 0, failed: 0, skipped: 0 };
}

/** In CI the answer is always yes: a part that is missing there shall fail loudly. */
function canHaveLab() {
  if (process.env.CI) return true;
  return (
    process.platform === 'linux' &&
    ['x64', 'arm64'].includes(process.arch) &&
    ['apt-get', 'dpkg-deb'].every((program) => !spawnSync(program, ['--version'], { stdio: 'ignore' }).error)
  );
}

function skippedLab() {
  const files = readdirSync(join(projectRoot, 'test/lab'), { recursive: true }).filter((name) =>
    name.endsWith('.test.ts'),
  );
  console.log(`
  ************************************************************************************
   The lab tests are SKIPPED: their real Asterisk comes from Debian packages, and this
   machine has no apt-get and dpkg-deb. Run them on Debian 12 or newer.
  ************************************************************************************
`);
  return { ...noCounts(), skipped: files.length };
}
