import { describe, expect, it } from 'vitest';
import { doorSourcesSchema, isSource } from './door-sources.js';

describe('sources of a door', () => {
  it('are everywhere where none is named', () => {
    expect(isSource([], '198.51.100.7')).toBe(true);
    expect(isSource([], undefined)).toBe(true);
  });

  it.each([
    ['203.0.113.9', ['203.0.113.0/24'], true],
    ['203.0.114.9', ['203.0.113.0/24'], false],
    ['::ffff:203.0.113.9', ['203.0.113.0/24'], true],
    ['203.0.113.9', ['203.0.113.9'], true],
    ['2001:db8::1', ['203.0.113.0/24', '2001:db8::/32'], true],
    ['2001:db9::1', ['2001:db8::/32'], false],
    ['203.0.113.9', ['::/0'], false],
    ['nonsense', ['0.0.0.0/0'], false],
    [undefined, ['0.0.0.0/0', '::/0'], false],
  ])('take %s by %j: %s', (address, sources, isTaken) => {
    expect(isSource(sources, address)).toBe(isTaken);
  });

  it('are networks and addresses only', () => {
    for (const right of ['10.0.0.0/8', '203.0.113.9', '2001:db8::/32']) {
      expect(doorSourcesSchema.safeParse([right]).success, right).toBe(true);
    }
    for (const wrong of ['crm.example.com', '10.0.0.0/33', '10.0.0/8', '']) {
      expect(doorSourcesSchema.safeParse([wrong]).success, wrong).toBe(false);
    }
  });
});
