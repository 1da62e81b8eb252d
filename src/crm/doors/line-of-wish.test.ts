import { describe, expect, it } from 'vitest';
import { lineNamed, lineToCallBack } from './line-of-wish.js';

const sales = {
  id: '0195b0c4-0000-7000-8000-000000000001',
  number: '+4930123456',
  did: '123456',
  name: 'Sales',
  agent_ids: ['a'],
  can_call: true,
};
const support = {
  ...sales,
  id: '0195b0c4-0000-7000-8000-000000000002',
  number: '+4930123457',
  did: '57',
  name: 'Support',
};
const lines = [sales, support];

describe('the line that a CRM names', () => {
  it.each([
    [support.id, support],
    [support.id.toUpperCase(), support],
    ['+49 30 123457', support],
    ['4930123456', sales],
    ['57', support],
    [' sales ', sales],
  ])('is found by %j', (named, line) => {
    expect(lineNamed(lines, named)).toBe(line);
  });

  it.each(['Marketing', '+4930999999', '3456'])('is refused where the tenant has none such: %j', (named) => {
    expect(() => lineNamed(lines, named)).toThrow('line-required');
  });

  it('is the only one with a trunk where a CRM that calls back names none', () => {
    expect(lineToCallBack([{ ...sales, can_call: false }, support], null)).toBe(support);
    expect(() => lineToCallBack(lines, null)).toThrow('Several lines');
    expect(() => lineToCallBack([], null)).toThrow('No line');
  });
});
