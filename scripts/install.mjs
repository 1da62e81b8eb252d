// Installs the dependencies when they are missing, of another version, or half there. Can be interrupted at any moment.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { projectRoot, requireNode } from './project.mjs';
import { runKept } from './run-kept.mjs';

// npm writes it last, so a first install that was cut off has none.
const INSTALLED = join(projectRoot, 'node_modules/.package-lock.json');

const PROGRESS_MS = 15_000;

/** Throws a sentence when npm fails. What npm says goes to standard error. */
export async function ensureInstalled() {
  if (isInstalled()) return;
  const release = await lockInstall();
  let progress;
  try {
    if (isInstalled()) return;
    console.error('installing dependencies (npm ci): once, some minutes on a slow line');
    const startedAt = Date.now();
    progress = setInterval(
      () => console.error(`... still installing (${Math.round((Date.now() - startedAt) / 1000)} s)`),
      PROGRESS_MS,
    );
    // "npm ci" begins by deleting: were it cut off there, this file could outlive the packages it lists.
    rmSync(INSTALLED, { force: true });
    const npm = process.env.npm_execpath;
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    const code =
      npm && npm.endsWith('.js')
        ? await runKept(process.execPath, [npm, ...args], { output: 'stderr' })
        : await runKept('npm', args, { output: 'stderr' });
    if (code !== 0) throw new Error(`npm ci failed (${code}): see above; try it by hand in ${projectRoot}`);
  } finally {
    clearInterval(progress);
    release();
  }
}

function isInstalled() {
  if (!existsSync(INSTALLED)) return false;
  const wanted = packagesOf(join(projectRoot, 'package-lock.json'));
  const present = packagesOf(INSTALLED);
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    // Packages for other platforms are in the lock file and not on the disk.
    if (present[path] === undefined) return Boolean(optional ?? devOptional);
    return present[path].version === version && existsSync(join(projectRoot, path, 'package.json'));
  });
}

/** @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} */
function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/** One install at a time in one checkout. The lock is an abstract socket: it leaves no file and ends with its process. */
async function lockInstall() {
  const address = `\0ringline-install-${createHash('sha256').update(projectRoot).digest('hex')}`;
  for (;;) {
    const release = await tryLock(address);
    if (release) return release;
    await new Promise((resolve) => {
      const socket = connect(address);
      socket.on('error', () => undefined);
      socket.once('close', resolve);
    });
  }
}

function tryLock(address) {
  return new Promise((resolve, reject) => {
    const waiting = new Set();
    const server = createServer((socket) => waiting.add(socket.on('error', () => undefined)));
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () =>
      resolve(() => {
        server.close();
        for (const socket of waiting) socket.destroy();
      }),
    );
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  requireNode();
  try {
    await ensureInstalled();
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
