import { expect, it } from 'vitest';
import { significantDigits } from './significant-digits.js';

it.each([
  ['+493090182055', '030 90182055', '3090182055'],
  ['+79062195047', '8 (906) 219-50-47', '9062195047'],
  ['+14155551212', '(415) 555-1212', '4155551212'],
  // Italy keeps the zero.
  ['+390612345678', '06 12345678', '0612345678'],
  ['+493090182055', null, '493090182055'],
])('%s and %s end alike in %s', (e164, national, digits) => {
  expect(significantDigits({ raw: e164, e164, national, digits: e164.slice(1) })).toBe(digits);
});

it('an extension is all its digits', () => {
  expect(significantDigits({ raw: '204', e164: null, national: null, digits: '204' })).toBe('204');
});
