import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrmSession } from '../../port/crm-adapter.js';
import type { CrmCall } from '../../port/crm-objects.js';
import { hmacSha256 } from '../../port/signature.js';
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
import { odoo } from './odoo.adapter.js';
import { startSimulator, type OdooSimulator, type OdooSimulatorOptions } from './simulator.test-support.js';

let crm: OdooSimulator;
let session: Required<CrmSession>;
let close: () => Promise<void>;
let anna: string;

async function connect(options: OdooSimulatorOptions = {}, settings: Record<string, unknown> = {}): Promise<void> {
  crm = await startSimulator(options);
  ({ session, close } = sessionWith(odoo, { ...crm.settings, ...settings }));
  anna = crm.addUser({ name: 'Anna', email: 'anna@example.com', extension: '101' });
}

async function disconnect(): Promise<void> {
  await close();
  await crm.stop();
}

const berlin = numberOf('+493090182055', '030 90182055');

function theCall() {
  expect(crm.calls()).toHaveLength(1);
  return crm.calls()[0] as ReturnType<OdooSimulator['calls']>[number];
}

const paths = (): readonly string[] => crm.requests.map(({ path }) => path);

describe('the version of Odoo', () => {
  afterEach(disconnect);

  it.each([14, 18])('%i is spoken to by JSON-RPC, logged in once', async (version) => {
    await connect({ version });
    valueOf(await session.openCall(aCall()));
    valueOf(await session.openCall(aCall()));
    expect(new Set(paths())).toEqual(new Set(['/jsonrpc']));
    // The version, the login, the fields; then to look for the call and to make it, twice.
    expect(paths()).toHaveLength(7);
  });

  it('19 is spoken to by JSON-2', async () => {
    await connect({ version: 19 });
    valueOf(await session.openCall(aCall()));
    expect(paths()).toEqual([
      '/jsonrpc',
      '/json/2/crm.phonecall/fields_get',
      '/json/2/crm.phonecall/search_read',
      '/json/2/crm.phonecall/create',
    ]);
  });

  it('without JSON-RPC is one with JSON-2', async () => {
    await connect({ version: 22 });
    valueOf(await session.openCall(aCall()));
    expect(paths().slice(0, 2)).toEqual(['/jsonrpc', '/web/version']);
    expect(paths().at(-1)).toBe('/json/2/crm.phonecall/create');
  });

  it('is none where the address is not Odoo’s, and that is not remembered', async () => {
    await connect({ version: 17 });
    crm.fail({ what: 'html', status: 404, times: 2 });
    expect(await session.openCall(aCall())).toMatchObject({ verdict: 'rejected' });
    valueOf(await session.openCall(aCall()));
  });

  it('of Odoo’s cloud has a word before its number', async () => {
    await connect({ version: 17 });
    const version = { server_version: 'saas~18.2+e', server_version_info: ['saas~18', 2, 0, 'final', 0, 'e'] };
    crm.fail({ what: 'status', status: 200, json: { jsonrpc: '2.0', id: 1, result: version }, times: 1 });
    valueOf(await session.openCall(aCall()));
    expect(new Set(paths())).toEqual(new Set(['/jsonrpc']));
  });

  it('is not asked for when it is set', async () => {
    await connect({ version: 19 }, { version: '19+', calls: 'chatter' });
    valueOf(await session.findContacts(berlin));
    expect(paths().every((path) => path.startsWith('/json/2/'))).toBe(true);
  });
});

describe('the credentials', () => {
  afterEach(disconnect);

  it.each([17, 19])('are somebody’s on Odoo %i', async (version) => {
    await connect({ version });
    expect(valueOf(await session.test())).toBe(`Ringline (example, ${String(crm.settings['url'])})`);
  });

  it('are refused by an answer that is false', async () => {
    await connect({ version: 17 }, { apiKey: 'wrong' });
    expect(await session.test()).toMatchObject({ verdict: 'credentials-refused' });
    expect(paths()).toHaveLength(2);
  });

  it('are refused by a status', async () => {
    await connect({ version: 19 }, { apiKey: 'wrong' });
    expect(await session.openCall(aCall())).toMatchObject({ verdict: 'credentials-refused' });
  });

  it('are refused when the key was revoked after the login', async () => {
    await connect({ version: 17 });
    valueOf(await session.test());
    crm.raise('odoo.exceptions.AccessDenied', 'Access Denied', 1);
    expect(await session.test()).toMatchObject({ verdict: 'credentials-refused' });
  });

  it('are refused for a database that is not there', async () => {
    await connect({ version: 17 }, { database: 'other' });
    expect(await session.test()).toMatchObject({
      verdict: 'credentials-refused',
      why: expect.stringContaining('"other" does not exist') as string,
    });
  });

  it('need a login for JSON-RPC', async () => {
    await connect({ version: 17 }, { login: null });
    expect(await session.test()).toMatchObject({
      verdict: 'credentials-refused',
      why: expect.stringContaining('login') as string,
    });
  });
});

describe.each([17, 19])('what Odoo %i says went wrong', (version) => {
  beforeEach(() => connect({ version }));
  afterEach(disconnect);

  it.each([
    ['odoo.exceptions.AccessError', 'You are not allowed', 'rejected'],
    ['odoo.exceptions.UserError', 'Not like this', 'rejected'],
    ['odoo.exceptions.ValidationError', 'Not like this', 'rejected'],
    ['odoo.exceptions.MissingError', 'Record does not exist', 'gone'],
    ['odoo.exceptions.AccessDenied', 'Access Denied', 'credentials-refused'],
    ['builtins.ValueError', "Invalid field 'x'", 'rejected'],
    ['psycopg2.errors.NotNullViolation', 'null value', 'rejected'],
    ['psycopg2.errors.SerializationFailure', 'could not serialize access due to concurrent update', 'retry'],
    ['psycopg2.pool.PoolError', 'The Connection Pool Is Full', 'retry'],
    ['builtins.MemoryError', '', 'retry'],
  ] as const)('%s (%s) is %s', async (exception, message, verdict) => {
    valueOf(await session.openCall(aCall()));
    crm.raise(exception, message, 1, 'create');
    const failed = await session.openCall(aCall());
    expect(failed.verdict).toBe(verdict);
    expect('why' in failed ? failed.why : '').toContain(message === '' ? exception : message);
    expect(crm.calls()).toHaveLength(1);
  });

  it('is told without Python’s traceback', async () => {
    crm.raise('builtins.ValueError', 'Wrong', 1);
    const failed = await session.listUsers();
    expect('why' in failed ? failed.why : '').not.toContain('Traceback');
  });
});

describe('a call with the add-on crm_phonecall', () => {
  beforeEach(() => connect());
  afterEach(disconnect);

  it('is open while it goes on and held afterwards, with its length in minutes', async () => {
    const contact = crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    const call = aCall({ userId: anna, contact, number: berlin });
    const id = valueOf(await session.openCall(call));
    expect(theCall()).toMatchObject({ id, externalId: call.id, isOpen: true, ownerId: anna, contactIds: [contact.id] });
    expect(valueOf(await session.closeCall(id, answeredBy(anna, call)))).toBe(id);
    expect(theCall()).toMatchObject({ isOpen: false, wasAnswered: true, seconds: 95, number: '+493090182055' });
    expect(crm.row('crm.phonecall', id)?.['duration']).toBeCloseTo(95 / 60, 10);
  });

  it('that nobody answered is cancelled, and has no length', async () => {
    const call = aCall({ userId: anna });
    const id = valueOf(await session.openCall(call));
    valueOf(await session.closeCall(id, missed(call)));
    expect(theCall()).toMatchObject({ isOpen: false, wasAnswered: false, seconds: 0 });
  });

  it('is there once when the answer was lost', async () => {
    const call = aCall({ userId: anna });
    valueOf(await session.findCall(call));
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ body }) => body.toString().includes('"create"') });
    expect(await session.openCall(call)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    const id = valueOf(await session.openCall(call));
    expect(theCall().id).toBe(id);
  });

  it('leaves title, state and owner alone that somebody chose once it is over', async () => {
    const boris = crm.addUser({ name: 'Boris' });
    const call = aCall({ userId: anna });
    const id = valueOf(await session.closeCall(null, answeredBy(anna, call)));
    crm.change('crm.phonecall', id, { name: 'Offer', state: 'pending', user_id: Number(boris) });
    crm.writeNote?.(id, 'Wants an offer');
    valueOf(await session.updateCall(id, { ...answeredBy(anna, call), note: 'From Ringline' }));
    expect(crm.row('crm.phonecall', id)).toMatchObject({ name: 'Offer', state: 'pending', user_id: Number(boris) });
    expect(theCall().text).toContain('Wants an offer');
    expect(theCall().text).toContain('» From Ringline');
  });

  it('belongs to a lead', async () => {
    const lead = crm.addContact({ name: 'Lena', numbers: ['+493090182055'], kind: 'lead' });
    const id = valueOf(await session.openCall(aCall({ contact: lead })));
    expect(crm.row('crm.phonecall', id)).toMatchObject({ opportunity_id: Number(lead.id) });
  });

  it('has its recording as one attachment, whatever other calls have of that name', async () => {
    const ids: string[] = [];
    for (const index of [1, 2]) {
      const call = answeredBy(anna, aCall());
      const id = valueOf(await session.closeCall(null, call));
      const recording = aRecording({ id: `recording-${index}`, url: null });
      valueOf(await session.attachRecording(id, call, recording));
      valueOf(await session.attachRecording(id, call, recording));
      ids.push(id);
    }
    expect(crm.rows('ir.attachment').map(({ res_model, res_id }) => [res_model, res_id])).toEqual([
      ['crm.phonecall', Number(ids[0])],
      ['crm.phonecall', Number(ids[1])],
    ]);
  });

  it('is removed with its recording, and removing it again is as good', async () => {
    const call = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, call));
    valueOf(await session.attachRecording(id, call, aRecording({ url: null })));
    valueOf(await session.removeCall(id));
    valueOf(await session.removeCall(id));
    expect(crm.calls()).toEqual([]);
    expect(crm.rows('ir.attachment')).toEqual([]);
  });

  it('that somebody removed is gone', async () => {
    const call = aCall();
    const id = valueOf(await session.openCall(call));
    crm.remove('crm.phonecall', id);
    expect(await session.updateCall(id, call)).toMatchObject({ verdict: 'gone' });
    expect(await session.attachRecording(id, call, aRecording())).toMatchObject({ verdict: 'gone' });
  });

  it('has further fields by the map; one that the model has not is told', async () => {
    const id = valueOf(await session.openCall(aCall({ fields: { partner_mobile: 'x', state: 'done' } })));
    expect(crm.row('crm.phonecall', id)).toMatchObject({ partner_mobile: 'x', state: 'open' });
    expect(await session.openCall(aCall({ fields: { x_unknown: 1 } }))).toMatchObject({
      verdict: 'rejected',
      why: expect.stringContaining('x_unknown') as string,
    });
  });
});

describe('a call with the add-on and no field of ours', () => {
  beforeEach(() => connect({ version: 14, hasIdField: false }));
  afterEach(disconnect);

  it('is found by our id in its description', async () => {
    const call = aCall({ userId: anna });
    const id = valueOf(await session.openCall(call));
    expect(theCall().externalId).toBe(call.id);
    expect(valueOf(await session.findCall(call))).toBe(id);
    expect(valueOf(await session.findCall(aCall()))).toBeNull();
  });
});

describe('a call without the add-on', () => {
  beforeEach(() => connect({ hasPhonecall: false }));
  afterEach(disconnect);

  const messages = () => crm.rows('mail.message');

  it('is one internal note in its contact’s chatter, written by whose it is, at the time of the call', async () => {
    const contact = crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    const call = aCall({ userId: anna, contact });
    const id = valueOf(await session.openCall(call));
    expect(theCall()).toMatchObject({ id, externalId: call.id, isOpen: true, ownerId: anna, contactIds: [contact.id] });
    valueOf(await session.closeCall(id, answeredBy(anna, call)));
    expect(theCall()).toMatchObject({ id, isOpen: false, startedAt: new Date('2026-03-07T10:20:30Z') });
    const note = crm.rows('mail.message.subtype').find(({ name }) => name === 'Note');
    expect(messages()).toHaveLength(1);
    expect(messages()[0]).toMatchObject({ is_internal: true, subtype_id: note?.id, model: 'res.partner' });
  });

  it('of nobody known is with the user’s own contact, and goes over to the contact with all that is in it', async () => {
    const call = aCall({ userId: anna });
    const id = valueOf(await session.openCall(call));
    crm.writeNote?.(id, 'Wants <b>an offer</b>');
    valueOf(await session.closeCall(id, answeredBy(anna, call)));
    valueOf(await session.attachRecording(id, call, aRecording({ url: null })));
    expect(theCall().contactIds).toEqual([]);
    const lead = valueOf(await session.createObject('lead', call));
    valueOf(await session.updateCall(id, { ...answeredBy(anna, call), contact: lead }));
    expect(theCall()).toMatchObject({ id, contactIds: [lead.id], recording: { bytes: 4 } });
    expect(messages()[0]?.['body']).toContain('<p>Wants <b>an offer</b></p>');
    expect(crm.rows('ir.attachment')).toMatchObject([{ res_model: 'mail.message', res_id: messages()[0]?.id }]);
    valueOf(await session.updateCall(id, { ...answeredBy(anna, call), contact: null }));
    expect(theCall().contactIds).toEqual([lead.id]);
  });

  it('is one again when moving it was cut off in between', async () => {
    const contact = crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    const call = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, call));
    valueOf(await session.attachRecording(id, call, aRecording({ url: null })));
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ body }) => body.toString().includes('"create"') });
    const moved: CrmCall = { ...call, contact };
    expect(await session.updateCall(id, moved)).toMatchObject({ verdict: 'retry', mayBeDone: true });
    expect(messages()).toHaveLength(2);
    valueOf(await session.updateCall(id, moved));
    expect(theCall()).toMatchObject({ id, contactIds: [contact.id], recording: { bytes: 4 } });
  });

  it('keeps what somebody wrote into it', async () => {
    const call = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, call));
    crm.writeNote?.(id, 'a &lt; b');
    valueOf(await session.updateCall(id, { ...call, note: '<i>Ours</i> & more' }));
    valueOf(await session.updateCall(id, { ...call, note: '<i>Ours</i> & more' }));
    const body = String(messages()[0]?.['body']);
    expect(body).toContain('<p>a &lt; b</p>');
    expect(body.split('» &lt;i&gt;Ours&lt;/i&gt; &amp; more')).toHaveLength(2);
  });

  it('has its recording by a link that can be clicked, once', async () => {
    const call = { ...answeredBy(anna, aCall()), recordingUrl: 'https://r.example/1.wav?a=1&b=2' };
    const id = valueOf(await session.closeCall(null, call));
    valueOf(await session.attachRecording(id, call, aRecording({ url: call.recordingUrl })));
    valueOf(await session.updateCall(id, call));
    const body = String(messages()[0]?.['body']);
    expect(body.match(/<a /g)).toHaveLength(1);
    expect(body).toContain('<a href="https://r.example/1.wav?a=1&amp;b=2">');
    expect(theCall().recording).toEqual({ url: call.recordingUrl });
  });

  it('is removed with its recording', async () => {
    const call = answeredBy(anna, aCall());
    const id = valueOf(await session.closeCall(null, call));
    valueOf(await session.attachRecording(id, call, aRecording({ url: null })));
    valueOf(await session.removeCall(id));
    valueOf(await session.removeCall(id));
    expect(crm.calls()).toEqual([]);
    expect(crm.rows('ir.attachment')).toEqual([]);
    expect(await session.updateCall(id, call)).toMatchObject({ verdict: 'gone' });
  });

  it('is not taken for one of the add-on that was there before', async () => {
    expect(await session.updateCall('12', aCall())).toMatchObject({ verdict: 'gone' });
  });
});

describe('the add-on', () => {
  afterEach(disconnect);

  it('that the settings demand and that is not there is told', async () => {
    await connect({ hasPhonecall: false }, { calls: 'phonecall' });
    expect(await session.openCall(aCall())).toMatchObject({ verdict: 'rejected' });
  });

  it('is left alone by the settings', async () => {
    await connect({}, { calls: 'chatter' });
    valueOf(await session.openCall(aCall()));
    expect(crm.rows('crm.phonecall')).toEqual([]);
    expect(theCall().isOpen).toBe(true);
  });

  it('is there though the user has no right to it: that is told, and no note is made', async () => {
    await connect({ lacks: ['crm.phonecall: create'] });
    expect(await session.openCall(aCall())).toMatchObject({
      verdict: 'rejected',
      why: expect.stringContaining('lacks a right') as string,
    });
    expect(crm.calls()).toEqual([]);
  });
});

describe.each([
  ['14', { version: 14 }],
  ['17, by Odoo’s own search', { version: 17 }],
  ['19, with one number', { version: 19 }],
] as const)('contacts of Odoo %s', (_name, options) => {
  beforeEach(() => connect(options));
  afterEach(disconnect);

  it.each(['+493090182055', '+49 30 901820-55', '0049 30 90182055', '030/901 820 55', '(030) 90182055'])(
    'are found by a number that is stored as %s',
    async (stored) => {
      const one = crm.addContact({ name: 'Carla', numbers: [stored], ownerId: anna });
      crm.addContact({ name: 'Nobody', numbers: ['+4930901820551'] });
      crm.addContact({ name: 'Nobody', numbers: ['+49 30 9018 2 0 5 6'] });
      const found = valueOf(await session.findContacts(berlin));
      expect(found).toMatchObject([{ type: 'res.partner', id: one.id, ownerId: anna, numbers: [stored] }]);
    },
  );

  it('are partners first, then leads, but no lead of one of those partners', async () => {
    const carla = crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    const lead = crm.addContact({ name: 'Lena', numbers: ['+493090182055'], kind: 'lead' });
    const hers = crm.addContact({ name: 'Offer', numbers: ['+493090182055'], kind: 'lead' });
    crm.change('crm.lead', hers.id, { partner_id: Number(carla.id) });
    const found = valueOf(await session.findContacts(berlin));
    expect(found.map(({ id, kind }) => [id, kind])).toEqual([
      [carla.id, 'contact'],
      [lead.id, 'lead'],
    ]);
  });
});

describe('contacts', () => {
  afterEach(disconnect);

  it('are found by their second number, though the sanitized one is the first', async () => {
    await connect({ version: 14 });
    const one = crm.addContact({ name: 'Carla', numbers: ['030 90182055', '+49 170 1234567'] });
    expect(crm.row('res.partner', one.id)).toMatchObject({ phone_sanitized: '+491701234567' });
    for (const number of [berlin, numberOf('+491701234567', '0170 1234567')]) {
      expect(valueOf(await session.findContacts(number)).map(({ id }) => id)).toEqual([one.id]);
    }
  });

  it.each([true, false])('with one number are told apart by a rule (add-on: %s)', async (hasPhonecall) => {
    let at = Date.parse('2026-03-07T10:00:00Z');
    await connect({ hasPhonecall, now: () => new Date((at += 1000)) });
    const numbers = ['+493090182055'];
    const branch = crm.addContact({ name: 'Branch', numbers, kind: 'company' });
    const main = crm.addContact({ name: 'Main company', numbers, kind: 'company' });
    crm.change('res.partner', branch.id, { parent_id: Number(main.id) });
    const early = crm.addContact({ name: 'Changed early', numbers });
    const late = crm.addContact({ name: 'Changed late', numbers });
    const order = async () => valueOf(await session.findContacts(berlin)).map(({ id }) => id);
    expect(await order()).toEqual([late.id, early.id, main.id, branch.id]);
    valueOf(await session.closeCall(null, answeredBy(anna, aCall({ contact: branch, number: berlin }))));
    expect(await order()).toEqual([branch.id, late.id, early.id, main.id]);
  });

  it('are not asked for without a number', async () => {
    await connect();
    expect(valueOf(await session.findContacts({ raw: '', e164: null, national: null, digits: '' }))).toEqual([]);
    expect(crm.requests).toEqual([]);
  });

  it('are partners alone where there is no CRM, which makes no leads either', async () => {
    await connect({ hasLeads: false });
    crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    expect(valueOf(await session.findContacts(berlin))).toHaveLength(1);
    expect(odoo.capabilities(odoo.settings.parse(crm.settings)).creates).toEqual(['contact']);
    const page = valueOf(await session.listContacts(null));
    expect(page.isLast).toBe(true);
  });

  it('are listed page by page, and later only those that changed', async () => {
    let at = Date.parse('2026-03-07T10:00:00Z');
    await connect({ now: () => new Date(at) });
    // All in one second, as a mass change makes them.
    for (let index = 0; index < 450; index++)
      crm.addContact({ name: `Contact ${index}`, numbers: [`+4930${1e6 + index}`] });
    crm.addContact({ name: 'Lead', numbers: [], kind: 'lead' });
    const read = async (from: string | null) => {
      const ids: string[] = [];
      for (let cursor = from; ;) {
        const page = valueOf(await session.listContacts(cursor));
        ids.push(...page.contacts.map(({ type, id }) => `${type} ${id}`));
        cursor = page.cursor;
        if (page.isLast) return { ids, cursor };
      }
    };
    const all = await read(null);
    // With the contacts of the users.
    expect(all.ids).toHaveLength(453);
    expect(new Set(all.ids).size).toBe(453);
    at += 3_600_000;
    const { id } = crm.addContact({ name: 'New', numbers: ['+493090182055'] });
    const later = await read(all.cursor);
    expect(later.ids).toContain(`res.partner ${id}`);
    const after = await read(later.cursor);
    expect(after.ids).toEqual([`res.partner ${id}`, ...after.ids.filter((one) => one.startsWith('crm.lead'))]);
  });

  it('are listed from the beginning by a cursor that is none', async () => {
    await connect();
    crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    expect(valueOf(await session.listContacts('{"broken')).contacts.map(({ name }) => name)).toContain('Carla');
  });
});

describe('what is made', () => {
  beforeEach(() => connect());
  afterEach(disconnect);

  it('of an unknown caller is a lead or a contact with the number, once', async () => {
    const call = aCall({ userId: anna, number: berlin });
    const lead = valueOf(await session.createObject('lead', call));
    expect(valueOf(await session.createObject('lead', call))).toEqual(lead);
    const contact = valueOf(await session.createObject('contact', call));
    expect(crm.created()).toEqual([
      { kind: 'lead', id: lead.id, numbers: ['+493090182055'] },
      { kind: 'contact', id: contact.id, numbers: ['+493090182055'] },
    ]);
    expect(crm.row('crm.lead', lead.id)).toMatchObject({ user_id: Number(anna), contact_name: '030 90182055' });
    expect(await session.createObject('unsorted', call)).toMatchObject({ verdict: 'rejected' });
  });

  const task = () => ({
    subject: 'Call back',
    text: 'Called <in> vain.',
    userId: anna,
    dueAt: new Date('2026-03-07T12:00:00Z'),
  });

  it('of a missed call is an activity of the kind call on the contact, done with a word', async () => {
    const contact = crm.addContact({ name: 'Carla', numbers: ['+493090182055'] });
    const call = aCall({ contact });
    valueOf(await session.findCall(call));
    crm.fail({ what: 'lost-answer', times: 1, matches: ({ body }) => body.toString().includes('"create"') });
    expect(await session.createTask(call, task())).toMatchObject({ verdict: 'retry', mayBeDone: true });
    const id = valueOf(await session.createTask(call, task()));
    expect(crm.tasks()).toEqual([{ id, ownerId: anna, subject: 'Call back', isOpen: true }]);
    const type = crm.rows('mail.activity.type').find(({ name }) => name === 'Call');
    expect(crm.row('mail.activity', id)).toMatchObject({
      res_model: 'res.partner',
      res_id: Number(contact.id),
      activity_type_id: type?.id,
      date_deadline: '2026-03-07',
      note: expect.stringContaining('Called &lt;in&gt; vain.') as string,
    });
    valueOf(await session.closeTask(id, 'Anna called back.'));
    expect(crm.tasks()).toEqual([]);
    expect(crm.rows('mail.message').map(({ body }) => body)).toEqual(['<p>Call back done: Anna called back.</p>']);
    valueOf(await session.closeTask(id, 'Anna called back.'));
  });

  it('of a missed call of nobody known is an activity on the user’s own contact', async () => {
    const id = valueOf(await session.createTask(aCall(), task()));
    const own = crm.row('res.users', crm.ownId)?.['partner_id'];
    expect(crm.row('mail.activity', id)).toMatchObject({ res_model: 'res.partner', res_id: own });
  });
});

describe('users', () => {
  beforeEach(() => connect());
  afterEach(disconnect);

  it('are listed with mail and extension, those who left as well, portal users not', async () => {
    const boris = crm.addUser({ name: 'Boris', email: 'boris@example.com' });
    crm.change('res.users', boris, { active: false });
    const portal = crm.addUser({ name: 'Customer' });
    crm.change('res.users', portal, { share: true });
    const users = valueOf(await session.listUsers());
    expect(users.filter(({ id }) => id !== String(crm.ownId))).toEqual([
      { id: anna, name: 'Anna', email: 'anna@example.com', extension: '101', isActive: true },
      { id: boris, name: 'Boris', email: 'boris@example.com', extension: null, isActive: false },
    ]);
  });

  it('are more than a page', async () => {
    for (let index = 0; index < 505; index++) crm.addUser({ name: `User ${index}` });
    expect(valueOf(await session.listUsers())).toHaveLength(507);
  });
});

describe('the door of Odoo', () => {
  const settings = odoo.settings.parse({
    url: 'https://odoo.example.com',
    database: 'example',
    apiKey: 'key',
    webhookToken: 'a-token-of-16-chars',
    clickSecret: 'x'.repeat(32),
  });
  const change = JSON.stringify({ _action: 'Tell Ringline(#12)', _id: 7, _model: 'res.partner' });
  const knock = (body: string, token: string) => odoo.parseInbound?.({ ...aPost(body), query: { token } }, settings);

  it('heeds an automation rule with the token', () => {
    const wish = { kind: 'wished', wish: { wish: 'contacts-changed', key: null } };
    expect(knock(change, 'a-token-of-16-chars')).toEqual(wish);
    expect(knock(change.replace('res.partner', 'crm.lead'), 'a-token-of-16-chars')).toEqual(wish);
  });

  it('is not opened by another token, or by none where none is set', () => {
    expect(knock(change, 'another-token-here')).toEqual({ kind: 'forged' });
    expect(odoo.parseInbound?.(aPost(change), settings)).toEqual({ kind: 'forged' });
    expect(
      odoo.parseInbound?.({ ...aPost(change), query: { token: '' } }, { ...settings, webhookToken: null }),
    ).toEqual({ kind: 'forged' });
  });

  it('needs a record, and heeds only contacts', () => {
    expect(knock(change.replace('res.partner', 'sale.order'), 'a-token-of-16-chars')).toEqual({ kind: 'ignored' });
    expect(knock('[]', 'a-token-of-16-chars')).toMatchObject({ kind: 'malformed' });
    expect(odoo.parseInbound?.({ ...aPost(''), method: 'GET' }, settings)).toMatchObject({ kind: 'malformed' });
  });

  it('heeds a click that is signed', () => {
    const body = JSON.stringify({
      id: 'click-0001',
      userId: 7,
      number: '030 90182055',
      entityType: 'res.partner',
      entityId: 12,
    });
    const signature = Buffer.from(hmacSha256('x'.repeat(32), new TextEncoder().encode(body))).toString('hex');
    expect(odoo.parseInbound?.(aPost(body, { 'x-ringline-signature': signature }), settings)).toMatchObject({
      kind: 'wished',
      wish: { wish: 'dial', userId: '7', entity: { type: 'res.partner', id: '12' } },
    });
    expect(odoo.parseInbound?.(aPost(`${body} `, { 'x-ringline-signature': signature }), settings)).toEqual({
      kind: 'forged',
    });
  });

  it('is declared only as far as there are secrets', () => {
    expect(odoo.capabilities(settings).doors).toEqual(['dial', 'contacts-changed']);
    expect(odoo.capabilities({ ...settings, clickSecret: null, webhookToken: null }).doors).toEqual([]);
  });
});
