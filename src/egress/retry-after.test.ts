import { describe, expect, it } from 'vitest';
import { retryAfterSeconds } from './retry-after.js';

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');

  it.each([
    ['120', 120],
    [' 0 ', 0],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
  ])('%s is %d s', (text, seconds) => expect(retryAfterSeconds(text, now)).toBe(seconds));

  it.each(['', '-1', '1.5', 'soon', '2026-01-01', 'Monday'])('%j is not understood', (text) =>
    expect(retryAfterSeconds(text, now)).toBeUndefined(),
  );
});
