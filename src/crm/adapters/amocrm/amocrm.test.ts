import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CrmSession } from '../../port/crm-adapter.js';
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
import { amocrm } from './amocrm.adapter.js';
import { startSimulator, type AmocrmSimulator } from './simulator.test-support.js';

let now: number;
let crm: AmocrmSimulator;
let session: Required<CrmSession>;
let close: () => Promise<void>;
let anna: string;
let boris: string;

beforeEach(async () => {
  now = Date.parse('2026-03-07T10:21:00Z');
  crm = await startSimulator({ now: () => now, limits: [] });
  anna = crm.addUser({ name: 'Anna Smith', email: 'anna@example.com' });
  boris = crm.addUser({ name: 'Boris' });
  ({ session, close } = sessionWith(amocrm, crm.settings));
});

afterEach(async () => {
  await close();
  await crm.stop();
});

const talked = (changes: Partial<CrmCall> = {}): CrmCall => ({ ...answeredBy(anna, aCall()), ...changes });
const api = ({ path }: { path: string }) => path.startsWith('/api/');
const posted = (path: string) => (request: { method: string; path: string }) =>
  request.method === 'POST' && request.path === path;

describe('a call', () => {
  test('is stored once, complete, with our id, talk in seconds, its status, its link and who had it', async () => {
    const { id } = crm.addContact({ name: 'Иван', numbers: ['8 (906) 219-50-47'] });
    const call = talked({ disposition: 'Sold', recordingUrl: 'https://ringline.example/r.wav' });
    expect(valueOf(await session.closeCall(null, call))).toBe(`contacts/${id}/${call.id}`);
    expect(crm.calls()).toEqual([
      {
        id: `contacts/${id}/${call.id}`,
        externalId: call.id,
        direction: 'inbound',
        number: '+79062195047',
        seconds: 95,
        wasAnswered: true,
        isOpen: false,
        startedAt: new Date('2026-03-07T10:20:30Z'),
        ownerId: anna,
        contactIds: [id],
        text: 'Sold\nRang 5 s, talked 95 s.',
        recording: { url: 'https://ringline.example/r.wav' },
      },
    ]);
  });

  test('goes to the lead of a contact that has exactly one open lead', async () => {
    const { id } = crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
    crm.addLead(id, 'Old', { isWon: true });
    const lead = crm.addLead(id, 'Fence');
    const call = talked();
    expect(valueOf(await session.closeCall(null, call))).toBe(`leads/${lead}/${call.id}`);
  });

  test.each([
    ['answered', 4],
    ['voicemail', 1],
    ['missed', 6],
    ['no-answer', 6],
    ['cancelled', 6],
    ['rejected', 6],
    ['busy', 7],
    ['failed', 8],
    ['blocked', 8],
  ] as const)('that came out as %s has call_status %i', async (outcome, call_status) => {
    crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
    valueOf(await session.closeCall(null, talked({ outcome, direction: 'outbound' })));
    const duration = outcome === 'answered' ? 95 : 0;
    expect(crm.notes()).toMatchObject([{ noteType: 'call_out', params: { call_status, duration } }]);
  });

  test('whose answer was lost is found again by our id, on whichever card it is', async () => {
    const { id } = crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
    crm.addLead(id, 'Fence');
    const call = talked();
    expect(valueOf(await session.findCall(call))).toBeNull();
    crm.fail({ what: 'lost-answer', times: 1, matches: posted('/api/v4/calls') });
    expect(await session.closeCall(null, call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    const remoteId = valueOf(await session.findCall(call));
    expect(crm.calls().map((one) => one.id)).toEqual([remoteId]);
    expect(valueOf(await session.findCall(talked()))).toBeNull();
  });

  test('that is stored is not stored again', async () => {
    expect(valueOf(await session.closeCall('leads/1/x', talked()))).toBe('leads/1/x');
    expect(crm.requests).toEqual([]);
  });

  test('of an unknown caller becomes one unsorted lead that holds it, whatever answer is lost', async () => {
    const call = talked({ recordingUrl: 'https://ringline.example/r.wav' });
    crm.fail({ what: 'lost-answer', times: 1, matches: posted('/api/v4/leads/unsorted/sip') });
    expect(await session.closeCall(null, call)).toMatchObject({ verdict: 'retry' });
    const remoteId = valueOf(await session.closeCall(null, call));
    expect(valueOf(await session.findCall(call))).toBe(remoteId);
    expect(crm.calls()).toMatchObject([
      {
        id: remoteId,
        externalId: call.id,
        number: '+79062195047',
        seconds: 95,
        recording: { url: 'https://ringline.example/r.wav' },
      },
    ]);
    expect(crm.unsorted()[0]?.metadata).toMatchObject({
      from: 'Main line',
      call_responsible: Number(anna),
      is_call_event_needed: true,
      service_code: 'ringline',
    });
  });

  test('that was made unsorted by a rule is there already', async () => {
    const call = talked();
    const contact = valueOf(await session.createObject('unsorted', call));
    expect(valueOf(await session.closeCall(null, { ...call, contact }))).toBe(`unsorted/${contact.id}/${call.id}`);
    expect(crm.sent('/api/v4/calls')).toEqual([]);
    expect(valueOf(await session.closeCall(null, call))).toBe(`unsorted/${contact.id}/${call.id}`);
    expect(crm.calls()).toHaveLength(1);
  });

  test('to an unknown number makes one contact and is on its card, whatever answer is lost', async () => {
    const call = talked({ direction: 'outbound' });
    crm.fail({ what: 'lost-answer', times: 1, matches: posted('/api/v4/contacts') });
    expect(await session.closeCall(null, call)).toMatchObject({ verdict: 'retry' });
    expect(valueOf(await session.findCall(call))).toBeNull();
    const remoteId = valueOf(await session.closeCall(null, call));
    expect(crm.created()).toMatchObject([{ kind: 'contact', numbers: ['+79062195047'] }]);
    expect(crm.calls()).toMatchObject([{ id: remoteId, direction: 'outbound', number: '+79062195047', ownerId: anna }]);
  });

  test('of an unknown number is rejected where the settings leave those out', async () => {
    const own = sessionWith(amocrm, { ...crm.settings, unknownNumbers: 'left-out' });
    const why = 'No card in amoCRM has +79062195047, so it keeps no call of it.';
    expect(await own.session.closeCall(null, talked())).toEqual({ verdict: 'rejected', why });
    expect(await own.session.closeCall(null, talked({ direction: 'outbound' }))).toEqual({ verdict: 'rejected', why });
    expect(crm.created()).toEqual([]);
    await own.close();
  });

  test('of a caller without a number is an unsorted lead without one', async () => {
    const number = { raw: '', e164: null, national: null, digits: '' };
    const remoteId = valueOf(await session.closeCall(null, talked({ number })));
    expect(crm.calls()).toMatchObject([{ id: remoteId, number: 'anonymous', seconds: 95 }]);
    expect(crm.sent('/api/v4/calls')).toEqual([]);
  });

  test('between colleagues has no place', async () => {
    expect(await session.closeCall(null, talked({ direction: 'internal' }))).toMatchObject({ verdict: 'rejected' });
    expect(crm.requests).toEqual([]);
  });

  test('of a contact whose card has another number is put on that card', async () => {
    const contact = crm.addContact({ name: 'Ivan', numbers: ['+442079460018'] });
    const call = talked({ contact });
    expect(valueOf(await session.closeCall(null, call))).toBe(`contacts/${contact.id}/${call.id}`);
    expect(crm.calls()).toMatchObject([{ externalId: call.id, seconds: 95, ownerId: anna, direction: 'inbound' }]);
    expect(valueOf(await session.findCall(call))).toBe(`contacts/${contact.id}/${call.id}`);
  });

  test('of a user that amoCRM does not know is rejected with what is wrong', async () => {
    crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
    expect(await session.closeCall(null, talked({ userId: '7' }))).toMatchObject({
      verdict: 'rejected',
      why: expect.stringContaining('responsible_user_id'),
    });
    expect(crm.calls()).toEqual([]);
  });
});

describe('a recording', () => {
  test('that came after the call is linked to it, and the rest of the call stays', async () => {
    crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
    const call = talked();
    const remoteId = valueOf(await session.closeCall(null, call));
    valueOf(await session.attachRecording(remoteId, call, aRecording()));
    valueOf(await session.attachRecording(remoteId, call, aRecording()));
    expect(crm.calls()).toMatchObject([{ seconds: 95, recording: { url: aRecording().url }, externalId: call.id }]);
    expect(crm.requests.filter(({ method }) => method === 'PATCH')).toHaveLength(1);
  });

  test('of an unsorted call stands beside it, and in it once somebody took the lead', async () => {
    const call = talked();
    const remoteId = valueOf(await session.closeCall(null, call));
    // As it is told with its recording: whether it was told with it before, it does not say.
    valueOf(await session.attachRecording(remoteId, { ...call, recordingUrl: aRecording().url }, aRecording()));
    expect(crm.calls()).toMatchObject([{ recording: { url: aRecording().url } }]);
    expect(crm.notes()).toMatchObject([
      { noteType: 'common', params: { text: expect.stringContaining(aRecording().url!) } },
    ]);
    crm.accept(crm.unsorted()[0]!.uid);
    valueOf(await session.attachRecording(remoteId, call, aRecording()));
    expect(crm.calls()).toMatchObject([{ recording: { url: aRecording().url } }]);
  });

  test('of an unsorted call that was made with it stands there alone; one that came later stands beside it', async () => {
    const recording = aRecording();
    // The call as it is told when its recording is attached: with its link.
    const linked = talked({ recordingUrl: recording.url });
    const [before, later] = [talked({ recordingUrl: recording.url }), talked()];
    valueOf(await session.attachRecording(valueOf(await session.closeCall(null, before)), before, recording));
    expect(crm.notes()).toEqual([]);
    const remoteId = valueOf(await session.closeCall(null, later));
    valueOf(await session.attachRecording(remoteId, { ...linked, id: later.id }, recording));
    expect(crm.notes()).toMatchObject([{ params: { text: expect.stringContaining(recording.url!) } }]);
  });

  test('of an unsorted call stands beside it together with the agent’s note', async () => {
    const call = talked();
    const remoteId = valueOf(await session.closeCall(null, call));
    valueOf(await session.addNote(remoteId, call, 'wants an offer'));
    valueOf(await session.attachRecording(remoteId, { ...call, recordingUrl: aRecording().url }, aRecording()));
    const text = expect.stringContaining('wants an offer') as string;
    expect(crm.calls()).toMatchObject([{ recording: { url: aRecording().url }, text }]);
  });

  test('without a link is rejected', async () => {
    expect(await session.attachRecording('leads/1/x', talked(), aRecording({ url: null }))).toMatchObject({
      verdict: 'rejected',
    });
  });

  test('of a call that is nowhere is gone', async () => {
    expect(await session.attachRecording('leads/999/x', talked(), aRecording())).toMatchObject({ verdict: 'gone' });
    expect(await session.attachRecording('unsorted/999/x', talked(), aRecording())).toMatchObject({ verdict: 'gone' });
    expect(await session.attachRecording('nonsense', talked(), aRecording())).toMatchObject({ verdict: 'gone' });
  });
});

describe('a note', () => {
  test('stands once on the call’s card, whatever answer is lost', async () => {
    const { id } = crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
    const call = talked();
    const remoteId = valueOf(await session.closeCall(null, call));
    crm.fail({ what: 'lost-answer', times: 1, matches: posted(`/api/v4/contacts/${id}/notes`) });
    expect(await session.addNote(remoteId, call, 'Хочет скидку 😀')).toMatchObject({ verdict: 'retry' });
    valueOf(await session.addNote(remoteId, call, 'Хочет скидку 😀'));
    expect(crm.notes().filter(({ noteType }) => noteType === 'common')).toHaveLength(1);
    expect(crm.calls()[0]?.text).toContain('Хочет скидку 😀');
  });

  test('of a card that was deleted is gone', async () => {
    expect(await session.addNote('contacts/999/x', talked(), 'x')).toMatchObject({ verdict: 'gone' });
  });
});

describe('contacts', () => {
  test('are found by their number however it is written, with companies and the leads that are open', async () => {
    const { id } = crm.addContact({ name: 'Иван', numbers: ['8 (906) 219-50-47'], ownerId: anna });
    const company = crm.addContact({ name: 'Daisy', numbers: ['+7 906 2195047'], kind: 'company' });
    const lead = crm.addLead(id, 'Fence');
    crm.addLead(id, 'Old', { isWon: true });
    crm.addContact({ name: 'Other', numbers: ['+79062195048'] });
    expect(valueOf(await session.findContacts(numberOf('+79062195047')))).toMatchObject([
      { type: 'contacts', id, kind: 'contact', name: 'Иван', ownerId: anna, numbers: ['8 (906) 219-50-47'] },
      { type: 'companies', id: company.id, kind: 'company', ownerId: null },
      { type: 'leads', id: lead, kind: 'lead', name: 'Fence' },
    ]);
    expect(valueOf(await session.findContacts(numberOf('+15005550006')))).toEqual([]);
  });

  test('of a short number are those who have exactly that one', async () => {
    crm.addContact({ name: 'Long', numbers: ['+4930101'] });
    const { id } = crm.addContact({ name: 'Reception', numbers: ['101'] });
    const extension = { raw: '101', e164: null, national: null, digits: '101' };
    expect(valueOf(await session.findContacts(extension))).toMatchObject([{ id }]);
  });

  test('are listed page by page, and later only those that changed', async () => {
    for (let i = 0; i < 600; i++) crm.addContact({ name: `C${i}`, numbers: [`+4930${1_000_000 + i}`] });
    crm.addContact({ name: 'Daisy', numbers: ['+4930777'], kind: 'company' });
    const listAll = async (from: string | null): Promise<{ names: string[]; cursor: string }> => {
      const names: string[] = [];
      for (let cursor = from, turns = 0; ; turns++) {
        const page = valueOf(await session.listContacts(cursor));
        names.push(...page.contacts.map(({ name }) => name));
        cursor = page.cursor;
        if (page.isLast || turns > 20) return { names, cursor };
      }
    };
    const first = await listAll(null);
    expect(new Set(first.names).size).toBe(601);
    now += 60_000;
    crm.addContact({ name: 'New', numbers: ['+4930888'] });
    const later = await listAll(first.cursor);
    expect(later.names).toContain('New');
  });

  test.each(['lead', 'contact'] as const)('an unknown caller becomes one %s, whatever answer is lost', async (kind) => {
    const call = talked();
    const path = kind === 'lead' ? '/api/v4/leads/complex' : '/api/v4/contacts';
    crm.fail({ what: 'lost-answer', times: 1, matches: posted(path) });
    expect(await session.createObject(kind, call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    const made = valueOf(await session.createObject(kind, call));
    expect(crm.created()).toEqual([{ kind, id: made.id, numbers: ['+79062195047'] }]);
    expect(valueOf(await session.closeCall(null, { ...call, contact: made }))).toBe(
      `${made.type}/${made.id}/${call.id}`,
    );
  });

  test('a lead of a known contact is linked to it', async () => {
    const { id } = crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
    const lead = valueOf(await session.createObject('lead', talked()));
    expect(crm.sent('/api/v4/leads')).toMatchObject([[{ _embedded: { contacts: [{ id: Number(id) }] } }]]);
    expect(crm.calls()).toEqual([]);
    expect(lead.type).toBe('leads');
  });

  test('an unsorted call is made when it is over, and of incoming ones alone', async () => {
    expect(await session.createObject('unsorted', aCall())).toMatchObject({ verdict: 'retry' });
    expect(await session.createObject('unsorted', talked({ direction: 'outbound' }))).toMatchObject({
      verdict: 'rejected',
    });
    expect(crm.unsorted()).toEqual([]);
  });
});

test('users are listed over pages, without extensions', async () => {
  for (let i = 0; i < 300; i++) crm.addUser({ name: `User ${i}` });
  const users = valueOf(await session.listUsers());
  expect(users).toHaveLength(303);
  expect(users).toContainEqual({
    id: anna,
    name: 'Anna Smith',
    email: 'anna@example.com',
    extension: null,
    isActive: true,
  });
  crm.demote();
  expect(await session.listUsers()).toMatchObject({
    verdict: 'rejected',
    why: expect.stringContaining('administrator'),
  });
});

test('the notice of a call is shown to those who are rung', async () => {
  valueOf(await session.popScreen(aCall(), [anna, boris], null));
  expect(crm.pops()).toMatchObject([{ userIds: [anna, boris], number: '+79062195047' }]);
});

describe('a task', () => {
  const task = (userId: string) => ({
    subject: 'Call back',
    text: 'Missed at 10:20.',
    userId,
    dueAt: new Date('2026-03-07T11:20:30Z'),
  });

  test('is made once, whatever answer is lost, and belongs to the card', async () => {
    const call = missed(aCall({ contact: { type: 'contacts', id: '5' } }));
    crm.fail({ what: 'lost-answer', times: 1, matches: posted('/api/v4/tasks') });
    expect(await session.createTask(call, task(boris))).toMatchObject({ verdict: 'retry' });
    const id = valueOf(await session.createTask(call, task(boris)));
    expect(crm.tasks()).toMatchObject([
      { id, ownerId: boris, isOpen: true, subject: expect.stringMatching(/^Call back\n/) },
    ]);
    expect(crm.sent('/api/v4/tasks')).toContainEqual([
      expect.objectContaining({ complete_till: 1_772_882_430, entity_type: 'contacts', entity_id: 5 }),
    ]);
    expect(valueOf(await session.createTask(missed(aCall()), task(boris)))).not.toBe(id);
  });

  test('is closed with what came of it, and may be closed again', async () => {
    const id = valueOf(await session.createTask(missed(aCall()), task(boris)));
    valueOf(await session.closeTask(id, 'Anna called back.'));
    valueOf(await session.closeTask(id, 'Anna called back.'));
    expect(crm.tasks()).toMatchObject([{ isOpen: false }]);
    expect(crm.taskResult(id)).toBe('Anna called back.');
  });

  test('that was deleted is gone, and one for an unknown user is rejected', async () => {
    expect(await session.closeTask('999', 'x')).toMatchObject({ verdict: 'gone' });
    expect(await session.createTask(missed(aCall()), task('999'))).toMatchObject({ verdict: 'rejected' });
  });
});

describe('what goes wrong', () => {
  const json = (status: number) => ({
    title: 'Problem',
    type: `https://httpstatus.es/${status}`,
    status,
    detail: 'Details',
  });

  test.each([
    [400, 'rejected'],
    [402, 'credentials-refused'],
    [403, 'credentials-refused'],
    [404, 'gone'],
    [429, 'rate-limited'],
    [500, 'retry'],
    [503, 'retry'],
  ])('status %i is %s, in amoCRM’s words', async (status, verdict) => {
    crm.fail({ what: 'status', times: 1, status, json: json(status), matches: api });
    expect(await session.test()).toMatchObject({ verdict, why: `amoCRM answered ${status}: Problem; Details` });
  });

  test('the gate that keeps out who asks too often is no matter of credentials', async () => {
    crm.fail({ what: 'html', times: 1, status: 403, matches: api });
    expect(await session.test()).toMatchObject({ verdict: 'rate-limited', afterMs: 900_000 });
  });

  test('a proxy’s page, with a bad status or a good one, is tried again', async () => {
    for (const status of [502, 200]) {
      crm.fail({ what: 'html', times: 1, status, matches: api });
      expect(await session.test()).toMatchObject({ verdict: 'retry' });
    }
  });

  test.each([[{ _embedded: { calls: 'none' } }], [{ _embedded: { calls: [] } }], [null], [[]], ['text']])(
    'an answer like %j to a call is tried again',
    async (answer) => {
      crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
      crm.fail({ what: 'status', times: 1, status: 200, json: answer, matches: posted('/api/v4/calls') });
      expect(await session.closeCall(null, talked())).toMatchObject({ verdict: 'retry', mayBeDone: true });
    },
  );

  test('a token that expires in the middle is renewed with the refresh token that came last', async () => {
    crm.addContact({ name: 'Ivan', numbers: ['+79062195047'] });
    valueOf(await session.test());
    crm.expireTokens();
    valueOf(await session.test());
    crm.expireTokens();
    valueOf(await session.closeCall(null, talked()));
    expect(crm.calls()).toHaveLength(1);
    expect(crm.requests.filter(({ path }) => path === '/oauth2/access_token')).toHaveLength(3);
  });

  test('a refresh token that was used already means connecting it anew', async () => {
    valueOf(await session.test());
    const other = sessionWith(amocrm, crm.settings);
    expect(await other.session.test()).toMatchObject({ verdict: 'credentials-refused' });
    await other.close();
  });

  test('a long-lived token is enough, and a wrong one is refused', async () => {
    const other = await startSimulator({ limits: [], auth: 'long-lived' });
    const right = sessionWith(amocrm, other.settings);
    expect(await right.session.test()).toEqual({
      verdict: 'done',
      value: `Example Ltd (${String(other.settings['domain'])})`,
    });
    const wrong = sessionWith(amocrm, { ...other.settings, accessToken: 'wrong' });
    expect(await wrong.session.test()).toMatchObject({ verdict: 'credentials-refused' });
    await Promise.all([right.close(), wrong.close(), other.stop()]);
  });

  test('more than an account allows is refused as the vendor does it, and counted', async () => {
    const small = await startSimulator({
      auth: 'long-lived',
      limits: [{ kind: 'window', requests: 2, seconds: 3600 }],
    });
    const own = sessionWith(amocrm, small.settings);
    await own.session.test();
    await own.session.test();
    expect(await own.session.test()).toMatchObject({ verdict: 'rate-limited' });
    expect(small.violations).toBe(1);
    await Promise.all([own.close(), small.stop()]);
  });
});

describe('settings', () => {
  test('need a long-lived token, or all four of an integration', () => {
    const domain = 'https://example.amocrm.ru/';
    expect(amocrm.settings.safeParse({ domain }).success).toBe(false);
    expect(amocrm.settings.safeParse({ domain, clientId: 'a', clientSecret: 'b', refreshToken: 'c' }).success).toBe(
      false,
    );
    expect(amocrm.settings.safeParse({ domain: 'example.amocrm.ru', accessToken: 'x' }).success).toBe(false);
    const read = amocrm.settings.parse({ domain, accessToken: 'x' });
    expect(amocrm.baseUrl(read)).toBe('https://example.amocrm.ru');
  });

  test('without a secret of the widget there is no door', () => {
    const read = amocrm.settings.parse({ domain: 'https://example.kommo.com', accessToken: 'x' });
    expect(amocrm.capabilities(read).doors).toEqual([]);
    expect(amocrm.parseInbound!(aPost('{"event":"dial","secret":""}'), read)).toEqual({ kind: 'forged' });
  });
});

describe('the door', () => {
  const secret = 'secret-of-the-widget';
  const inbound = (body: unknown, headers: Record<string, string> = {}) =>
    amocrm.parseInbound!(
      aPost(typeof body === 'string' ? body : JSON.stringify(body), headers),
      amocrm.settings.parse(crm.settings),
    );
  const click = { event: 'dial', id: 'click-1', userId: 123, number: '+49301234567', entity: { type: 'leads', id: 7 } };

  test('takes a click that proves itself by a header or in the body', () => {
    const wish = {
      wish: 'dial',
      key: 'click-1',
      userId: '123',
      number: '+49301234567',
      entity: { type: 'leads', id: '7' },
      line: null,
      remoteCallId: null,
    };
    expect(inbound(click, { 'x-ringline-secret': secret })).toEqual({ kind: 'wished', wish });
    expect(inbound({ ...click, secret })).toEqual({ kind: 'wished', wish });
  });

  test('takes no click with a wrong secret or none', () => {
    expect(inbound(click)).toEqual({ kind: 'forged' });
    expect(inbound(click, { 'x-ringline-secret': 'guess' })).toEqual({ kind: 'forged' });
    expect(inbound({ ...click, secret: '' })).toEqual({ kind: 'forged' });
    expect(inbound({ ...click, secret }, { 'x-ringline-secret': 'guess' })).toEqual({ kind: 'forged' });
  });

  test('calls what it cannot read malformed, and ignores what it does not know', () => {
    const headers = { 'x-ringline-secret': secret };
    for (const body of [
      'not json',
      '[]',
      { ...click, userId: '' },
      { ...click, number: undefined },
      { ...click, entity: 'x' },
    ]) {
      expect(inbound(body, headers)).toMatchObject({ kind: 'malformed' });
    }
    expect(inbound({ event: 'hello' }, headers)).toEqual({ kind: 'ignored' });
    const settings = amocrm.settings.parse(crm.settings);
    expect(amocrm.parseInbound!({ ...aPost(''), method: 'GET' }, settings)).toMatchObject({ kind: 'malformed' });
  });
});
