import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where things that took long to get outlive the checkout. */
export function cacheFolder(): string {
  const base = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(base, 'ringline', 'lab');
}

const BUILDING = '.building-';

/**
 * Runs `build` while no other process does so for the same folder. What a build that was cut off left behind is
 * removed first: only the holder of the lock builds, so whatever is half-made is nobody's.
 * The lock is a socket in the abstract namespace: it leaves no file and is gone with its process.
 */
export async function withBuildLock<T>(folder: string, build: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true });
  const address = `\0ringline-lab-${createHash('sha256').update(folder).digest('hex')}`;
  let server = await bind(address);
  while (!server) {
    await goneFrom(address);
    server = await bind(address);
  }
  try {
    for (const name of await readdir(folder)) {
      if (name.startsWith(BUILDING)) await rm(join(folder, name), { recursive: true, force: true });
    }
    return await build();
  } finally {
    server.release();
  }
}

/** A name for a folder that is being built; it is renamed when it is whole, and never used before. */
export function buildingName(): string {
  return `${BUILDING}${process.pid}-${Date.now()}`;
}

function bind(address: string): Promise<{ release(): void } | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<Socket>();
    const server = createServer((socket) => {
      waiting.add(socket.on('error', () => undefined));
    });
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(address, () =>
      resolve({
        release() {
          server.close();
          for (const socket of waiting) socket.destroy();
        },
      }),
    );
  });
}

/** Settles when the holder lets go: the connection to it ends then. */
function goneFrom(address: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.on('error', () => undefined);
    socket.once('close', () => resolve());
  });
}
