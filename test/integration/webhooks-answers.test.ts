import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import { SecretBox } from '../../src/common/secret-box.js';
import { endpoint, receiver, tenantId, world } from '../support/delivery-scene.js';
import { milestones, type AttemptRow, type DeliveryRow } from '../support/delivery-world.js';
import { WebhookReceiver, type Answer } from '../support/webhook-receiver.js';

describe('answers of webhook receivers', () => {
  const firstDelivery = async (): Promise<DeliveryRow | undefined> => (await world.deliveries(endpoint.id))[0];
  const firstAttempt = (): Promise<AttemptRow & { readonly row: DeliveryRow }> =>
    waitFor(
      async () => {
        const [attempt] = await world.attempts((await firstDelivery())?.id ?? newId());
        // Read after the attempt: both are stored in one statement.
        const row = await firstDelivery();
        return row && attempt && { ...attempt, row };
      },
      { what: 'the first attempt to be stored' },
    );
  const commitOne = async (): Promise<void> => {
    await world.commit([await world.addCall(tenantId), 'call.started']);
  };

  it.each([
    [200, null],
    [299, null],
    [307, 'It answered 307; redirects are not followed.'],
    [404, 'It answered 404.'],
    [500, 'It answered 500.'],
  ])('%d is %s', async (status, error) => {
    receiver.respond = () => ({ status, headers: { location: `${receiver.url}/elsewhere` }, body: 'text' });
    await commitOne();
    world.sender({ schedule: [0, 3600] });
    expect(await firstAttempt()).toMatchObject({ status, error, excerpt: 'text' });
    expect(receiver.received.map(({ path }) => path)).toEqual(['/hook']);
    expect((await firstDelivery())?.status).toBe(error === null ? 'delivered' : 'pending');
  });

  it.each([
    ['1', 100, 120],
    ['150', 150, 180],
    ['100000', 200, 200],
    [new Date(Date.now() + 160_000).toUTCString(), 140, 200],
  ])('429 with Retry-After %s waits %d to %d s of a schedule of 100', async (value, least, most) => {
    receiver.respond = () => ({ status: 429, headers: { 'retry-after': value } });
    await commitOne();
    const before = Date.now();
    world.sender({ schedule: [0, 100] });
    const { row } = await firstAttempt();
    const waited = (row.nextAttemptAt.getTime() - before) / 1000;
    expect(waited).toBeGreaterThanOrEqual(least - 1);
    expect(waited).toBeLessThanOrEqual(most + 10);
  });

  it('410 disables the endpoint with a reason and an audit row; enabled again, it gets what was left', async () => {
    receiver.respond = () => ({ status: 410 });
    const call = await world.addCall(tenantId);
    await world.commit([call, 'call.started', 'call.ringing']);
    const { sender } = world.sender({ schedule: [0, 0, 0, 0] });
    const status = async (): Promise<unknown> =>
      (
        await world.query<unknown[]>(`select status, status_reason from webhook_endpoint where id = $1`, [endpoint.id])
      )[0];
    const disabled = { status: 'disabled', status_reason: 'It answered 410: it is gone for good.' };
    await waitFor(async () => ((await status()) as { status: string }).status === 'disabled', {
      what: 'it to be disabled',
    });
    expect(await status()).toEqual(disabled);
    expect(
      await world.query(`select action, actor_key_id, detail from audit_entry where target_id = $1`, [endpoint.id]),
    ).toEqual([
      { action: 'webhook-endpoint.disabled', actor_key_id: null, detail: { reason: disabled.status_reason } },
    ]);

    // What happens meanwhile is not kept for it.
    await world.commit([call, 'call.ended']);
    expect(await world.deliveries(endpoint.id)).toHaveLength(2);
    receiver.respond = () => ({ status: 200 });
    const seen = receiver.received.length;
    await world.query(`update webhook_endpoint set status = 'enabled' where id = $1`, [endpoint.id]);
    sender.nudge([tenantId]);
    await waitFor(() => world.isFinished(endpoint.id), { what: 'the rest to be delivered' });
    expect(receiver.received.slice(seen).map(({ event }) => event.sequence)).toEqual([1, 2]);
  });

  it('ends after the last attempt of the schedule', async () => {
    receiver.respond = () => ({ status: 500 });
    await commitOne();
    const { metrics } = world.sender({ schedule: [0, 0.01, 0.01, 0.01] });
    await waitFor(() => world.isFinished(endpoint.id), { what: 'the schedule to end' });
    expect(await firstDelivery()).toMatchObject({ status: 'dead', attempts: 4 });
    expect(receiver.received).toHaveLength(4);
    expect(await metrics.metrics()).toContain('ringline_webhook_attempts_total{result="dead"} 1');
  });

  it('cuts a receiver that hangs, and says so', async () => {
    receiver.respond = () => 'hang';
    await commitOne();
    world.sender({ schedule: [0, 3600], egress: { totalMs: 200 } });
    expect(await firstAttempt()).toMatchObject({ status: null, error: 'No answer within 0.2 s.', excerpt: null });
  });

  it('stores 4 kB of a long answer and nothing of a packed one', async () => {
    const answers: Answer[] = [
      { status: 500, body: 'é\0'.repeat(5_000) },
      { status: 500, headers: { 'content-encoding': 'gzip' }, body: gzipSync('x').toString('latin1') },
    ];
    receiver.respond = (_request, count) => answers[count - 1] ?? { status: 200 };
    await commitOne();
    world.sender();
    await waitFor(() => world.isFinished(endpoint.id), { what: 'the third attempt' });
    const attempts = await world.attempts((await firstDelivery())?.id ?? '');
    expect(Buffer.byteLength(attempts[0]?.excerpt ?? '')).toBeGreaterThan(4_000);
    expect(attempts[0]?.excerpt?.length).toBeLessThan(4_100);
    expect(attempts.map(({ excerpt }) => excerpt).slice(1)).toEqual(['', '']);
  });

  it('does not send to an endpoint whose secret cannot be opened, and says so', async () => {
    await commitOne();
    world.sender({ schedule: [0, 3600], secretBox: new SecretBox('cd'.repeat(32)) });
    expect(await firstAttempt()).toMatchObject({ status: null, error: 'The endpoint’s secret cannot be opened.' });
    expect(receiver.received).toEqual([]);
  });

  it('does not connect to an address that became private after the endpoint was stored', async () => {
    await world.query(`update webhook_endpoint set url = 'https://localhost.example.invalid/' where id = $1`, [
      endpoint.id,
    ]);
    const inside = await world.addEndpoint(tenantId, receiver.url.replace('127.0.0.1', '127.0.0.2'));
    await commitOne();
    world.sender({ schedule: [0, 3600] });
    const error = { status: null, error: 'Could not connect.', excerpt: null };
    expect(await firstAttempt()).toMatchObject(error);
    await waitFor(
      async () => (await world.attempts((await world.deliveries(inside.id))[0]?.id ?? newId())).length === 1,
      {
        what: 'the refusal of the private address',
      },
    );
    expect(await world.attempts((await world.deliveries(inside.id))[0]?.id ?? '')).toMatchObject([error]);
    expect(receiver.received).toEqual([]);
  });

  it('sends only the types that an endpoint asked for, and nothing to a paused one', async () => {
    const ended = await world.addEndpoint(tenantId, `${receiver.url}/ended`, { eventTypes: ['call.ended'] });
    const paused = await world.addEndpoint(tenantId, `${receiver.url}/paused`, { status: 'paused' });
    const stranger = await world.addEndpoint(await world.addTenant(), `${receiver.url}/stranger`);
    await world.commit([await world.addCall(tenantId), ...milestones]);
    world.sender();
    await waitFor(async () => (await world.isFinished(ended.id)) && (await world.isFinished(endpoint.id)), {
      what: 'both endpoints to have theirs',
    });
    expect((await world.deliveries(ended.id)).map(({ sequence }) => sequence)).toEqual([4]);
    expect(await world.deliveries(paused.id)).toEqual([]);
    expect(await world.deliveries(stranger.id)).toEqual([]);
    expect(receiver.received.filter(({ path }) => path === '/hook')).toHaveLength(4);
  });

  it('does not let an endpoint that hangs hold up the others', async () => {
    const other = await WebhookReceiver.start();
    try {
      receiver.respond = () => 'hang';
      const healthy = await world.addEndpoint(tenantId, other.url);
      const calls = await Promise.all(Array.from({ length: 50 }, () => world.addCall(tenantId)));
      await world.commit(...calls.map((call) => [call, ...milestones] as const));
      const { sender } = world.sender();
      sender.nudge([tenantId]);
      await waitFor(() => world.isFinished(healthy.id), { what: 'the healthy endpoint to have all' });
      expect(other.received).toHaveLength(200);
      // Four requests hang, and no more is tried beside them.
      expect(receiver.received.length).toBeLessThanOrEqual(4);
      await receiver.stop();
    } finally {
      await other.stop();
    }
  });

  it('finishes what is on its way when it is stopped, and starts nothing more', async () => {
    let answer!: () => void;
    const released = new Promise<void>((resolve) => (answer = resolve));
    receiver.respond = async () => {
      await released;
      return { status: 200 };
    };
    const calls = await Promise.all(Array.from({ length: 10 }, () => world.addCall(tenantId)));
    await world.commit(...calls.map((call) => [call, 'call.started'] as const));
    const { sender } = world.sender();
    sender.nudge([tenantId]);
    await waitFor(() => receiver.open === 4, { what: 'four requests to be open' });
    const stopped = sender.stop();
    answer();
    await stopped;
    const rows = await world.deliveries(endpoint.id);
    expect(rows.filter(({ status }) => status === 'delivered')).toHaveLength(4);
    expect(rows.filter(({ status, attempts }) => status === 'pending' && attempts === 0)).toHaveLength(6);
    expect(receiver.received).toHaveLength(4);
  });
});
