import { createHash, randomBytes } from 'node:crypto';

/** A new secret of an API key: `rl_` and 32 random bytes. */
export function newKeySecret(): string {
  return `rl_${randomBytes(32).toString('base64url')}`;
}

/** What is stored of a key. A plain hash is enough: the secret is random and long, there is nothing to guess. */
export function hashOfKey(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
