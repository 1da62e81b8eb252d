import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRange } from './byte-range.js';

const whole = { kind: 'whole' };
const none = { kind: 'unsatisfiable' };
const part = (first: number, last: number) => ({ kind: 'part', first, last });

describe('a range of bytes', () => {
  it.each<[string | undefined, object]>([
    [undefined, whole],
    ['bytes=0-', part(0, 999)],
    ['bytes=0-0', part(0, 0)],
    ['bytes=10-19', part(10, 19)],
    ['Bytes = 10-19', part(10, 19)],
    ['bytes=990-5000', part(990, 999)],
    ['bytes=-10', part(990, 999)],
    ['bytes=-5000', part(0, 999)],
    ['bytes=999-', part(999, 999)],
    ['bytes=1000-', none],
    ['bytes=1000-1001', none],
    ['bytes=-0', none],
    ['bytes=999999999999999-', none],
    ['bytes=20-10', whole],
    ['bytes=-', whole],
    ['bytes=a-b', whole],
    ['bytes=0-1,5-6', whole],
    ['bytes=--5', whole],
    ['bytes=1e3-', whole],
    ['items=0-1', whole],
    ['', whole],
    [`bytes=${'9'.repeat(400)}-`, whole],
  ])('%j', (header, expected) => {
    expect(parseRange(header, 1000)).toEqual(expected);
  });

  it('never leaves the file', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 5000 }), (text, bytes) => {
        const range = parseRange(`bytes=${text}`, bytes);
        if (range.kind !== 'part') return;
        expect(range.first).toBeGreaterThanOrEqual(0);
        expect(range.last).toBeGreaterThanOrEqual(range.first);
        expect(range.last).toBeLessThan(bytes);
      }),
    );
  });
});
