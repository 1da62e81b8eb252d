import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

import { BUILDS, compile } from './compile.mjs';
import { projectRoot } from './project.mjs';
import { runKept } from './run-kept.mjs';

// One after another: the later ones measure times on real parts, and want the machine for themselves.
const TIERS = ['unit', 'contract', 'project', 'integration', 'lab'];

/** @typedef {{ passed: number, failed: number, skipped: number, failures: string[] }} Counts `failures` in words, for the end of a long output */

/**
 * Runs every tier and counts. Finding no test at all is a failure.
 * @param {readonly string[]} filters as vitest takes them
 * @returns {Promise<Counts>}
 */
export async function runTests(filters) {
  // Among the builds, where what an interrupted run leaves behind is cleared away a day later.
  const reports = join(BUILDS, `reports-${process.pid}`);
  mkdirSync(reports, { recursive: true });
  const total = noCounts();
  try {
    const missing = await missingLab();
    for (const tier of TIERS) {
      const counts =
        tier === 'lab' && missing !== undefined ? skippedLab(missing) : await runTier(tier, filters, reports);
      total.passed += counts.passed;
      total.failed += counts.failed;
      total.skipped += counts.skipped;
      total.failures.push(...counts.failures);
    }
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
  if (total.passed + total.failed === 0) {
    total.failures.push('No test was found, which is a failure.');
    total.failed += 1;
  }
  return total;
}

/**
 * What failed, once more, and the one line of counts, last.
 * @param {Counts} counts
 */
export function closing({ passed, failed, skipped, failures }) {
  const told = failures.length === 0 ? [] : ['', 'What failed:', ...failures.map((one) => `  ${one}`), ''];
  return [...told, `${passed} passed, ${failed} failed, ${skipped} skipped`].join('\n');
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
  if (code !== 0 && counts.failed === 0) {
    counts.failed = 1;
    counts.failures.push(`${tier}: vitest ended with ${code}`);
  }
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
    failures: [
      ...broken.map(({ name, message }) => `${relative(projectRoot, name)}: ${firstLine(message)}`),
      ...testResults.flatMap(({ name, assertionResults }) =>
        assertionResults
          .filter(({ status }) => status === 'failed')
          .map(
            ({ fullName, failureMessages }) =>
              `${relative(projectRoot, name)}: ${fullName}: ${firstLine(failureMessages[0])}`,
          ),
      ),
    ],
  };
}

/** @param {string} [text] */
function firstLine(text = '') {
  return text.trim().split('\n')[0];
}

/** @returns {Counts} */
export function noCounts() {
  return { passed: 0, failed: 0, skipped: 0, failures: [] };
}

/** Gets Asterisk and the rest before any test's clock runs; says why when it cannot. */
async function missingLab() {
  const { prepareCaches } = await import(pathToFileURL(join(await compile(), 'lab/prepare-caches.js')).href);
  try {
    await prepareCaches((line) => console.log(`lab: ${line}`));
    return undefined;
  } catch (error) {
    // In CI the tests run and fail loudly, each with this reason.
    return process.env.CI ? undefined : error.message;
  }
}

function skippedLab(reason) {
  const files = readdirSync(join(projectRoot, 'test/lab'), { recursive: true }).filter((name) =>
    name.endsWith('.test.ts'),
  );
  console.log(
    `\n${'*'.repeat(100)}\nThe lab tests are SKIPPED, since this machine cannot have their real parts:\n${reason}\n${'*'.repeat(100)}\n`,
  );
  return { ...noCounts(), skipped: files.length };
}
