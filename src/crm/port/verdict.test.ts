import { describe, expect, it } from 'vitest';
import type { CrmAnswer } from './crm-client.js';
import { done, excerptOf, failureOf } from './verdict.js';

const answered = (status: number, text = '', more: object = {}): CrmAnswer => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { kind: 'answered', status, headers: {}, text, json, ...more };
};

describe('what an answer says by HTTP alone', () => {
  it.each([
    [401, 'credentials-refused'],
    [403, 'credentials-refused'],
    [404, 'gone'],
    [410, 'gone'],
    [408, 'retry'],
    [500, 'retry'],
    [503, 'retry'],
    [400, 'rejected'],
    [422, 'rejected'],
    // Redirects are not followed.
    [302, 'rejected'],
  ])('%i: %s', (status, verdict) => {
    expect(failureOf(answered(status, '{}'))?.verdict).toBe(verdict);
  });

  it('is nothing bad where the status is good and the body JSON, or empty', () => {
    expect(failureOf(answered(200, '{"a":1}'))).toBeNull();
    expect(failureOf(answered(204))).toBeNull();
  });

  it('is no answer of the CRM where a page comes instead of JSON, and then it may be done', () => {
    const page = '<html><head><style>b{}</style></head><body><h1>Down for\n maintenance</h1></body></html>';
    expect(failureOf(answered(200, page))).toEqual({
      verdict: 'retry',
      why: 'It answered 200 with something that is not JSON: Down for maintenance',
      mayBeDone: true,
    });
  });

  it('tells how long to wait where that is told', () => {
    expect(failureOf(answered(429, '{}', { retryAfterMs: 7_000 }))).toMatchObject({
      verdict: 'rate-limited',
      afterMs: 7_000,
    });
    expect(failureOf(answered(429, '{}'))).not.toHaveProperty('afterMs');
    expect(failureOf({ kind: 'held-back', afterMs: 900 })).toMatchObject({ verdict: 'rate-limited', afterMs: 900 });
  });

  it('may be done only where the request can have arrived', () => {
    const lost = (mayHaveArrived: boolean): CrmAnswer => ({
      kind: 'lost',
      why: 'No answer within 15 s.',
      mayHaveArrived,
    });
    expect(failureOf(lost(true))).toEqual({ verdict: 'retry', why: 'No answer within 15 s.', mayBeDone: true });
    expect(failureOf(lost(false))).toEqual({ verdict: 'retry', why: 'No answer within 15 s.' });
  });

  it('wants somebody to connect it anew where no token is given', () => {
    expect(failureOf({ kind: 'unauthorized', why: 'No token.' })).toEqual({
      verdict: 'credentials-refused',
      why: 'No token.',
    });
  });
});

it('an excerpt is one line without markup, and not long', () => {
  expect(excerptOf('  a <b>bold</b>\n\tline <script>alert("x")</script>')).toBe('a bold line');
  expect(excerptOf('x'.repeat(1_000))).toBe(`${'x'.repeat(300)} …`);
});

it('what is done may have a value', () => {
  expect(done()).toEqual({ verdict: 'done', value: undefined });
  expect(done('id')).toEqual({ verdict: 'done', value: 'id' });
});
