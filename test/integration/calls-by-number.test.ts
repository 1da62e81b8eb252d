import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { CallRow } from '../../src/calls/ledger/call.entity.js';
import { readNumber } from '../../src/numbers/phone-number.js';
import { ApiWorld, type TestTenant } from '../support/api-world.js';
import { callDocument } from '../../lab/call-document.js';
import { startDatabaseServer } from '../support/database.js';

let lab: Lab;
let world: ApiWorld;
let tenant: TestTenant;

/** How each caller's number came from the switch. */
const callers = ['030123456', '+14155550123', 'anonymous', '', '1001', 'alice'];

beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await ApiWorld.start(await lab.postgres.createDatabase());
  tenant = await world.addTenant(['calls:read']);
  const pbxNodeId = await world.addNode();
  for (const caller of callers) {
    const { number } = readNumber(caller, 'DE');
    const call = callDocument({ tenantId: tenant.id, pbxNodeId, from: number, remote: number });
    await world.source.manager.insert(CallRow, {
      tenantId: tenant.id,
      id: call.id,
      pbxNodeId,
      boot: 'b',
      direction: call.direction,
      status: call.status,
      outcome: null,
      remoteE164: call.remote.e164,
      agentIds: [],
      startedAt: new Date(call.startedAt),
      endedAt: null,
      version: call.version,
      document: call,
    });
  }
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});

async function found(query: string): Promise<string[]> {
  const { items } = await world.ok('GET', `/v1/calls?number=${query}`, { key: tenant.key });
  return items.map(({ remote }: { remote: { raw: string } }) => remote.raw).toSorted();
}

describe('calls of a number', () => {
  it.each([
    '+4930123456',
    '030123456',
    '030 123456',
    '030/12 34 56',
    '(030) 123456',
    '+49 (0)30 123456',
    '0049 30 123456',
    '4930123456',
    'tel:+49-30-123456',
    'sip:+4930123456@pbx.example',
    '+4930123456;ext=5',
    ' 030 123456 ',
    '\u0660\u0663\u0660123456',
  ])('are found by %j', async (written) => {
    expect(await found(encodeURIComponent(written))).toEqual(['030123456']);
  });

  it('are found though the + was sent as it is, which means a space there', async () => {
    expect(await found('+4930123456')).toEqual(['030123456']);
    expect(await found('+1%20415%20555%200123')).toEqual(['+14155550123']);
  });

  it('that nobody shows are found by any of its names', async () => {
    expect(await found('anonymous')).toEqual(['', 'anonymous']);
    expect(await found('Unknown')).toEqual(['', 'anonymous']);
  });

  it('inside the PBX are found by extension and by name', async () => {
    expect(await found('1001')).toEqual(['1001']);
    expect(await found('sip:1001@pbx.example')).toEqual(['1001']);
    expect(await found('Alice')).toEqual(['alice']);
  });

  it.each(['030123457', '30', '100', 'x', '%2B49', '%25'])('are none for %j', async (query) => {
    expect(await found(query)).toEqual([]);
  });
});
