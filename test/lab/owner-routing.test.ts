import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { ContactIndex } from '../../src/contacts/contact-index.js';
import { createDataSource } from '../../src/database/data-source.js';
import { company, endScene, lab, phones, ringline, setScene } from './transfer-scene.js';

const RING_SECONDS = 8;

beforeAll(async () => {
  await setScene();
  const target = { agentIds: company.agentIds.slice(0, 2), ringSeconds: RING_SECONDS };
  await company.call('PATCH', `/v1/lines/${company.lineId}`, { body: { target } });
  // Nobody asks it: whom it knows is in the index.
  const connection = await company.call('POST', '/v1/crm-connections', {
    body: {
      adapter: 'espocrm',
      name: 'CRM',
      settings: { url: 'https://crm.invalid', apiKey: 'no key at all' },
      rules: { ownerRouting: true, users: { map: { [company.agentIds[2] ?? '']: 'u3' } } },
    },
  });
  const source = await createDataSource(ringline.databaseUrl).initialize();
  const { id } = connection.body as { id: string };
  const card = {
    type: 'Contact',
    id: 'c1',
    kind: 'contact',
    name: 'Carol',
    company: null,
    ownerId: 'u3',
    url: null,
  } as const;
  await new ContactIndex(source).upsertContacts({ tenantId: company.tenantId, id }, [
    { ...card, numbers: ['+49302312540'] },
  ]);
  await source.destroy();
});
afterAll(endScene);

const newest = async (): Promise<Call> => (await company.call('GET', '/v1/calls?limit=1')).body.items[0] as Call;
const over = (): Promise<Call> =>
  waitFor(
    async () => {
      const call = await newest();
      return call.status === 'ended' ? call : undefined;
    },
    { what: 'the record to end', timeoutMs: 20_000 },
  );

describe('a caller who is somebody’s contact', () => {
  it('rings his owner alone, who takes him: nobody else was sought', async () => {
    const before = phones.map(({ calls }) => calls.length);
    const customer = await lab.baresip.customer('+49302312540');
    const outgoing = await customer.dial(company.did);
    const ring = await phones[2]!.incoming();
    await ring.answer();
    await waitFor(async () => (await newest()).status === 'answered', { what: 'the owner to have him' });
    await outgoing.hangup();
    const call = await over();
    await customer.stop();
    expect(call.participants).toMatchObject([{ agentId: company.agentIds[2], role: 'answered' }]);
    expect(phones.map(({ calls }, i) => calls.length - (before[i] ?? 0))).toEqual([0, 0, 1]);
    expect(call).toMatchObject({
      contact: { type: 'Contact', id: 'c1', name: 'Carol' },
      owner: { userId: 'u3', agentId: company.agentIds[2] },
    });
  });

  it('rings the others of the line as soon as his owner refuses', async () => {
    const customer = await lab.baresip.customer('+49302312540');
    const outgoing = await customer.dial(company.did);
    const owner = await phones[2]!.incoming();
    await owner.reject();
    const other = await phones[0]!.incoming();
    await phones[1]!.incoming();
    await other.answer();
    await waitFor(async () => (await newest()).status === 'answered', { what: 'another to have him' });
    await outgoing.hangup();
    const call = await over();
    await customer.stop();
    const roles = Object.fromEntries(call.participants.map(({ agentId, role }) => [agentId, role]));
    expect(roles).toEqual({
      [company.agentIds[0]!]: 'answered',
      [company.agentIds[1]!]: 'rang',
      [company.agentIds[2]!]: 'rang',
    });
  });

  it('rings all when his owner does not take him in time', async () => {
    const customer = await lab.baresip.customer('+49302312540');
    const outgoing = await customer.dial(company.did);
    const owner = await phones[2]!.incoming();
    const other = await phones[0]!.incoming();
    const waited = other.events[0]!.at - owner.events[0]!.at;
    expect(waited).toBeGreaterThan((RING_SECONDS / 2 - 1) * 1000);
    expect(owner.events.map(({ type }) => type)).not.toContain('closed');
    await owner.answer();
    await waitFor(async () => (await newest()).status === 'answered', { what: 'the owner to have him' });
    await outgoing.hangup();
    const call = await over();
    await customer.stop();
    expect(call.outcome).toBe('answered');
    const took = call.participants.filter(({ role }) => role === 'answered');
    expect(took).toMatchObject([{ agentId: company.agentIds[2] }]);
  });
});
