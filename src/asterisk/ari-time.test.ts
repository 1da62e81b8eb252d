import { describe, expect, it } from 'vitest';
import { parseAriTime } from './ari-time.js';

/** Of clocks that no database and no document could follow. */
const impossible = [
  '0000-01-01T00:00:00.000+0000',
  '1970-01-01T00:00:00.000+0100',
  '2200-01-01T00:00:00.000+0000',
  '9999-12-31T23:59:59.999-1200',
];

describe('ARI time', () => {
  it.each([
    ['2026-11-22T08:39:46.228+0000', '2026-11-22T08:39:46.228Z'],
    ['2026-11-22T14:09:46.228+0530', '2026-11-22T08:39:46.228Z'],
    ['2026-11-22T05:39:46.228-0300', '2026-11-22T08:39:46.228Z'],
    // The hour that comes twice when summer time ends.
    ['2026-10-25T02:30:00.000+0200', '2026-10-25T00:30:00.000Z'],
    ['2026-10-25T02:30:00.000+0100', '2026-10-25T01:30:00.000Z'],
  ])('reads %s', (text, utc) => {
    expect(parseAriTime(text)).toBe(Date.parse(utc));
  });

  it.each(['', 'now', '2026-11-22', '2026-13-22T08:39:46.228+0000', null, 5, ...impossible])(
    'is null for %j',
    (text) => {
      expect(parseAriTime(text)).toBeNull();
    },
  );
});
