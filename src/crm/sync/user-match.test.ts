import { describe, expect, it } from 'vitest';
import type { CrmUser } from '../port/crm-objects.js';
import { retryDelayMs } from './retry-delay.js';
import { userIdOf, type MatchedAgent } from './user-match.js';

const user = (id: string, changes: Partial<CrmUser>): CrmUser => ({
  id,
  name: id,
  email: null,
  extension: null,
  isActive: true,
  ...changes,
});
const agent: MatchedAgent = { id: 'a1', email: 'Ann@acme.example', userId: null, endpoints: ['sales-101'] };
const rules = { map: {}, match: 'email-or-extension', defaultUserId: null } as const;
const users = [
  user('former', { email: 'ann@acme.example', isActive: false }),
  user('by-extension', { extension: '101' }),
  user('by-email', { email: 'ann@ACME.example' }),
];

describe('the CRM user of an agent', () => {
  it.each([
    ['is who somebody mapped', agent, { ...rules, map: { a1: 'mapped' } }, 'mapped'],
    ['is who stands at the agent', { ...agent, userId: 'own' }, rules, 'own'],
    ['is found by e-mail first', agent, rules, 'by-email'],
    ['is found by extension', { ...agent, email: null }, rules, 'by-extension'],
    ['is found by extension alone where that is wanted', agent, { ...rules, match: 'extension' }, 'by-extension'],
    [
      'is not found by extension where e-mail is wanted',
      { ...agent, email: 'x@y' },
      { ...rules, match: 'email' },
      null,
    ],
    ['is nobody where nothing is to be matched', agent, { ...rules, match: 'none' }, null],
    ['is nobody by a phone without digits', { ...agent, email: null, endpoints: ['alice'] }, rules, null],
  ] as const)('%s', (_name, of, by, expected) => {
    expect(userIdOf(of, by, users)).toBe(expected);
  });
});

describe('the wait before a retry', () => {
  it('doubles from 5 s to 10 min, spread by a fifth', () => {
    expect([1, 2, 3, 7, 8, 100].map((failures) => retryDelayMs(failures, 0.5))).toEqual([
      5_000, 10_000, 20_000, 320_000, 600_000, 600_000,
    ]);
    expect([retryDelayMs(1, 0), retryDelayMs(1, 1)]).toEqual([4_000, 6_000]);
  });
});
