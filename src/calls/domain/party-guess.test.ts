import { describe, expect, it } from 'vitest';
import { guessParty } from './party-guess.js';

describe('what an endpoint is guessed to be', () => {
  it.each([
    ['trunk', null, '', 'trunk', 'name'],
    ['i1', null, '', 'trunk', 'name'],
    ['my-provider', 'from-internal', '1001', 'trunk', 'name'],
    ['1001', 'from-trunk', '+493023125001', 'phone', 'name'],
    ['sipgate', 'from-trunk', '', 'trunk', 'context'],
    ['sipgate', 'default', '+493023125001', 'trunk', 'number'],
    ['sipgate', null, '493023125001', 'trunk', 'number'],
    ['alice', 'from-internal', '1001', 'phone', 'nothing'],
    ['alice', null, '', 'phone', 'nothing'],
    ['4930901820', null, '', 'phone', 'nothing'],
  ] as const)('%s, with calls into %s and the number "%s", is a %s by %s', (name, context, number, kind, by) => {
    expect(guessParty(name, context, number)).toEqual({ kind, by });
  });
});
