import { describe, expect, it } from 'vitest';
import { Problem } from '../common/problems.js';
import { assertOrigin } from './origin.js';

const own = { publicUrl: 'https://ringline.example/base', corsOrigins: ['https://crm.example'] };
const refused = (header: string | undefined, bound: string | null): boolean => {
  try {
    assertOrigin(header, bound, own);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(Problem);
    expect((error as Problem).type).toBe('origin-mismatch');
    return true;
  }
};

describe('the origin of a stream', () => {
  it.each<[string, string | undefined, string | null, boolean]>([
    ['the bound origin', 'https://crm.example', 'https://crm.example', false],
    ['another origin', 'https://evil.example', 'https://crm.example', true],
    ['a longer one', 'https://crm.example.evil.example', 'https://crm.example', true],
    ['another scheme', 'http://crm.example', 'https://crm.example', true],
    ['another port', 'https://crm.example:8443', 'https://crm.example', true],
    ['a sandboxed page', 'null', 'https://crm.example', true],
    ['no header for a token of another origin', undefined, 'https://crm.example', true],
    ['no header for a token of Ringline’s own origin', undefined, 'https://ringline.example', false],
    ['no header for a token without origin', undefined, null, false],
    ['an origin of CORS_ORIGINS for a token without origin', 'https://crm.example', null, false],
    ['a foreign origin for a token without origin', 'https://evil.example', null, true],
  ])('%s', (_, header, bound, expected) => {
    expect(refused(header, bound)).toBe(expected);
  });
});
