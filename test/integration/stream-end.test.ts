import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FaultProxy } from '../../lab/fault-proxy.js';
import type { Lab } from '../../lab/start-lab.js';
import { newId } from '../../src/common/ids.js';
import { streamLimits } from '../../src/screen-pop/stream-limits.js';
import { callDocument } from '../../lab/call-document.js';
import { committedChange, participant } from '../support/call-document.js';
import { startDatabaseServer } from '../support/database.js';
import type { EventStream } from '../support/event-stream.js';
import { StreamApp, type TestTenant } from '../support/stream-app.js';

let lab: Lab;
let link: FaultProxy;
let app: StreamApp;
let tenant: TestTenant;
let alice: string;

beforeAll(async () => {
  lab = await startDatabaseServer();
  link = await lab.proxy(await lab.postgres.createDatabase());
  app = await StreamApp.start(link.url);
});
afterAll(async () => {
  await app?.stop();
  await lab?.stop();
});
beforeEach(async () => {
  Object.assign(app.limits, streamLimits);
  tenant = await app.addTenant();
  alice = await app.addAgent(tenant);
});
afterEach(() => link.set());

const openFor = async (agentId: string, by: TestTenant = tenant): Promise<EventStream> => {
  const stream = await app.open(await app.issue(by, agentId));
  await expect.poll(() => stream.all('snapshot')).toHaveLength(1);
  return stream;
};
const pop = (agentId: string, text = ''): void => {
  const call = callDocument({
    tenantId: tenant.id,
    participants: [participant(agentId)],
    from: { raw: text, e164: null, name: text },
  });
  app.commit(committedChange(call, 'call.started'));
};
const cuts = async (reason: string): Promise<number> =>
  Number(
    new RegExp(`^ringline_streams_cut_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(await app.metrics())?.[1] ?? 0,
  );
const openStreams = async (): Promise<number> => Number(/^ringline_streams_open (\d+)/m.exec(await app.metrics())?.[1]);

describe('revocation', () => {
  it('by the API ends the agent’s streams at once and refuses its tokens; other agents go on', async () => {
    const token = await app.issue(tenant, alice);
    const stream = await app.open(token);
    const other = await openFor(await app.addAgent(tenant));
    const askedAt = Date.now();
    const answer = await app.fetch(`/v1/stream-tokens?agentId=${alice.toUpperCase()}`, {
      method: 'DELETE',
      key: tenant.key,
    });
    expect(answer.status).toBe(204);
    expect((await stream.closed) - askedAt).toBeLessThan(1_000);
    expect((await app.open(token)).status).toBe(401);
    expect(other.isClosed).toBe(false);
    // A new token is a new right.
    expect((await openFor(alice)).status).toBe(200);
    const audited = await app.query<unknown[]>(
      `select 1 from audit_entry where action = 'stream-tokens.revoked' and target_id = $1 and actor_key_id = $2`,
      [alice, tenant.keyId],
    );
    expect(audited).toHaveLength(1);
  });

  it('by whoever else ends a stream within 5 s: token, API key, agent, tenant', async () => {
    const deeds: ((tenant: TestTenant, agentId: string) => Promise<unknown>)[] = [
      (_, id) => app.query('update stream_token set revoked_at = now() where agent_id = $1', [id]),
      ({ keyId }) => app.query('update api_key set revoked_at = now() where id = $1', [keyId]),
      ({ keyId }) => app.query('delete from api_key where id = $1', [keyId]),
      (_, id) => app.query('delete from agent where id = $1', [id]),
      ({ id }) => app.query('delete from tenant where id = $1', [id]),
    ];
    const bystander = await openFor(alice);
    const before = await cuts('revoked');
    await Promise.all(
      deeds.map(async (deed) => {
        const own = await app.addTenant();
        const agentId = await app.addAgent(own);
        const stream = await openFor(agentId, own);
        const doneAt = Date.now();
        await deed(own, agentId);
        expect((await stream.closed) - doneAt).toBeLessThan(5_000);
      }),
    );
    expect(bystander.isClosed).toBe(false);
    await expect.poll(() => cuts('revoked')).toBe(before + deeds.length);
  });

  it('lets no fresh token slip past it', async () => {
    app.limits.renewBeforeMs = app.limits.tokenLifeMs + 60_000;
    for (let round = 0; round < 20; round++) {
      await app.open(await app.issue(tenant, alice));
      await Promise.all([
        app.checkStreams(),
        app.fetch(`/v1/stream-tokens?agentId=${alice}`, { method: 'DELETE', key: tenant.key }),
      ]);
      const standing = await app.query<unknown[]>(
        'select 1 from stream_token where agent_id = $1 and revoked_at is null',
        [alice],
      );
      expect(standing).toEqual([]);
    }
  });
});

describe('a slow reader', () => {
  it('is cut at 256 kB, and others are served meanwhile', async () => {
    const slow = await openFor(alice);
    const fast = await openFor(alice);
    slow.pause();
    const before = await cuts('slow-reader');
    const memory = process.memoryUsage().rss;
    let sent = 0;
    // The operating systems of both ends buffer some MB before anything waits here.
    while ((await cuts('slow-reader')) === before) {
      pop(alice, 'x'.repeat(50_000));
      sent += 1;
      await expect.poll(() => fast.all('pop').length, { interval: 5 }).toBe(sent);
      expect(sent).toBeLessThan(1_000);
    }
    expect(fast.isClosed).toBe(false);
    expect(process.memoryUsage().rss - memory).toBeLessThan(400 * 2 ** 20);
  });

  it('is cut when it takes nothing for 10 s, however little waits', async () => {
    app.limits.backlogBytes = Number.MAX_SAFE_INTEGER;
    const slow = await openFor(alice);
    slow.pause();
    const before = await cuts('slow-reader');
    for (let n = 0; n < 400; n++) pop(alice, 'x'.repeat(50_000));
    expect(await cuts('slow-reader')).toBe(before);
    const waitsSince = Date.now();
    await expect.poll(() => cuts('slow-reader'), { timeout: 15_000, interval: 50 }).toBe(before + 1);
    expect(Date.now() - waitsSince).toBeGreaterThan(9_000);
  });

  it('is not cut for one large record alone', async () => {
    const stream = await openFor(alice);
    const note = 'x'.repeat(10_000_000);
    const call = callDocument({ tenantId: tenant.id, direction: 'outbound', participants: [participant(alice)], note });
    app.commit(committedChange(call, 'call.updated'));
    await expect.poll(() => stream.all('call').length, { timeout: 5_000 }).toBe(1);
    expect(stream.isClosed).toBe(false);
  });
});

describe('without the database', () => {
  it('open streams go on and show pops; new ones get 503 until it is back', async () => {
    const token = await app.issue(tenant, alice);
    const stream = await app.open(token);
    await link.refuse();
    link.reset();
    await app.checkStreams();
    pop(alice);
    await expect.poll(() => stream.all('pop')).toHaveLength(1);
    const refused = await app.open(token);
    await refused.closed;
    expect(refused.status).toBe(503);
    expect(refused.wire).toContain('/problems/database-unavailable');
    expect(
      (await app.fetch(`/v1/pops/${newId()}/ack`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } }))
        .status,
    ).toBe(503);
    await app.checkStreams();
    expect(stream.isClosed).toBe(false);

    await link.accept();
    await expect.poll(async () => (await app.open(token)).status, { timeout: 5_000 }).toBe(200);
    await app.query('update stream_token set revoked_at = now() where agent_id = $1', [alice]);
    await stream.closed;
  });
});

describe('with a database that hangs', () => {
  it('open streams go on and show pops; new ones are told to come back, and are not kept', async () => {
    const token = await app.issue(tenant, alice);
    const stream = await app.open(token);
    const before = await openStreams();
    link.set({ blackHole: 'both' });
    const refused = await Promise.all(Array.from({ length: 6 }, () => app.open(token)));
    for (const { status } of refused) expect([429, 503]).toContain(status);
    pop(alice);
    await expect.poll(() => stream.all('pop')).toHaveLength(1);
    link.set();
    await expect.poll(async () => (await app.open(token)).status, { timeout: 5_000 }).toBe(200);
    expect(await openStreams()).toBe(before + 1);
  });
});

describe('many browsers', () => {
  it('that come back at once are all let in, and leave connections of the database to others', async () => {
    const before = await openStreams();
    const agents = await Promise.all(Array.from({ length: 20 }, () => app.addAgent(tenant)));
    const tokens = await Promise.all(agents.map((agentId) => app.issue(tenant, agentId)));
    const opening = Promise.all(Array.from({ length: 300 }, (_, n) => app.open(tokens[n % tokens.length]!)));
    const askedAt = Date.now();
    await app.query('select 1', []);
    expect(Date.now() - askedAt).toBeLessThan(1_000);
    const streams = await opening;
    expect(await openStreams()).toBe(before + 300);
    expect(new Set(streams.map(({ status }) => status))).toEqual(new Set([200]));
    const retries = streams.map(({ wire }) => /^retry: (\d+)/.exec(wire)?.[1]);
    expect(new Set(retries).size).toBeGreaterThan(200);
    for (const stream of streams) stream.close();
    await expect.poll(openStreams).toBe(before);
  });
});

describe('a browser that leaves while its stream opens', () => {
  it('leaves nothing behind', async () => {
    const before = await openStreams();
    const token = await app.issue(tenant, alice);
    for (let delayMs = 0; delayMs < 20; delayMs++) {
      link.set({ latencyMs: 5 });
      const leaving = AbortSignal.timeout(delayMs);
      await app.fetch(`/v1/stream?token=${token}`, { signal: leaving }).catch(() => undefined);
    }
    link.set();
    // Those who left have had their turn when one who came after them has.
    await openFor(alice);
    await expect.poll(openStreams).toBe(before + 1);
  });
});

describe('stopping', () => {
  it('ends open streams, so that it does not wait for browsers', async () => {
    const own = await StreamApp.start(await lab.postgres.createDatabase());
    const tenantOfOwn = await own.addTenant();
    const stream = await own.open(await own.issue(tenantOfOwn, await own.addAgent(tenantOfOwn)));
    await expect.poll(() => stream.all('snapshot')).toHaveLength(1);
    const askedAt = Date.now();
    const stopped = own.stop();
    expect((await stream.closed) - askedAt).toBeLessThan(1_000);
    await stopped;
    expect(Date.now() - askedAt).toBeLessThan(5_000);
  });
});
