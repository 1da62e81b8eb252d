import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether a request's secret is the one that was agreed on; how long it takes says nothing about it. */
export function isSameSecret(given: string | undefined, expected: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return given !== undefined && given !== '' && timingSafeEqual(hash(given), hash(expected));
}
