import { describe, expect, it } from 'vitest';
import { hmacSha256, isSameSignature } from './signature.js';

const body = new TextEncoder().encode('what do ya want for nothing?');
const right = hmacSha256('Jefe', body);

describe('a signature', () => {
  it('is the HMAC of RFC 4231, test case 2', () => {
    expect(Buffer.from(right).toString('hex')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  });

  it('is another with another secret', () => {
    expect(isSameSignature(hmacSha256('jefe', body), right)).toBe(false);
    expect(isSameSignature(hmacSha256('Jefe', body), right)).toBe(true);
  });

  it('is refused when a part of it was cut off', () => {
    expect(isSameSignature(right.subarray(0, 31), right)).toBe(false);
  });
});
