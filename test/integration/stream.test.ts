import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import type { CallEvent } from '../../src/calls/domain/call-event.js';
import type { Call } from '../../src/calls/domain/call.js';
import { newId } from '../../src/common/ids.js';
import { popIdOf } from '../../src/screen-pop/pop-id.js';
import type { Pop } from '../../src/screen-pop/pop.js';
import { streamLimits } from '../../src/screen-pop/stream-limits.js';
import { callDocument } from '../../lab/call-document.js';
import { committedChange, participant } from '../support/call-document.js';
import { startDatabaseServer } from '../support/database.js';
import type { EventStream } from '../support/event-stream.js';
import { StreamApp, type TestTenant } from '../support/stream-app.js';

type Snapshot = { readonly calls: readonly Call[]; readonly pops: readonly Pop[] };
type Problem = { readonly type: string; readonly detail: string; readonly field?: string };

let lab: Lab;
let app: StreamApp;
let tenant: TestTenant;
let alice: string;
let bob: string;

beforeAll(async () => {
  lab = await startDatabaseServer();
  app = await StreamApp.start(await lab.postgres.createDatabase());
});
afterAll(async () => {
  await app?.stop();
  await lab?.stop();
});
beforeEach(async () => {
  app.clock.aheadMs = 0;
  Object.assign(app.limits, streamLimits);
  tenant = await app.addTenant();
  [alice, bob] = [await app.addAgent(tenant), await app.addAgent(tenant)];
});

const now = (): string => new Date().toISOString();
const incoming = (changes: Partial<Call> = {}): Call =>
  callDocument({ tenantId: tenant.id, participants: [participant(alice), participant(bob)], ...changes });
const answered = (call: Call, version: number): Call => ({ ...call, status: 'answered', answeredAt: now(), version });
const ended = (call: Call, version: number): Call => ({
  ...call,
  status: 'ended',
  outcome: 'missed',
  endedAt: now(),
  version,
});
const openFor = async (agentId: string): Promise<EventStream> => {
  const stream = await app.open(await app.issue(tenant, agentId));
  await expect.poll(() => stream.all('snapshot')).toHaveLength(1);
  return stream;
};
const names = (stream: EventStream): string[] => stream.events.map(({ event }) => event);
const problemOf = async (stream: EventStream): Promise<{ status: number; type: string }> => {
  await stream.closed;
  return { status: stream.status, type: (JSON.parse(stream.wire) as Problem).type.split('/').at(-1) as string };
};

describe('opening the stream', () => {
  it('first shows the agent’s open calls and the pops still valid, and nothing of others', async () => {
    const ringing = await app.store(incoming());
    const talking = await app.store(answered(incoming(), 2));
    await app.store(ended(incoming(), 3));
    await app.store(incoming({ participants: [participant(bob)] }));
    const old = await app.store(incoming({ startedAt: new Date(Date.now() - 61_000).toISOString() }));
    const stream = await openFor(alice);
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    });
    expect(stream.headers['content-encoding']).toBeUndefined();
    const { calls, pops } = stream.all<Snapshot>('snapshot')[0]!;
    expect(calls.map(({ id }) => id)).toEqual([old.id, ringing.id, talking.id]);
    expect(calls[1]).toEqual(ringing);
    expect(pops).toEqual([
      {
        id: popIdOf(ringing.id, alice),
        callId: ringing.id,
        agentId: alice,
        from: ringing.from,
        line: ringing.line,
        matches: [],
        expiresAt: new Date(Date.parse(ringing.startedAt) + 60_000).toISOString(),
        call: ringing,
      },
    ]);
    expect(stream.wire).toMatch(/^retry: \d+\n\n/);
  });

  it('takes one token as often as it is used within its 10 minutes', async () => {
    const token = await app.issue(tenant, alice);
    const streams = [await app.open(token), await app.open(token)];
    for (const stream of streams) await expect.poll(() => names(stream)).toEqual(['snapshot']);
    app.clock.aheadMs = 599_000;
    expect((await app.open(token)).status).toBe(200);
    app.clock.aheadMs = 601_000;
    expect(await problemOf(await app.open(token))).toEqual({ status: 401, type: 'token-invalid' });
  });

  it.each(['', 'x', `rls_${'A'.repeat(43)}`, 'x'.repeat(200), '%00', "' or 1=1 --"])(
    'refuses the unknown token %j',
    async (token) => {
      expect(await problemOf(await app.open(token))).toEqual({ status: 401, type: 'token-invalid' });
    },
  );

  it('refuses an API key as a token', async () => {
    expect(await problemOf(await app.open(tenant.key))).toEqual({ status: 401, type: 'token-invalid' });
  });

  it('does not hang on HEAD', async () => {
    const answer = await app.fetch(`/v1/stream?token=${await app.issue(tenant, alice)}`, { method: 'HEAD' });
    expect(answer.status).toBe(405);
  });

  it('lets in the bound origin only', async () => {
    const token = await app.issue(tenant, alice, 'https://crm.test');
    const good = await app.open(token, { Origin: 'https://crm.test' });
    expect(good.status).toBe(200);
    expect(good.headers['access-control-allow-origin']).toBe('https://crm.test');
    for (const headers of [{ Origin: 'https://evil.test' }, { Origin: 'null' }, {}] as Record<string, string>[]) {
      const bad = await app.open(token, headers);
      expect(bad.headers['access-control-allow-origin']).not.toBe(headers.Origin ?? '');
      expect(await problemOf(bad)).toEqual({ status: 403, type: 'origin-mismatch' });
    }
    const unbound = await app.issue(tenant, alice);
    expect((await app.open(unbound)).status).toBe(200);
    expect(await problemOf(await app.open(unbound, { Origin: 'https://evil.test' }))).toEqual({
      status: 403,
      type: 'origin-mismatch',
    });
  });

  it('refuses more streams than an agent may have, by name, and takes another once one has closed', async () => {
    app.limits.perAgent = 2;
    const token = await app.issue(tenant, alice);
    const first = await app.open(token);
    await app.open(token);
    const third = await app.open(token);
    expect(third.headers['retry-after']).toBe('10');
    expect(await problemOf(third)).toEqual({ status: 429, type: 'too-many-streams' });
    expect((await openFor(bob)).status).toBe(200);
    first.close();
    await expect.poll(async () => (await app.open(token)).status).toBe(200);
  });

  it('refuses more streams than the process may have, by name', async () => {
    const { status } = await openFor(alice);
    expect(status).toBe(200);
    app.limits.perProcess = 1;
    expect(await problemOf(await app.open(await app.issue(tenant, bob)))).toEqual({
      status: 429,
      type: 'too-many-streams',
    });
  });

  it('is not known to the log by its token', async () => {
    const token = await app.issue(tenant, alice);
    await app.open(token);
    await problemOf(await app.open(`${token.slice(0, -1)}!`));
    expect(JSON.stringify(app.log)).not.toContain(token.slice(0, -1));
  });
});

describe('issuing tokens', () => {
  const issue = (body: unknown, key = tenant.key): Promise<Response> =>
    app.fetch('/v1/stream-tokens', { method: 'POST', key, body: JSON.stringify(body) });

  it('answers the token and when it expires, and stores neither it nor anything that leads to it', async () => {
    const answer = await issue({ agentId: alice, origin: 'https://crm.test' });
    expect(answer.status).toBe(201);
    const { token, expiresAt, ...rest } = (await answer.json()) as { token: string; expiresAt: string };
    expect(rest).toEqual({});
    expect(token).toMatch(/^rls_[A-Za-z0-9_-]{43}$/);
    expect(Math.abs(Date.parse(expiresAt) - Date.now() - 600_000)).toBeLessThan(5_000);
    const [row] = await app.query<Record<string, unknown>[]>('select * from stream_token where agent_id = $1', [alice]);
    expect(row).toMatchObject({ tenant_id: tenant.id, api_key_id: tenant.keyId, origin: 'https://crm.test' });
    expect((row!.token_hash as Buffer).length).toBe(32);
    expect(JSON.stringify(row)).not.toContain(token);
  });

  it.each([
    [{ agentId: 'alice' }, 400, 'invalid-request', 'agentId'],
    [{}, 400, 'invalid-request', 'agentId'],
    [{ agentId: newId() }, 404, 'not-found', 'agentId'],
    [{ agentId: newId(), origin: 'https://crm.test/' }, 400, 'invalid-request', 'origin'],
    [{ agentId: newId(), origin: 'ftp://crm.test' }, 400, 'invalid-request', 'origin'],
    [{ agentId: newId(), origin: '*' }, 400, 'invalid-request', 'origin'],
    [{ supervisor: true }, 400, 'invalid-request', undefined],
  ])('refuses %j with %i %s', async (body, status, type, field) => {
    const answer = await issue(body);
    const problem = (await answer.json()) as Problem;
    expect([answer.status, problem.type.split('/').at(-1)]).toEqual([status, type]);
    if (field) expect(problem.field).toBe(field);
  });

  it('knows no agent of another tenant, neither to issue nor to revoke', async () => {
    const other = await app.addTenant();
    expect((await issue({ agentId: alice }, other.key)).status).toBe(404);
    const revoked = await app.fetch(`/v1/stream-tokens?agentId=${alice}`, { method: 'DELETE', key: other.key });
    expect(revoked.status).toBe(404);
  });

  it('needs the scope stream:issue', async () => {
    await app.query(`update api_key set scopes = '{calls:read}' where id = $1`, [tenant.keyId]);
    expect((await issue({ agentId: alice })).status).toBe(403);
  });
});

describe('a live stream', () => {
  it('shows a pop, then the event as it was stored', async () => {
    const stream = await openFor(alice);
    const call = await app.store(incoming());
    const change = committedChange(call, 'call.started');
    app.commit(change);
    await expect.poll(() => names(stream)).toEqual(['snapshot', 'pop', 'call']);
    expect(stream.all<Pop>('pop')[0]).toMatchObject({ id: popIdOf(call.id, alice), callId: call.id, agentId: alice });
    expect(stream.events[2]!.data).toBe(change.events[0]!.text);
  });

  it('has handed the pop to the socket when the commit’s turn is over', async () => {
    const stream = await openFor(alice);
    const call = await app.store(incoming());
    app.commit(committedChange(call, 'call.started'));
    // No turn of the event loop has passed: what is sent from here on is after the pop.
    const back = Date.now();
    const sent = app.log.filter(({ msg, callId }) => msg === 'pop sent' && callId === call.id);
    expect(sent).toEqual([
      expect.objectContaining({ scope: 'screen-pop', popId: popIdOf(call.id, alice), agentId: alice, level: 'debug' }),
    ]);
    expect(sent[0]!.sentAtMs).toBeLessThanOrEqual(back);
    await expect.poll(() => stream.all('pop')).toHaveLength(1);
  });

  it('shows all pops of a batch before any other event of it', async () => {
    const stream = await openFor(alice);
    const calls = [await app.store(incoming()), await app.store(incoming())];
    app.commit(...calls.map((call) => committedChange(call, 'call.started')));
    await expect.poll(() => names(stream)).toEqual(['snapshot', 'pop', 'pop', 'call', 'call']);
  });

  it('shows a pop once, whatever is committed before the phones ring', async () => {
    const stream = await openFor(alice);
    const first = await app.happen(incoming({ participants: [] }), 'call.started');
    const second = await app.happen({ ...first, participants: [participant(alice)], version: 2 }, 'call.updated');
    app.commit(committedChange(second, null));
    app.commit(committedChange(second, 'call.updated'));
    const ringing = { ...second, status: 'ringing' as const, ringingAt: now(), version: 3 };
    await app.happen(
      { ...ringing, participants: [participant(alice, { role: 'rang', ringingAt: now() })] },
      'call.ringing',
    );
    await expect.poll(() => names(stream)).toEqual(['snapshot', 'pop', 'call', 'call']);
    expect(stream.all<CallEvent>('call').map(({ sequence }) => sequence)).toEqual([2, 3]);
    await app.happen(ended(ringing, 4), 'call.ended');
    await app.happen(incoming({ participants: [participant(alice)] }), 'call.started');
    await expect.poll(() => names(stream).slice(4)).toEqual(['call', 'pop', 'call']);
  });

  it('tells the others by a call event when one has answered, and pops no more', async () => {
    const [a, b] = [await openFor(alice), await openFor(bob)];
    const call = await app.happen(incoming(), 'call.started');
    const talking = answered(call, 2);
    const participants = [
      participant(bob, { role: 'answered', answeredAt: now() }),
      participant(alice, { leftAt: now() }),
    ];
    await app.happen({ ...talking, participants }, 'call.answered');
    for (const stream of [a, b]) {
      await expect.poll(() => names(stream)).toEqual(['snapshot', 'pop', 'call', 'call']);
      expect(stream.all<CallEvent>('call').at(-1)!.data.call.status).toBe('answered');
    }
    expect(a.all<Pop>('pop')[0]!.agentId).toBe(alice);
    expect(b.all<Pop>('pop')[0]!.agentId).toBe(bob);
    expect(a.all<Pop>('pop')[0]!.id).not.toBe(b.all<Pop>('pop')[0]!.id);
    const late = await openFor(alice);
    expect(late.all<Snapshot>('snapshot')[0]!.pops).toEqual([]);
  });

  it('shows nothing of calls of other agents or tenants', async () => {
    const stream = await openFor(alice);
    const other = await app.addTenant();
    await app.happen(incoming({ participants: [participant(bob)] }), 'call.started');
    // The same agent id under another tenant: only a broken or hostile writer would do this.
    app.commit(
      committedChange(callDocument({ tenantId: other.id, participants: [participant(alice)] }), 'call.started'),
    );
    const own = await app.happen(incoming(), 'call.started');
    await expect.poll(() => names(stream)).toEqual(['snapshot', 'pop', 'call']);
    expect(stream.all<Pop>('pop')[0]!.callId).toBe(own.id);
  });

  it('shows an agent’s outgoing calls without a pop', async () => {
    const stream = await openFor(alice);
    await app.happen(incoming({ direction: 'outbound', participants: [participant(alice)] }), 'call.started');
    await expect.poll(() => names(stream)).toEqual(['snapshot', 'call']);
  });

  it('loses nothing and doubles nothing of what is committed while it opens', async () => {
    for (let round = 0; round < 20; round++) {
      const token = await app.issue(tenant, alice);
      const opening = app.open(token);
      let call = await app.store(incoming({ participants: [participant(alice)] }));
      app.commit(committedChange(call, 'call.started'));
      call = await app.happen({ ...call, status: 'ringing', version: 2 }, 'call.ringing');
      const stream = await opening;
      call = await app.happen({ ...call, tags: ['last'], version: 3 }, 'call.updated');
      await expect.poll(() => stream.all<CallEvent>('call').at(-1)?.sequence).toBe(3);
      const snapshot = stream.all<Snapshot>('snapshot')[0]!;
      const told = stream.all<CallEvent>('call').map(({ sequence }) => sequence);
      const from = snapshot.calls.find(({ id }) => id === call.id)?.version ?? 0;
      expect(names(stream)[0]).toBe('snapshot');
      expect(told).toEqual([1, 2, 3].filter((sequence) => sequence > from).slice(-told.length));
      const pops = [...snapshot.pops, ...stream.all<Pop>('pop')].filter(({ callId }) => callId === call.id);
      expect(pops).toHaveLength(1);
      await app.happen(ended(call, 4), 'call.ended');
      stream.close();
    }
  });

  it.each([
    'Eve\r\n\r\nevent: pop\r\ndata: {"id":"forged"}\r\n\r\n',
    'a\u2028b\u2029c \u202Etxt.exe',
    '<script>alert(1)</script>',
    '&PJSIP/itsp/14165551212 ${SHELL(id)}',
    'x'.repeat(100_000),
  ])('carries a caller’s hostile name as data, case %#', async (name) => {
    const stream = await openFor(alice);
    const from = { raw: name, e164: null, name };
    const call = await app.happen(incoming({ from, remote: from, participants: [participant(alice)] }), 'call.started');
    await expect.poll(() => names(stream)).toEqual(['snapshot', 'pop', 'call']);
    expect(stream.all<Pop>('pop')[0]!.from).toEqual(from);
    expect(stream.all<CallEvent>('call')[0]!.data.call).toEqual(call);
    const again = await openFor(alice);
    expect(again.all<Snapshot>('snapshot')[0]!.calls[0]!.from).toEqual(from);
  });

  it('is given a fresh token before its own expires; the fresh one opens and is bound like the first', async () => {
    const token = await app.issue(tenant, alice, 'https://crm.test');
    const stream = await app.open(token, { Origin: 'https://crm.test' });
    await app.checkStreams();
    app.clock.aheadMs = 301_000;
    await app.checkStreams();
    await expect.poll(() => names(stream)).toEqual(['snapshot', 'token']);
    const fresh = stream.all<{ token: string; expiresAt: string }>('token')[0]!;
    expect(fresh.token).not.toBe(token);
    expect(Math.abs(Date.parse(fresh.expiresAt) - Date.now() - 901_000)).toBeLessThan(5_000);
    app.clock.aheadMs = 700_000;
    expect((await app.open(token, { Origin: 'https://crm.test' })).status).toBe(401);
    expect((await app.open(fresh.token, { Origin: 'https://crm.test' })).status).toBe(200);
    expect((await app.open(fresh.token, { Origin: 'https://evil.test' })).status).toBe(403);
    // The stream itself lives on, past the life of its first token.
    await app.checkStreams();
    expect(stream.isClosed).toBe(false);
    await expect.poll(() => stream.all('token')).toHaveLength(2);
  });

  it('gives each tab that shares a token its own fresh one', async () => {
    const token = await app.issue(tenant, alice);
    const tabs = [await app.open(token), await app.open(token)];
    app.clock.aheadMs = 301_000;
    await app.checkStreams();
    for (const tab of tabs) await expect.poll(() => tab.all('token')).toHaveLength(1);
    expect(new Set(tabs.map((tab) => tab.all<{ token: string }>('token')[0]!.token)).size).toBe(2);
  });

  it('is kept alive by comments, which browsers ignore', async () => {
    app.limits.heartbeatEveryMs = 100;
    const stream = await openFor(alice);
    await expect.poll(() => stream.wire, { timeout: 5_000 }).toContain(': heartbeat\n\n');
    expect(names(stream)).toEqual(['snapshot']);
  });
});

describe('acknowledging a pop', () => {
  const ack = (popId: string, token: string, headers: Record<string, string> = {}): Promise<Response> =>
    app.fetch(`/v1/pops/${popId}/ack`, { method: 'POST', headers: { Authorization: `Bearer ${token}`, ...headers } });
  const count = async (stage: string): Promise<number> => {
    const line = new RegExp(`^ringline_pop_latency_seconds_count\\{stage="${stage}"\\} (\\d+)$`, 'm');
    return Number(line.exec(await app.metrics())?.[1] ?? 0);
  };

  it('says 204 as often as it is repeated and is measured once, after committed and sent', async () => {
    const before = await Promise.all(['committed', 'sent', 'painted'].map(count));
    const stream = await openFor(alice);
    await app.happen(incoming({ participants: [participant(alice)] }), 'call.started');
    await expect.poll(() => stream.all('pop')).toHaveLength(1);
    const { id } = stream.all<Pop>('pop')[0]!;
    const token = await app.issue(tenant, alice);
    expect((await ack(id, token)).status).toBe(204);
    expect((await ack(id.toUpperCase(), token)).status).toBe(204);
    const after = await Promise.all(['committed', 'sent', 'painted'].map(count));
    expect(after.map((value, index) => value - before[index]!)).toEqual([1, 1, 1]);
  });

  it('is possible for a pop of before a restart, and after the call', async () => {
    const call = await app.store(ended(incoming(), 4));
    expect((await ack(popIdOf(call.id, alice), await app.issue(tenant, alice))).status).toBe(204);
  });

  it('refuses an unknown pop, another agent’s, and another tenant’s', async () => {
    const call = await app.store(incoming());
    const token = await app.issue(tenant, alice);
    expect((await ack(newId(), token)).status).toBe(404);
    expect((await ack('nonsense', token)).status).toBe(400);
    expect((await ack(popIdOf(call.id, bob), token)).status).toBe(404);
    const other = await app.addTenant();
    const stranger = await app.issue(other, await app.addAgent(other));
    expect((await ack(popIdOf(call.id, alice), stranger)).status).toBe(404);
  });

  it('needs a valid token of the right origin', async () => {
    const call = await app.store(incoming());
    const id = popIdOf(call.id, alice);
    expect((await ack(id, 'x')).status).toBe(401);
    expect((await app.fetch(`/v1/pops/${id}/ack`, { method: 'POST' })).status).toBe(401);
    const token = await app.issue(tenant, alice, 'https://crm.test');
    expect((await ack(id, token, { Origin: 'https://evil.test' })).status).toBe(403);
    expect((await ack(id, token, { Origin: 'https://crm.test' })).status).toBe(204);
  });
});
