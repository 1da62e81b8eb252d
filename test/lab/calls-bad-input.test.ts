import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { celCalls } from '../../lab/cel.js';
import { foundCompany, type Company } from '../../lab/company.js';
import type { FaultProxy } from '../../lab/fault-proxy.js';
import { startRingline, type Answer, type LabRingline, type RequestOptions } from '../../lab/ringline.js';
import type { Phone } from '../../lab/sipp.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { problems, type ProblemType } from '../../src/common/problems.js';
import { problemSchema } from '../../src/http/problem.schema.js';
import { FakeAri } from '../support/fake-ari.js';

let lab: Lab;
let ari: FaultProxy;
let ringline: LabRingline;
let company: Company;
let others: Company;
let phone: Phone;
let customer: Phone;
let fakes: FakeAri[] = [];
/** What requests may name. */
const known = {
  agentWithoutDevice: '',
  agentWithoutPhone: '',
  agentElsewhere: '',
  lineWithoutTrunk: '',
  lineElsewhere: '',
  nodeElsewhere: '',
  endedCall: '',
  othersCall: '',
};

beforeAll(async () => {
  lab = await startLab({ postgres: 'own', redis: 'own' });
  ari = await lab.proxy(lab.asterisk.ariUrl);
  ringline = await startRingline(lab);
  company = await foundCompany(lab, ringline, { agents: [1, 2], ariUrl: ari.url });
  others = await foundCompany(lab, ringline, { agents: [3], nodeId: company.nodeId, number: '+4930901821' });
  phone = await lab.sipp.phone({ register: ['agent1', 'agent3'], ringMs: 300, media: 'none' });
  customer = await lab.sipp.phone({ port: lab.ports.trunk, ringMs: 300, talkMs: 300, media: 'none' });
  known.agentWithoutPhone = company.agentIds[1] ?? '';
  known.nodeElsewhere = await addNode({ name: 'elsewhere', ariUrl: 'http://127.0.0.1:1/ari' });
  const make = async (path: string, body: unknown): Promise<string> =>
    (await company.call('POST', path, { body })).body.id as string;
  known.agentWithoutDevice = await make('/v1/agents', { name: 'No device' });
  known.agentElsewhere = await make('/v1/agents', {
    name: 'Elsewhere',
    devices: [{ kind: 'sip', pbxNodeId: known.nodeElsewhere, endpoint: 'agent9' }],
  });
  const line = { name: 'Line', target: { agentIds: company.agentIds } };
  known.lineWithoutTrunk = await make('/v1/lines', { ...line, pbxNodeId: company.nodeId, number: '+4930901822' });
  known.lineElsewhere = await make('/v1/lines', {
    ...line,
    pbxNodeId: known.nodeElsewhere,
    number: '+4930901823',
    outbound: { endpoint: 'trunk', format: 'plus-e164' },
  });
  known.endedCall = (await finishedCall(company, 'known')).id;
  known.othersCall = (await finishedCall(others, 'known')).id;
});
afterAll(async () => {
  await ringline?.stop();
  await Promise.all(fakes.map((fake) => fake.stop()));
  await lab?.stop();
});

async function addNode(changes: Readonly<Record<string, unknown>>): Promise<string> {
  const node = { ariUrl: lab.asterisk.ariUrl, username: 'ringline', password: 'secret', ...changes };
  const { status, body } = await ringline.call('POST', '/v1/pbx-nodes', { body: node });
  if (status !== 201) throw new Error(`the node was answered with ${status}: ${JSON.stringify(body)}`);
  return body.id as string;
}

/** A click whose every part can be another. */
function click(of: Company, key: string | null, body: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  return of.call('POST', '/v1/calls', {
    allow: true,
    ...(key !== null && { headers: { 'idempotency-key': key } }),
    body: { agentId: of.agentIds[0], to: '+4930111222', ...body },
  });
}

const isEnded = (of: Company, id: string, timeoutMs = 30_000) =>
  waitFor(
    async () => {
      const { status, body } = await of.call('GET', `/v1/calls/${id}`, { allow: true });
      return status === 200 && body.status === 'ended' ? body : null;
    },
    { what: 'the call to end', timeoutMs, everyMs: 100 },
  );

async function finishedCall(of: Company, key: string) {
  const placed = await click(of, key);
  expect([placed.status, placed.body]).toEqual([201, expect.anything()]);
  return isEnded(of, placed.body.id);
}

/** A click, tried until the node is there and the agent free again. */
const clickWorks = (key: string, timeoutMs = 30_000) => {
  let turn = 0;
  return waitFor(
    async () => {
      const answer = await click(company, `${key}-${turn++}`);
      return answer.status === 201 ? answer.body : null;
    },
    { what: 'a click to be taken', timeoutMs, everyMs: 250 },
  ).then(({ id }) => isEnded(company, id));
};

const problemOf = (answer: Answer) => ({
  status: answer.status,
  type: String(answer.body?.type).replace(/.*\//, ''),
});
const refusal = (type: ProblemType) => ({ status: problems[type].status, type });

type Row = {
  readonly name: string;
  readonly send: () => Promise<Answer>;
  readonly type: ProblemType;
  readonly field?: string;
};

let keys = 0;
const withBody = (body: () => Readonly<Record<string, unknown>>) => () => click(company, `bad-${keys++}`, body());
const to = (number: unknown) => withBody(() => ({ to: number }));
const withKey = (key: string | null) => () => click(company, key);
const request = (method: string, path: () => string, options?: RequestOptions) => () =>
  company.call(method, path(), { allow: true, ...options });
const absent = '01936c7e-8b2a-7000-8000-123456789012';

const table: readonly Row[] = [
  // Numbers
  { name: 'no number', send: to(''), type: 'invalid-number', field: 'to' },
  { name: 'a number of spaces', send: to('   '), type: 'invalid-number', field: 'to' },
  { name: 'letters', send: to('call me'), type: 'invalid-number', field: 'to' },
  { name: 'a number too short for its country', send: to('+49301'), type: 'invalid-number', field: 'to' },
  { name: 'a country code that is none', send: to('+999123456789'), type: 'invalid-number', field: 'to' },
  { name: 'a second device', send: to('+4930111222&PJSIP/agent1'), type: 'invalid-number', field: 'to' },
  { name: 'a function of the dial plan', send: to('${SHELL(id)}'), type: 'invalid-number', field: 'to' },
  { name: 'a number and a function', send: to('+4930111222${SHELL(id)}'), type: 'invalid-number', field: 'to' },
  { name: 'an endpoint of its own', send: to('Local/1@from-agents'), type: 'invalid-number', field: 'to' },
  { name: 'a trunk of its own', send: to('+4930111222@trunk2'), type: 'invalid-number', field: 'to' },
  { name: 'options of Dial', send: to('+4930111222,30,g'), type: 'invalid-number', field: 'to' },
  { name: 'a line break', send: to('+4930111222\r\nX-Evil: 1'), type: 'invalid-number', field: 'to' },
  { name: 'a list of numbers', send: to(['+4930111222']), type: 'invalid-request', field: 'to' },
  { name: 'a number as number', send: to(4_930_111_222), type: 'invalid-request', field: 'to' },
  { name: '300 digits', send: to('1'.repeat(300)), type: 'invalid-number', field: 'to' },
  { name: '301 characters', send: to('1'.repeat(301)), type: 'invalid-request', field: 'to' },
  { name: 'an emergency number', send: to('112'), type: 'number-blocked', field: 'to' },
  { name: 'an emergency number in disguise', send: to(' 1-1-0 '), type: 'number-blocked', field: 'to' },
  { name: 'a premium number', send: to('0900 3 123456'), type: 'number-blocked', field: 'to' },
  { name: 'a shared-cost number', send: to('0180 5 123456'), type: 'number-blocked', field: 'to' },
  { name: 'a number abroad', send: to('+33 1 42 68 53 00'), type: 'number-blocked', field: 'to' },
  { name: 'a satellite phone', send: to('+881612345678'), type: 'number-blocked', field: 'to' },
  { name: 'a short number', send: to('11833'), type: 'number-blocked', field: 'to' },

  // Who and through what
  { name: 'no agent', send: withBody(() => ({ agentId: undefined })), type: 'invalid-request', field: 'agentId' },
  {
    name: 'an agent’s name for its id',
    send: withBody(() => ({ agentId: 'Alice' })),
    type: 'invalid-request',
    field: 'agentId',
  },
  { name: 'an unknown agent', send: withBody(() => ({ agentId: absent })), type: 'not-found', field: 'agentId' },
  {
    name: 'an agent of another tenant',
    send: withBody(() => ({ agentId: others.agentIds[0] })),
    type: 'not-found',
    field: 'agentId',
  },
  {
    name: 'an agent without a device',
    send: withBody(() => ({ agentId: known.agentWithoutDevice })),
    type: 'agent-without-device',
    field: 'agentId',
  },
  {
    name: 'an agent whose phone is not registered',
    send: withBody(() => ({ agentId: known.agentWithoutPhone })),
    type: 'agent-unreachable',
    field: 'agentId',
  },
  {
    name: 'a line without a trunk',
    send: withBody(() => ({ lineId: known.lineWithoutTrunk })),
    type: 'line-without-trunk',
    field: 'lineId',
  },
  { name: 'an unknown line', send: withBody(() => ({ lineId: absent })), type: 'not-found', field: 'lineId' },
  {
    name: 'a line of another tenant',
    send: withBody(() => ({ lineId: others.lineId })),
    type: 'not-found',
    field: 'lineId',
  },
  {
    name: 'a line on another node than the phone',
    send: withBody(() => ({ lineId: known.lineElsewhere })),
    type: 'node-mismatch',
    field: 'lineId',
  },
  {
    name: 'a node that is not there',
    send: withBody(() => ({ agentId: known.agentElsewhere })),
    type: 'node-unavailable',
  },
  { name: 'an unknown field', send: withBody(() => ({ channelId: 'x' })), type: 'invalid-request', field: 'channelId' },
  {
    name: 'variables for the switch',
    send: withBody(() => ({ variables: { A: '1' } })),
    type: 'invalid-request',
    field: 'variables',
  },
  {
    name: 'an order that is neither of the two',
    send: withBody(() => ({ order: 'both' })),
    type: 'invalid-request',
    field: 'order',
  },
  { name: 'a tag of two lines', send: withBody(() => ({ tags: ['a\nb'] })), type: 'invalid-request', field: 'tags.0' },
  {
    name: '21 tags',
    send: withBody(() => ({ tags: Array.from({ length: 21 }, String) })),
    type: 'invalid-request',
    field: 'tags',
  },

  // Keys
  { name: 'no key', send: withKey(null), type: 'idempotency-key-required', field: 'Idempotency-Key' },
  { name: 'an empty key', send: withKey(''), type: 'idempotency-key-required', field: 'Idempotency-Key' },
  {
    name: 'a key of 256 characters',
    send: withKey('k'.repeat(256)),
    type: 'idempotency-key-required',
    field: 'Idempotency-Key',
  },
  {
    name: 'a key that cannot be printed',
    send: withKey('k\u00e9y'),
    type: 'idempotency-key-required',
    field: 'Idempotency-Key',
  },
  { name: 'a key with a tab', send: withKey('a\tb'), type: 'idempotency-key-required', field: 'Idempotency-Key' },
  {
    name: 'a key used for another number',
    send: () => click(company, 'known', { to: '+4930111223' }),
    type: 'idempotency-key-reused',
    field: 'Idempotency-Key',
  },
  {
    name: 'a key used with other tags',
    send: () => click(company, 'known', { tags: ['x'] }),
    type: 'idempotency-key-reused',
    field: 'Idempotency-Key',
  },

  // Calls
  {
    name: 'hanging up a call that ended',
    send: request('POST', () => `/v1/calls/${known.endedCall}/hangup`),
    type: 'call-ended',
  },
  { name: 'hanging up an unknown call', send: request('POST', () => `/v1/calls/${absent}/hangup`), type: 'not-found' },
  {
    name: 'hanging up a call of others',
    send: request('POST', () => `/v1/calls/${known.othersCall}/hangup`),
    type: 'not-found',
  },
  { name: 'an unknown call', send: request('GET', () => `/v1/calls/${absent}`), type: 'not-found' },
  { name: 'a call id that is none', send: request('GET', () => '/v1/calls/7'), type: 'invalid-request' },
  { name: 'a call of others', send: request('GET', () => `/v1/calls/${known.othersCall}`), type: 'not-found' },
  {
    name: 'the timeline of a call of others',
    send: request('GET', () => `/v1/calls/${known.othersCall}/timeline`),
    type: 'not-found',
  },
  {
    name: 'a note to a call of others',
    send: request('PATCH', () => `/v1/calls/${known.othersCall}`, { body: { note: 'x' } }),
    type: 'not-found',
  },
  {
    name: 'a note to an unknown call',
    send: request('PATCH', () => `/v1/calls/${absent}`, { body: { note: 'x' } }),
    type: 'not-found',
  },
  {
    name: 'a note that is too long',
    send: request('PATCH', () => `/v1/calls/${known.endedCall}`, { body: { note: 'x'.repeat(10_001) } }),
    type: 'invalid-request',
    field: 'note',
  },
  {
    name: 'a note with NUL',
    send: request('PATCH', () => `/v1/calls/${known.endedCall}`, { body: { note: 'a\u0000b' } }),
    type: 'invalid-request',
    field: 'note',
  },
  {
    name: 'a note with half a character',
    send: request('PATCH', () => `/v1/calls/${known.endedCall}`, { body: { note: '\ud800' } }),
    type: 'invalid-request',
    field: 'note',
  },
  {
    name: 'a note that is a number',
    send: request('PATCH', () => `/v1/calls/${known.endedCall}`, { body: { note: 7 } }),
    type: 'invalid-request',
    field: 'note',
  },
  {
    name: 'tags that are text',
    send: request('PATCH', () => `/v1/calls/${known.endedCall}`, { body: { tags: 'x' } }),
    type: 'invalid-request',
    field: 'tags',
  },
  {
    name: 'a changed outcome',
    send: request('PATCH', () => `/v1/calls/${known.endedCall}`, { body: { outcome: 'answered' } }),
    type: 'invalid-request',
    field: 'outcome',
  },
  {
    name: 'an unknown outcome to list',
    send: request('GET', () => '/v1/calls?outcome=great'),
    type: 'invalid-request',
    field: 'outcome',
  },
  {
    name: 'a time to list that is none',
    send: request('GET', () => '/v1/calls?from=yesterday'),
    type: 'invalid-request',
    field: 'from',
  },
  {
    name: 'a made-up cursor of calls',
    send: request('GET', () => '/v1/calls?cursor=abc'),
    type: 'invalid-request',
    field: 'cursor',
  },
  {
    name: 'NUL in a number to list',
    send: request('GET', () => '/v1/calls?number=%00'),
    type: 'invalid-request',
    field: 'number',
  },
];

describe('bad input about calls', () => {
  it.each(table)('$name: $type', async ({ send, type, field }) => {
    const answer = await send();
    expect({ ...problemOf(answer), field: answer.body?.field }).toEqual({
      ...refusal(type),
      field: field ?? answer.body?.field,
    });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(problemSchema.parse(answer.body).detail).toMatch(/\.$/);
  });

  it('stores nothing, rings nobody, and blocks nobody', async () => {
    const database = new pg.Client({ connectionString: ringline.databaseUrl });
    await database.connect();
    const { rows } = await database.query(
      'select (select count(*)::int from call_request) as requests, (select count(*)::int from call) as calls',
    );
    await database.end();
    expect(rows).toEqual([{ requests: 2, calls: 2 }]);
    expect((await phone.calls()).length + (await customer.calls()).length).toBe(4);
    await finishedCall(company, 'after the table');
    await phone.register();
  });

  it('several lines that could carry the call: one has to be named', async () => {
    const line = await company.call('POST', '/v1/lines', {
      body: {
        pbxNodeId: company.nodeId,
        number: '+4930901824',
        name: 'Second',
        target: { agentIds: company.agentIds },
        outbound: { endpoint: 'trunk', format: 'plus-e164' },
      },
    });
    expect(problemOf(await click(company, 'no line'))).toEqual(refusal('line-required'));
    await company.call('DELETE', `/v1/lines/${line.body.id}`);
    expect(
      problemOf(await click(company, 'elsewhere', { agentId: known.agentElsewhere, lineId: company.lineId })),
    ).toEqual(refusal('node-mismatch'));
  });
});

describe('a PBX node that does not work', () => {
  const health = async (id: string) => (await ringline.call('GET', `/v1/pbx-nodes/${id}/health`)).body;
  const isTold = (id: string, code: string) =>
    waitFor(
      async () => {
        const { status, warnings } = await health(id);
        return status === 'down' && (warnings as { code: string }[]).some((warning) => warning.code === code);
      },
      { what: `the health of the node to name ${code}`, timeoutMs: 30_000 },
    );

  it('is absent from the start: its health says so, and a click is refused at once', async () => {
    await isTold(known.nodeElsewhere, 'unreachable');
    const startedAt = performance.now();
    expect(problemOf(await click(company, 'absent', { agentId: known.agentElsewhere }))).toEqual(
      refusal('node-unavailable'),
    );
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  it('refuses the password', async () => {
    await isTold(await addNode({ name: 'wrong password', password: 'wrong' }), 'credentials-refused');
  });

  it('is too old, is no Asterisk, or lacks modules', async () => {
    const old = await FakeAri.start();
    const bare = await FakeAri.start();
    const web = await FakeAri.start();
    fakes = [old, bare, web];
    old.documents['/ari/asterisk/info'] = {
      system: { version: '13.38.3' },
      status: { startup_time: '2026-11-22T08:39:46.228+0000' },
    };
    bare.documents['/ari/asterisk/modules'] = [{ name: 'res_ari.so', status: 'Running' }];
    web.documents['/ari/asterisk/info'] = { hello: 'world' };
    const ids = await Promise.all(
      fakes.map((fake, i) => addNode({ name: `fake ${i}`, ariUrl: fake.ariUrl, password: fake.password })),
    );
    await isTold(ids[0] ?? '', 'asterisk-too-old');
    await isTold(ids[1] ?? '', 'modules-missing');
    await isTold(ids[2] ?? '', 'not-asterisk');
    expect((await health(ids[0] ?? '')).summary).toContain('13.38.3');
  });

  it('is lost: a click is refused within 3 s, and taken again once it is back', async () => {
    await ari.refuse();
    const startedAt = performance.now();
    expect(problemOf(await click(company, 'lost'))).toEqual(refusal('node-unavailable'));
    expect(performance.now() - startedAt).toBeLessThan(3_200);
    await isTold(company.nodeId, 'unreachable');
    await ari.accept();
    expect((await clickWorks('back')).outcome).toBe('answered');
  });

  it('falls silent: a click is refused within 3 s, also before the silence is noticed', async () => {
    ari.set({ blackHole: 'both' });
    const startedAt = performance.now();
    const answer = await click(company, 'silent');
    expect(problemOf(answer)).toEqual(refusal('node-unavailable'));
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(performance.now() - startedAt).toBeLessThan(3_200);
    await waitFor(async () => (await health(company.nodeId)).status === 'down', {
      what: 'the silence to be noticed',
      timeoutMs: 15_000,
    });
    ari.set();
    expect((await clickWorks('heard')).outcome).toBe('answered');
  });
});

describe('what Ringline needs', () => {
  it('PostgreSQL goes: clicks are refused by name, callers take the fall-back, and the call under way is recorded', async () => {
    const talking = await lab.sipp.caller({
      calls: [{ from: '+4930555001', to: company.did }],
      talkMs: 12_000,
      media: 'none',
    });
    await talking.call(({ answeredAt }) => answeredAt !== undefined, 'the agent to answer');
    await waitFor(async () => (await company.call('GET', '/v1/calls?status=answered')).body.items.length === 1, {
      what: 'the talk to be recorded',
    });
    await lab.postgres.stop('immediate');
    expect(problemOf(await click(company, 'no database'))).toEqual(refusal('database-unavailable'));
    const fallback = await lab.sipp.caller({
      calls: [{ from: '+4930555002', to: company.did }],
      giveUpMs: 20_000,
      media: 'none',
    });
    const answered = await fallback.call(
      ({ finalStatus }) => finalStatus !== undefined,
      'the fall-back to answer',
      20_000,
    );
    expect(answered.finalStatus).toBe(200);
    expect((answered.answeredAt ?? 0) - answered.inviteAt).toBeLessThan(10_500);
    await waitFor(
      async () =>
        celCalls(await lab.asterisk.cel()).some(({ channels }) =>
          channels.some(
            ({ callerNumber, apps }) =>
              callerNumber.endsWith('4930555002') && apps.includes('ringline-fallback Playback'),
          ),
        ),
      { what: 'CEL to name the fall-back' },
    );
    await talking.done;
    await lab.postgres.start();
    await ringline.ready();
    const { items } = await waitFor(
      async () => {
        const { status, body } = await company.call('GET', '/v1/calls?direction=inbound&status=ended', { allow: true });
        return status === 200 && body.items.some(({ from }: { from: { e164: string } }) => from.e164 === '+4930555001')
          ? body
          : null;
      },
      { what: 'the record of the talk', timeoutMs: 60_000 },
    );
    const record = items.find(({ from }: { from: { e164: string } }) => from.e164 === '+4930555001');
    expect(record.outcome).toBe('answered');
    expect((await clickWorks('database back', 60_000)).outcome).toBe('answered');
    expect((await ringline.call('GET', '/health/live')).status).toBe(200);
  });

  it('Redis goes: calls are placed and recorded as before', async () => {
    await lab.redis.kill();
    expect((await clickWorks('no redis')).outcome).toBe('answered');
    await lab.redis.start();
    expect((await clickWorks('redis again')).outcome).toBe('answered');
  });
});
