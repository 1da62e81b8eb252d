import { bullseyePackages } from './debian-bullseye.js';
import type { Report } from './debian-packages.js';
import { sidPackages } from './debian-sid.js';
import { preparePostgres } from './postgres.js';
import { python } from './python.js';

/** Gets everything that a lab needs and that takes long the first time, so that no test pays for it. */
export async function prepareCaches(report: Report): Promise<void> {
  await Promise.all([
    sidPackages(report),
    bullseyePackages(report),
    python([], report),
    process.env['DATABASE_URL'] ? undefined : preparePostgres(report),
  ]);
}
