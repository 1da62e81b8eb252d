import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ContactPage, CrmSession } from '../../port/crm-adapter.js';
import type { CrmCall } from '../../port/crm-objects.js';
import {
  aCall,
  answeredBy,
  aPost,
  aRecording,
  missed,
  numberOf,
  sessionWith,
  valueOf,
} from '../adapter-session.test-support.js';
import { espocrm } from './espocrm.adapter.js';
import {
  signaturesOf,
  startSimulator,
  type EspocrmSimulator,
  type EspocrmSimulatorOptions,
} from './simulator.test-support.js';

let crm: EspocrmSimulator;
let session: Required<CrmSession>;
let close: () => Promise<void>;
let anna: string;

async function connect(options?: EspocrmSimulatorOptions, settings: Record<string, unknown> = {}): Promise<void> {
  crm = await startSimulator(options);
  ({ session, close } = sessionWith(espocrm, { ...crm.settings, ...settings }));
  anna = crm.addUser({ name: 'Anna', email: 'anna@example.com', extension: '101' });
}

async function disconnect(): Promise<void> {
  await close();
  await crm.stop();
}

const theCall = () => {
  expect(crm.calls()).toHaveLength(1);
  return crm.calls()[0] as ReturnType<EspocrmSimulator['calls']>[number];
};

describe('EspoCRM with the fields of the README', () => {
  beforeEach(() => connect());
  afterEach(disconnect);

  describe('a call', () => {
    it('is a planned one while it goes on and a held one afterwards, with its length', async () => {
      const call = aCall({ userId: anna });
      const id = valueOf(await session.openCall(call));
      expect(theCall()).toMatchObject({ id, externalId: call.id, direction: 'inbound', isOpen: true, ownerId: anna });
      valueOf(await session.updateCall(id, { ...call, status: 'talking' }));
      expect(theCall().isOpen).toBe(true);
      expect(valueOf(await session.closeCall(id, answeredBy(anna, call)))).toBe(id);
      const startedAt = new Date('2026-03-07T10:20:30Z');
      expect(theCall()).toMatchObject({ id, isOpen: false, wasAnswered: true, seconds: 100, startedAt });
    });

    it('that nobody answered is not held', async () => {
      const call = aCall({ userId: anna });
      const id = valueOf(await session.openCall(call));
      valueOf(await session.closeCall(id, missed(call)));
      expect(theCall()).toMatchObject({ isOpen: false, wasAnswered: false, seconds: 0 });
    });

    it('is made complete when it was not opened', async () => {
      const call = answeredBy(anna, aCall({ direction: 'outbound' }));
      const id = valueOf(await session.closeCall(null, call));
      expect(theCall()).toMatchObject({ id, direction: 'outbound', isOpen: false, wasAnswered: true, seconds: 100 });
    });

    it('is the API user’s when it is nobody’s, for EspoCRM takes none without an owner', async () => {
      valueOf(await session.openCall(aCall()));
      expect(crm.record('User', theCall().ownerId ?? '')).toMatchObject({ userName: 'ringline' });
    });

    it('is there once when the answer was lost and it is opened again', async () => {
      const call = aCall({ userId: anna });
      crm.fail({
        what: 'lost-answer',
        times: 1,
        matches: ({ method, path }) => method === 'POST' && path.endsWith('/Call'),
      });
      expect(await session.openCall(call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
      const id = valueOf(await session.openCall(call));
      expect(theCall().id).toBe(id);
      expect(valueOf(await session.closeCall(null, answeredBy(anna, call)))).toBe(id);
      expect(theCall().isOpen).toBe(false);
    });

    it('is found by our id, and another is not', async () => {
      const call = aCall();
      const id = valueOf(await session.openCall(call));
      expect(valueOf(await session.findCall(call))).toBe(id);
      expect(valueOf(await session.findCall(aCall()))).toBeNull();
    });

    it('keeps what an agent wrote into it, whatever is changed', async () => {
      const call = aCall({ userId: anna });
      const id = valueOf(await session.openCall(call));
      crm.writeNote?.(id, 'Wants an offer <b>until Friday</b>');
      valueOf(await session.closeCall(id, { ...answeredBy(anna, call), note: 'From Ringline' }));
      valueOf(await session.updateCall(id, { ...answeredBy(anna, call), note: 'From Ringline, better' }));
      const { text } = theCall();
      expect(text).toContain('Wants an offer <b>until Friday</b>');
      expect(text).toContain('» From Ringline, better');
      expect(text).not.toContain('» From Ringline\n');
      expect(text.match(/Rang 5 s/g)).toHaveLength(1);
    });

    it('keeps title, status and owner that somebody chose once it is over', async () => {
      const call = aCall({ userId: anna });
      const id = valueOf(await session.closeCall(null, answeredBy(anna, call)));
      const boris = crm.addUser({ name: 'Boris' });
      crm.change('Call', id, { name: 'Offer', status: 'Not Held', assignedUserId: boris });
      valueOf(await session.updateCall(id, { ...answeredBy(anna, call), tags: ['vip'] }));
      expect(crm.record('Call', id)).toMatchObject({ name: 'Offer', status: 'Not Held', assignedUserId: boris });
      expect(theCall().text).toContain('Tags: vip');
    });

    it('has everybody who talked as attendees, and those whom somebody added', async () => {
      const boris = crm.addUser({ name: 'Boris' });
      const carla = crm.addUser({ name: 'Carla' });
      const call = aCall({ userId: anna });
      const id = valueOf(await session.openCall(call));
      crm.change('Call', id, { usersIds: [anna, carla] });
      const ended = answeredBy(anna, call);
      const people: CrmCall['people'] = [
        ...ended.people,
        { userId: boris, name: 'Boris', part: 'answered', talkSeconds: 20 },
        { userId: null, name: 'Dora', part: 'answered', talkSeconds: 5 },
      ];
      valueOf(await session.closeCall(id, { ...ended, userId: boris, people }));
      expect(crm.record('Call', id)).toMatchObject({ usersIds: [anna, carla, boris], assignedUserId: boris });
    });

    it('belongs to its contact, and to another one when that was the wrong one', async () => {
      const wrong = crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
      const right = crm.addContact({ name: 'Petra', numbers: ['+79062195047'], kind: 'lead' });
      const call = aCall({ userId: anna, contact: wrong });
      const id = valueOf(await session.openCall(call));
      expect(theCall().contactIds).toEqual([wrong.id]);
      valueOf(await session.closeCall(id, { ...answeredBy(anna, call), contact: right }));
      expect(theCall().contactIds).toEqual([right.id]);
      expect(crm.record('Call', id)).toMatchObject({ parentType: 'Lead', parentId: right.id, leadsIds: [right.id] });
    });

    it('stays with the deal that somebody chose for it', async () => {
      const contact = crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
      const call = aCall({ userId: anna, contact });
      const id = valueOf(await session.openCall(call));
      crm.change('Call', id, { parentType: 'Opportunity', parentId: 'deal1' });
      valueOf(await session.closeCall(id, answeredBy(anna, call)));
      expect(crm.record('Call', id)).toMatchObject({
        parentType: 'Opportunity',
        parentId: 'deal1',
        contactsIds: [contact.id],
      });
    });

    it('has a title that EspoCRM takes, whatever stands in a caller’s name', async () => {
      valueOf(await session.openCall(aCall({ subject: `<b>a=b</b> Ünal 山田 ${'x'.repeat(300)}` })));
      expect(crm.record('Call', theCall().id)?.['name']).toMatch(/^b a b \/b Ünal 山田 x{70,}$/u);
    });

    it('has further fields by the map, and no value in them takes the place of ours', async () => {
      valueOf(
        await session.openCall(aCall({ fields: { cRinglineId: 'other', status: 'Held', name: 'x', cUnknown: 1 } })),
      );
      expect(theCall()).toMatchObject({ isOpen: true });
      expect(theCall().externalId).not.toBe('other');
    });

    it('is removed, and removing it again is as good', async () => {
      const id = valueOf(await session.openCall(aCall()));
      valueOf(await session.removeCall(id));
      expect(crm.calls()).toEqual([]);
      valueOf(await session.removeCall(id));
    });

    it('that somebody removed is gone', async () => {
      const call = aCall();
      const id = valueOf(await session.openCall(call));
      await session.removeCall(id);
      expect(await session.updateCall(id, call)).toMatchObject({ verdict: 'gone' });
      expect(await session.closeCall(id, missed(call))).toMatchObject({ verdict: 'gone' });
    });
  });

  describe('a recording', () => {
    it('is linked in its field', async () => {
      const call = answeredBy(anna, aCall());
      const id = valueOf(await session.closeCall(null, call));
      valueOf(await session.attachRecording(id, call, aRecording()));
      expect(theCall().recording).toEqual({ url: 'https://ringline.example/v1/media/abc.wav' });
      valueOf(await session.updateCall(id, { ...call, recordingUrl: 'https://ringline.example/v1/media/abc.wav' }));
      expect(theCall().text).not.toContain('https://');
    });

    it('is uploaded once where no link is wanted', async () => {
      const call = answeredBy(anna, aCall());
      const id = valueOf(await session.closeCall(null, call));
      valueOf(await session.attachRecording(id, call, aRecording({ url: null })));
      valueOf(await session.attachRecording(id, call, aRecording({ url: null })));
      expect(theCall().recording).toEqual({ bytes: 4 });
      expect(crm.attachments()).toBe(1);
      const second = { id: '0193f0aa-1111-7000-8000-000000000002', read: () => Promise.resolve(new Uint8Array(9)) };
      valueOf(await session.attachRecording(id, call, aRecording({ ...second, url: null })));
      expect(theCall().recording).toEqual({ bytes: 9 });
      expect(crm.record('Call', id)?.['cRecordingName']).toBe('call-0193f0aa-000000000002.wav');
    });
  });

  describe('contacts', () => {
    it('are found by any of their numbers: people first, then leads, then companies', async () => {
      const company = crm.addContact({
        name: 'ООО Ромашка',
        numbers: ['+74950000001', '+79062195047'],
        kind: 'company',
      });
      const lead = crm.addContact({ name: 'Lena', numbers: ['+79062195047'], kind: 'lead' });
      const ivan = crm.addContact({ name: 'Ivan', numbers: ['+79062195047', '+79990000000'], ownerId: anna });
      crm.addContact({ name: 'Somebody else', numbers: ['+79062195048'] });
      const found = valueOf(await session.findContacts(numberOf('+79062195047', '8 (906) 219-50-47')));
      expect(found.map(({ id }) => id)).toEqual([ivan.id, lead.id, company.id]);
      expect(found[0]).toMatchObject({ kind: 'contact', name: 'Ivan', ownerId: anna, numbers: ['+79062195047'] });
      expect(found[0]?.url).toBe(`${String(crm.settings['url'])}/#Contact/view/${ivan.id}`);
      expect(found[2]).toMatchObject({
        kind: 'company',
        company: 'ООО Ромашка',
        numbers: ['+74950000001', '+79062195047'],
      });
    });

    it('are found where a server keeps numbers as they are written in their country', async () => {
      const ivan = crm.addContact({ name: 'Ivan', numbers: ['8 906 219 50 47'] });
      const found = valueOf(await session.findContacts(numberOf('+79062195047', '8 (906) 219-50-47')));
      expect(found.map(({ id }) => id)).toEqual([ivan.id]);
    });

    it('are not asked for when there is no number', async () => {
      expect(valueOf(await session.findContacts({ raw: '', e164: null, national: null, digits: '' }))).toEqual([]);
      expect(crm.requests).toEqual([]);
    });

    it('are listed with all their numbers, page by page, and later only those that changed', async () => {
      await disconnect();
      let at = Date.parse('2026-03-07T10:00:00Z');
      // All in one second, as a mass change makes them.
      await connect({ now: () => new Date(at) });
      for (let index = 0; index < 120; index++) {
        crm.addContact({
          name: `Contact ${index}`,
          numbers: [`+7906000${String(index).padStart(4, '0')}`, '+74951111111'],
        });
      }
      crm.addContact({ name: 'Lead', numbers: [], kind: 'lead' });
      const company = crm.addContact({ name: 'Company', numbers: ['+74952222222'], kind: 'company' });
      const read = async (from: string | null) => {
        const names: string[] = [];
        let numbers = 0;
        for (let cursor = from; ;) {
          const page = valueOf(await session.listContacts(cursor));
          names.push(...page.contacts.map(({ name }) => name));
          numbers += page.contacts.reduce((sum, one) => sum + one.numbers.length, 0);
          cursor = page.cursor;
          if (page.isLast) return { names, numbers, cursor };
        }
      };
      const all = await read(null);
      expect(new Set(all.names).size).toBe(122);
      expect(all.names).toHaveLength(122);
      expect(all.numbers).toBe(241);
      at += 3_600_000;
      crm.change('Account', company.id, { name: 'Company, renamed' });
      const later = await read(all.cursor);
      expect(later.names).toContain('Company, renamed');
      expect(later.names).toEqual(['Company, renamed']);
      expect((await read(later.cursor)).names).toEqual([]);
    });

    it('are read again for a while after they were changed, for a change may be committed late', async () => {
      crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
      let cursor: string | null = null;
      for (const names of [['Ivan'], [], [], ['Ivan']]) {
        const page: ContactPage = valueOf(await session.listContacts(cursor));
        expect(page.contacts.map(({ name }) => name)).toEqual(names);
        cursor = page.cursor;
      }
    });

    it('are listed from the beginning by a cursor that is none', async () => {
      crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
      expect(valueOf(await session.listContacts('{"broken')).contacts).toHaveLength(1);
    });
  });

  describe('an unknown caller', () => {
    it('becomes a lead or a contact with the number, once', async () => {
      const call = aCall({ userId: anna });
      const lead = valueOf(await session.createObject('lead', call));
      expect(valueOf(await session.createObject('lead', call))).toEqual(lead);
      const contact = valueOf(await session.createObject('contact', call));
      expect(crm.created()).toEqual([
        { kind: 'lead', id: lead.id, numbers: ['+79062195047'] },
        { kind: 'contact', id: contact.id, numbers: ['+79062195047'] },
      ]);
      expect(crm.record('Lead', lead.id)).toMatchObject({ assignedUserId: anna, source: 'Call', status: 'New' });
    });

    it('is the lead that has the number already, whatever its name', async () => {
      const lead = crm.addContact({ name: 'Lena', numbers: ['+74950000000', '+79062195047'], kind: 'lead' });
      expect(valueOf(await session.createObject('lead', aCall()))).toEqual(lead);
      expect(crm.created()).toEqual([]);
    });

    it('is made although somebody of that name is there with another number', async () => {
      crm.addContact({ name: '8 (906) 219-50-47', numbers: ['+74950000000'], kind: 'lead' });
      const lead = valueOf(
        await session.createObject('lead', aCall({ number: numberOf('+79062195047', '8 (906) 219-50-47') })),
      );
      expect(crm.created()).toEqual([{ kind: 'lead', id: lead.id, numbers: ['+79062195047'] }]);
    });

    it('is the one of the duplicates that has the number, when the search does not see it yet', async () => {
      const lead = valueOf(await session.createObject('lead', aCall()));
      crm.fail({
        what: 'status',
        status: 200,
        json: { list: [], total: 0 },
        times: 3,
        matches: ({ method }) => method === 'GET',
      });
      expect(valueOf(await session.createObject('lead', aCall()))).toEqual(lead);
      expect(crm.created()).toHaveLength(1);
    });

    it('without a public number is not made', async () => {
      const number = { raw: '101', e164: null, national: null, digits: '101' };
      expect(await session.createObject('lead', aCall({ number }))).toMatchObject({ verdict: 'rejected' });
      expect(await session.createObject('unsorted', aCall())).toMatchObject({ verdict: 'rejected' });
    });
  });

  describe('a task', () => {
    const task = () => ({
      subject: 'Call back',
      text: 'Called in vain.',
      userId: anna,
      dueAt: new Date('2026-03-07T12:00:00Z'),
    });

    it('is made once and closed with a word', async () => {
      const contact = crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
      const call = aCall({ contact, startedAt: new Date() });
      crm.fail({ what: 'lost-answer', times: 1, matches: ({ method }) => method === 'POST' });
      expect(await session.createTask(call, task())).toMatchObject({ verdict: 'retry', mayBeDone: true });
      const id = valueOf(await session.createTask(call, task()));
      expect(crm.tasks()).toEqual([{ id, ownerId: anna, subject: 'Call back', isOpen: true }]);
      expect(crm.record('Task', id)).toMatchObject({
        dateEnd: '2026-03-07 12:00:00',
        parentType: 'Contact',
        parentId: contact.id,
      });
      valueOf(await session.closeTask(id, 'Anna called back.'));
      expect(crm.tasks()[0]?.isOpen).toBe(false);
      expect(crm.record('Task', id)?.['description']).toMatch(/^Called in vain\.[^]*Anna called back\.\n$/);
    });

    it('that somebody has ended stays as it is', async () => {
      const id = valueOf(await session.createTask(aCall({ startedAt: new Date() }), task()));
      crm.change('Task', id, { status: 'Canceled', description: 'No need' });
      valueOf(await session.closeTask(id, 'Anna called back.'));
      expect(crm.record('Task', id)).toMatchObject({ status: 'Canceled', description: 'No need' });
      valueOf(await session.closeTask('65f2a0c1b7d3e4f50', 'It is gone.'));
    });
  });

  it('lists people with mail and extension, and no API user', async () => {
    for (let index = 0; index < 230; index++) crm.addUser({ name: `User ${index}` });
    const users = valueOf(await session.listUsers());
    expect(users).toHaveLength(231);
    expect(users).toContainEqual({
      id: anna,
      name: 'Anna',
      email: 'anna@example.com',
      extension: '101',
      isActive: true,
    });
  });

  describe('what goes wrong', () => {
    it('is told by the header that EspoCRM puts it in', async () => {
      const id = valueOf(await session.openCall(aCall()));
      const answer = await session.updateCall(id, aCall({ userId: 'nobody' }));
      expect(answer).toMatchObject({
        verdict: 'rejected',
        why: expect.stringContaining('field: assignedUser') as string,
      });
    });

    it.each([
      ['an outage', { what: 'status', status: 503 }, 'retry'],
      ['a page of a proxy', { what: 'html', status: 200 }, 'retry'],
      ['a page of maintenance', { what: 'html', status: 502 }, 'retry'],
      ['a limit of a proxy', { what: 'status', status: 429, headers: { 'retry-after': '7' } }, 'rate-limited'],
      ['a list that is no list', { what: 'status', status: 200, json: { list: { id: 'x' } } }, 'retry'],
      ['a record without an id', { what: 'status', status: 200, json: { list: [{ id: { $gt: '' } }] } }, 'retry'],
      ['a cut connection', { what: 'refused' }, 'retry'],
    ] as const)('%s is %s', async (_name, fault, verdict) => {
      crm.fail({ ...fault, times: 10 });
      expect(await session.openCall(aCall())).toMatchObject({ verdict });
      expect(await session.findContacts(numberOf('+79062195047'))).toMatchObject({ verdict });
    });

    it('is an address that is not EspoCRM’s, when a record cannot be made there', async () => {
      crm.fail({ what: 'html', status: 404, times: 1, matches: ({ method }) => method === 'POST' });
      expect(await session.openCall(aCall())).toMatchObject({ verdict: 'rejected' });
    });
  });
});

describe('EspoCRM as it is installed', () => {
  beforeEach(() => connect({ hasFields: false }));
  afterEach(disconnect);

  it('keeps our id in the description, and finds a call by it', async () => {
    const call = aCall({ userId: anna });
    const id = valueOf(await session.openCall(call));
    expect(theCall().externalId).toBe(call.id);
    expect(valueOf(await session.findCall(call))).toBe(id);
    expect(valueOf(await session.findCall(aCall()))).toBeNull();
    crm.writeNote?.(id, 'Mine');
    valueOf(await session.closeCall(id, answeredBy(anna, call)));
    expect(theCall()).toMatchObject({ externalId: call.id, text: expect.stringContaining('Mine') as string });
  });

  it('links recordings in the description, each once, and keeps them', async () => {
    const call = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, call));
    crm.writeNote?.(id, 'Mine');
    for (const url of ['https://r.example/1.wav', 'https://r.example/2.wav', 'https://r.example/1.wav']) {
      valueOf(await session.attachRecording(id, call, aRecording({ url })));
    }
    valueOf(await session.updateCall(id, { ...call, recordingUrl: 'https://r.example/1.wav' }));
    const { text } = theCall();
    expect(text.match(/Recording: https:/g)).toHaveLength(2);
    expect(text).toContain('Mine');
  });

  it('declares no upload and says why there is none', async () => {
    expect(espocrm.capabilities(espocrm.settings.parse(crm.settings)).recording).toBe('link');
    const id = valueOf(await session.openCall(aCall()));
    expect(await session.attachRecording(id, aCall(), aRecording({ url: null }))).toMatchObject({
      verdict: 'rejected',
    });
  });

  it('knows no extensions', async () => {
    expect(valueOf(await session.listUsers()).map(({ extension }) => extension)).toEqual([null]);
  });
});

describe('the credentials', () => {
  afterEach(disconnect);

  it('are somebody’s', async () => {
    await connect();
    expect(valueOf(await session.test())).toBe(`ringline (${String(crm.settings['url'])})`);
  });

  it('are refused with a wrong key, which EspoCRM answers with an empty body', async () => {
    await connect({}, { apiKey: 'wrong' });
    expect(await session.test()).toMatchObject({ verdict: 'credentials-refused' });
    expect(await session.openCall(aCall())).toMatchObject({ verdict: 'credentials-refused' });
  });

  it('are good when the role lacks a right: what needs it is rejected, and the test says what is missing', async () => {
    await connect({ lacks: ['Call: create', 'User: read'] });
    expect(await session.test()).toMatchObject({
      verdict: 'rejected',
      why: 'The role of the API user ringline lacks Call: create, User: read.',
    });
    expect(await session.openCall(aCall())).toMatchObject({
      verdict: 'rejected',
      why: expect.stringContaining('No create access.') as string,
    });
    expect(valueOf(await session.findContacts(numberOf('+79062195047')))).toEqual([]);
  });

  it('are where a custom field of the settings is missing: the failure names it', async () => {
    await connect({ hasFields: false }, { idField: 'cRinglineId' });
    expect(await session.openCall(aCall())).toMatchObject({
      verdict: 'rejected',
      why: expect.stringContaining('cRinglineId') as string,
    });
  });
});

describe('the door of EspoCRM', () => {
  const settings = espocrm.settings.parse({
    url: 'https://crm.example.com/',
    apiKey: 'key',
    webhookSecrets: ['first', 'second'],
    clickSecret: 'x'.repeat(32),
  });
  const knock = (body: string, headers: Record<string, string>) =>
    espocrm.parseInbound?.(aPost(body, headers), settings);
  const changed = '[{"id":"65f2a0c1b7d3e4f56","name":"Ivan"}]';

  it.each(['x-signature', 'signature', 'both'] as const)(
    'heeds a webhook signed by %s, with any of the secrets',
    (which) => {
      const wish = { kind: 'wished', wish: { wish: 'contacts-changed', key: null } };
      expect(knock(changed, signaturesOf(changed, 'first', which))).toEqual(wish);
      expect(knock(changed, signaturesOf(changed, 'second', which))).toEqual(wish);
    },
  );

  it('takes what is signed with another secret, of another body or not at all for forged', () => {
    expect(knock(changed, signaturesOf(changed, 'third', 'both'))).toEqual({ kind: 'forged' });
    expect(knock(`${changed} `, signaturesOf(changed, 'first', 'both'))).toEqual({ kind: 'forged' });
    expect(knock(changed, {})).toEqual({ kind: 'forged' });
    expect(knock(changed, { 'x-signature': '', signature: 'Og==' })).toEqual({ kind: 'forged' });
  });

  it('says that a signed webhook is no list of records', () => {
    for (const body of ['{"id":"x"}', '[1]', 'no json', '']) {
      expect(knock(body, signaturesOf(body, 'first', 'both'))).toMatchObject({ kind: 'malformed' });
    }
    expect(knock('[]', signaturesOf('[]', 'first', 'both'))).toEqual({ kind: 'ignored' });
  });

  it('heeds a click that is signed, once by its id', async () => {
    await connect();
    const { clickSecret } = crm;
    let sent: { body: string; signature: string } | null = null;
    const { createServer } = await import('node:http');
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        sent = { body, signature: String(request.headers['x-ringline-signature']) };
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await crm.click?.({ userId: anna, number: '+79062195047', doorUrl: `http://127.0.0.1:${port}/` });
    server.close();
    const { body, signature } = sent as unknown as { body: string; signature: string };
    const click = espocrm.parseInbound?.(aPost(body, { 'x-ringline-signature': signature }), {
      ...settings,
      clickSecret,
    });
    expect(click).toMatchObject({
      kind: 'wished',
      wish: { wish: 'dial', key: (JSON.parse(body) as { id: string }).id, userId: anna, number: '+79062195047' },
    });
    expect(
      espocrm.parseInbound?.(aPost(`${body} `, { 'x-ringline-signature': signature }), { ...settings, clickSecret }),
    ).toEqual({
      kind: 'forged',
    });
    expect(
      espocrm.parseInbound?.(aPost(body, { 'x-ringline-signature': signature }), { ...settings, clickSecret: null }),
    ).toEqual({
      kind: 'forged',
    });
    await disconnect();
  });

  it('is closed for what is no POST', () => {
    expect(espocrm.parseInbound?.({ ...aPost(changed), method: 'GET' }, settings)).toMatchObject({ kind: 'malformed' });
  });

  it('is declared only as far as there are secrets', () => {
    expect(espocrm.capabilities(settings).doors).toEqual(['dial', 'contacts-changed']);
    expect(espocrm.capabilities({ ...settings, clickSecret: null, webhookSecrets: [] }).doors).toEqual([]);
  });
});
