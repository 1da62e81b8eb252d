import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import { SecretBox } from '../../src/common/secret-box.js';
import { queueReplaySchema } from '../../src/outbox/queue-replay.schema.js';
import { secretPlace } from '../../src/webhooks/endpoint-secret.js';
import {
  createdWebhookEndpointSchema,
  deliverySchema,
  rotatedSecretSchema,
  webhookEndpointSchema,
  webhookTestSchema,
} from '../../src/webhooks/webhook-endpoint.schema.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { commitCall } from '../support/commit-call.js';
import { startDatabaseServer } from '../support/database.js';
import { WebhookReceiver, verify } from '../support/webhook-receiver.js';

const SECRET_KEY = 'ef'.repeat(32);

describe('webhook endpoints', () => {
  let lab: Lab;
  let world: ApiWorld;
  let receiver: WebhookReceiver;
  let tenant: TestTenant;
  let nodeId: string;

  beforeAll(async () => {
    lab = await startDatabaseServer();
    receiver = await WebhookReceiver.start();
    const env = { SECRET_KEY, EGRESS_ALLOW: new URL(receiver.url).host };
    world = await ApiWorld.start(await lab.postgres.createDatabase(), { env });
    tenant = await world.addTenant(['webhooks']);
    nodeId = await world.addNode();
  });
  afterAll(async () => {
    await world?.stop();
    await receiver?.stop();
    await lab?.stop();
  });

  const path = '/v1/webhook-endpoints';
  const withKey = (body?: unknown) => ({ key: tenant.key, ...(body !== undefined && { body }) });
  const create = async (body: object = {}) => world.ok('POST', path, withKey({ url: `${receiver.url}/hook`, ...body }));

  const commit = (...types: ('call.started' | 'call.ended')[]): Promise<string> =>
    commitCall(world, { tenantId: tenant.id, nodeId }, types);

  it('are made, read, changed and removed, each with an audit row', async () => {
    const made = await create({ description: 'CRM', eventTypes: ['call.ended'] });
    expect(createdWebhookEndpointSchema.parse(made)).toEqual(made);
    const { secret, ...view } = made;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(view).toMatchObject({
      description: 'CRM',
      eventTypes: ['call.ended'],
      status: 'enabled',
      statusReason: null,
    });
    expect(await world.ok('GET', `${path}/${made.id}`, withKey())).toEqual(view);
    expect((await world.ok('GET', path, withKey())).items).toEqual([view]);

    const changed = await world.ok('PATCH', `${path}/${made.id}`, withKey({ status: 'paused', eventTypes: [] }));
    expect(webhookEndpointSchema.parse(changed)).toMatchObject({
      status: 'paused',
      eventTypes: [],
      description: 'CRM',
    });
    expect((await world.request('DELETE', `${path}/${made.id}`, withKey())).status).toBe(204);
    expect((await world.request('GET', `${path}/${made.id}`, withKey())).status).toBe(404);

    const audit = await world.source.query(
      `select action, actor_key_id is not null as by_key, detail::text from audit_entry where target_id = $1 order by at, id`,
      [made.id],
    );
    expect(audit.map(({ action }: { action: string }) => action)).toEqual([
      'webhook-endpoint.created',
      'webhook-endpoint.updated',
      'webhook-endpoint.deleted',
    ]);
    expect(audit.every(({ by_key }: { by_key: boolean }) => by_key)).toBe(true);
    expect(JSON.stringify(audit)).not.toContain('/hook');
  });

  it('keep their secret sealed, bound to their row', async () => {
    const { id, secret } = await create();
    const [row] = await world.source.query(`select secret_sealed from webhook_endpoint where id = $1`, [id]);
    const box = new SecretBox(SECRET_KEY);
    expect(row.secret_sealed).not.toContain(secret.slice(6));
    expect(box.open(row.secret_sealed, secretPlace(tenant.id, id))).toBe(secret);
    expect(() => box.open(row.secret_sealed, secretPlace(tenant.id, newId()))).toThrow();
    await world.ok('DELETE', `${path}/${id}`, withKey()).catch(() => undefined);
  });

  it.each([
    ['http://crm.example/hook', 'It must start with https://.'],
    ['https://crm.example:8443/hook', 'It must use port 443.'],
    ['https://user:password@crm.example/', 'It may not carry a user name or a password.'],
    ['https://localhost/', 'Its address is not a public one.'],
    ['https://127.0.0.1/', 'Its address is not a public one.'],
    ['https://2130706433/', 'Its address is not a public one.'],
    ['https://0x7f.1/', 'Its address is not a public one.'],
    ['https://017700000001/', 'Its address is not a public one.'],
    ['https://127.1/', 'Its address is not a public one.'],
    ['https://①②⑦.⓪.⓪.①/', 'Its address is not a public one.'],
    ['https://[::1]/', 'Its address is not a public one.'],
    ['https://[::ffff:7f00:1]/', 'Its address is not a public one.'],
    ['https://[64:ff9b::169.254.169.254]/', 'Its address is not a public one.'],
    ['https://169.254.169.254/latest/meta-data', 'Its address is not a public one.'],
    ['nonsense', 'It is not a URL.'],
  ])('are refused at %s', async (url, detail) => {
    const refusal = { type: 'http://ringline.test/problems/unsafe-url', status: 422, detail, field: 'url' };
    const made = await world.request('POST', path, withKey({ url }));
    expect(made.body).toMatchObject(refusal);
    const { id } = await create();
    expect((await world.request('PATCH', `${path}/${id}`, withKey({ url }))).body).toMatchObject(refusal);
    await world.request('DELETE', `${path}/${id}`, withKey());
  });

  it('are another tenant’s business: 404; and need the scope: 403', async () => {
    const { id } = await create();
    const stranger = await world.addTenant(['webhooks']);
    for (const [method, where] of [
      ['GET', `${path}/${id}`],
      ['PATCH', `${path}/${id}`],
      ['DELETE', `${path}/${id}`],
      ['GET', `${path}/${id}/deliveries`],
    ] as const) {
      const body = method === 'PATCH' ? { body: { description: 'mine' } } : {};
      expect((await world.request(method, where, { key: stranger.key, ...body })).status).toBe(404);
    }
    const other = await world.addKey(tenant.id, ['config']);
    expect((await world.request('GET', path, { key: other })).status).toBe(403);
    await world.request('DELETE', `${path}/${id}`, withKey());
  });

  it.each([
    [{ url: 1 }, 'url'],
    [{ url: 'https://crm.example/', eventTypes: ['call.exploded'] }, 'eventTypes.0'],
    [{ url: 'https://crm.example/', eventTypes: ['call.ended', 'call.ended'] }, 'eventTypes'],
    [{ url: 'https://crm.example/', status: 'disabled' }, 'status'],
    [{ url: 'https://crm.example/', secret: 'mine' }, 'secret'],
  ])('do not take %j', async (body, field) => {
    const answer = await world.request('POST', path, withKey(body));
    expect(answer.body).toMatchObject({ type: 'http://ringline.test/problems/invalid-request', status: 400, field });
  });

  it('get signed events right after the commit, and tell what came of each, newest first', async () => {
    const { id, secret } = await create();
    receiver.received.length = 0;
    receiver.respond = (_request, count) => ({ status: count === 1 ? 503 : 200, body: `answer ${count}` });
    const callId = await commit('call.started', 'call.ended');
    const all = await waitFor(
      async () => {
        const { items } = await world.ok('GET', `${path}/${id}/deliveries`, withKey());
        return items[0]?.status === 'delivered' && items;
      },
      { what: 'the deliveries', timeoutMs: 20_000 },
    );
    for (const delivery of all) expect(deliverySchema.parse(delivery)).toEqual(delivery);
    for (const received of receiver.received) verify(secret, received);
    expect(all).toMatchObject([
      {
        callId,
        eventType: 'call.ended',
        sequence: 2,
        status: 'delivered',
        nextAttemptAt: null,
        attempts: [{ number: 1, status: 200, error: null, responseExcerpt: 'answer 3' }],
      },
      {
        callId,
        eventType: 'call.started',
        sequence: 1,
        status: 'delivered',
        attempts: [
          { number: 1, status: 503, error: 'It answered 503.', responseExcerpt: 'answer 1' },
          { number: 2, status: 200, error: null, responseExcerpt: 'answer 2' },
        ],
      },
    ]);
    const first = await world.ok('GET', `${path}/${id}/deliveries?limit=1`, withKey());
    const rest = await world.ok('GET', `${path}/${id}/deliveries?limit=1&cursor=${first.nextCursor}`, withKey());
    expect([...first.items, ...rest.items]).toEqual(all);
    expect(rest.nextCursor).toBeNull();
    await world.request('DELETE', `${path}/${id}`, withKey());
  });

  it('sign with the old and the new secret for a day after a rotation, and no longer', async () => {
    const { id, secret: first } = await create();
    const rotated = await world.ok('POST', `${path}/${id}/rotate-secret`, withKey());
    expect(rotatedSecretSchema.parse(rotated)).toEqual(rotated);
    const hours = (Date.parse(rotated.previousSecretUntil) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThan(24.1);
    receiver.received.length = 0;
    receiver.respond = () => ({ status: 204 });
    const next = async () => {
      const seen = receiver.received.length;
      await commit('call.started');
      return waitFor(() => receiver.received[seen], { what: 'the event' });
    };
    const both = await next();
    for (const secret of [first, rotated.secret]) verify(secret, both);
    await world.source.query(`update webhook_endpoint set previous_secret_until = now() where id = $1`, [id]);
    const single = await next();
    verify(rotated.secret, single);
    expect(() => verify(first, single)).toThrow();

    // Twice at once: the first secret is worth nothing any more.
    const second = await world.ok('POST', `${path}/${id}/rotate-secret`, withKey());
    const third = await world.ok('POST', `${path}/${id}/rotate-secret`, withKey());
    const last = await next();
    for (const secret of [second.secret, third.secret]) verify(secret, last);
    expect(() => verify(rotated.secret, last)).toThrow();
    const audit = await world.source.query(
      `select detail::text from audit_entry where target_id = $1 and action = 'webhook-endpoint.secret-rotated'`,
      [id],
    );
    expect(audit).toHaveLength(3);
    await world.request('DELETE', `${path}/${id}`, withKey());
  });

  it('are tried out by an event of their own, also while they are paused', async () => {
    const { id, secret } = await create({ status: 'paused', eventTypes: ['call.ended'] });
    receiver.received.length = 0;
    receiver.respond = () => ({ status: 418, body: 'a teapot' });
    const tried = await world.ok('POST', `${path}/${id}/test`, withKey());
    expect(webhookTestSchema.parse(tried)).toEqual(tried);
    expect(tried).toMatchObject({
      event: { type: 'endpoint.test', tenantId: tenant.id, data: { endpoint: { id, status: 'paused' } } },
      status: 418,
      error: 'It answered 418.',
      responseExcerpt: 'a teapot',
    });
    const [received] = receiver.received;
    if (!received) throw new Error('nothing came');
    expect(verify(secret, received)).toEqual(tried.event);
    expect(received.headers['webhook-id']).toBe(tried.event.id);
    // It is no event of a call: nothing is kept, nothing is tried again.
    expect((await world.ok('GET', `${path}/${id}/deliveries`, withKey())).items).toEqual([]);

    const again = await world.request('POST', `${path}/${id}/test`, withKey());
    expect(again.body).toMatchObject({ type: 'http://ringline.test/problems/too-many-tests', status: 429 });
    expect(again.headers.get('retry-after')).toBe('2');
    await world.request('DELETE', `${path}/${id}`, withKey());
  });

  it('that cannot be reached say so when they are tried out, and no more', async () => {
    const { id } = await create({ url: 'https://nobody.invalid/' });
    const tried = await world.ok('POST', `${path}/${id}/test`, withKey());
    expect(tried).toMatchObject({ status: null, error: 'Could not connect.', responseExcerpt: null });
    await world.request('DELETE', `${path}/${id}`, withKey());
  });

  it('leave no secret in the database', async () => {
    const { id, secret } = await create();
    const tables = await world.source.query(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    );
    for (const { name } of tables as { name: string }[]) {
      const [{ text }] = await world.source.query(`select coalesce(json_agg(t)::text, '') as text from "${name}" t`);
      expect(text).not.toContain(secret);
      expect(text).not.toContain(secret.slice(6));
    }
    await world.request('DELETE', `${path}/${id}`, withKey());
  });

  it('and queues are filled again by the operator, who sees how far it is', async () => {
    const body = { queue: 'call-events', from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00+01:00' };
    const made = await world.ok('POST', '/v1/event-queue-replays', { body });
    expect(queueReplaySchema.parse(made)).toMatchObject({
      queue: 'call-events',
      from: body.from,
      to: '2026-01-01T23:00:00.000Z',
      added: 0,
      finishedAt: null,
    });
    expect((await world.ok('GET', '/v1/event-queue-replays')).items).toEqual([made]);
    const audit = await world.source.query(`select detail from audit_entry where action = 'event-queue.replayed'`);
    expect(audit).toHaveLength(1);
  });

  it('name Redis in health as what is missing, while events go out', async () => {
    const { body } = await world.request('GET', '/health/ready', { key: null });
    expect(JSON.stringify(body)).toContain('Redis cannot be used');
  });
});
