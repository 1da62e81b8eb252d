import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import { deliverySchema, replayedSchema } from '../../src/webhooks/webhook-endpoint.schema.js';
import { ApiWorld, type Answer, type TestTenant } from '../support/api-world.js';
import { commitCall } from '../support/commit-call.js';
import { startDatabaseServer } from '../support/database.js';
import { WebhookReceiver, verify } from '../support/webhook-receiver.js';

const milestones = ['call.started', 'call.ringing', 'call.ended'] as const;

describe('replay of webhooks', () => {
  let lab: Lab;
  let world: ApiWorld;
  let receiver: WebhookReceiver;
  let tenant: TestTenant;
  let nodeId: string;
  let endpoint: { readonly id: string; readonly secret: string };

  beforeAll(async () => {
    lab = await startDatabaseServer();
    receiver = await WebhookReceiver.start();
    const env = { EGRESS_ALLOW: new URL(receiver.url).host, WEBHOOK_RETRY_SECONDS: '0,0' };
    world = await ApiWorld.start(await lab.postgres.createDatabase(), { env });
    nodeId = await world.addNode();
  });
  afterAll(async () => {
    await world?.stop();
    await receiver?.stop();
    await lab?.stop();
  });
  beforeEach(async () => {
    tenant = await world.addTenant(['webhooks']);
    receiver.received.length = 0;
    receiver.respond = () => ({ status: 204 });
    endpoint = await world.ok('POST', path, { key: tenant.key, body: { url: receiver.url } });
  });

  const path = '/v1/webhook-endpoints';
  const commit = (types: readonly (typeof milestones)[number][] = milestones): Promise<string> =>
    commitCall(world, { tenantId: tenant.id, nodeId }, types);
  const list = async (query = ''): Promise<any[]> =>
    (await world.ok('GET', `${path}/${endpoint.id}/deliveries${query}`, { key: tenant.key })).items;
  const replay = (body: object): Promise<Answer> =>
    world.request('POST', `${path}/${endpoint.id}/replay`, { key: tenant.key, body });
  const replayed = async (body: object): Promise<number> => {
    const answer = await replay(body);
    expect(answer.status, answer.text).toBe(200);
    expect(replayedSchema.parse(answer.body).nextFrom).toBeNull();
    return answer.body.replayed;
  };
  const finished = (count: number): Promise<any[]> =>
    waitFor(
      async () => {
        const items = await list();
        return items.length === count && items.every(({ status }) => status !== 'pending') && items;
      },
      { what: `${count} finished deliveries`, timeoutMs: 20_000 },
    );
  const isReplay = (): unknown[] => receiver.received.map(({ headers }) => headers['ringline-replay']);
  const longAgo = '2020-01-01T00:00:00Z';

  it('sends one delivery again under the same id, and says so in a header', async () => {
    const callId = await commit();
    const [, second] = await finished(3);
    receiver.received.length = 0;
    expect(await replayed({ deliveryId: second.id })).toBe(1);
    await waitFor(() => receiver.received.length === 1, { what: 'the replay' });
    const [again] = receiver.received;
    if (!again) throw new Error('nothing came');
    verify(endpoint.secret, again);
    expect([again.headers['webhook-id'], again.headers['ringline-replay']]).toEqual([second.eventId, 'true']);
    expect(receiver.sequencesOf(callId)).toEqual([2]);
    const [row] = (await finished(3)).filter(({ id }) => id === second.id);
    expect(deliverySchema.parse(row)).toMatchObject({ status: 'delivered', replays: 1 });
    expect(row.attempts.map(({ number }: { number: number }) => number)).toEqual([1, 2]);
  });

  it('sends everything since a moment, in order per call, with what was missed while the endpoint was away', async () => {
    expect(await replayed({ from: longAgo })).toBe(0);
    await world.ok('PATCH', `${path}/${endpoint.id}`, { key: tenant.key, body: { status: 'paused' } });
    const missed = await commit();
    expect(await list()).toEqual([]);
    const from = new Date().toISOString();
    await world.ok('PATCH', `${path}/${endpoint.id}`, { key: tenant.key, body: { status: 'enabled' } });
    const seen = await commit();
    await finished(3);
    expect(isReplay()).toEqual([undefined, undefined, undefined]);

    receiver.received.length = 0;
    expect(await replayed({ from, statuses: ['missed', 'dead'] })).toBe(0);
    expect(await replayed({ from: longAgo, statuses: ['missed'] })).toBe(3);
    await finished(6);
    expect(receiver.sequencesOf(missed)).toEqual([1, 2, 3]);
    expect(receiver.sequencesOf(seen)).toEqual([]);

    receiver.received.length = 0;
    expect(await replayed({ from })).toBe(3);
    await waitFor(() => receiver.received.length === 3, { what: 'the second half' });
    expect(receiver.sequencesOf(seen)).toEqual([1, 2, 3]);
    await finished(6);

    receiver.received.length = 0;
    expect(await replayed({ from: longAgo })).toBe(6);
    await waitFor(() => receiver.received.length === 6, { what: 'everything' });
    for (const call of [missed, seen]) expect(receiver.sequencesOf(call)).toEqual([1, 2, 3]);
    expect(isReplay()).toEqual(Array(6).fill('true'));
    await finished(6);
  });

  it('takes only the types, the call and the end that it is asked for', async () => {
    const [one] = [await commit(), await commit()];
    await finished(6);
    receiver.received.length = 0;
    const to = new Date().toISOString();
    expect(await replayed({ from: longAgo, to: longAgo })).toBe(0);
    expect(await replayed({ from: longAgo, to, eventTypes: ['call.ended'], callId: one })).toBe(1);
    await waitFor(() => receiver.received.length === 1, { what: 'the replay' });
    expect(receiver.sequencesOf(one)).toEqual([3]);
    await finished(6);
  });

  it('gives dead letters their whole schedule again', async () => {
    receiver.respond = () => ({ status: 500 });
    await commit(['call.ended']);
    await finished(1);
    expect(await list('?status=dead')).toMatchObject([{ status: 'dead', replays: 0, nextAttemptAt: null }]);
    expect(await replayed({ from: longAgo, statuses: ['dead'] })).toBe(1);
    await waitFor(async () => (await list('?status=dead'))[0]?.attempts.length === 4, { what: 'the schedule to end' });
    receiver.respond = () => ({ status: 200 });
    expect(await replayed({ from: longAgo, statuses: ['dead'] })).toBe(1);
    expect(await finished(1)).toMatchObject([{ status: 'delivered', replays: 2 }]);
    expect(await list('?status=dead')).toEqual([]);
  });

  it('does not reach another tenant’s events', async () => {
    await commit();
    await finished(3);
    const other = await world.addTenant(['webhooks']);
    const theirs = await world.ok('POST', path, { key: other.key, body: { url: receiver.url } });
    const answer = await world.ok('POST', `${path}/${theirs.id}/replay`, { key: other.key, body: { from: longAgo } });
    expect(answer).toEqual({ replayed: 0, nextFrom: null });
    const [own] = await list();
    const foreign = await world.request('POST', `${path}/${theirs.id}/replay`, {
      key: other.key,
      body: { deliveryId: own.id },
    });
    expect(foreign).toMatchObject({ status: 404, body: { field: 'deliveryId' } });
  });

  it('says what cannot be replayed', async () => {
    receiver.respond = () => 'hang';
    await commit(['call.started']);
    const [waiting] = await waitFor(async () => (await list()).length === 1 && list(), { what: 'the delivery' });
    expect(await replay({ deliveryId: waiting.id })).toMatchObject({ status: 409, body: { field: 'deliveryId' } });
    expect(await replay({ deliveryId: newId() })).toMatchObject({ status: 404, body: { field: 'deliveryId' } });
    for (const body of [
      {},
      { from: 'yesterday' },
      { from: longAgo, deliveryId: newId() },
      { from: longAgo, statuses: [] },
    ])
      expect((await replay(body)).body).toMatchObject({ status: 400 });
    receiver.respond = () => ({ status: 200 });
    await world.ok('DELETE', `${path}/${endpoint.id}`, { key: tenant.key });
  });

  it('is found in the list by status, type, event, call and time', async () => {
    const callId = await commit();
    await commit(['call.started']);
    const all = await finished(4);
    const sizes = async (...queries: string[]): Promise<number[]> =>
      Promise.all(queries.map(async (query) => (await list(`?${query}`)).length));
    const now = encodeURIComponent(new Date().toISOString());
    expect(
      await sizes(
        'status=delivered',
        'status=pending',
        'eventType=call.started',
        `callId=${callId}`,
        `eventId=${all[0].eventId}`,
        `from=${now}`,
        `to=${now}`,
        `callId=${callId}&eventType=call.ended&status=delivered&limit=1`,
      ),
    ).toEqual([4, 0, 2, 3, 1, 0, 4, 1]);
    const bad = await world.request('GET', `${path}/${endpoint.id}/deliveries?status=lost`, { key: tenant.key });
    expect(bad.body).toMatchObject({ status: 400, field: 'status' });
  });
});
