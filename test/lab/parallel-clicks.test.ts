import { Agent, request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { foundCompany, type Company } from '../../lab/company.js';
import { disagreements } from '../../lab/record-oracle.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import type { Phone } from '../../lab/sipp.js';
import { storedEvents } from '../../lab/stored-events.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';

let lab: Lab;
let ringline: LabRingline;
let company: Company;
let phone: Phone;

beforeAll(async () => {
  lab = await startLab();
  ringline = await startRingline(lab);
  company = await foundCompany(lab, ringline, { agents: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13] });
  phone = await lab.sipp.phone({
    register: Array.from({ length: 12 }, (_, i) => `agent${i + 1}`),
    ringMs: 'forever',
    media: 'none',
  });
});
afterEach(async () => {
  // What one test left open would count against the next.
  const { items } = (await company.call('GET', '/v1/calls?limit=200')).body as {
    items: { id: string; endedAt: string | null }[];
  };
  await Promise.all(items.filter(({ endedAt }) => endedAt === null).map(({ id }) => hangUp(id)));
});
afterAll(async () => {
  await browsers.destroy();
  await ringline?.stop();
  await lab?.stop();
});

type Clicked = {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  // eslint-disable-next-line typescript/no-explicit-any -- a test reads what it expects
  readonly body: any;
};

/** A hundred browsers' worth of connections; who finds none free waits. */
const browsers = new Agent({ connections: 100, connectTimeout: 60_000, headersTimeout: 120_000 });

async function click(agent: number, key: string): Promise<Clicked> {
  const send = () =>
    request(`${ringline.url}/v1/calls`, {
      dispatcher: browsers,
      method: 'POST',
      headers: {
        authorization: `Bearer ${ringline.apiKey}`,
        'ringline-tenant': company.tenantId,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ agentId: company.agentIds[agent - 1], to: '+4930111222' }),
    });
  // An idle connection may be closed in the moment in which it is used again; that is what the key is for.
  const { statusCode, headers, body } = await send().catch(send);
  return { status: statusCode, header: (name) => headers[name]?.toString(), body: await body.json() };
}

/** Answers counted by status and, for problems, their type. */
function tally(answers: readonly Clicked[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, body } of answers) {
    const name = status < 300 ? String(status) : `${status} ${String(body?.type).replace(/.*\//, '')}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((a, b) => a + b, 0);

/** INVITEs that began a call, as the agents' phones saw them: a repetition over UDP or in a dialog begins none. */
const invitesTo = async (agent: string): Promise<number> =>
  (await phone.calls()).filter(({ calledUser }) => calledUser === agent).length;

async function hangUp(id: string): Promise<void> {
  await company.call('POST', `/v1/calls/${id}/hangup`, { allow: true });
  await ended(id);
}

const ended = (id: string) =>
  waitFor(
    async () => {
      const { body } = await company.call('GET', `/v1/calls/${id}`);
      return body.status === 'ended' ? body : null;
    },
    { what: 'the call to end', timeoutMs: 30_000 },
  );

describe('one click, sent again and again', () => {
  it('200 times at once with one key is one call and one INVITE', async () => {
    const from = Date.now();
    const answers = await Promise.all(Array.from({ length: 200 }, () => click(1, 'one-key')));
    const asked = { from, until: Date.now() };
    const counts = tally(answers);
    expect(Object.keys(counts).filter((name) => !['201', '200', '409 request-in-progress'].includes(name))).toEqual([]);
    expect(counts['201']).toBe(1);
    const ids = new Set(answers.filter(({ status }) => status < 300).map(({ body }) => body.id));
    expect(ids.size).toBe(1);
    for (const { status, header } of answers) {
      expect(header('idempotency-replayed')).toBe(status === 200 ? 'true' : undefined);
    }
    const [id] = [...ids];
    await phone.call(({ calledUser }) => calledUser === 'agent1', 'the agent’s phone to ring');
    // And again, now that it rings, and once more when it is over.
    expect(tally(await Promise.all(Array.from({ length: 20 }, () => click(1, 'one-key'))))).toEqual({ 200: 20 });
    await hangUp(id);
    const late = await click(1, 'one-key');
    expect([late.status, late.body.id, late.body.status]).toEqual([200, id, 'ended']);
    expect(await invitesTo('agent1')).toBe(1);
    const [record, ...more] = (await company.call('GET', `/v1/calls?agentId=${company.agentIds[0]}`)).body
      .items as Call[];
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      id,
      direction: 'outbound',
      from: { e164: company.number },
      to: { e164: '+4930111222' },
      outcome: 'cancelled',
      outcomeReason: 'cancelled-by-api',
      participants: [{ agentId: company.agentIds[0], device: 'PJSIP/agent1', role: 'rang', talkSeconds: 0 }],
      estimated: false,
    });
    const agents = (await phone.calls()).filter(({ calledUser }) => calledUser === 'agent1');
    const seen = { cel: await lab.asterisk.cel(), remote: undefined, agents, asked, hungUpByApi: true };
    expect(disagreements(record as Call, seen)).toEqual([]);
    const types = (await storedEvents(ringline.databaseUrl, id)).map(({ type }) => type);
    expect(types).toEqual(['call.started', 'call.ended']);
  });

  it('50 times at once for an agent without a phone is refused each time, and never a failure of ours', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => click(13, 'unreachable')));
    const counts = tally(answers);
    expect(counts['409 agent-unreachable']).toBeGreaterThan(0);
    expect(Object.keys(counts).filter((name) => !name.startsWith('409 '))).toEqual([]);
    // Nothing is left that would block the agent, or the key.
    expect(tally([await click(13, 'unreachable'), await click(13, 'another')])).toEqual({ '409 agent-unreachable': 2 });
  });
});

describe('many clicks', () => {
  it('1,000 at once for one agent are one call and 999 named refusals, and the agent can be called again', async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, i) => click(2, `many-${i}`)));
    const counts = tally(answers);
    expect(counts['201'], JSON.stringify(counts)).toBe(1);
    expect(sum(counts)).toBe(1_000);
    expect(
      Object.keys(counts).filter((name) => !['201', '409 agent-busy', '429 too-many-calls'].includes(name)),
    ).toEqual([]);
    const placed = answers.find(({ status }) => status === 201);
    await phone.call(({ calledUser }) => calledUser === 'agent2', 'the agent’s phone to ring');
    await hangUp(placed?.body.id);
    expect(await invitesTo('agent2')).toBe(1);
    const again = await click(2, 'again');
    expect(again.status).toBe(201);
    await hangUp(again.body.id);
  });

  it('at once for twelve agents are as many calls as the tenant may have, the others wait', async () => {
    const agents = Array.from({ length: 12 }, (_, i) => i + 1);
    const answers = await Promise.all(agents.flatMap((n) => [1, 2, 3].map((i) => click(n, `limit-${n}-${i}`))));
    const counts = tally(answers);
    expect(counts['201'], JSON.stringify(counts)).toBe(10);
    expect(counts['429 too-many-calls']).toBeGreaterThanOrEqual(2);
    expect((counts['429 too-many-calls'] ?? 0) + (counts['409 agent-busy'] ?? 0)).toBe(26);
    for (const { status, header } of answers) {
      if (status === 429) expect(Number(header('retry-after'))).toBeGreaterThan(0);
    }
    const ids = answers.filter(({ status }) => status === 201).map(({ body }) => body.id as string);
    await Promise.all(ids.map(hangUp));
  });

  it('in an hour are no more than the tenant may place, though they come side by side', async () => {
    const placed = (await company.call('GET', '/v1/calls?limit=200')).body.items.length as number;
    await ringline.call('PATCH', `/v1/tenants/${company.tenantId}`, { body: { limits: { callsPerHour: placed + 3 } } });
    const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => click(i + 1, `hour-${i}`)));
    expect(tally(answers)).toEqual({ 201: 3, '429 too-many-calls': 7 });
    const refused = answers.find(({ status }) => status === 429);
    // Until the oldest of the hour is an hour old.
    expect(Number(refused?.header('retry-after'))).toBeGreaterThan(3_000);
    await Promise.all(answers.filter(({ status }) => status === 201).map(({ body }) => hangUp(body.id)));
  });
});
