import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { celChannels } from '../../lab/cel.js';
import { disagreements, type Span } from '../../lab/record-oracle.js';
import { header, type SipCall } from '../../lab/sip-trace.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { keep, logOf, recordedStream, toKeep } from './kept-stream.js';
import { setScene, Stage, type Scene } from './outcome-scene.js';
import { outcomeRows, type ClickRow, type Expected, type IncomingRow, type OutcomeRow } from './outcome-table.js';

let scene: Scene;

beforeAll(async () => {
  scene = await setScene();
});
afterAll(() => scene?.stop());

// Where fixtures are wanted, no other rows are played.
const names = outcomeRows.map(fixtureName);
const unknown = toKeep.filter((name) => !names.includes(name));
if (unknown.length > 0) throw new Error(`No row has this name: ${unknown.join(', ')}. There are:\n${names.join('\n')}`);

const longestFirst = outcomeRows
  .map((row, index) => ({ row, index }))
  .filter(({ row }) => toKeep.length === 0 || toKeep.includes(fixtureName(row)))
  .toSorted((a, b) => (b.row.seconds ?? 0) - (a.row.seconds ?? 0));

describe.concurrent('how a call comes out, by docs/outcomes.md', () => {
  for (const { row, index } of longestFirst) {
    it(`${row.direction}: ${row.name}`, () => play(row, index), 180_000);
  }
});

async function play(row: OutcomeRow, index: number): Promise<void> {
  const stage = await Stage.set(scene, row, index);
  try {
    if (row.direction === 'incoming') await playIncoming(stage, row);
    else await playClick(stage, row);
  } catch (error) {
    const [call] = ((await stage.company.call('GET', '/v1/calls')).body as { items: Call[] }).items;
    console.error(`${row.direction}: ${row.name}\n${call === undefined ? 'no record' : await stage.story(call)}`);
    throw error;
  } finally {
    await stage.clear();
  }
}

async function playIncoming(stage: Stage, row: IncomingRow): Promise<void> {
  const earlier = row.setting === 'first-agent-talks' ? await talkAlready(stage) : null;
  const caller = await stage.call();
  if (row.expected === null) return leftAlone(stage, await caller.call(({ byeAt }) => byeAt !== undefined, 'the end'));
  if (row.apiHangsUp !== undefined) await hangUpByApi(stage, row.apiHangsUp);
  const record = await stage.recorded(
    ({ status, id }) => status === 'ended' && id !== earlier,
    'the end of the call in the record',
  );
  const [remote] = await caller.calls();
  await check(stage, row.expected, record, remote, undefined);
  expect(fellBack(await scene.lab.asterisk.cel(), record), 'the fall-back').toBe(row.expected.fallback === true);
  expect(record.remote.raw).toBe(row.caller?.from ?? stage.callerNumber);
  expect(record.to).toMatchObject({ raw: stage.did, e164: `+${stage.did}` });
  for (const phone of await agentCalls(stage)) {
    const shown = isMobile(stage, phone) ? stage.company.number : (record.from.e164 ?? record.from.raw);
    expect(phone.fromUser).toBe(shown);
    if (record.outcome === 'answered' && phone.cancelAt !== undefined)
      expect(reasonOfCancel(phone)).toMatch(/cause=200/);
  }
  if (earlier === null) return;
  expect(await stage.isOpen(earlier), 'the call that the agent was in goes on').toBe(true);
  await stage.hangUp(earlier);
  await stage.nothingLeft(await stage.recorded(({ id, status }) => id === earlier && status === 'ended', 'its end'));
}

async function playClick(stage: Stage, row: ClickRow): Promise<void> {
  const from = Date.now();
  const answer = await stage.click();
  const asked = { from, until: Date.now() };
  if ('refused' in row.expected) {
    const { refused, problem } = row.expected;
    expect(answer).toMatchObject({
      status: refused,
      body: { type: expect.stringMatching(new RegExp(`/${problem}$`)) },
    });
    expect((await stage.company.call('GET', '/v1/calls')).body.items).toEqual([]);
    expect(await agentCalls(stage), 'calls at the agent’s phones').toEqual([]);
    expect((await stage.carrier?.calls()) ?? [], 'calls at the customer’s').toEqual([]);
    return;
  }
  expect(answer.status).toBe(201);
  if (row.apiHangsUp !== undefined) await hangUpByApi(stage, row.apiHangsUp);
  const record = await stage.recorded(({ status }) => status === 'ended', 'the end of the call in the record', 90_000);
  const [remote] = await stage.customerCalls();
  await check(stage, row.expected, record, remote, asked);
  expect(record.remote.e164).toBe(stage.customerNumber);
  const agents = await agentCalls(stage);
  for (const agent of agents) {
    expect(agent.fromUser).toBe(isMobile(stage, agent) ? stage.company.number : stage.customerNumber);
    expect(headerOf(agent, 'Call-Info')).toBe(
      row.autoAnswer === 'call-info' ? '<sip:ringline>;answer-after=0' : undefined,
    );
    expect(headerOf(agent, 'Alert-Info') ?? '').toMatch(row.autoAnswer === 'alert-info' ? /alert-autoanswer/ : /^$/);
  }
  const answeredAt = agents
    .map((agent) => (isMobile(stage, agent) && agent.pressed?.key !== '1' ? undefined : agent))
    .map((agent) => agent?.pressed?.at ?? agent?.answeredAt)
    .find((at) => at !== undefined);
  const isCustomerFirst = row.direction === 'customer-first';
  expect(remote !== undefined, 'the customer was called').toBe(
    stage.carrier !== null && (isCustomerFirst || answeredAt !== undefined),
  );
  if (remote === undefined) return;
  if (!isCustomerFirst) expect(remote.inviteAt).toBeGreaterThan(answeredAt ?? Infinity);
  else for (const agent of agents) expect(agent.inviteAt).toBeGreaterThan(remote.answeredAt ?? Infinity);
  expect(remote.calledUser).toBe(stage.customerNumber);
  expect(remote.fromUser).toBe(stage.company.number);
}

/** What holds of every call that left a record. */
async function check(
  stage: Stage,
  expected: Expected,
  record: Call,
  remote: SipCall | undefined,
  asked: Span | undefined,
): Promise<void> {
  await stage.nothingLeft(record);
  const { row } = stage;
  const roles = record.participants.map(({ role }) => role);
  expect({
    outcome: record.outcome,
    reason: record.outcomeReason,
    by: record.hangup?.by,
    sip: record.hangup?.sip,
    roles: row.direction === 'incoming' && row.eitherWins ? roles.toSorted() : roles,
    estimated: record.estimated,
    direction: record.direction,
    control: record.control,
  }).toEqual({
    outcome: expected.outcome,
    reason: expected.reason,
    by: expected.by,
    sip: expected.sip,
    roles: expected.roles,
    estimated: false,
    direction: row.direction === 'incoming' ? 'inbound' : 'outbound',
    control: 'driven',
  });

  const events = await stage.events(record.id);
  expect(events.map(({ type }) => type)).toEqual(expected.events);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => i + 1));
  expect(events.map(({ data }) => data.call.version)).toEqual(events.map((_, i) => i + 1));
  expect(events.at(-1)?.data.call).toEqual((await stage.company.call('GET', `/v1/calls/${record.id}`)).body);

  const agents = await agentCalls(stage);
  const hungUpByApi = row.apiHangsUp !== undefined;
  const cel = await waitFor(
    async () => {
      const rows = await scene.lab.asterisk.cel();
      const legs = celChannels(rows.filter(({ uniqueId }) => record.legs.some(({ id }) => id === uniqueId)));
      return legs.every(({ endedAt }) => endedAt !== undefined) && rows;
    },
    { what: 'CEL to be whole' },
  );
  const isGuarded = row.mobile !== undefined && row.mobile.confirm !== 'none';
  const witnesses = {
    cel,
    remote,
    agents,
    hungUpByApi,
    ...(asked !== undefined && { asked }),
    ...(isGuarded && { guarded: stage.mobileNumber }),
  };
  expect(disagreements(record, witnesses)).toEqual([]);
  for (const phone of [...agents, ...(remote === undefined ? [] : [remote])])
    expect(attempts(phone), `INVITEs of ${phone.calledUser}`).toBe(1);
  const isBlocked = expected.outcome === 'blocked';
  const isNotReached = row.direction === 'customer-first' && remote?.answeredAt === undefined;
  expect(agents.length, 'phones that were called').toBe(
    isBlocked || isNotReached
      ? 0
      : row.agents.flat().filter(({ gone }) => gone !== true).length + (row.mobile === undefined ? 0 : 1),
  );
  if (isBlocked) expect({ status: remote?.finalStatus, q850: record.hangup?.q850 }).toEqual({ status: 403, q850: 21 });

  const { entries, replayed } = await recordedStream(scene.streams, record);
  expect(replayed.record, 'what the recorded stream folds to').toEqual(record);
  expect(
    replayed.events.map(({ call }) => call),
    'the events of the recorded stream',
  ).toEqual(events.map(({ data }) => data.call));
  if (toKeep.includes(fixtureName(row)))
    await keep(fixtureName(row), entries, replayed, await logOf(scene.lab.asterisk.celFile, record));
}

/** A row as a name of a file. */
function fixtureName({ direction, name }: OutcomeRow): string {
  return `${direction} ${name}`
    .replaceAll('’', '')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replace(/-$/, '')
    .toLowerCase();
}

/** What the agents' phones saw of this call. */
async function agentCalls(stage: Stage): Promise<SipCall[]> {
  return (await stage.agentCalls()).filter(({ fromUser }) => fromUser !== EARLIER_CALLER);
}

function isMobile({ mobileNumber }: Stage, { calledUser }: SipCall): boolean {
  return calledUser === mobileNumber;
}

async function hangUpByApi(stage: Stage, at: NonNullable<OutcomeRow['apiHangsUp']>): Promise<void> {
  const [agent] = stage.phones.flat();
  const patience = 30_000;
  if (at === 'agent-rings') await agent?.call(({ ringingAt }) => ringingAt !== undefined, 'the agent’s ring', patience);
  if (at === 'customer-called') await stage.carrier?.call(() => true, 'the customer’s INVITE', patience);
  if (at === 'customer-rings')
    await stage.carrier?.call(({ ringingAt }) => ringingAt !== undefined, 'the customer’s ring', patience);
  const wanted = { 'agent-rings': null, 'customer-called': null, 'customer-rings': 'ringing', talking: 'answered' }[at];
  const call = await stage.recorded(({ status }) => wanted === null || status === wanted, `a call that is ${at}`);
  if (at === 'talking') await stage.soundBothWays(call);
  await stage.hangUp(call.id);
}

const EARLIER_CALLER = '+493023125999';

/** Another caller whom the agent answers and who stays on the line. Gives the id of that call. */
async function talkAlready(stage: Stage): Promise<string> {
  await stage.call({ from: EARLIER_CALLER });
  const { id } = await stage.recorded(({ status }) => status === 'answered', 'the first call to be answered');
  return id;
}

async function leftAlone(stage: Stage, caller: SipCall): Promise<void> {
  expect(caller).toMatchObject({ finalStatus: 200, byeBy: 'us' });
  expect((await stage.company.call('GET', '/v1/calls')).body.items).toEqual([]);
  const { rows } = await scene.database.query('select 1 from call_event where document like $1', [`%${stage.did}"%`]);
  expect(rows).toEqual([]);
  await waitFor(
    async () =>
      celChannels(await scene.lab.asterisk.cel())
        .find(({ callerNumber }) => callerNumber === stage.callerNumber)
        ?.apps.includes('ringline-fallback Playback'),
    { what: 'the fall-back to take the caller' },
  );
}

function fellBack(cel: Parameters<typeof celChannels>[0], record: Call): boolean {
  const caller = record.legs.find(({ side }) => side === 'remote')?.id;
  return celChannels(cel.filter(({ uniqueId }) => uniqueId === caller)).some(({ apps }) =>
    apps.includes('ringline-fallback Playback'),
  );
}

/** Different INVITEs outside a dialog: a repeated one has the same branch. */
function attempts({ messages }: SipCall): number {
  const invites = messages.filter(
    (message) => message.firstLine.startsWith('INVITE ') && !/;\s*tag=/i.test(header(message, 'To') ?? ''),
  );
  return new Set(invites.map((message) => /branch=([^;\s]+)/.exec(header(message, 'Via') ?? '')?.[1])).size;
}

function headerOf({ messages }: SipCall, name: string): string | undefined {
  const invite = messages.find(({ firstLine }) => firstLine.startsWith('INVITE '));
  return invite && header(invite, name);
}

function reasonOfCancel({ messages }: SipCall): string | undefined {
  const cancel = messages.find(({ firstLine }) => firstLine.startsWith('CANCEL '));
  return cancel && header(cancel, 'Reason');
}
