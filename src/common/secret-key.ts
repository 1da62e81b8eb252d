import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readOrCreateFile } from './private-file.js';

/**
 * The key that encrypts secrets at rest, when no `SECRET_KEY` is set: `DATA_DIR/secret-key`, made on first use.
 * @returns 32 bytes in hex
 * @throws {Error} when the folder or the file cannot be written or read, or the file holds no key.
 */
export function readOrCreateSecretKey(dataDir: string): string {
  const path = join(dataDir, 'secret-key');
  const key = readOrCreateFile(path, () => randomBytes(32).toString('hex'));
  if (!/^[0-9a-f]{64}$/i.test(key)) throw new Error(`${path} does not hold a key of 64 hex characters`);
  return key;
}
