import { describe, expect, it } from 'vitest';
import type { CrmAnswer, OAuth2 } from '../port/crm-client.js';
import { Tokens, type StoredToken, type TokenStore } from './tokens.js';

const auth: OAuth2 = {
  kind: 'oauth2',
  tokenUrl: '/oauth/token',
  grant: 'refresh_token',
  clientId: 'ringline',
  clientSecret: 'secret',
  refreshToken: 'first',
  fields: 'form',
  place: 'bearer',
};

const json = (status: number, body: unknown): CrmAnswer => ({
  kind: 'answered',
  status,
  headers: {},
  text: JSON.stringify(body),
  json: body,
});

/** A token endpoint that takes each refresh token once, as some vendors do. */
function world(stored: StoredToken | null = null) {
  const state = { token: stored, asked: [] as (string | undefined)[], now: 1_000_000, answers: [] as CrmAnswer[] };
  let turn: Promise<unknown> = Promise.resolve();
  const store: TokenStore = {
    read: () => Promise.resolve(state.token),
    change: (make) => {
      const next = turn.then(async () => (state.token = await make(state.token)));
      turn = next.catch(() => undefined);
      return next;
    },
  };
  const ask = (fields: Readonly<Record<string, string>>): Promise<CrmAnswer> => {
    state.asked.push(fields['refresh_token']);
    const n = state.asked.length;
    const fresh = { access_token: `access-${n}`, refresh_token: `refresh-${n}`, expires_in: 600 };
    return Promise.resolve(state.answers.shift() ?? json(200, fresh));
  };
  return { state, tokens: new Tokens(auth, store, ask, () => state.now) };
}

describe('the token of a connection', () => {
  it('is asked for with what the admin entered, stored, and used until shortly before its end', async () => {
    const { state, tokens } = world();
    expect(await tokens.current()).toEqual({ kind: 'token', value: 'access-1' });
    expect(state.token).toEqual({ access: 'access-1', refresh: 'refresh-1', expiresAt: 1_600_000 });
    state.now = 1_569_000;
    expect(await tokens.current()).toEqual({ kind: 'token', value: 'access-1' });
    state.now = 1_571_000;
    expect(await tokens.current()).toEqual({ kind: 'token', value: 'access-2' });
    expect(state.asked).toEqual(['first', 'refresh-1']);
  });

  it('is asked for once, however many find it refused at the same time', async () => {
    const { state, tokens } = world({ access: 'old', refresh: 'kept', expiresAt: 9_000_000 });
    const renewed = await Promise.all([1, 2, 3, 4].map(() => tokens.renew('old')));
    expect(new Set(renewed.map((answer) => (answer.kind === 'token' ? answer.value : answer.kind)))).toEqual(
      new Set(['access-1']),
    );
    expect(state.asked).toEqual(['kept']);
  });

  it('keeps the refresh token where no other is given', async () => {
    const { state, tokens } = world({ access: 'old', refresh: 'kept', expiresAt: 0 });
    state.answers.push(json(200, { access_token: 'new' }));
    expect(await tokens.current()).toEqual({ kind: 'token', value: 'new' });
    expect(state.token).toEqual({ access: 'new', refresh: 'kept', expiresAt: state.now + 3_600_000 });
  });

  it('is not given any more where the CRM refuses it, and what was stored stays', async () => {
    const before = { access: 'old', refresh: 'kept', expiresAt: 0 };
    const { state, tokens } = world(before);
    state.answers.push(json(400, { error: 'invalid_grant' }));
    expect(await tokens.current()).toMatchObject({ kind: 'unauthorized' });
    expect(state.token).toEqual(before);
  });

  it('is waited for where its endpoint is out of order', async () => {
    const { state, tokens } = world();
    state.answers.push(json(503, {}), { kind: 'lost', why: 'Could not connect.', mayHaveArrived: false });
    expect(await tokens.current()).toMatchObject({ kind: 'lost', mayHaveArrived: false });
    expect(await tokens.current()).toEqual({ kind: 'lost', why: 'Could not connect.', mayHaveArrived: false });
    expect(await tokens.current()).toEqual({ kind: 'token', value: 'access-3' });
  });
});
