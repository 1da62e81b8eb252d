import { createHmac, timingSafeEqual } from 'node:crypto';

/** Of a request as it came: what a CRM proves itself with at a door. */
export function hmacSha256(secret: string, body: Uint8Array): Uint8Array {
  return createHmac('sha256', secret).update(body).digest();
}

/** How long it takes says nothing about how much of it is right. */
export function isSameSignature(given: Uint8Array, right: Uint8Array): boolean {
  return given.length === right.length && timingSafeEqual(given, right);
}
