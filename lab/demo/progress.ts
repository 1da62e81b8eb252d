import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { cacheFolder } from '../cache.js';
import type { Narrator } from './narrator.js';

const EVERY_MS = 10_000;

/** Tells the lab's own lines, and now and then that something slow goes on and how much of it has come. */
export function tellProgress(narrator: Narrator): { report(line: string): void; stop(): void } {
  const timer = setInterval(() => {
    void downloadedBytes().then((bytes) =>
      narrator.step(`... still at it${bytes === 0 ? '' : `: ${Math.round(bytes / 1e6)} MB of packages have come`}`),
    );
  }, EVERY_MS);
  return {
    report: (line) => narrator.step(line),
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
