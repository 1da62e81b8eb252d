import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noLog } from '../../../test/support/no-log.js';
import type { ClaimRequest } from './sync-store.js';
import { SyncWorker, workerLimits } from './sync-worker.js';

let served: Set<string>;
let claimed: ClaimRequest['tenantIds'][];
let isBroken: boolean;
let worker: SyncWorker;

beforeEach(() => {
  vi.useFakeTimers();
  served = new Set(['served']);
  claimed = [];
  isBroken = false;
  const store = {
    tenants: () => (isBroken ? Promise.reject(new Error('no database')) : Promise.resolve(new Set(served))),
    claim: ({ tenantIds }: ClaimRequest) => {
      claimed.push(tenantIds);
      return Promise.resolve([]);
    },
    renew: () => Promise.resolve(),
  };
  const sync = { run: () => Promise.resolve({}) };
  const metrics = { open: { inc: () => undefined, dec: () => undefined } };
  worker = new SyncWorker(
    { state: { status: 'ready' }, assertReady: () => undefined },
    store,
    sync,
    metrics as never,
    noLog,
    {
      ...workerLimits,
      sweepMs: 3_600_000,
    },
  );
  worker.start();
});
afterEach(async () => {
  await worker.stop();
  vi.useRealTimers();
});

const later = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1_500);

describe('the worker that brings calls to CRMs', () => {
  it('asks for everything at its start, and then for the tenants that have news', async () => {
    await later();
    worker.nudge(['served']);
    await later();
    expect(claimed).toEqual([null, ['served']]);
  });

  it('asks nothing for tenants that have no CRM', async () => {
    await later();
    worker.nudge(['other']);
    await later();
    worker.nudge(['other', 'served']);
    await later();
    expect(claimed).toEqual([null, ['served']]);
  });

  it('knows of a connection that was made as soon as it is told, and looks for what came before', async () => {
    await later();
    served.add('other');
    worker.nudge(['other']);
    worker.connectionsChanged();
    await later();
    worker.nudge(['other']);
    await later();
    expect(claimed).toEqual([null, null, ['other']]);
  });

  it('does not forget that it was told, though the database did not answer', async () => {
    await later();
    served.add('other');
    isBroken = true;
    worker.connectionsChanged();
    await vi.advanceTimersByTimeAsync(100);
    isBroken = false;
    await later();
    worker.nudge(['other']);
    await later();
    expect(claimed).toEqual([null, null, ['other']]);
  });
});
