import { join } from 'node:path';
import { expect } from 'vitest';
import type { DeskPhone, PhoneCall } from '../../lab/baresip.js';
import { celTalks } from '../../lab/cel.js';
import { connected, foundCompany, type Company, type CompanyOptions } from '../../lab/company.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { storedEvents } from '../../lab/stored-events.js';
import { waitFor } from '../../lab/wait-for.js';
import type { Call } from '../../src/calls/domain/call.js';
import { keep, logOf, recordedStream, toKeep } from './kept-stream.js';

// What tests of transfers have in common: a customer who talks with the first agent, and the record against what was seen.

export let lab: Lab;
export let ringline: LabRingline;
let streams = '';
export let company: Company;
/** Phones of the company's agents: agent1, agent2, agent3. */
export let phones: DeskPhone[] = [];

/** A company whose line rings the first of three agents, and their phones. */
export async function setScene(options: CompanyOptions = {}): Promise<void> {
  lab = await startLab();
  streams = join(lab.dir, 'streams');
  ringline = await startRingline(lab, { env: { RECORD_ARI: streams } });
  company = await foundCompany(lab, ringline, { agents: [1, 2, 3], ...options });
  await aim(0);
  phones = await Promise.all([1, 2, 3].map((n) => lab.baresip.phone(`agent${n}`)));
}

export async function endScene(): Promise<void> {
  await ringline?.stop();
  await lab?.stop();
}

/** Lets the line ring one agent. */
export async function aim(agent: number): Promise<void> {
  const target = { agentIds: [company.agentIds[agent]], ringSeconds: 25 };
  await company.call('PATCH', `/v1/lines/${company.lineId}`, { body: { target } });
}

export async function restart(): Promise<void> {
  await ringline.kill();
  await ringline.start();
  await ringline.ready();
  await connected(ringline, company.nodeId);
}

export async function eventTypes(callId: string): Promise<readonly string[]> {
  return (await storedEvents(ringline.databaseUrl, callId)).map(({ type }) => type.replace('call.', ''));
}

let customers = 0;

/**
 * A customer who talks with the first agent.
 *
 * @param beforeAnswer What has to be so before he answers.
 */
export async function talk(beforeAnswer?: () => Promise<unknown>) {
  const customer = await lab.baresip.customer(`+49302312530${customers++}`);
  const outgoing = await customer.dial(company.did);
  const first = await phones[0]!.incoming();
  await beforeAnswer?.();
  await first.answer();
  const call = await waitFor(
    async () => (await company.call('GET', '/v1/calls?limit=1')).body.items.find(isAnswered) as Call | undefined,
    { what: 'the parties to talk' },
  );
  const { id } = call;
  const read = async (): Promise<Call> => (await company.call('GET', `/v1/calls/${id}`)).body as Call;
  return {
    id,
    customer: outgoing,
    first,
    read,
    post: (action: string, body?: unknown) =>
      company.call('POST', `/v1/calls/${id}/${action}`, { allow: true, ...(body !== undefined && { body }) }),
    status: (status: string) =>
      waitFor(async () => (await read()).status === status, { what: `the call to be ${status}`, timeoutMs: 20_000 }),
    timeline: async () =>
      ((await company.call('GET', `/v1/calls/${id}/timeline`)).body.items as { text: string }[]).map(
        ({ text }) => text,
      ),
    /** Whether sound goes to each of these legs, in about half a second. */
    sound: (isSo: (sent: (part: string) => number) => boolean, what: string) => sound(id, isSo, what),
    /** @param fixture Name under which its stream is kept when that is asked for; it has to fold to the record. */
    over: async (fixture?: string): Promise<Call> => {
      await waitFor(async () => (await read()).status === 'ended', { what: 'the record to end', timeoutMs: 20_000 });
      await nothingLeft(id);
      await customer.stop();
      const record = await read();
      if (fixture !== undefined) await compare(record, fixture);
      return record;
    },
  };
}

/** The first agent asks another on a second line, who answers, and puts the customer through to him. Gives the other's call. */
export async function passOnAsked({ first }: { readonly first: PhoneCall }, agent: number): Promise<PhoneCall> {
  const consultation = await phones[0]!.dial(`agent${agent + 1}`);
  const other = await phones[agent]!.incoming();
  await other.answer();
  await consultation.waitFor('established');
  await first.attendedTransfer(consultation);
  await first.waitFor('closed');
  return other;
}

async function compare(record: Call, fixture: string): Promise<void> {
  const { entries, replayed } = await recordedStream(streams, record);
  expect(replayed.record, 'what the recorded stream folds to').toEqual(record);
  if (!toKeep.includes(fixture)) return;
  await keep(fixture, entries, replayed, await logOf(lab.asterisk.celFile, record));
}

export function isAnswered({ status }: Call): boolean {
  return status === 'answered';
}

type AriChannel = { readonly id: string; readonly name: string };

export async function ari(path: string): Promise<unknown> {
  const { ariUrl, username, password } = lab.asterisk;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const response = await fetch(ariUrl + path, { headers: { authorization } });
  return response.ok ? response.json() : null;
}

export async function nothingLeft(callId: string): Promise<void> {
  await waitFor(
    async () => {
      const left = [...((await ari('/channels')) as AriChannel[]), ...((await ari('/bridges')) as AriChannel[])];
      return left.every(({ id }) => !id.startsWith(`rl-${callId}`));
    },
    { what: 'Asterisk to have nothing of the call', timeoutMs: 20_000 },
  );
}

/** Waits until Asterisk sends packets as is said, to the channels whose names contain a text. */
async function sound(callId: string, isSo: (sent: (part: string) => number) => boolean, what: string): Promise<void> {
  const read = async (): Promise<Map<string, number>> => {
    const { channels } = (await ari(`/bridges/rl-${callId}`)) as { channels: string[] };
    const all = ((await ari('/channels')) as AriChannel[]).filter(({ id }) => channels.includes(id));
    const counted = await Promise.all(
      all.map(async ({ id, name }) => {
        const statistics = (await ari(`/channels/${id}/rtp_statistics`)) as { txcount: number } | null;
        return [name, statistics?.txcount ?? 0] as const;
      }),
    );
    return new Map(counted);
  };
  let before = await read();
  await waitFor(
    async () => {
      const now = await read();
      const sent = (part: string): number => {
        const name = [...now.keys()].find((key) => key.includes(part));
        return name === undefined ? -1 : (now.get(name) ?? 0) - (before.get(name) ?? 0);
      };
      const holds = isSo(sent);
      before = now;
      return holds;
    },
    { what, timeoutMs: 20_000, everyMs: 1_000 },
  );
}

export function spanOf(call: PhoneCall): { readonly from: number; readonly until: number } {
  const at = (type: string): number => call.events.find((event) => event.type === type)?.at ?? Number.NaN;
  return { from: at('established'), until: at('closed') };
}

/** A phone's part in a call; `from` where it had the customer only from then on. */
type Turn = { readonly device: string; readonly call: PhoneCall; readonly from?: number };

/** The record against what the phones and Asterisk's log say of who called, and who was with him from when to when. */
export async function agrees(record: Call, customer: PhoneCall, turns: readonly Turn[]): Promise<void> {
  const near = (what: string, recorded: number, seen: number): void =>
    expect(Math.abs(recorded - seen), `${what}: ${recorded} and ${seen}`).toBeLessThan(1_000);
  expect(record.estimated).toBe(false);
  near('the end', Date.parse(record.endedAt ?? ''), spanOf(customer).until);
  near('the answer', Date.parse(record.answeredAt ?? ''), spanOf(customer).from);
  const talked = record.participants.filter(({ role }) => role === 'answered' || role === 'transferred');
  expect(talked.map(({ device }) => device)).toEqual(turns.map(({ device }) => device));
  expect(talked.reduce((sum, { talkSeconds }) => sum + talkSeconds, 0)).toBe(record.talkSeconds);
  const caller = record.legs.find(({ side }) => side === 'remote')?.id ?? '';
  const rows = await lab.asterisk.cel();
  const came = rows.find(({ event, uniqueId }) => event === 'CHAN_START' && uniqueId === caller);
  expect(record).toMatchObject({
    direction: 'inbound',
    from: { raw: came?.callerNumber },
    to: { raw: came?.exten },
    outcome: 'answered',
    outcomeReason: 'talked',
  });
  const cel = celTalks(rows).filter(({ uniqueIds }) => uniqueIds.includes(caller));
  const legs = record.legs.filter(({ side, answeredAt }) => side === 'agent' && answeredAt !== null);
  for (const [i, { device, call, from }] of turns.entries()) {
    const span = spanOf(call);
    const { talkSeconds = NaN, answeredAt, leftAt } = talked[i] ?? {};
    near(`the answer of ${device}`, Date.parse(answeredAt ?? ''), span.from);
    near(`the end of ${device}`, Date.parse(leftAt ?? ''), span.until);
    // Whole seconds that add up to those of the call: up to a second off for that, besides what all times may be.
    const talkMs = span.until - (from ?? span.from);
    expect(Math.abs(talkSeconds * 1_000 - talkMs), `the talk of ${device}: ${talkMs} ms`).toBeLessThan(2_000);
    const leg = legs.find((one) => one.device === device && one.answeredAt === answeredAt)?.id ?? '';
    const together = cel.find(({ uniqueIds }) => uniqueIds.includes(leg));
    near(`${device} in the room`, together?.from ?? NaN, span.from);
    near(`${device} out of the room`, together?.until ?? NaN, span.until);
  }
}

/** Whether Asterisk sends sound to a phone, whatever room that is in. */
export async function hears(part: string): Promise<void> {
  const count = async (): Promise<number> => {
    const channels = ((await ari('/channels')) as AriChannel[]).filter(({ name }) => name.startsWith(`PJSIP/${part}-`));
    const sent = channels.map(
      async ({ id }) => (await ari(`/channels/${id}/rtp_statistics`)) as { txcount: number } | null,
    );
    return Math.max(0, ...(await Promise.all(sent)).map((statistics) => statistics?.txcount ?? 0));
  };
  let before = await count();
  await waitFor(
    async () => {
      const now = await count();
      const more = now - before;
      before = now;
      return more > 25;
    },
    { what: `${part} to be sent sound`, timeoutMs: 20_000, everyMs: 1_000 },
  );
}

export const toAgent = (agent: number, more: object = {}) => ({ agentId: company.agentIds[agent], ...more });
export const refusedAs = (status: number, problem: string) => ({
  status,
  body: { type: expect.stringMatching(new RegExp(`/${problem}$`)) },
});
export const rolesOf = ({ participants }: Call) => participants.map(({ device, role }) => [device, role]);
export const both = (part: string) => (sent: (part: string) => number) => sent(part) > 25 && sent('trunk') > 25;
export const music = (sent: (part: string) => number) => sent('trunk') > 25 && sent('agent1') < 5;
export const DONE = ['started', 'ringing', 'answered', 'held', 'transferred', 'resumed', 'ended'];
/** Of a call that was on hold already: that somebody is sought for it shows by itself. */
export const DONE_AFTER_HOLD = ['started', 'ringing', 'answered', 'held', 'updated', 'transferred', 'resumed', 'ended'];
export const BACK = ['started', 'ringing', 'answered', 'held', 'resumed', 'ended'];
