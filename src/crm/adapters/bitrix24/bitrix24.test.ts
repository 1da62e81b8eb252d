import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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
import type { CrmSession } from '../../port/crm-adapter.js';
import type { CrmCall } from '../../port/crm-objects.js';
import type { DoorVerdict, DoorWish } from '../../port/door.js';
import { bitrix24 } from './bitrix24.adapter.js';
import { startSimulator, type Bitrix24Simulator } from './simulator.test-support.js';

let now: number;
let crm: Bitrix24Simulator;
let session: Required<CrmSession>;
let close: () => Promise<void>;
let anna: string;
let boris: string;

beforeEach(async () => {
  now = Date.parse('2026-03-07T10:21:00Z');
  crm = await startSimulator({ now: () => now, limits: [] });
  anna = crm.addUser({ name: 'Anna Smith', email: 'anna@example.com', extension: '101' });
  boris = crm.addUser({ name: 'Boris', extension: '102' });
  ({ session, close } = sessionWith(bitrix24, crm.settings));
});

afterEach(async () => {
  await close();
  await crm.stop();
});

const ringing = (changes: Partial<CrmCall> = {}): CrmCall =>
  aCall({ userId: anna, people: [{ userId: anna, name: 'Anna', part: 'rang', talkSeconds: 0 }], ...changes });

describe('what the Bitrix24 marketplace demands of a telephony application', () => {
  test('1. calls in both directions are registered, and Bitrix24 makes the lead of an unknown caller when told to', async () => {
    const own = sessionWith(bitrix24, { ...crm.settings, createLeads: true });
    await own.session.openCall(ringing());
    await own.session.openCall(ringing({ direction: 'outbound', number: numberOf('+442079460018') }));
    await own.close();
    expect(crm.calls()).toMatchObject([
      { direction: 'inbound', number: '+79062195047', isOpen: true },
      { direction: 'outbound', number: '+442079460018', isOpen: true },
    ]);
    expect(crm.created()).toMatchObject([
      { kind: 'lead', numbers: ['+79062195047'] },
      { kind: 'lead', numbers: ['+442079460018'] },
    ]);
  });

  test('2. a registered call names the line that it came in by, and the line is made known', async () => {
    valueOf(await session.openCall(ringing()));
    valueOf(await session.openCall(ringing()));
    expect(crm.sent('telephony.externalCall.register')).toMatchObject([
      { LINE_NUMBER: '+74951234567' },
      { LINE_NUMBER: '+74951234567' },
    ]);
    expect(crm.lines()).toEqual(['+74951234567']);
    expect(crm.sent('telephony.externalLine.add')).toHaveLength(1);
  });

  test('3. after a call in which somebody talked its recording is attached, as a link or as bytes', async () => {
    const call = answeredBy(anna, ringing());
    const id = valueOf(await session.closeCall(null, call));
    valueOf(await session.attachRecording(id, call, aRecording()));
    expect(crm.calls()[0]?.recording).toEqual({ url: 'https://ringline.example/v1/media/abc.wav' });
    valueOf(await session.attachRecording(id, call, aRecording({ url: null, fileName: 'call.WAV' })));
    expect(crm.calls()[0]?.recording).toEqual({ bytes: 4 });
  });

  test('4. a click on a number (OnExternalCallStart) is a wish to dial that names the call Bitrix24 has registered', async () => {
    const contact = crm.addContact({ name: 'John', numbers: ['+49 30 1234567'] });
    const verdict = await inbound((doorUrl) => crm.click!({ userId: anna, number: '+49301234567', doorUrl }));
    const id = crm.calls()[0]!.id;
    expect(verdict).toEqual({
      kind: 'wished',
      wish: {
        wish: 'dial',
        key: id,
        userId: anna,
        number: '+49301234567',
        entity: { type: contact.type, id: contact.id },
        line: null,
        remoteCallId: id,
      },
    });
    const call = answeredBy(anna, aCall({ direction: 'outbound', number: numberOf('+49301234567') }));
    expect(valueOf(await session.closeCall(id, call))).toBe(id);
    expect(crm.calls()).toMatchObject([{ id, isOpen: false, wasAnswered: true }]);
    expect(crm.sent('telephony.externalCall.register')).toEqual([]);
  });

  test('5. a call-back form (OnExternalCallBackStart) is a wish to be called', async () => {
    valueOf(await session.openCall(ringing()));
    const verdict = await inbound((doorUrl) =>
      crm.askForCallBack({ number: '+494951234567', text: 'A visitor asks to be called', doorUrl }),
    );
    expect(verdict).toMatchObject({
      kind: 'wished',
      wish: {
        wish: 'call-back',
        number: '+494951234567',
        text: 'A visitor asks to be called',
        entity: null,
        line: '+74951234567',
      },
    });
  });
});

describe('a call', () => {
  test('is registered with our id, both names of the user, an exact start and its contact', async () => {
    const call = ringing({ contact: { type: 'CONTACT', id: '797' } });
    valueOf(await session.openCall(call));
    expect(crm.sent('telephony.externalCall.register')).toEqual([
      {
        USER_ID: Number(anna),
        USER_PHONE_INNER: '101',
        PHONE_NUMBER: '+79062195047',
        TYPE: 2,
        CALL_START_DATE: '2026-03-07T10:20:30+00:00',
        CRM_CREATE: 0,
        CRM_ENTITY_TYPE: 'CONTACT',
        CRM_ENTITY_ID: 797,
        SHOW: 1,
        LINE_NUMBER: '+74951234567',
        EXTERNAL_CALL_ID: call.id,
      },
    ]);
  });

  test('that is opened twice is one call, also when somebody else has answered meanwhile', async () => {
    const call = ringing();
    const id = valueOf(await session.openCall(call));
    const people = [...call.people, { userId: boris, name: 'Boris', part: 'answered', talkSeconds: 1 } as const];
    expect(valueOf(await session.openCall({ ...call, status: 'talking', userId: boris, people }))).toBe(id);
    expect(crm.calls()).toHaveLength(1);
  });

  test('is one call when the answers to opening and closing it are lost', async () => {
    const call = ringing();
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ path }) => path.endsWith('register') });
    expect(await session.openCall(call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    const id = valueOf(await session.openCall(call));
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ path }) => path.endsWith('finish') });
    expect(await session.closeCall(id, answeredBy(anna, call))).toMatchObject({ verdict: 'retry', mayBeDone: true });
    expect(valueOf(await session.closeCall(id, answeredBy(anna, call)))).toBe(id);
    expect(crm.calls()).toHaveLength(1);
  });

  test('that was never opened is one call when it is closed again, hours after an answer was lost', async () => {
    const call = answeredBy(anna, ringing());
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ path }) => path.endsWith('finish') });
    expect(await session.closeCall(null, call)).toMatchObject({ verdict: 'retry' });
    now += 3 * 3_600_000;
    const id = valueOf(await session.closeCall(null, call));
    expect(crm.calls()).toMatchObject([{ id, externalId: call.id, isOpen: false }]);
  });

  test('is finished by who had it last, with its talk, its status and what it cost', async () => {
    const call = ringing();
    const id = valueOf(await session.openCall(call));
    const { people } = answeredBy(boris, call);
    const cost = { amount: 1.25, currency: 'EUR' };
    const ended = { ...answeredBy(boris, call), people: [...call.people, ...people], cost };
    valueOf(await session.closeCall(id, ended));
    expect(crm.calls()).toMatchObject([{ ownerId: boris, seconds: 95, wasAnswered: true, isOpen: false }]);
    expect(crm.finishedAs(id)).toMatchObject({ code: '200', cost: 1.25, currency: 'EUR' });
    expect(crm.sent('telephony.externalCall.finish')).toMatchObject([
      { USER_ID: Number(boris), USER_PHONE_INNER: '102' },
    ]);
  });

  test.each([
    ['missed', '304'],
    ['no-answer', '304'],
    ['voicemail', '304'],
    ['busy', '486'],
    ['rejected', '603'],
    ['cancelled', '603-S'],
    ['blocked', '423'],
    ['failed', '503'],
  ] as const)('that came out as %s is finished with %s, without talk', async (outcome, code) => {
    const call = { ...missed(ringing()), outcome, talkSeconds: 7, summary: 'Rang 20 s.' };
    const id = valueOf(await session.closeCall(null, call));
    expect(crm.finishedAs(id)).toMatchObject({ code, seconds: 0, reason: 'Rang 20 s.' });
  });

  test('that Bitrix24 has forgotten is gone', async () => {
    expect(await session.closeCall('externalCall.unknown', answeredBy(anna, ringing()))).toMatchObject({
      verdict: 'gone',
    });
  });

  test('of a caller without a number is kept under 0, and no lead is made of it', async () => {
    const own = sessionWith(bitrix24, { ...crm.settings, createLeads: true });
    const anonymous = { raw: 'anonymous', e164: null, national: null, digits: '' };
    valueOf(await own.session.closeCall(null, answeredBy(anna, ringing({ number: anonymous }))));
    await own.close();
    expect(crm.calls()).toMatchObject([{ number: '0', wasAnswered: true }]);
    expect(crm.created()).toEqual([]);
  });

  test('without a user is rejected before anything is asked', async () => {
    expect(await session.openCall(aCall())).toMatchObject({
      verdict: 'rejected',
      why: expect.stringContaining('user'),
    });
    expect(crm.requests).toEqual([]);
  });

  test('of a user who was dismissed is rejected', async () => {
    crm.disableUser(anna);
    expect(await session.openCall(ringing())).toEqual(
      expect.objectContaining({ verdict: 'rejected', why: 'Bitrix24: ERROR_CORE: User is not found or is not active' }),
    );
  });

  test('has no recording before it is finished: that is tried again', async () => {
    const call = ringing();
    const id = valueOf(await session.openCall(call));
    expect(await session.attachRecording(id, call, aRecording())).toMatchObject({ verdict: 'retry' });
  });
});

describe('the card of a call', () => {
  test('is shown on registering, and to the others who are rung', async () => {
    const call = ringing();
    const id = valueOf(await session.openCall(call));
    valueOf(await session.popScreen(call, [boris], id));
    expect(crm.cards(id)).toEqual([anna, boris]);
    expect(crm.pops().map(({ userIds }) => userIds)).toEqual([[anna], [boris]]);
  });

  test('is shown before the call is opened, which then is the same call', async () => {
    const call = ringing();
    valueOf(await session.popScreen(call, [anna, boris], null));
    const id = valueOf(await session.openCall(call));
    expect(crm.calls()).toHaveLength(1);
    expect(crm.cards(id)).toEqual([anna, boris]);
  });

  test('goes with the call: from who rang in vain, to whom it was transferred', async () => {
    const carol = crm.addUser({ name: 'Carol' });
    const call = ringing({
      people: [
        { userId: anna, name: 'Anna', part: 'answered', talkSeconds: 20 },
        { userId: boris, name: 'Boris', part: 'rang', talkSeconds: 0 },
        { userId: carol, name: 'Carol', part: 'answered', talkSeconds: 2 },
      ],
    });
    const id = valueOf(await session.openCall(call));
    valueOf(await session.popScreen(call, [boris], id));
    valueOf(await session.updateCall(id, { ...call, status: 'talking', userId: carol }));
    expect(crm.cards(id)).toEqual([anna, carol]);
  });

  test('of a call that Bitrix24 does not know is gone', async () => {
    expect(await session.popScreen(ringing(), [anna], 'externalCall.unknown')).toMatchObject({ verdict: 'gone' });
  });

  test('is not shown for a call that is over', async () => {
    valueOf(await session.openCall(answeredBy(anna, ringing())));
    expect(crm.pops()).toEqual([]);
  });
});

describe('a click that may not become a call', () => {
  const wish = (remoteCallId: string | null): Extract<DoorWish, { wish: 'dial' }> => ({
    wish: 'dial',
    key: null,
    userId: anna,
    number: '+49301234567',
    entity: null,
    line: null,
    remoteCallId,
  });
  const refusal = { kind: 'refused', problem: 'agent-busy', why: 'You have a call already.' } as const;

  test('is finished with a status and why, and its card is hidden', async () => {
    await inbound((doorUrl) => crm.click!({ userId: anna, number: '+49301234567', doorUrl }));
    const id = crm.calls()[0]!.id;
    expect(crm.cards(id)).toEqual([anna]);
    valueOf(await session.tellDialled(wish(id), refusal));
    expect(crm.finishedAs(id)).toMatchObject({ code: '486', reason: 'You have a call already.' });
    expect(crm.cards(id)).toEqual([]);
    expect(crm.clicksTold!()).toEqual([{ number: '+49301234567', ok: false, text: 'You have a call already.' }]);
    valueOf(await session.tellDialled(wish(id), refusal));
  });

  test('is left alone when it was placed', async () => {
    valueOf(await session.tellDialled(wish('externalCall.x'), { kind: 'placed', callId: 'c' }));
    expect(crm.requests).toEqual([]);
  });
});

describe('contacts', () => {
  test('are found by their number with kind, owner and address', async () => {
    const { id } = crm.addContact({ name: 'Иван Петров', numbers: ['8 (906) 219-50-47'], ownerId: boris });
    const lead = crm.addContact({ name: 'Lead', numbers: ['+79062195047'], kind: 'lead' });
    const found = valueOf(await session.findContacts(numberOf('+79062195047')));
    expect(found).toMatchObject([
      { type: 'CONTACT', id, kind: 'contact', name: 'Иван Петров', ownerId: boris },
      { type: 'LEAD', id: lead.id, kind: 'lead', ownerId: null },
    ]);
    expect(found[0]?.url).toBe(`${String(crm.settings['portal'])}/crm/contact/details/${id}/`);
    expect(valueOf(await session.findContacts(numberOf('+15005550006')))).toEqual([]);
  });

  test('are listed page by page, and later only those that changed', async () => {
    for (let i = 0; i < 120; i++) crm.addContact({ name: `C${i}`, numbers: [`+4930${1_000_000 + i}`] });
    crm.addContact({ name: 'Daisy LLC', numbers: ['+4930777'], kind: 'company' });
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
    expect(new Set(first.names).size).toBe(121);
    expect(first.names).toContain('Daisy LLC');
    now += 60_000;
    crm.addContact({ name: 'New', numbers: ['+4930888'] });
    const later = await listAll(first.cursor);
    expect(later.names).toContain('New');
  });

  test.each(['lead', 'contact'] as const)('an unknown caller becomes one %s, whatever answer is lost', async (kind) => {
    const call = ringing();
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ path }) => path.endsWith(`crm.${kind}.add`) });
    expect(await session.createObject(kind, call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    const made = valueOf(await session.createObject(kind, call));
    expect(crm.created()).toEqual([{ kind, id: made.id, numbers: ['+79062195047'] }]);
    expect(made.type).toBe(kind.toUpperCase());
  });

  test('cannot be made unsorted', async () => {
    expect(await session.createObject('unsorted', ringing())).toMatchObject({ verdict: 'rejected' });
  });
});

test('users are listed over pages, with e-mail, extension and whether they are still there', async () => {
  for (let i = 0; i < 60; i++) crm.addUser({ name: `User ${i}` });
  crm.disableUser(boris);
  const users = valueOf(await session.listUsers());
  expect(users).toHaveLength(63);
  expect(users).toContainEqual({
    id: anna,
    name: 'Anna Smith',
    email: 'anna@example.com',
    extension: '101',
    isActive: true,
  });
  expect(users).toContainEqual({ id: boris, name: 'Boris', email: null, extension: '102', isActive: false });
});

describe('a note', () => {
  test('stands once in the timeline of the contact, whatever answer is lost', async () => {
    const contact = crm.addContact({ name: 'John', numbers: ['+79062195047'] });
    const call = { ...answeredBy(anna, ringing()), contact };
    const id = valueOf(await session.closeCall(null, call));
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ path }) => path.endsWith('comment.add') });
    expect(await session.addNote(id, call, 'Хочет скидку 😀')).toMatchObject({ verdict: 'retry' });
    valueOf(await session.addNote(id, call, 'Хочет скидку 😀'));
    expect(crm.comments()).toMatchObject([{ entity: `contact:${contact.id}` }]);
    expect(crm.calls()[0]?.text).toContain('Хочет скидку 😀');
  });

  test('of a call whose contact Ringline did not know goes where Bitrix24 put the call', async () => {
    const lead = crm.addContact({ name: 'L', numbers: ['+79062195047'], kind: 'lead' });
    const call = answeredBy(anna, ringing());
    const id = valueOf(await session.closeCall(null, call));
    valueOf(await session.addNote(id, call, 'Called again'));
    expect(crm.comments()).toMatchObject([{ entity: `lead:${lead.id}` }]);
  });

  test('of a call that is nobody’s has no place', async () => {
    const call = answeredBy(anna, ringing());
    const id = valueOf(await session.closeCall(null, call));
    expect(await session.addNote(id, call, 'Whose?')).toEqual({ verdict: 'done', value: 'no-place' });
  });
});

describe('a task', () => {
  const task = (userId: string) => ({
    subject: 'Call back +79062195047',
    text: 'Missed at 10:20.',
    userId,
    dueAt: new Date('2026-03-07T11:20:30Z'),
  });

  test('is made once, whatever answer is lost, and bound to the contact', async () => {
    const call = missed(ringing({ contact: { type: 'CONTACT', id: '5' } }));
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ path }) => path.endsWith('task.add') });
    expect(await session.createTask(call, task(boris))).toMatchObject({ verdict: 'retry' });
    const id = valueOf(await session.createTask(call, task(boris)));
    expect(crm.tasks()).toEqual([{ id, ownerId: boris, subject: 'Call back +79062195047', isOpen: true }]);
    expect(crm.sent('tasks.task.add')).toMatchObject([
      { fields: { UF_CRM_TASK: ['C_5'], DEADLINE: '2026-03-07T11:20:30+00:00' } },
    ]);
    expect(valueOf(await session.createTask(missed(ringing()), task(boris)))).not.toBe(id);
  });

  test('is closed with what came of it, and may be closed again', async () => {
    const id = valueOf(await session.createTask(missed(ringing()), task(boris)));
    valueOf(await session.closeTask(id, 'Anna called back and talked 2 min.'));
    valueOf(await session.closeTask(id, 'Anna called back and talked 2 min.'));
    expect(crm.tasks()).toMatchObject([{ isOpen: false }]);
    expect(crm.sent('tasks.task.update')).toMatchObject([
      { fields: { DESCRIPTION: expect.stringContaining('Anna called back') } },
    ]);
  });

  test('that was deleted is gone, and one for an unknown user is rejected', async () => {
    expect(await session.closeTask('99999', 'x')).toMatchObject({ verdict: 'gone' });
    expect(await session.createTask(missed(ringing()), task('99999'))).toMatchObject({ verdict: 'rejected' });
  });
});

describe('what goes wrong', () => {
  const failWith = (status: number, error: string, error_description: string) =>
    crm.fail({
      what: 'status',
      times: 1,
      status,
      json: { error, error_description },
      matches: ({ path }) => path.startsWith('/rest/'),
    });

  test.each([
    [503, 'QUERY_LIMIT_EXCEEDED', 'Too many requests', 'rate-limited'],
    [429, 'OPERATION_TIME_LIMIT', 'Method is blocked due to operation time limit.', 'rate-limited'],
    [503, 'OVERLOAD_LIMIT', 'REST API is blocked due to overload', 'rate-limited'],
    [403, 'WRONG_AUTH_TYPE', 'Current authorization type is denied for this method', 'credentials-refused'],
    [403, 'ACCESS_DENIED', 'REST API is available only on commercial plans', 'credentials-refused'],
    [403, 'user_access_error', 'The user does not have access to the application', 'credentials-refused'],
    [500, 'PORTAL_DELETED', 'Portal was deleted', 'credentials-refused'],
    [403, 'insufficient_scope', 'The request requires higher privileges', 'rejected'],
    [403, 'INVALID_CREDENTIALS', 'Invalid request credentials', 'rejected'],
    [500, 'INTERNAL_SERVER_ERROR', 'Internal server error', 'retry'],
    [200, 'ERROR_CORE', 'Unexpected database error', 'retry'],
    [200, 'ERROR_CORE', 'Unknown TYPE', 'rejected'],
  ])('%i with %s (%s) is %s', async (status, code, text, verdict) => {
    failWith(status, code, text);
    expect(await session.test()).toMatchObject({
      verdict,
      why: `Bitrix24: ${code}: ${text}${code === 'insufficient_scope' ? ' Give the application this right, and install it again.' : ''}`,
    });
  });

  test('a limit is waited out as long as the answer says, if it does', async () => {
    const json = { error: 'OPERATION_TIME_LIMIT', error_description: 'Method is blocked.' };
    crm.fail({
      what: 'status',
      times: 1,
      status: 429,
      json,
      headers: { 'retry-after': '240' },
      matches: ({ path }) => path.startsWith('/rest/'),
    });
    expect(await session.test()).toMatchObject({ verdict: 'rate-limited', afterMs: 240_000 });
    crm.fail({ what: 'status', times: 1, status: 429, json, matches: ({ path }) => path.startsWith('/rest/') });
    expect(await session.test()).toMatchObject({ verdict: 'rate-limited', afterMs: 60_000 });
  });

  test('a proxy’s page, with a bad status or a good one, is tried again', async () => {
    crm.fail({ what: 'html', times: 1, status: 502, matches: ({ path }) => path.startsWith('/rest/') });
    expect(await session.test()).toMatchObject({ verdict: 'retry', mayBeDone: true });
    crm.fail({ what: 'html', times: 1, status: 200, matches: ({ path }) => path.startsWith('/rest/') });
    expect(await session.test()).toMatchObject({ verdict: 'retry' });
  });

  test.each([[{ result: 'nonsense' }], [{ result: null }], [{}], [[]], ['text']])(
    'an answer like %j is tried again',
    async (json) => {
      crm.fail({ what: 'status', times: 1, status: 200, json, matches: ({ path }) => path.endsWith('register') });
      expect(await session.openCall(ringing())).toMatchObject({ verdict: 'retry', mayBeDone: true });
    },
  );

  test('a token that expires in the middle is renewed, and nothing is done twice', async () => {
    const call = ringing();
    const id = valueOf(await session.openCall(call));
    crm.expireTokens();
    valueOf(await session.closeCall(id, answeredBy(anna, call)));
    expect(crm.calls()).toMatchObject([{ isOpen: false }]);
    expect(crm.requests.filter(({ path }) => path === '/oauth/token/')).toHaveLength(2);
  });

  test('a refresh token that is not good any more means connecting it anew', async () => {
    const other = sessionWith(bitrix24, { ...crm.settings, refreshToken: 'long-expired' });
    expect(await other.session.test()).toMatchObject({ verdict: 'credentials-refused' });
    await other.close();
  });

  test('more than the portal allows is refused as the vendor does it, and counted', async () => {
    const small = await startSimulator({ limits: [{ kind: 'bucket', capacity: 2, perSecond: 0.001 }] });
    const own = sessionWith(bitrix24, small.settings);
    await own.session.test();
    await own.session.test();
    expect(await own.session.test()).toEqual(
      expect.objectContaining({
        verdict: 'rate-limited',
        why: 'Bitrix24: QUERY_LIMIT_EXCEEDED: Too many requests',
        afterMs: 1000,
      }),
    );
    expect(small.violations).toBe(1);
    await own.close();
    await small.stop();
  });
});

describe('the door', () => {
  const settings = () => bitrix24.settings.parse(crm.settings);
  const event = (fields: Record<string, string>) => aPost(new URLSearchParams(fields).toString());
  const token = 'application-token-of-the-portal';

  test('takes no event whose application token is wrong or missing', () => {
    const start = { event: 'ONEXTERNALCALLSTART', 'data[USER_ID]': '1', 'data[PHONE_NUMBER]': '1' };
    expect(bitrix24.parseInbound!(event(start), settings())).toEqual({ kind: 'forged' });
    const wrong = { ...start, 'auth[application_token]': `${token}x` };
    expect(bitrix24.parseInbound!(event(wrong), settings())).toEqual({ kind: 'forged' });
  });

  test('ignores what it does not need, and tells of contacts that changed', () => {
    const known = { 'auth[application_token]': token };
    expect(bitrix24.parseInbound!(event({ ...known, event: 'ONAPPINSTALL' }), settings())).toEqual({ kind: 'ignored' });
    const changed = { ...known, event: 'ONCRMCONTACTUPDATE', 'data[FIELDS][ID]': '7', ts: '1773236988' };
    expect(bitrix24.parseInbound!(event(changed), settings())).toEqual({
      kind: 'wished',
      wish: { wish: 'contacts-changed', key: 'ONCRMCONTACTUPDATE:1773236988::7' },
    });
  });

  test('calls an event without a number or a user malformed, and what is no form', () => {
    const start = { 'auth[application_token]': token, event: 'OnExternalCallStart' };
    expect(bitrix24.parseInbound!(event(start), settings())).toMatchObject({ kind: 'malformed' });
    expect(bitrix24.parseInbound!(event({ ...start, 'data[PHONE_NUMBER]': '1' }), settings())).toMatchObject({
      kind: 'malformed',
    });
    expect(bitrix24.parseInbound!({ ...aPost(''), method: 'GET' }, settings())).toMatchObject({ kind: 'malformed' });
    expect(bitrix24.parseInbound!(aPost('{"event":"ONEXTERNALCALLSTART"}'), settings())).toEqual({ kind: 'forged' });
  });
});

/** What the adapter reads out of a request that the simulator sends. */
async function inbound(send: (doorUrl: string) => Promise<Response>): Promise<DoorVerdict> {
  const settings = bitrix24.settings.parse(crm.settings);
  let verdict: DoorVerdict = { kind: 'ignored' };
  const door = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = request.headers as Record<string, string>;
      const body = Buffer.concat(chunks);
      verdict = bitrix24.parseInbound!({ method: request.method ?? '', headers, query: {}, body }, settings);
      response.end();
    });
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  const { port } = door.address() as AddressInfo;
  try {
    await send(`http://127.0.0.1:${port}/`);
    return verdict;
  } finally {
    await new Promise((resolve) => door.close(resolve));
  }
}
