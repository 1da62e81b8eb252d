import { describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait-for.js';
import { newId } from '../../src/common/ids.js';
import { DeliveryStore } from '../../src/webhooks/delivery-store.js';
import { endpoint, receiver, tenantId, world } from '../support/delivery-scene.js';
import { milestones } from '../support/delivery-world.js';
import { verify } from '../support/webhook-receiver.js';

describe('order of deliveries', () => {
  const finished = (): Promise<boolean> =>
    waitFor(() => world.isFinished(endpoint.id), { what: 'every delivery to be finished', timeoutMs: 20_000 });

  it('sends the stored text under the event’s id, signed, at once after a nudge', async () => {
    const { sender } = world.sender({ limits: { sweepMs: 60_000 } });
    const call = await world.addCall(tenantId);
    const events = await world.commit([call, ...milestones]);
    sender.nudge([tenantId]);
    await finished();
    expect(receiver.received.map(({ body }) => body)).toEqual(events.map(({ document }) => document));
    expect(receiver.received.map(({ headers }) => headers['webhook-id'])).toEqual(events.map(({ id }) => id));
    for (const received of receiver.received) {
      verify(endpoint.secret, received);
      expect(received.headers['content-type']).toBe('application/json');
    }
    const rows = await world.deliveries(endpoint.id);
    expect(rows.map(({ status, attempts }) => [status, attempts])).toEqual(milestones.map(() => ['delivered', 1]));
    expect(await world.attempts(rows[0]?.id ?? '')).toEqual([{ number: 1, status: 204, error: null, excerpt: '' }]);
  });

  it('never has two events of one call on the way, while calls go beside each other', async () => {
    const onTheWay = new Set<string>();
    let together = 0;
    receiver.respond = async ({ event }) => {
      const callId = event.data.call.id;
      if (onTheWay.has(callId)) together += 1;
      onTheWay.add(callId);
      await new Promise((resolve) => setTimeout(resolve, 5));
      onTheWay.delete(callId);
      return { status: 200 };
    };
    const calls = await Promise.all(Array.from({ length: 12 }, () => world.addCall(tenantId)));
    await world.commit(...calls.map((call) => [call, ...milestones] as const));
    const { sender } = world.sender();
    sender.nudge([tenantId]);
    await finished();
    expect(together).toBe(0);
    for (const call of calls) expect(receiver.sequencesOf(call.id)).toEqual([1, 2, 3, 4]);
    expect(receiver.mostOpen).toBeGreaterThan(1);
    expect(receiver.mostOpen).toBeLessThanOrEqual(16);
  });

  it('repeats under the same id with a new timestamp until it is taken; later events wait', async () => {
    receiver.respond = (_request, count) => ({ status: count <= 2 ? 500 : 200, body: `answer ${count}` });
    const call = await world.addCall(tenantId);
    const [first] = await world.commit([call, 'call.started', 'call.ringing']);
    world.sender({ schedule: [0, 1, 1, 1] });
    await finished();
    expect(receiver.sequencesOf(call.id)).toEqual([1, 1, 1, 2]);
    const tries = receiver.received.slice(0, 3);
    expect(new Set(tries.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([first?.id]));
    expect(new Set(tries.map(({ headers }) => headers['webhook-timestamp'])).size).toBeGreaterThan(1);
    for (const received of tries) verify(endpoint.secret, received);
    const [row] = await world.deliveries(endpoint.id);
    expect(await world.attempts(row?.id ?? '')).toEqual([
      { number: 1, status: 500, error: 'It answered 500.', excerpt: 'answer 1' },
      { number: 2, status: 500, error: 'It answered 500.', excerpt: 'answer 2' },
      { number: 3, status: 200, error: null, excerpt: 'answer 3' },
    ]);
  });

  it('lets the newest event go when the first failed three times, and no other call waits', async () => {
    const [stuck, free] = [await world.addCall(tenantId), await world.addCall(tenantId)];
    receiver.respond = ({ event }) => ({ status: event.sequence === 1 && event.data.call.id === stuck.id ? 500 : 200 });
    await world.commit([stuck, ...milestones], [free, ...milestones]);
    world.sender();
    await finished();
    expect(receiver.sequencesOf(stuck.id)).toEqual([1, 1, 1, 4]);
    expect(receiver.sequencesOf(free.id)).toEqual([1, 2, 3, 4]);
    expect((await world.deliveries(endpoint.id, stuck.id)).map(({ status }) => status)).toEqual([
      'superseded',
      'superseded',
      'superseded',
      'delivered',
    ]);
  });

  it('lets a later event go at once when the one before it waits for a far retry', async () => {
    const call = await world.addCall(tenantId);
    receiver.respond = ({ event }) => ({ status: event.sequence === 1 ? 500 : 200 });
    await world.commit([call, 'call.started']);
    const { sender } = world.sender({ schedule: [0, 0.02, 0.02, 3600] });
    const failedThrice = async (): Promise<boolean> => {
      const [row] = await world.deliveries(endpoint.id);
      return row?.attempts === 3 && row.nextAttemptAt.getTime() > Date.now() + 1_000_000;
    };
    await waitFor(failedThrice, { what: 'three failures' });
    expect(receiver.sequencesOf(call.id)).toEqual([1, 1, 1]);
    await world.commit([call, 'call.ended']);
    sender.nudge([tenantId]);
    await finished();
    expect(receiver.sequencesOf(call.id)).toEqual([1, 1, 1, 2]);
    expect((await world.deliveries(endpoint.id)).map(({ status }) => status)).toEqual(['superseded', 'delivered']);
  });

  it('keeps an event that failed less often in front of later ones, whose due times move behind it', async () => {
    const call = await world.addCall(tenantId);
    receiver.respond = () => ({ status: 500 });
    await world.commit([call, 'call.started', 'call.ended']);
    world.sender({ schedule: [0, 3600, 1] });
    const moved = async (): Promise<boolean> => {
      const [first, second] = await world.deliveries(endpoint.id);
      return first?.attempts === 1 && second?.nextAttemptAt.getTime() === first.nextAttemptAt.getTime() + 1;
    };
    await waitFor(moved, { what: 'the later event to wait with the first' });
    expect(receiver.sequencesOf(call.id)).toEqual([1]);
  });

  it('finds the first events of calls behind a crowd of later ones that came to be due before them', async () => {
    const calls = await Promise.all(Array.from({ length: 150 }, () => world.addCall(tenantId)));
    await world.commit(...calls.map((call) => [call, ...milestones] as const));
    await world.query(`update delivery set next_attempt_at = next_attempt_at + interval '5 ms' where sequence = 1`);
    // Due by the database's clock: the nudge below is the only one, and must find them.
    await world.query(`select pg_sleep(0.02)`);
    const { sender } = world.sender({ limits: { sweepMs: 60_000 } });
    sender.nudge([tenantId]);
    await finished();
    expect(receiver.received).toHaveLength(600);
    for (const call of calls) expect(receiver.sequencesOf(call.id)).toEqual([1, 2, 3, 4]);
  });

  it('sends nothing twice when several workers share the work', async () => {
    const calls = await Promise.all(Array.from({ length: 60 }, () => world.addCall(tenantId)));
    const senders = [world.sender().sender, world.sender().sender, world.sender().sender];
    for (const type of milestones) {
      await world.commit(...calls.map((call) => [call, type] as const));
      for (const sender of senders) sender.nudge([tenantId]);
    }
    await finished();
    expect(receiver.received).toHaveLength(calls.length * milestones.length);
    for (const call of calls) expect(receiver.sequencesOf(call.id)).toEqual([1, 2, 3, 4]);
  });

  it('sends again what a killed worker had claimed, when its claim has run out', async () => {
    const call = await world.addCall(tenantId);
    await world.commit([call, 'call.started']);
    const killed = new DeliveryStore(world.database.source, newId(), 1);
    const request = {
      tenantIds: [tenantId],
      room: new Map<string, number>(),
      otherRoom: 4,
      tenantRoom: new Map<string, number>(),
      otherTenantRoom: 10,
      limit: 10,
    };
    const { deliveries: claimed } = await killed.claim(request);
    expect(claimed).toMatchObject([{ attempt: 1, endpointId: endpoint.id }]);
    expect((await killed.claim(request)).deliveries).toEqual([]);
    world.sender();
    await finished();
    expect(receiver.sequencesOf(call.id)).toEqual([1]);
    const [row] = await world.deliveries(endpoint.id);
    expect(row).toMatchObject({ status: 'delivered', attempts: 2 });
    // It was only slow: what it says now comes too late to change anything.
    await killed.complete([
      {
        tenantId,
        deliveryId: row?.id ?? '',
        number: 1,
        startedAt: new Date(),
        durationMs: 1,
        status: 500,
        error: 'late',
        excerpt: null,
        result: 'pending',
        retryInMs: 0,
      },
    ]);
    expect(await world.deliveries(endpoint.id)).toMatchObject([{ status: 'delivered', attempts: 2 }]);
  });

  it('ends a delivery whose every attempt killed its worker', async () => {
    const call = await world.addCall(tenantId);
    await world.commit([call, 'call.started']);
    await world.query(`update delivery set attempts = 2 where endpoint_id = $1`, [endpoint.id]);
    world.sender({ schedule: [0, 0] });
    await finished();
    expect(receiver.received).toEqual([]);
    const [row] = await world.deliveries(endpoint.id);
    expect(row?.status).toBe('dead');
    expect(await world.attempts(row?.id ?? '')).toMatchObject([
      { number: 3, error: 'Ringline was stopped during the last attempt.' },
    ]);
  });

  it('has a delivery wait whose senders were killed three times, and sends it then', async () => {
    const [poison, well] = [await world.addCall(tenantId), await world.addCall(tenantId)];
    await world.commit([poison, 'call.started'], [well, 'call.started']);
    await world.query(`update delivery set attempts = 3 where call_id = $1`, [poison.id]);
    world.sender({ schedule: [0, 0, 0, 0, 0.3, 0, 0, 0] });
    await finished();
    expect(receiver.received.map(({ event }) => event.data.call.id)).toEqual([well.id, poison.id]);
    const [row] = await world.deliveries(endpoint.id, poison.id);
    expect(row).toMatchObject({ status: 'delivered', attempts: 5 });
    expect(await world.attempts(row?.id ?? '')).toMatchObject([
      { number: 4, error: 'Ringline was stopped 3 times while it sent this.' },
      { number: 5, error: null },
    ]);
  });

  it('ends it when senders go on being killed until its schedule is over', async () => {
    const call = await world.addCall(tenantId);
    await world.commit([call, 'call.started']);
    await world.query(`update delivery set attempts = 3 where call_id = $1`, [call.id]);
    const { sender } = world.sender({ schedule: [0, 0, 0, 0, 60, 0, 0, 0] });
    const attempts = async (): Promise<unknown[]> =>
      world.attempts((await world.deliveries(endpoint.id, call.id))[0]?.id ?? '');
    await waitFor(async () => (await attempts()).length === 1, { what: 'the delivery to wait' });
    await world.query(`update delivery set attempts = 7, next_attempt_at = now() where call_id = $1`, [call.id]);
    sender.nudge([tenantId]);
    await finished();
    expect(await attempts()).toMatchObject([
      { number: 4, error: 'Ringline was stopped 3 times while it sent this.' },
      { number: 8, error: 'Ringline was stopped 3 times while it sent this.' },
    ]);
    expect(receiver.received).toEqual([]);
    expect(await world.deliveries(endpoint.id, call.id)).toMatchObject([{ status: 'dead' }]);
  });

  it('brings the newest event of every call through a receiver that fails at random', async () => {
    let random = 7;
    receiver.respond = () => {
      random = (random * 48_271) % 2_147_483_647;
      return random % 10 < 3 ? (random % 2 === 0 ? { status: 503 } : 'cut') : { status: 200 };
    };
    const taken = new Map<string, number[]>();
    const answer = receiver.respond;
    receiver.respond = async (request, count) => {
      const result = await answer(request, count);
      if (result !== 'cut' && result !== 'hang' && result.status === 200) {
        const { id } = request.event.data.call;
        taken.set(id, [...(taken.get(id) ?? []), request.event.sequence]);
      }
      return result;
    };
    const calls = await Promise.all(Array.from({ length: 40 }, () => world.addCall(tenantId)));
    const schedule = Array.from({ length: 30 }, (_, index) => (index === 0 ? 0 : 0.02));
    const { sender } = world.sender({ schedule });
    for (const type of milestones) {
      await world.commit(...calls.map((call) => [call, type] as const));
      sender.nudge([tenantId]);
    }
    await finished();
    for (const call of calls) {
      const sequences = taken.get(call.id) ?? [];
      expect(sequences.at(-1)).toBe(4);
      expect(sequences).toEqual([...new Set(sequences)].sort((one, other) => one - other));
    }
    const statuses = await world.deliveries(endpoint.id);
    expect(statuses.filter(({ status }) => status !== 'delivered' && status !== 'superseded')).toEqual([]);
  });
});
