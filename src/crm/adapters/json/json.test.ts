import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SimulatorServer, type SimulatedAnswer, type SimulatedRequest } from '../../../../lab/crm/simulator-server.js';
import {
  aCall,
  answeredBy,
  aPost,
  aRecording,
  numberOf,
  sessionWith,
  valueOf,
} from '../adapter-session.test-support.js';
import type { Verdict } from '../../port/verdict.js';
import { descriptionShape } from './description-shape.js';
import { filterNames } from './filters.js';
import { json } from './json.adapter.js';
import { namesOf } from './scopes.js';
import { startSimulator, suitecrmDescription, type SuitecrmSimulator } from './suitecrm-simulator.test-support.js';

type Json = Record<string, unknown>;

/** A CRM of forms and basic auth, which takes a call once and is asked for it by our id. */
function plain(changes: Json = {}): Json {
  return {
    version: 1,
    title: 'Plain',
    basePath: '/rest',
    auth: { kind: 'basic' },
    why: 'message',
    errors: [
      { at: 'failed', includes: 'busy', verdict: 'rate-limited' },
      { at: 'failed', verdict: 'rejected' },
    ],
    test: { request: { method: 'GET', path: '/me' }, account: '{{answer.name}}' },
    contacts: {
      find: [
        {
          request: {
            method: 'GET',
            path: '/people/{{number.digits}}',
            query: { q: '{{number.e164}}', also: ['{{number.national}}'] },
          },
          type: 'person',
          name: '{{item.name}}',
          numbers: ['{{item.phone}}'],
        },
      ],
    },
    call: {
      find: { request: { method: 'GET', path: '/calls', query: { key: '{{call.id}}' } }, id: '{{answer.0.id}}' },
      create: {
        requests: [
          {
            method: 'POST',
            path: '/calls',
            form: {
              key: '{{call.id}}',
              title: '{{call.subject}}',
              who: 'from {{call.from}} to {{call.to}}',
              ms: '{{call.talkSeconds|milliseconds}}',
              owner: '{{call.userId}}',
            },
          },
        ],
        id: '{{answer.id}}',
      },
    },
    ...changes,
  };
}

function problems(description: Json, more: Json = { user: 'u', password: 'p' }): string[] {
  const read = json.settings.safeParse({ url: 'https://crm.example', description, ...more });
  return read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('a description', () => {
  it('is taken when it is whole, and says what can be done', () => {
    expect(problems(plain())).toEqual([]);
    const settings = json.settings.parse({
      url: 'https://crm.example/',
      description: plain(),
      user: 'u',
      password: 'p',
    });
    expect(json.baseUrl(settings)).toBe('https://crm.example/rest');
    expect(json.capabilities(settings)).toMatchObject({
      live: false,
      updateAfterClose: false,
      idempotency: 'find',
      search: true,
      users: false,
      recording: 'none',
      note: 'none',
      creates: [],
      tasks: false,
      doors: [],
    });
  });

  it('that names what nobody knows is refused with what is known there', () => {
    const test = { request: { method: 'GET', path: '/me/{{call.id}}' }, account: '{{answer.name}}' };
    expect(problems(plain({ test }))).toEqual([
      'description.test.request.path: call.id is nothing that is known here; there is connection.url',
    ]);
  });

  it.each([
    ['{{call.subject|shout}}', /^there is no filter shout; there are map, time/],
    ['{{call.subject|cut}}', /^cut needs a count/],
    ['{{call.startedAt|time:never}}', /^time needs one of iso, sql/],
    ['{{call.state|map:words}}', /^there is no map words/],
    ['{{call.subject', /^braces are not closed/],
    ['{{}}', /names nothing/],
    ['{{call.constructor}}', /^call.constructor is nothing/],
    ['{{call.__proto__.x}}', /^call.__proto__.x is nothing/],
    ['{{process.env}}', /^process.env is nothing/],
    ['{{call.id + 1}}', /names nothing/],
  ])('with %s is refused in words', (template, words) => {
    const call = plain()['call'] as { create: object };
    const requests = [{ method: 'POST', path: '/calls', json: { a: [{ b: template }] } }];
    const [first = ''] = problems(plain({ call: { ...call, create: { requests, id: '{{answer.id}}' } } }));
    expect(first).toMatch(/^description\.call\.create\.requests\.0\.json\.a\.0\.b: /);
    expect(first.replace(/^[^:]*: /, '')).toMatch(words);
  });

  it.each([
    [{ path: 'calls' }, 'must begin with one slash'],
    [{ path: '//evil.example/calls' }, 'must begin with one slash'],
    [{ path: '/calls?x=1' }, 'have no ?'],
    [{ path: '/a/../b' }, 'must not have . or ..'],
    [{ headers: { authorization: 'x' } }, 'no header that may be set'],
    [{ headers: { 'x-a': 'b\r\nc: d' } }, 'must be printable ASCII'],
    [{ json: {}, form: {} }, 'more than one body'],
    [{ method: 'GET', json: {} }, 'is a GET and has a body'],
    [{ json: JSON.parse('{"__proto__":{"a":"b"}}') as unknown }, 'must not set __proto__'],
    [{ surprise: 1 }, 'surprise'],
  ])('with the request %j is refused', (changes, words) => {
    const call = plain()['call'] as object;
    const requests = [{ method: 'POST', path: '/calls', ...changes }];
    const all = problems(plain({ call: { ...call, create: { requests, id: '{{answer.id}}' } } }));
    expect(all.join('\n')).toContain(words);
  });

  it('that would make a call twice after a lost answer is refused', () => {
    const { find: _, ...call } = plain()['call'] as { find: object };
    expect(problems(plain({ call }))).toEqual([
      'description.call: would be there twice after a lost answer: it needs find, create.isUpsert, or an error with verdict exists',
    ]);
  });

  it('that would overwrite what somebody wrote into a call is refused', () => {
    const call = plain()['call'] as object;
    const update = { requests: [{ method: 'PUT', path: '/calls/{{remoteId}}', json: { text: '{{call.note}}' } }] };
    expect(problems(plain({ call: { ...call, update } }))).toEqual([expect.stringContaining('use {{text}}')]);
  });

  it('of more than 48 kB, or nested too deeply, is refused', () => {
    const maps = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [
        `m${at}`,
        Object.fromEntries(Array.from({ length: 20 }, (_one, i) => [`k${i}`, 'x'.repeat(100)])),
      ]),
    );
    expect(problems(plain({ maps })).join()).toContain('at most 48 kB');
    let deep: unknown = '{{call.id}}';
    for (let at = 0; at < 20; at++) deep = [deep];
    const call = plain()['call'] as object;
    const requests = [{ method: 'POST', path: '/calls', json: deep }];
    expect(problems(plain({ call: { ...call, create: { requests, id: '{{answer.id}}' } } })).join()).toContain(
      'nested deeper',
    );
  });

  it('has a JSON Schema that an admin is told', () => {
    const schema = z.toJSONSchema(json.settings, { io: 'input' });
    expect(schema.properties?.['description']).toMatchObject({
      required: ['version', 'title', 'auth', 'test', 'call'],
    });
  });

  it('is taken only with the secrets that its auth needs', () => {
    expect(problems(plain(), {})).toEqual([
      'user: is needed by the description’s auth',
      'password: is needed by the description’s auth',
    ]);
    expect(problems(plain({ auth: { kind: 'header', name: 'x-api-key', prefix: '' } }), {})).toEqual([
      'token: is needed by the description’s auth',
    ]);
  });
});

describe('a described CRM', () => {
  let seen: SimulatedRequest[] = [];
  let answers: SimulatedAnswer[] = [];
  let server: SimulatorServer;
  let close: () => Promise<void> = () => Promise.resolve();

  beforeEach(async () => {
    [seen, answers] = [[], []];
    server = await SimulatorServer.start({
      handle: (request) => {
        seen.push(request);
        return answers.shift() ?? { status: 200, json: [] };
      },
    });
  });
  afterEach(async () => {
    await close();
    await server.stop();
  });

  function open(description: Json = plain()) {
    const opened = sessionWith(json, { url: server.url, description, user: 'us:er', password: 'pä ss', token: 'tok' });
    close = opened.close;
    return opened.session;
  }

  it('gets values in their places: + and & in a query and a form, slashes in a path', async () => {
    const number = { raw: '', e164: '+49&x=1', national: '030/1', digits: '../49' };
    valueOf(await open().findContacts(number));
    expect(seen[0]?.path).toBe('/rest/people/..%2F49');
    expect([...(seen[0]?.query ?? [])]).toEqual([
      ['q', '+49&x=1'],
      ['also', '030/1'],
    ]);
    answers = [
      { status: 200, json: [] },
      { status: 200, json: { id: 5 } },
    ];
    const call = aCall({ subject: 'a=b&c\0 "d"', userId: null });
    expect(valueOf(await open().closeCall(null, call))).toBe('5');
    expect(seen.at(-1)?.form).toEqual({
      key: call.id,
      title: 'a=b&c "d"',
      who: 'from +79062195047 to +74951234567',
      ms: '0',
    });
  });

  it('is asked at no other address than its description says', async () => {
    for (const digits of ['.', '..']) {
      const verdict = await open().findContacts({ ...numberOf('+4930'), digits });
      expect(verdict).toMatchObject({ verdict: 'rejected' });
    }
    expect(seen).toEqual([]);
  });

  it('is asked with name and password, or with what its header wants', async () => {
    answers = [
      { status: 200, json: { name: 'Plain Ltd' } },
      { status: 200, json: { name: 'Plain Ltd' } },
    ];
    expect(valueOf(await open().test())).toBe('Plain Ltd');
    expect(seen[0]?.headers['authorization']).toBe(`Basic ${Buffer.from('us:er:pä ss').toString('base64')}`);
    await open(plain({ auth: { kind: 'header', name: 'x-key', prefix: 'K ' } })).test();
    expect(seen[1]?.headers['x-key']).toBe('K tok');
  });

  it('is believed when it says inside 200 what is wrong', async () => {
    answers = [
      { status: 200, json: { failed: 'too busy', message: 'Later' } },
      { status: 200, json: { failed: { code: 7 }, message: 'No <b>such</b> field' } },
      { status: 403, json: { failed: false, message: 'Not you' } },
      { status: 500, json: {} },
    ];
    const session = open();
    expect(await session.test()).toEqual({ verdict: 'rate-limited', why: 'It answered 200: Later' });
    expect(await session.test()).toEqual({ verdict: 'rejected', why: 'It answered 200: No such field' });
    expect(await session.test()).toEqual({ verdict: 'credentials-refused', why: 'It answered 403: Not you' });
    expect(await session.test()).toMatchObject({ verdict: 'retry', mayBeDone: true });
  });

  it('is asked again later when its answer is not what its description says', async () => {
    answers = [
      { status: 200, json: { nobody: true } },
      { status: 200, json: [{ id: {} }] },
    ];
    expect(await open().test()).toMatchObject({
      verdict: 'retry',
      why: expect.stringContaining('{{answer.name}}') as string,
    });
    expect(await open().findContacts(numberOf('+4930'))).toMatchObject({ verdict: 'retry' });
  });

  it('finds by an own property of its answer only', async () => {
    answers = [{ status: 200, json: {} }];
    const test = {
      request: { method: 'GET', path: '/me' },
      account: '{{answer.constructor.name}}{{answer.__proto__}}',
    };
    expect(await open(plain({ test })).test()).toMatchObject({ verdict: 'retry' });
  });

  it('is told of a call once that it has already', async () => {
    answers = [{ status: 200, json: [{ id: 'c1' }] }];
    expect(valueOf(await open().closeCall(null, aCall()))).toBe('c1');
    expect(seen).toHaveLength(1);
  });

  it('is given a recording as a part of a form', async () => {
    const requests = [
      {
        method: 'POST',
        path: '/calls/{{remoteId}}/sound',
        multipart: [
          { name: 'note', value: '{{recording.fileName}}' },
          { name: 'file', isRecording: true },
        ],
      },
    ];
    const session = open(plain({ recording: { upload: { requests } } }));
    valueOf(await session.attachRecording('c1', aCall(), aRecording({ url: null })));
    expect(seen[0]?.body.toString('latin1')).toContain('filename="call-0193f0aa.wav"');
    expect(seen[0]?.body.includes(Buffer.from([82, 73, 70, 70]))).toBe(true);
  });

  it('lists users page by page', async () => {
    const users = {
      request: { method: 'GET', path: '/users' },
      pages: { parameter: 'offset', first: 0, step: 2, size: 2 },
      name: '{{item.name}}',
      isActive: { value: '{{item.on}}', in: ['true'] },
    };
    answers = [
      {
        status: 200,
        json: [
          { id: 1, name: 'A', on: true },
          { id: 2, name: 'B', on: false },
        ],
      },
      { status: 200, json: [{ id: 3, name: 'C', on: true }] },
    ];
    const listed = valueOf(await open(plain({ users })).listUsers());
    expect(listed.map(({ id, isActive }) => [id, isActive])).toEqual([
      ['1', true],
      ['2', false],
      ['3', true],
    ]);
    expect(seen.map(({ query }) => query.get('offset'))).toEqual(['0', '2']);
  });

  it('opens its door to clicks that are signed, and to no other', () => {
    const clickSecret = '0123456789abcdef0123456789abcdef';
    const settings = json.settings.parse({
      url: 'https://crm.example',
      description: plain(),
      user: 'u',
      password: 'p',
      clickSecret,
    });
    expect(json.capabilities(settings).doors).toEqual(['dial']);
    expect(json.parseInbound?.(aPost('{}'), settings)).toEqual({ kind: 'forged' });
  });
});

describe('SuiteCRM, described', () => {
  let crm: SuitecrmSimulator;
  let opened: ReturnType<typeof sessionWith>;

  beforeEach(async () => {
    crm = await startSimulator();
    opened = sessionWith(json, crm.settings);
  });
  afterEach(async () => {
    await opened.close();
    await crm.stop();
  });

  it('finds whoever has the number, however it is written there', async () => {
    for (const written of ['+7 906 219-50-47', '8 (906) 219 50 47', '79062195047', '(906)219-5047']) {
      crm.addContact({ name: `Who has ${written}`, numbers: [written] });
    }
    crm.addContact({ name: 'Almost', numbers: ['+7 906 219-50-478'] });
    crm.addContact({ name: 'Between', numbers: ['+7 906 0219 50 47 1'] });
    crm.addContact({ name: 'A company', numbers: ['8 906 219-50-47'], kind: 'company' });
    const found = valueOf(await opened.session.findContacts(numberOf('+79062195047', '8 (906) 219-50-47')));
    expect(found.map(({ type }) => type).toSorted()).toEqual([
      'Accounts',
      'Contacts',
      'Contacts',
      'Contacts',
      'Contacts',
    ]);
    expect(found.find(({ name }) => name.startsWith('Who'))?.url).toMatch(/^http:.*&record=[\w-]+$/);
  });

  it('relates a call to the contact besides naming it as parent', async () => {
    const contact = crm.addContact({ name: 'Carla Chen', numbers: ['+79062195047'], kind: 'lead' });
    const id = valueOf(await opened.session.openCall(aCall({ contact })));
    expect(crm.requests.at(-1)?.path).toBe(`/Api/V8/module/Calls/${id}/relationships/leads`);
    expect(crm.record('Calls', id)).toMatchObject({ parent_type: 'Leads', parent_id: contact.id });
  });

  it('keeps a title, an owner and a parent that somebody chose after the end', async () => {
    const anna = crm.addUser({ name: 'Anna A' });
    const call = answeredBy(anna, aCall());
    const id = valueOf(await opened.session.closeCall(null, call));
    expect(crm.record('Calls', id)).toMatchObject({ status: 'Held', duration_hours: 0, duration_minutes: 2 });
    const chosen = { name: 'About the offer', parent_type: 'Opportunities', parent_id: 'o-1', assigned_user_id: '' };
    crm.change('Calls', id, chosen);
    valueOf(await opened.session.updateCall(id, { ...call, note: 'Wants a discount' }));
    expect(crm.record('Calls', id)).toMatchObject(chosen);
    expect(crm.record('Calls', id)?.['description']).toContain('Wants a discount');
  });

  it('has a call of an hour less a second as one of an hour', async () => {
    const call = { ...answeredBy(crm.addUser({ name: 'Anna A' }), aCall()), durationSeconds: 3_599 };
    const id = valueOf(await opened.session.closeCall(null, call));
    expect(crm.record('Calls', id)).toMatchObject({ duration_hours: 1, duration_minutes: 0 });
  });

  it('makes no call anew that somebody deleted there: its id stays taken', async () => {
    const call = answeredBy(crm.addUser({ name: 'Anna A' }), aCall());
    const id = valueOf(await opened.session.closeCall(null, call));
    crm.remove('Calls', id);
    expect(await opened.session.updateCall(id, call)).toMatchObject({ verdict: 'gone' });
    expect(await opened.session.closeCall(null, call)).toMatchObject({ verdict: 'gone' });
  });

  it('says that a field is wrong, and does not take that for nobody', async () => {
    const text = JSON.stringify(suitecrmDescription()).replaceAll('filter[phone_work]', 'filter[phone_wrok]');
    const wrong = sessionWith(json, { ...crm.settings, description: JSON.parse(text) as unknown });
    const verdict = await wrong.session.findContacts(numberOf('+79062195047'));
    await wrong.close();
    expect(verdict).toMatchObject({ verdict: 'rejected', why: expect.stringContaining('phone_wrok') as string });
  });

  it('makes a lead or a task once, also when its answer was lost', async () => {
    const anna = crm.addUser({ name: 'Anna A' });
    const call = aCall();
    const task = { subject: 'Call back', text: 'Missed.', userId: anna, dueAt: new Date('2026-03-07T11:00:00Z') };
    for (const give of [
      (): Promise<Verdict<unknown>> => opened.session.createObject('lead', call),
      (): Promise<Verdict<unknown>> => opened.session.createTask(call, task),
    ]) {
      crm.fail({
        what: 'lost-answer',
        times: 1,
        matches: ({ method, path }) => method === 'POST' && path === '/Api/V8/module',
      });
      expect(await give()).toMatchObject({ verdict: 'retry' });
      valueOf(await give());
    }
    expect(crm.created()).toHaveLength(1);
    expect(crm.tasks()).toHaveLength(1);
  });
});

describe('the README', () => {
  const text = readFileSync(new URL('README.md', import.meta.url), 'utf8');

  it('has a smallest description that is taken as it stands', () => {
    const [, example = ''] = /## The smallest description[^]*?```json\n([^]*?)```/.exec(text) ?? [];
    expect(problems(JSON.parse(example) as Json, { token: 'tok' })).toEqual([]);
  });

  it('tells every field of a description, every value of a call and every filter', () => {
    const ofCall = [...namesOf.call, ...namesOf.recording].map((name) =>
      name.replace(/^.*\./, '').replace('*', 'fields'),
    );
    const words = [
      ...Object.keys(descriptionShape.shape),
      ...Object.keys(descriptionShape.shape.call.shape),
      ...ofCall,
      ...filterNames,
    ];
    expect(words.length).toBeGreaterThan(60);
    expect(words.filter((word) => !new RegExp(`\\b${word}\\b`).test(text))).toEqual([]);
  });
});
