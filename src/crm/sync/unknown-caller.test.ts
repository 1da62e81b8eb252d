import { describe, expect, it } from 'vitest';
import { connectionRulesSchema } from '../connections/connection-rules.js';
import { isInHours, makeOfUnknown } from './unknown-caller.js';

const office = { days: ['monday', 'friday'], from: '09:00', to: '17:30' };
const night = { days: ['friday'], from: '22:00', to: '06:00' };
const hours = (timeZone: string, ...list: object[]) => connectionRulesSchema.parse({ timeZone, hours: list });

describe('the hours of a connection', () => {
  // 2026-03-02 is a Monday, 2026-03-06 a Friday.
  it.each([
    ['in the day', office, '2026-03-02T09:00:00Z', true],
    ['before they begin', office, '2026-03-02T08:59:59Z', false],
    ['when they end', office, '2026-03-02T17:30:00Z', false],
    ['on another day', office, '2026-03-03T10:00:00Z', false],
    ['in the evening of a night', night, '2026-03-06T23:00:00Z', true],
    ['in the morning after it', night, '2026-03-07T05:59:00Z', true],
    ['in the morning before it', night, '2026-03-06T05:00:00Z', false],
    ['when the night is over', night, '2026-03-07T06:00:00Z', false],
  ])('are known %s', (_name, range, at, expected) => {
    expect(isInHours(new Date(at), hours('UTC', range))).toBe(expected);
  });

  it('are of its time zone, in summer too', () => {
    expect(isInHours(new Date('2026-03-02T08:30:00Z'), hours('Europe/Berlin', office))).toBe(true);
    expect(isInHours(new Date('2026-07-06T07:30:00Z'), hours('Europe/Berlin', office))).toBe(true);
    expect(isInHours(new Date('2026-03-02T07:30:00Z'), hours('Europe/Berlin', office))).toBe(false);
    expect(isInHours(new Date('2026-03-02T01:00:00Z'), hours('Asia/Tokyo', office))).toBe(true);
  });

  it('are always where none are given', () => {
    expect(isInHours(new Date('2026-03-01T03:00:00Z'), hours('UTC'))).toBe(true);
  });
});

describe('what is made of an unknown caller', () => {
  it('is by the first rule that fits line, direction and hours', () => {
    const rules = connectionRulesSchema.parse({
      hours: [office],
      unknownCallers: [
        { when: 'out-of-hours', make: 'task' },
        { direction: 'outbound', make: 'contact' },
        { make: 'lead' },
      ],
    });
    const of = (direction: 'inbound' | 'outbound', startedAt: string) =>
      makeOfUnknown({ line: null, direction, startedAt }, rules);
    expect(of('inbound', '2026-03-02T10:00:00Z')).toBe('lead');
    expect(of('inbound', '2026-03-02T20:00:00Z')).toBe('task');
    expect(of('outbound', '2026-03-02T20:00:00Z')).toBe('contact');
  });
});
