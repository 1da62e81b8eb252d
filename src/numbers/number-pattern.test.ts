import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numberPattern, patternsOfCaller, patternsOfNumber } from './number-pattern.js';
import { readNumber } from './phone-number.js';

describe('number patterns', () => {
  it('are the number and each of its beginnings, the most exact first', () => {
    expect(patternsOfNumber('+4930123')).toEqual([
      '+4930123',
      '+4930123*',
      '+493012*',
      '+49301*',
      '+4930*',
      '+493*',
      '+49*',
      '+4*',
    ]);
  });

  it('of a number are all that mean it, and no others', () => {
    const number = fc.stringMatching(/^\+[1-9][0-9]{6,14}$/);
    const pattern = fc.stringMatching(/^\+[1-9][0-9]{0,14}\*?$/);
    const both = fc.oneof(
      fc.tuple(number, pattern),
      fc
        .tuple(number, fc.nat(14), fc.boolean())
        .map(([e164, cut, star]): [string, string] => [e164, `${e164.slice(0, 2 + cut)}${star ? '*' : ''}`]),
    );
    fc.assert(
      fc.property(both, ([e164, text]) => {
        const isMeant = text.endsWith('*') ? e164.startsWith(text.slice(0, -1)) : e164 === text;
        expect(patternsOfNumber(e164).includes(text)).toBe(isMeant);
        expect(patternsOfNumber(e164).every((each) => numberPattern.test(each))).toBe(true);
      }),
    );
  });

  it.each([
    ['030 123456', ['+4930123456', '+4930123456*']],
    ['sip:4930123456@carrier.example', ['+4930123456', '+4930123456*']],
    ['', ['anonymous']],
    ['anonymous', ['anonymous']],
    ['1001', []],
    ['*97', []],
    ['sip:alice@example.com', []],
    ['030 12', []],
  ])('of the caller %j begin with %j', (sent, first) => {
    expect(patternsOfCaller(readNumber(sent, 'DE')).slice(0, 2)).toEqual(first);
  });
});
