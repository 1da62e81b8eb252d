import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { BUILDS, compile } from './compile.mjs';
import { runKept } from './run-kept.mjs';

/** A proof in CI is cut to this; its full length is run by hand. */
const SECONDS = 60;

/**
 * Runs every proof, shortened, and counts each as one test.
 * @returns {Promise<{ passed: number, failed: number, failures: string[] }>}
 */
export async function runProofs() {
  const folder = await compile();
  const { proofs } = await import(pathToFileURL(join(folder, 'lab/proofs/proofs.js')).href);
  const reports = join(BUILDS, `proofs-${process.pid}`);
  mkdirSync(reports, { recursive: true });
  try {
    const script = join(folder, 'lab/proofs/prove.js');
    await runKept(process.execPath, [script, 'all', '--seconds', String(SECONDS), '--into', reports]);
    const names = Object.keys(proofs);
    const failing = names.filter((name) => !holds(join(reports, `${name}.json`)));
    const failures = failing.map((name) => `the proof ${name} does not hold: see what it said above`);
    return { passed: names.length - failing.length, failed: failing.length, failures };
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
}

/** One whose report is missing broke off. */
function holds(report) {
  return existsSync(report) && JSON.parse(readFileSync(report, 'utf8')).held === true;
}
