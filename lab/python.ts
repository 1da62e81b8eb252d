import { join } from 'node:path';

import { unpackedPackages, type Report } from './debian-packages.js';
import { onPath } from './on-path.js';

export type Python = { readonly command: string; readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv };

/** How Python 3 is run with these arguments: the host's, else Debian's, which is got the first time. */
export async function python(args: readonly string[], report: Report): Promise<Python> {
  const ofHost = onPath('python3');
  if (ofHost !== undefined) return { command: ofHost, args, env: {} };
  const packages = await unpackedPackages({ name: 'python', suite: 'sid', packages: ['python3'] }, report);
  // Run by the loader it would look for its library beside that.
  return { ...packages.command('usr/bin/python3', args), env: { PYTHONHOME: join(packages.root, 'usr') } };
}
