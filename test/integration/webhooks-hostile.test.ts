import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { DeliveryWorld, type AttemptRow } from '../support/delivery-world.js';
import { HostileReceiver, type Mode } from '../support/hostile-receiver.js';
import { WebhookReceiver } from '../support/webhook-receiver.js';

/** A request may take 15 s; what lies around it, and two busy processors, are the rest. */
const FREED_MS = 15_500;

type Expected = { readonly status: number | null; readonly error: string; readonly leastMs?: number };
const table: Readonly<Record<Exclude<Mode, 'canary'>, Expected>> = {
  'answers 500': { status: 500, error: 'It answered 500.' },
  'asks for 7 seconds': { status: 429, error: 'It answered 429.' },
  'asks for a date': { status: 503, error: 'It answered 503.' },
  'is gone': { status: 410, error: 'It answered 410: it is gone for good.' },
  redirects: { status: 302, error: 'It answered 302; redirects are not followed.' },
  hangs: { status: null, error: 'No answer within 10 s.', leastMs: 9_500 },
  'drips its headers': { status: null, error: 'No answer within 10 s.', leastMs: 9_500 },
  'drips its body': { status: 500, error: 'It answered 500.', leastMs: 14_500 },
  'never ends to continue': { status: null, error: 'No answer within 15 s.', leastMs: 14_500 },
  'sends a gigabyte': { status: 500, error: 'It answered 500.' },
  'sends a gzip bomb': { status: 500, error: 'It answered 500.' },
  'sends huge headers': { status: null, error: 'The answer’s headers are too long.' },
  resets: { status: null, error: 'The connection was closed before an answer came.' },
  'speaks no HTTP': { status: null, error: 'The answer was not valid HTTP.' },
};
const others: Readonly<Record<string, Expected>> = {
  'has a certificate of nobody': { status: null, error: 'TLS failed: unable to verify leaf signature.' },
  'says nothing where TLS is expected': { status: null, error: 'Could not connect.', leastMs: 4_500 },
  'has a name that is none': { status: null, error: 'Could not connect.' },
};

describe('receivers that do everything wrong, at the limits of the product, all at once', () => {
  let lab: Lab;
  let world: DeliveryWorld;
  let hostile: HostileReceiver;
  let healthy: WebhookReceiver;
  const attempts = new Map<string, AttemptRow & { readonly durationMs: number }>();
  const waits = new Map<string, number>();
  let slowestHealthyMs = 0;
  let grownMb = 0;
  let goneStatus = '';

  beforeAll(async () => {
    lab = await startLab({ asterisk: false, redis: false });
    world = await DeliveryWorld.start(await lab.postgres.createDatabase());
    hostile = await HostileReceiver.start();
    healthy = await WebhookReceiver.start();
    const tenantId = await world.addTenant();
    const well = await world.addEndpoint(tenantId, healthy.url, { eventTypes: ['call.ended'] });
    const urls = new Map<string, string>([
      ...Object.keys(table).map((mode) => [mode, hostile.url(mode as Mode)] as const),
      ['has a certificate of nobody', hostile.tlsUrl],
      ['says nothing where TLS is expected', hostile.muteTlsUrl],
      ['has a name that is none', 'http://no-such-name.invalid/'],
    ]);
    const endpoints = new Map<string, string>();
    for (const [mode, url] of urls) {
      endpoints.set(mode, (await world.addEndpoint(tenantId, url, { eventTypes: ['call.started'] })).id);
    }

    const used = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external;
    const before = used();
    let most = before;
    const { sender } = world.sender({ schedule: [0, 5] });
    await world.commit([await world.addCall(tenantId), 'call.started']);
    sender.nudge([tenantId]);
    const startedAt = Date.now();
    const attemptOf = async (endpointId: string): Promise<(AttemptRow & { durationMs: number }) | undefined> =>
      (
        await world.query<(AttemptRow & { durationMs: number })[]>(
          `select a.number, a.status, a.error, a.response_excerpt as excerpt, a.duration_ms as "durationMs"
           from attempt a join delivery d on d.id = a.delivery_id where d.endpoint_id = $1 and a.number = 1`,
          [endpointId],
        )
      )[0];
    // Beside them, time after time, an endpoint that is well.
    for (let turn = 0; attempts.size < endpoints.size && Date.now() - startedAt < 25_000; turn++) {
      most = Math.max(most, used());
      await world.commit([await world.addCall(tenantId), 'call.ended']);
      const from = performance.now();
      sender.nudge([tenantId]);
      await waitFor(() => world.isFinished(well.id), { what: 'the healthy endpoint to have its events' });
      slowestHealthyMs = Math.max(slowestHealthyMs, performance.now() - from);
      for (const [mode, id] of endpoints) {
        const attempt = await attemptOf(id);
        if (!attempt || attempts.has(mode)) continue;
        attempts.set(mode, attempt);
        const [row] = await world.deliveries(id);
        waits.set(mode, ((row?.nextAttemptAt.getTime() ?? 0) - Date.now()) / 1000);
      }
    }
    grownMb = (most - before) / 1e6;
    const [gone] = await world.query<{ status: string }[]>(`select status from webhook_endpoint where id = $1`, [
      endpoints.get('is gone'),
    ]);
    goneStatus = gone?.status ?? '';
  }, 120_000);
  afterAll(async () => {
    // First, so that nothing waits for what it holds up.
    await hostile?.stop();
    await world?.stop();
    await healthy?.stop();
    await lab?.stop();
  });

  it.each(Object.entries({ ...table, ...others }))('one that %s fails in time and in words', (mode, expected) => {
    const { leastMs = 0, ...told } = expected;
    const attempt = attempts.get(mode);
    expect(attempt).toMatchObject(told);
    expect(attempt?.durationMs).toBeGreaterThanOrEqual(leastMs);
    expect(attempt?.durationMs).toBeLessThanOrEqual(FREED_MS);
  });

  it('wait as they were asked to, and no longer than twice the schedule’s 5 s', () => {
    for (const mode of ['asks for 7 seconds', 'asks for a date']) {
      expect(waits.get(mode)).toBeGreaterThan(4);
      expect(waits.get(mode)).toBeLessThanOrEqual(10);
    }
    expect(waits.get('answers 500')).toBeLessThanOrEqual(6);
  });

  it('are not followed, and the one that is gone is disabled', () => {
    expect(hostile.requests.get('canary')).toBeUndefined();
    expect(goneStatus).toBe('disabled');
  });

  it('hold up neither the one beside them nor the memory', () => {
    expect(slowestHealthyMs).toBeLessThan(2_000);
    // A gigabyte, a bomb of 100 MB and 13 MB of headers were offered.
    expect(grownMb).toBeLessThan(60);
  });
});
