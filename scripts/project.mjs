import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const projectRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends with a sentence when this Node is too old for the scripts or for Ringline. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Ringline needs Node 20.19 or newer, and this is ${process.versions.node}: see https://nodejs.org/`);
  process.exit(1);
}
