import { describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait-for.js';
import type { EndpointEvent } from '../../src/webhooks/endpoint-event.js';
import { endpointEventSchema } from '../../src/webhooks/endpoint-event.js';
import { endpoint, receiver, tenantId, world } from '../support/delivery-scene.js';
import { milestones } from '../support/delivery-world.js';
import { verify } from '../support/webhook-receiver.js';

describe('endpoints that fail, and those beside them', () => {
  const stateOf = async (id: string): Promise<Record<string, unknown>> => {
    const sql = `select status, status_reason, failures, failing_told, failing_since from webhook_endpoint where id = $1`;
    const [row] = await world.query<Record<string, unknown>[]>(sql, [id]);
    if (!row) throw new Error('no such endpoint');
    return row;
  };
  const commitCalls = async (count: number): Promise<string[]> => {
    const calls = await Promise.all(Array.from({ length: count }, () => world.addCall(tenantId)));
    await world.commit(...calls.map((call) => [call, 'call.started'] as const));
    return calls.map(({ id }) => id);
  };
  const endpointEventsAt = (path: string): EndpointEvent[] =>
    receiver.received.filter((request) => request.path === path).map(({ body }) => JSON.parse(body) as EndpointEvent);

  it('are told of to the endpoints that ask for it, once, and count as well after the first that is taken', async () => {
    const ears = await world.addEndpoint(tenantId, `${receiver.url}/ears`, { eventTypes: ['endpoint.failing'] });
    let works = false;
    receiver.respond = ({ path }) => ({ status: path === '/ears' || works ? 200 : 500 });
    await commitCalls(1);
    const { sender } = world.sender({ schedule: [0, ...Array<number>(40).fill(0.02)], watch: { tellAfterMs: 50 } });
    await waitFor(() => endpointEventsAt('/ears').length > 0, { what: 'endpoint.failing' });
    await waitFor(async () => ((await stateOf(endpoint.id))['failures'] as number) >= 7, { what: 'more failures' });
    const [told, ...more] = endpointEventsAt('/ears');
    expect(more).toEqual([]);
    expect(endpointEventSchema.parse(told)).toMatchObject({
      type: 'endpoint.failing',
      tenantId,
      data: { endpoint: { id: endpoint.id, host: new URL(receiver.url).host, status: 'enabled', statusReason: null } },
    });
    expect(Date.parse(told?.data.endpoint.failingSince ?? '')).toBeLessThan(Date.now());
    const message = receiver.received.find(({ path }) => path === '/ears');
    if (message) verify(ears.secret, message);
    // It goes to no queue, and not to the endpoint that it is about.
    expect(await world.query(`select 1 from call_event where call_id is null and relayed_at is null`)).toEqual([]);
    expect(await world.deliveries(endpoint.id)).toHaveLength(1);

    works = true;
    sender.nudge([tenantId]);
    await waitFor(() => world.isFinished(endpoint.id), { what: 'it to be taken' });
    await waitFor(async () => (await stateOf(endpoint.id))['failures'] === 0, { what: 'the endpoint to be well' });
    expect(await stateOf(endpoint.id)).toMatchObject({ status: 'enabled', failing_told: false, failing_since: null });
  });

  it('are disabled after too long, with a reason, an audit row and an event', async () => {
    await world.addEndpoint(tenantId, `${receiver.url}/ears`, { eventTypes: ['endpoint.disabled'] });
    receiver.respond = ({ path }) => ({ status: path === '/ears' ? 200 : 500 });
    await world.query(
      `update webhook_endpoint set failing_since = now() - interval '121 hours', failed_at = now() - interval '1 hour',
         failures = 50, failing_told = true where id = $1`,
      [endpoint.id],
    );
    await commitCalls(1);
    world.sender({ schedule: [0, 0.02, 0.02] });
    await waitFor(() => endpointEventsAt('/ears').length > 0, { what: 'endpoint.disabled' });
    const reason = 'It took nothing for 121 hours.';
    expect(await stateOf(endpoint.id)).toMatchObject({ status: 'disabled', status_reason: reason });
    expect(endpointEventsAt('/ears')).toMatchObject([
      { type: 'endpoint.disabled', data: { endpoint: { id: endpoint.id, status: 'disabled', statusReason: reason } } },
    ]);
    expect(await world.query(`select action, detail from audit_entry where target_id = $1`, [endpoint.id])).toEqual([
      { action: 'webhook-endpoint.disabled', detail: { reason } },
    ]);
  });

  it('are not disabled for a failure long after the last one', async () => {
    await world.query(
      `update webhook_endpoint set failing_since = now() - interval '300 hours', failed_at = now() - interval '37 hours',
         failures = 50, failing_told = true where id = $1`,
      [endpoint.id],
    );
    receiver.respond = () => ({ status: 500 });
    await commitCalls(1);
    world.sender({ schedule: [0, 3600] });
    await waitFor(async () => (await stateOf(endpoint.id))['failures'] === 1, { what: 'the failure to be noted' });
    expect(await stateOf(endpoint.id)).toMatchObject({ status: 'enabled', failing_told: false });
  });

  it('get a probe now and then instead of all that is due', async () => {
    receiver.respond = () => ({ status: 500 });
    await commitCalls(200);
    const { metrics } = world.sender({ schedule: [0, ...Array<number>(30).fill(0)] });
    const paused = async (): Promise<boolean> =>
      (await metrics.metrics()).includes('ringline_webhook_paused_endpoints 1\n');
    await waitFor(paused, { what: 'the endpoint to be paused' });
    const seen = receiver.received.length;
    // Eight in a row, and those that were on their way with the eighth.
    expect(seen).toBeLessThanOrEqual(12);
    await waitFor(() => receiver.received.length > seen, { what: 'a probe' });
    const probe = receiver.received[seen];
    const last = receiver.received[seen - 1];
    expect((probe?.at ?? 0) - (last?.at ?? 0)).toBeGreaterThanOrEqual(900);
    receiver.respond = () => ({ status: 200 });
    await waitFor(() => world.isFinished(endpoint.id), { what: 'all to be taken after the next probe' });
    expect(await paused()).toBe(false);
  });

  it('do not keep the newest calls waiting behind their backlog', async () => {
    await commitCalls(4_000);
    receiver.respond = async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return { status: 200 };
    };
    const { sender } = world.sender();
    sender.nudge([tenantId]);
    await waitFor(() => receiver.received.length >= 100, { what: 'the backlog to be sent' });
    const fresh = await world.addCall(tenantId);
    const before = receiver.received.length;
    await world.commit([fresh, ...milestones]);
    sender.nudge([tenantId]);
    await waitFor(() => receiver.sequencesOf(fresh.id).length === 4, { what: 'the new call' });
    expect(receiver.sequencesOf(fresh.id)).toEqual([1, 2, 3, 4]);
    const waited = receiver.received.findLastIndex(({ event }) => event.data.call.id === fresh.id) - before;
    // A claim for each of its events, and what the endpoint took meanwhile; of four thousand.
    expect(waited).toBeLessThan(1_600);
    expect(await world.isFinished(endpoint.id)).toBe(false);
  });

  it('of one tenant leave room to the others, however many hang', async () => {
    receiver.respond = ({ path }) => (path === '/hang' ? 'hang' : { status: 200 });
    for (let i = 0; i < 12; i++) await world.addEndpoint(tenantId, `${receiver.url}/hang`);
    await commitCalls(20);
    const { sender } = world.sender({ limits: { total: 32, perTenant: 16 } });
    await waitFor(() => receiver.open === 16, { what: 'the tenant’s share to hang' });
    const other = await world.addTenant();
    const healthy = await world.addEndpoint(other, `${receiver.url}/healthy`);
    await world.commit([await world.addCall(other), ...milestones]);
    sender.nudge([other]);
    await waitFor(() => world.isFinished(healthy.id), { what: 'the other tenant to have its events' });
    expect(receiver.received.filter(({ path }) => path === '/hang').length).toBeLessThanOrEqual(16);
    await receiver.stop();
  });
});
