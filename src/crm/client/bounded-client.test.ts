import { describe, expect, it } from 'vitest';
import type { OutgoingRequest, Outcome } from '../../egress/guarded-client.js';
import type { Auth } from '../port/crm-client.js';
import { done } from '../port/verdict.js';
import { BoundedClient, openGate, type Gate } from './bounded-client.js';
import type { Tokens } from './tokens.js';

const answer = (status: number, text = '{}'): Outcome => ({
  kind: 'answered',
  status,
  headers: { 'x-limit': ['7', '8'], etag: 'a' },
  excerpt: text,
  durationMs: 1,
});

function world({
  auth = { kind: 'none' },
  tokens = null,
  gate = openGate,
  answers = [],
}: { auth?: Auth; tokens?: Tokens | null; gate?: Gate; answers?: Outcome[] } = {}) {
  const sent: OutgoingRequest[] = [];
  const http = {
    send: (request: OutgoingRequest) => {
      sent.push(request);
      return Promise.resolve(answers.shift() ?? answer(200));
    },
  };
  const clock = { now: 1_000 };
  const client = new BoundedClient('https://crm.example/api', auth, tokens, http, gate, new Map(), () => clock.now);
  return { client, sent, clock };
}

/** Tokens one after the other. */
function tokensOf(...values: string[]): Tokens {
  let at = 0;
  const token = () => Promise.resolve({ kind: 'token', value: values[at] });
  return { current: token, renew: () => ((at += 1), token()) } as unknown as Tokens;
}

describe('a request to a CRM', () => {
  it('goes below the base URL, its query encoded strictly', async () => {
    const { client, sent } = world();
    await client.request({ method: 'GET', path: '/Contact', query: { phone: '+49 30/1', ids: ['a', 'b&c'], n: 2 } });
    expect(sent[0]?.url).toBe('https://crm.example/api/Contact?phone=%2B49%2030%2F1&ids=a&ids=b%26c&n=2');
    await expect(client.request({ method: 'GET', path: '//evil.example/' })).resolves.toBeDefined();
    expect(new URL(sent[1]?.url ?? '').host).toBe('crm.example');
    await expect(client.request({ method: 'GET', path: '@evil.example/' })).rejects.toThrow('begins with a slash');
  });

  it('is signed as the connection says', async () => {
    const basic = world({ auth: { kind: 'basic', user: 'Jörg', password: 'p:w' } });
    await basic.client.request({ method: 'GET', path: '/' });
    const [, base64 = ''] = (basic.sent[0]?.headers['authorization'] ?? '').split(' ');
    expect(Buffer.from(base64, 'base64').toString()).toBe('Jörg:p:w');
    const key = world({ auth: { kind: 'headers', headers: { 'x-api-key': 'k' } } });
    await key.client.request({ method: 'GET', path: '/', headers: { 'x-api-key': 'other', accept: 'text/csv' } });
    expect(key.sent[0]?.headers).toMatchObject({ 'x-api-key': 'k', accept: 'text/csv' });
  });

  it('tells of its answer: headers once, JSON where it is some', async () => {
    const { client } = world({ answers: [answer(200, '{"id":7}'), answer(502, '<h1>Bad gateway</h1>')] });
    expect(await client.request({ method: 'GET', path: '/' })).toEqual({
      kind: 'answered',
      status: 200,
      headers: { 'x-limit': '7', etag: 'a' },
      text: '{"id":7}',
      json: { id: 7 },
    });
    expect(await client.request({ method: 'GET', path: '/' })).toMatchObject({ status: 502, json: undefined });
  });

  it.each([true, false])('tells whether it may have arrived where no answer came: %s', async (wasSent) => {
    const { client } = world({ answers: [{ kind: 'failed', error: 'No answer.', wasSent, durationMs: 1 }] });
    expect(await client.request({ method: 'POST', path: '/' })).toEqual({
      kind: 'lost',
      why: 'No answer.',
      mayHaveArrived: wasSent,
    });
  });

  it('is not sent where the vendor’s limits are used up, and leaves the gate whatever comes of it', async () => {
    let inside = 0;
    const gate: Gate = {
      ...openGate,
      enter: (cost) =>
        Promise.resolve(cost > 5 ? { afterMs: 3_000 } : { leave: () => (inside -= 1), ...((inside += 1), {}) }),
    };
    const { client, sent } = world({ gate });
    expect(await client.request({ method: 'GET', path: '/', cost: 6 })).toEqual({ kind: 'held-back', afterMs: 3_000 });
    expect(sent).toEqual([]);
    await client.request({ method: 'GET', path: '/' });
    expect(inside).toBe(0);
  });

  it('is repeated once with a fresh token where its own has expired, and no more', async () => {
    const auth: Auth = {
      kind: 'oauth2',
      tokenUrl: '/token',
      grant: 'client_credentials',
      clientId: 'a',
      clientSecret: 'b',
      fields: 'form',
      place: 'bearer',
    };
    const once = world({ auth, tokens: tokensOf('one', 'two'), answers: [answer(401)] });
    expect(await once.client.request({ method: 'GET', path: '/' })).toMatchObject({ status: 200 });
    expect(once.sent.map(({ headers }) => headers['authorization'])).toEqual(['Bearer one', 'Bearer two']);
    const always = world({ auth, tokens: tokensOf('one', 'two', 'three'), answers: [answer(401), answer(401)] });
    expect(await always.client.request({ method: 'GET', path: '/' })).toMatchObject({ status: 401 });
    expect(always.sent).toHaveLength(2);
    const place = { query: 'auth' } as const;
    const byQuery = world({ auth: { ...auth, place }, tokens: tokensOf('o+e') });
    await byQuery.client.request({ method: 'GET', path: '/', query: { a: 1 } });
    expect(byQuery.sent[0]?.url).toBe('https://crm.example/api/?a=1&auth=o%2Be');
  });
});

describe('what is remembered', () => {
  it('is asked for again when its time is over, and not kept where it failed', async () => {
    const { client, clock } = world();
    let asked = 0;
    const ask = () => Promise.resolve(done((asked += 1)));
    expect(await client.remember('user', 10, ask)).toEqual(done(1));
    expect(await client.remember('user', 10, ask)).toEqual(done(1));
    clock.now += 10_001;
    expect(await client.remember('user', 10, ask)).toEqual(done(2));
    const fail = () => Promise.resolve({ verdict: 'retry', why: 'down' } as const);
    expect(await client.remember('type', 10, fail)).toMatchObject({ verdict: 'retry' });
    expect(await client.remember('type', 10, ask)).toEqual(done(3));
  });
});
