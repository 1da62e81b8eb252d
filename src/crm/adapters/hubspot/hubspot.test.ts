import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrmSession } from '../../port/crm-adapter.js';
import {
  aCall,
  answeredBy,
  aRecording,
  missed,
  numberOf,
  sessionWith,
  valueOf,
} from '../adapter-session.test-support.js';
import { hubspot } from './hubspot.adapter.js';
import { startSimulator, type HubspotSimulator, type HubspotSimulatorOptions } from './simulator.test-support.js';

let crm: HubspotSimulator;
let session: Required<CrmSession>;
let close: () => Promise<void>;
let anna: string;

async function connect(options?: HubspotSimulatorOptions): Promise<void> {
  crm = await startSimulator({ limits: [], ...options });
  ({ session, close } = sessionWith(hubspot, crm.settings));
  anna = crm.addUser({ name: 'Anna Álvarez', email: 'anna@example.com' });
}

async function reconnect(options: HubspotSimulatorOptions): Promise<void> {
  await disconnect();
  await connect(options);
}

async function disconnect(): Promise<void> {
  await close();
  await crm.stop();
}

const theCall = () => {
  expect(crm.calls()).toHaveLength(1);
  return crm.calls()[0] as ReturnType<HubspotSimulator['calls']>[number];
};

beforeEach(() => connect());
afterEach(disconnect);

describe('a call in HubSpot', () => {
  it('rings, goes on and is over, with its talk in ms', async () => {
    const call = aCall({ userId: anna });
    const id = valueOf(await session.openCall(call));
    expect(crm.record('calls', id)).toMatchObject({ hs_call_status: 'RINGING', hs_call_duration: '0' });
    valueOf(await session.updateCall(id, { ...call, status: 'talking' }));
    expect(crm.record('calls', id)).toMatchObject({ hs_call_status: 'IN_PROGRESS' });
    expect(valueOf(await session.closeCall(id, answeredBy(anna, call)))).toBe(id);
    expect(crm.record('calls', id)).toMatchObject({
      ringline_call_id: call.id,
      hs_call_status: 'COMPLETED',
      hs_call_duration: '95000',
      hs_timestamp: '2026-03-07T10:20:30.250Z',
      hs_call_from_number: '+79062195047',
      hs_call_to_number: '+74951234567',
      hs_call_source: 'INTEGRATIONS_PLATFORM',
      hubspot_owner_id: anna,
      // Connected
      hs_call_disposition: 'f240bbac-87c9-4f6e-bf70-924b57d47db7',
    });
  });

  it.each([
    ['missed', 'NO_ANSWER', '73a0d17f-1163-4015-bdd5-ec830791da20'],
    ['busy', 'BUSY', '9d9162e7-6cf3-4944-bf63-4dff82258764'],
    ['voicemail', 'NO_ANSWER', 'b2cf5968-551e-4856-9783-52b3da59a7d0'],
    ['failed', 'FAILED', undefined],
    ['cancelled', 'CANCELED', undefined],
  ] as const)('that was %s has status %s', async (outcome, status, disposition) => {
    const id = valueOf(await session.closeCall(null, { ...missed(aCall()), outcome }));
    expect(crm.record('calls', id)?.['hs_call_status']).toBe(status);
    expect(crm.record('calls', id)?.['hs_call_disposition']).toBe(disposition);
  });

  it('has an outcome by its name or its GUID, and one that HubSpot does not know in the text', async () => {
    const over = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, { ...over, disposition: 'wants an offer' }));
    expect(crm.record('calls', id)?.['hs_call_disposition']).toBe('c2a1d6b0-2f0e-4b8e-9a53-0a1b2c3d4e5f');
    const guid = '17B47FEE-58DE-441E-A44C-C6300D46F273';
    valueOf(await session.updateCall(id, { ...over, disposition: guid }));
    expect(crm.record('calls', id)?.['hs_call_disposition']).toBe(guid.toLowerCase());
    valueOf(await session.updateCall(id, { ...over, disposition: 'Nonsense' }));
    expect(theCall().text).toContain('Result: Nonsense');
  });

  it('is there once when the answer was lost, and what an agent wrote meanwhile is still in it', async () => {
    const call = aCall({ userId: anna });
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ path }) => path.endsWith('/batch/upsert') });
    expect(await session.openCall(call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    crm.writeNote?.(theCall().id, 'Wants an offer <b>until Friday</b>');
    valueOf(await session.closeCall(null, { ...answeredBy(anna, call), note: 'From Ringline' }));
    expect(theCall().text).toContain('Wants an offer <b>until Friday</b>');
    expect(theCall().text.match(/Rang 5 s/g)).toHaveLength(1);
    valueOf(await session.updateCall(theCall().id, { ...answeredBy(anna, call), note: 'Better' }));
    expect(theCall().text).toContain('» Better');
    expect(theCall().text).not.toContain('From Ringline');
  });

  it('is tried again where HubSpot has taken its id in the same moment', async () => {
    const matches = ({ path }: { readonly path: string }): boolean => path.endsWith('/batch/upsert');
    crm.fail({ what: 'status', times: 1, status: 409, json: { status: 'error', category: 'CONFLICT' }, matches });
    const call = answeredBy(anna, aCall());
    expect(await session.closeCall(null, call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    valueOf(await session.closeCall(null, call));
  });

  it('keeps title, outcome and owner that somebody chose once it is over', async () => {
    const boris = crm.addUser({ name: 'Boris' });
    const over = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, over));
    const chosen = {
      hs_call_title: 'Offer',
      hubspot_owner_id: boris,
      hs_call_disposition: 'c2a1d6b0-2f0e-4b8e-9a53-0a1b2c3d4e5f',
    };
    crm.change('calls', id, chosen);
    valueOf(await session.updateCall(id, { ...over, tags: ['vip'] }));
    expect(crm.record('calls', id)).toMatchObject(chosen);
    expect(theCall().text).toContain('Tags: vip');
  });

  it('makes the property for our id by itself, once, and is content with one that an admin made', async () => {
    valueOf(await session.closeCall(null, answeredBy(anna, aCall())));
    valueOf(await session.closeCall(null, answeredBy(anna, aCall())));
    expect(crm.properties('calls')).toEqual(['ringline_call_id']);
    expect(crm.requests.filter(({ path }) => path.startsWith('/crm/properties'))).toHaveLength(3);
    await reconnect({ hasIdProperties: true, lacks: ['/crm/properties/calls/groups'] });
    valueOf(await session.closeCall(null, answeredBy(anna, aCall())));
  });

  it('tells what to do where the property may not be made', async () => {
    await reconnect({ lacks: ['/crm/properties/calls/groups'] });
    const verdict = await session.closeCall(null, answeredBy(anna, aCall()));
    expect(verdict).toMatchObject({ verdict: 'rejected', why: expect.stringContaining('README') });
  });

  it('is with its person or company, and is kept when they are gone', async () => {
    const company = crm.addContact({ name: 'Acme', kind: 'company', numbers: ['+493011111111'] });
    const id = valueOf(await session.closeCall(null, answeredBy(anna, aCall({ contact: company }))));
    expect(crm.associations('calls', id)).toEqual([`companies/${company.id}`]);
    const nobody = { type: 'contact', id: '999999' };
    const other = valueOf(await session.closeCall(null, answeredBy(anna, aCall({ contact: nobody }))));
    expect(crm.associations('calls', other)).toEqual([]);
  });

  it('has fields of the account by the field map, and is rejected with HubSpot’s reason for one that is not there', async () => {
    const over = answeredBy(anna, aCall({ fields: { hs_call_title: 'Mine' } }));
    const id = valueOf(await session.closeCall(null, over));
    expect(crm.record('calls', id)?.['hs_call_title']).toBe('Mine');
    const verdict = await session.updateCall(id, { ...over, fields: { no_such: 1 } });
    expect(verdict).toMatchObject({ verdict: 'rejected', why: expect.stringContaining('no_such') });
  });

  it('takes a recording by its link, and none without', async () => {
    const over = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, over));
    valueOf(await session.attachRecording(id, over, aRecording()));
    expect(theCall().recording).toEqual({ url: aRecording().url });
    expect(await session.attachRecording(id, over, aRecording({ url: null }))).toMatchObject({ verdict: 'rejected' });
    const insecure = 'http://ringline.example/r/1.wav';
    expect(await session.attachRecording(id, over, aRecording({ url: insecure }))).toMatchObject({
      verdict: 'rejected',
    });
    valueOf(await session.updateCall(id, { ...over, recordingUrl: insecure }));
    expect(theCall().recording).toEqual({ url: aRecording().url });
  });

  it('that somebody deleted is gone', async () => {
    const over = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, over));
    crm.remove('calls', id);
    expect(await session.updateCall(id, over)).toMatchObject({ verdict: 'gone' });
    valueOf(await session.removeCall(id));
  });
});

describe('people in HubSpot', () => {
  it('are found by any form of their number', async () => {
    const one = crm.addContact({ name: 'Carla', numbers: ['030 / 9018-2055'] });
    const other = crm.addContact({ name: 'Dora', numbers: ['', '+49 30 90182055'] });
    const found = valueOf(await session.findContacts(numberOf('+493090182055', '030 90182055')));
    expect(found.map(({ id }) => id).sort()).toEqual([one.id, other.id].sort());
    expect(found[0]?.url).toMatch(/^https:\/\/app-eu1\.hubspot\.com\/contacts\/48291765\/record\/0-1\/\d+$/);
  });

  it('come before companies, which are looked for where there is nobody', async () => {
    const company = crm.addContact({ name: 'Acme', kind: 'company', numbers: ['+493090182055'] });
    const number = numberOf('+493090182055', '030 90182055');
    expect(valueOf(await session.findContacts(number))).toMatchObject([
      { id: company.id, kind: 'company', name: 'Acme' },
    ]);
    const person = crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    expect(valueOf(await session.findContacts(number))).toMatchObject([{ id: person.id, kind: 'contact' }]);
  });

  it('are not there for the search until its index has them', async () => {
    await reconnect({ lagMs: 60_000 });
    valueOf(await session.createObject('contact', aCall()));
    expect(valueOf(await session.findContacts(aCall().number))).toEqual([]);
    expect(crm.created()).toHaveLength(1);
  });

  it('are made once for a call', async () => {
    const call = aCall({ userId: anna });
    const first = valueOf(await session.createObject('contact', call));
    expect(valueOf(await session.createObject('contact', call))).toEqual(first);
    expect(crm.created()).toEqual([{ kind: 'contact', id: first.id, numbers: ['+79062195047'] }]);
    expect(await session.createObject('lead', call)).toMatchObject({ verdict: 'rejected' });
  });

  it('are listed once all, and then those that changed', async () => {
    for (let i = 0; i < 205; i++) crm.addContact({ name: `Person ${i}`, numbers: [`+4930901${i}`] });
    crm.addContact({ name: 'Acme', kind: 'company', numbers: ['+493011111111'] });
    const round = async (from: string | null) => {
      const names: string[] = [];
      for (let cursor = from; ;) {
        const page = valueOf(await session.listContacts(cursor));
        names.push(...page.contacts.map(({ name }) => name));
        cursor = page.cursor;
        if (page.isLast) return { names, cursor };
      }
    };
    const all = await round(null);
    expect(new Set(all.names).size).toBe(206);
    const longAgo = JSON.stringify({
      ...(JSON.parse(all.cursor) as object),
      since: { contacts: '2100-01-01T00:00:00.000Z', companies: '2100-01-01T00:00:00.000Z' },
    });
    expect((await round(longAgo)).names).toEqual([]);
    expect((await round(all.cursor)).names).toHaveLength(206);
  });
});

describe('HubSpot', () => {
  it('has owners as users', async () => {
    for (let i = 0; i < 120; i++) crm.addUser({ name: `Owner ${i}` });
    const users = valueOf(await session.listUsers());
    expect(users).toHaveLength(121);
    expect(users[0]).toEqual({
      id: anna,
      name: 'Anna Álvarez',
      email: 'anna@example.com',
      extension: null,
      isActive: true,
    });
  });

  it('makes one task for a call, and closes it with a line of ours', async () => {
    const call = aCall({ contact: crm.addContact({ name: 'Carla', numbers: ['+79062195047'] }) });
    const task = {
      subject: 'Call back',
      text: 'Nobody <answered>',
      userId: anna,
      dueAt: new Date('2026-03-07T11:20:30Z'),
    };
    const id = valueOf(await session.createTask(call, task));
    expect(valueOf(await session.createTask(call, task))).toBe(id);
    crm.change('tasks', id, { hs_task_body: '<p>My notes</p>' });
    for (const _ of [1, 2]) valueOf(await session.closeTask(id, 'Boris called back.'));
    expect(crm.record('tasks', id)).toMatchObject({
      hs_task_status: 'COMPLETED',
      hs_task_body: '» Boris called back.<br><p>My notes</p>',
      hs_timestamp: '2026-03-07T11:20:30.000Z',
    });
    expect(crm.associations('tasks', id)).toHaveLength(1);
    expect(await session.closeTask('999999', 'x')).toMatchObject({ verdict: 'gone' });
  });

  it('says by which of its limits it was asked too often', async () => {
    const over = (policyName: string) =>
      crm.fail({ what: 'status', times: 1, status: 429, json: { status: 'error', message: 'Limit', policyName } });
    over('TEN_SECONDLY_ROLLING');
    expect(await session.test()).toMatchObject({ verdict: 'rate-limited', afterMs: 10_000 });
    over('DAILY');
    expect(await session.test()).toMatchObject({ verdict: 'rate-limited', afterMs: 900_000 });
  });

  it('refuses a search too many by the policy it names', async () => {
    await reconnect({ limits: [{ kind: 'window', requests: 5, seconds: 3600, lane: 'search' }] });
    const number = numberOf('+493090182055', '030 90182055');
    crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    const verdicts = await Promise.all(Array.from({ length: 6 }, () => session.findContacts(number)));
    expect(verdicts.filter(({ verdict }) => verdict === 'rate-limited')).toEqual([
      { verdict: 'rate-limited', why: expect.stringContaining('secondly limit'), afterMs: 1000 },
    ]);
    expect(crm.violations).toBe(1);
  });

  it('takes a scope that is missing for a fault of this step alone', async () => {
    await reconnect({ lacks: ['/crm/objects/companies', '/account-info'] });
    const number = numberOf('+493090182055', '030 90182055');
    expect(await session.findContacts(number)).toMatchObject({
      verdict: 'rejected',
      why: expect.stringContaining('MISSING_SCOPES'),
    });
    crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    expect(valueOf(await session.findContacts(number))).toMatchObject([{ name: 'Carla', url: null }]);
  });

  it('is limited by the plan', () => {
    const limits = (plan: string) => hubspot.capabilities(hubspot.settings.parse({ accessToken: 'x', plan })).limits;
    expect(limits('professional')[0]).toEqual({ kind: 'window', requests: 190, seconds: 10 });
    expect(limits('free-or-starter')[0]).toEqual({ kind: 'window', requests: 100, seconds: 10 });
    expect(limits('enterprise').at(-1)).toEqual({ kind: 'daily', budget: 1_000_000 });
  });
});
