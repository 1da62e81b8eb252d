import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { cacheFolder } from '../cache.js';
import type { Narrator } from './narrator.js';

const EVERY_MS = 5_000;

/** Says now and then that something slow goes on, and how much of it has come. Gives what ends it. */
export function tellProgress(narrator: Narrator): { report(line: string): void; stop(): void } {
  let last = 'starting Asterisk, PostgreSQL and Redis';
  const timer = setInterval(() => {
    void downloadedBytes().then((bytes) => {
      const amount = bytes === 0 ? '' : `: ${Math.round(bytes / 1e6)} MB so far`;
      narrator.step(`still ${last}${amount}`);
    });
  }, EVERY_MS);
  return {
    report: (line) => {
      last = line;
      narrator.step(line);
    },
    stop: () => clearInterval(timer),
  };
}

/** Packages on their way into the cache (see debian-packages.ts). */
async function downloadedBytes(): Promise<number> {
  const base = join(cacheFolder(), 'debian');
  const names = await readdir(base).catch(() => []);
  let bytes = 0;
  for (const name of names.filter((one) => one.startsWith('.building-'))) {
    for (const folder of [join(base, name, 'archives'), join(base, name, 'archives/partial')]) {
      for (const file of await readdir(folder).catch(() => [])) {
        bytes += (await stat(join(folder, file)).catch(() => null))?.size ?? 0;
      }
    }
  }
  return bytes;
}
