import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { RequestIntake } from '../../src/calls/control/request-intake.js';
import { CallLedger } from '../../src/calls/ledger/call-ledger.js';
import { LedgerMetrics } from '../../src/calls/ledger/ledger-metrics.js';
import { LedgerStore, type Commit } from '../../src/calls/ledger/ledger-store.js';
import type { TelephonySwitch } from '../../src/calls/telephony-switch.js';
import { systemClock } from '../../src/common/clock.js';
import { newId } from '../../src/common/ids.js';
import type { Notifications } from '../../src/database/notifications.js';
import { startDatabaseServer } from '../support/database.js';
import { DeliveryWorld } from '../support/delivery-world.js';
import { noLog } from '../support/no-log.js';
import { NoRouting } from '../support/no-routing.js';

const line = { id: newId(), number: '+4930901820', name: 'Sales' };
const plan = {
  kind: 'click-to-call',
  order: 'agent-first',
  phones: [{ agentId: newId(), endpoint: 'agent1', autoAnswer: 'none' }],
  to: { raw: '+493055501', e164: '+493055501', name: null },
  line,
  trunk: { endpoint: 'trunk', number: '+493055501' },
  tags: [],
  agentRingSeconds: 30,
  remoteRingSeconds: 60,
  limitSeconds: 3_600,
  record: false,
};

/** Stores when it is let. */
class HeldStore extends LedgerStore {
  go: Promise<void> = Promise.resolve();

  override async commit(commit: Commit): Promise<void> {
    await this.go;
    await super.commit(commit);
  }
}

let lab: Lab;
let world: DeliveryWorld;
let tenantId: string;

beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await DeliveryWorld.start(await lab.postgres.createDatabase());
  tenantId = await world.addTenant();
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});
beforeEach(async () => {
  await world.query('delete from call_request');
  await world.query('delete from call');
});

/** A request as the API stores it, so many seconds ago. Gives the id its call would have. */
async function request(secondsAgo: number): Promise<string> {
  const callId = newId();
  await world.query(
    `insert into call_request (tenant_id, idempotency_key, body_hash, call_id, agent_id, pbx_node_id, state, open, plan, created_at)
     values ($1, $2, '', $3, $4, $5, 'deciding', true, $6, now() - make_interval(secs => $7))`,
    [tenantId, `click-${callId}`, callId, newId(), world.writer.nodeId, plan, secondsAgo],
  );
  return callId;
}

function states(): Promise<{ call_id: string; state: string }[]> {
  return world.query('select call_id, state from call_request');
}

function calls(): Promise<{ id: string }[]> {
  return world.query('select id from call');
}

/** The node owner's part, as a process has it that was just started. */
function intake(onAsked: () => Promise<unknown> = () => Promise.resolve()) {
  const store = new HeldStore(world.database.source);
  const metrics = new LedgerMetrics({ registry: new Registry() });
  const ledger = new CallLedger(store, new NoRouting(), metrics, systemClock, noLog);
  const telephony = {
    bootOf: () => 'boot',
    nowAt: () => Date.now(),
    isOverloaded: () => false,
    endpointPresence: async () => {
      await onAsked();
      return 'online';
    },
  } as unknown as TelephonySwitch;
  return {
    store,
    ledger,
    intake: new RequestIntake(world.database.source, {} as Notifications, ledger, telephony, noLog),
  };
}

describe('click-to-calls that a process finds when it starts', () => {
  it('are placed while whoever clicked may still wait', async () => {
    const callId = await request(5);
    const { intake: taken, ledger } = intake();
    taken.wake();
    await waitFor(async () => (await states())[0]?.state === 'accepted', { what: 'the request to be accepted' });
    expect(await calls()).toEqual([{ id: callId }]);
    await taken.stop();
    await ledger.stop(1_000);
  });

  it('are forgotten, and ring nobody, when that is too long ago', async () => {
    await request(11);
    const { intake: taken, ledger } = intake(() => expect.unreachable('the agent is looked for'));
    taken.wake();
    await waitFor(async () => (await states()).length === 0, { what: 'the request to be gone' });
    await taken.stop();
    await ledger.settled();
    expect(await calls()).toEqual([]);
  });

  it('are known, whatever their age, while their call is being stored: the same click is no second call', async () => {
    const callId = await request(5);
    const age = (): Promise<unknown> =>
      world.query(`update call_request set created_at = now() - interval '11 seconds'`);
    const { store, intake: taken, ledger } = intake(age);
    let go: () => void = () => undefined;
    store.go = new Promise((resolve) => (go = resolve));
    taken.wake();
    // Ends with the sweep of what is too old.
    await taken.stop();
    expect(await states()).toEqual([{ call_id: callId, state: 'placing' }]);
    go();
    await ledger.settled();
    expect(await states()).toEqual([{ call_id: callId, state: 'accepted' }]);
    expect(await calls()).toEqual([{ id: callId }]);
  });
});
