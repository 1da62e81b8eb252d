import { createHmac, randomBytes } from 'node:crypto';

/** https://www.standardwebhooks.com, version 1, symmetric signatures. */

const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = 32;

export function newSecret(): string {
  return SECRET_PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/** The key inside `whsec_<base64>`. */
export function signingKey(secret: string): Buffer {
  return Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
}

/**
 * The headers of one try.
 * @param keys each makes a signature: while a secret is being replaced the receiver may verify by either.
 * @param id of the event: the same in every try.
 * @param timestamp of this try, seconds: receivers refuse old ones.
 * @param body the very text that is sent.
 */
export function signedHeaders(
  keys: readonly Buffer[],
  id: string,
  timestamp: number,
  body: string,
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  const signatures = keys.map(
    (key) => `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`,
  );
  return { 'webhook-id': id, 'webhook-timestamp': String(timestamp), 'webhook-signature': signatures.join(' ') };
}
