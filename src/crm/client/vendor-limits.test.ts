import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../egress/guarded-client.js';
import { z } from 'zod';
import { defineCrmAdapter } from '../port/crm-adapter.js';
import type { CrmClient } from '../port/crm-client.js';
import type { Verdict } from '../port/verdict.js';
import type { Gate } from './bounded-client.js';
import { connect } from './crm-clients.js';

/** A session whose `test` step asks once, and what its gate was told. */
function session(
  outcome: Partial<Extract<Outcome, { kind: 'answered' }>>,
  step?: (client: CrmClient) => Verdict<string>,
) {
  const closed: number[] = [];
  let isHeldBack = false;
  const gate: Gate = {
    enter: () => Promise.resolve(isHeldBack ? { afterMs: 9_000 } : { leave: () => undefined }),
    close: (ms) => {
      closed.push(ms);
      return Promise.resolve();
    },
  };
  const adapter = defineCrmAdapter({
    name: 'toy',
    title: 'Toy',
    settings: z.object({}),
    secrets: [],
    capabilities: () => {
      throw new Error('not asked');
    },
    baseUrl: () => 'https://crm.example',
    auth: () => ({ kind: 'none' }),
    connect: (client) => ({
      test: async () => {
        const answer = await client.request({ method: 'GET', path: '/' });
        if (answer.kind === 'held-back') return { verdict: 'rate-limited', why: 'held back', afterMs: answer.afterMs };
        return step?.(client) ?? { verdict: 'done', value: 'x' };
      },
      closeCall: () => Promise.resolve({ verdict: 'done', value: '1' }),
    }),
  });
  const answered: Outcome = { kind: 'answered', status: 200, headers: {}, excerpt: '{}', durationMs: 1, ...outcome };
  const http = { send: () => Promise.resolve(answered) };
  const store = { read: () => Promise.resolve(null), change: () => Promise.reject(new Error('no token')) };
  const made = connect(adapter, {}, http, store, gate, new Map());
  return { made, closed, holdBack: () => (isHeldBack = true) };
}

describe('what a vendor says of its limits', () => {
  it('closes the gate for as long as a 429 says, for a second when it says nothing, and for an hour at most', async () => {
    for (const [retryAfterSeconds, ms] of [
      [7, 7_000],
      [undefined, 1_000],
      [1_000_000, 3_600_000],
    ] as const) {
      const { made, closed } = session({ status: 429, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) });
      await made.test();
      expect(closed).toEqual([ms]);
    }
  });

  it('closes the gate by a step’s verdict, where the vendor says it inside an answer', async () => {
    const { made, closed } = session({}, () => ({
      verdict: 'rate-limited',
      why: 'QUERY_LIMIT_EXCEEDED',
      afterMs: 1_500,
    }));
    await made.test();
    expect(closed).toEqual([1_500]);
  });

  it('leaves the gate as it is when the gate itself held the request back', async () => {
    const { made, closed, holdBack } = session({});
    holdBack();
    expect(await made.test()).toMatchObject({ verdict: 'rate-limited', afterMs: 9_000 });
    expect(closed).toEqual([]);
  });

  it('leaves the gate open for any other answer', async () => {
    const { made, closed } = session({ status: 503 });
    await made.test();
    expect(closed).toEqual([]);
  });
});
