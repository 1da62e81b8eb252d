import type { Call } from '../src/calls/domain/call.js';
import { celChannels, type CelChannel, type CelRow } from './cel.js';
import type { SipCall } from './sip-trace.js';

/** What others than Ringline saw of a call. */
export interface Witnesses {
  /** Asterisk's own log: rows of other calls do no harm. */
  readonly cel: readonly CelRow[];
  /** The outside party's phone: the caller's, or the customer's. Absent when no INVITE ever reached it. */
  readonly remote: SipCall | undefined;
  /** The phones of agents that this call rang. */
  readonly agents: readonly SipCall[];
  /** When a click-to-call was asked for, and when it was accepted, ms since 1970. */
  readonly asked?: Span;
  readonly hungUpByApi?: boolean;
  /** A number at which whoever answers is asked to press 1. */
  readonly guarded?: string;
}

/** How far a time may be from what a witness says, ms. */
const TOLERANCE_MS = 1_000;

export interface Span {
  readonly from: number;
  readonly until: number;
}

/**
 * Compares a record of a call that is over with what the phones and Asterisk's log tell. What comes back are sentences,
 * one for each disagreement; none means that the record is true.
 */
export function disagreements(record: Call, witnesses: Witnesses): string[] {
  const { remote, asked, guarded } = witnesses;
  const agents = witnesses.agents.map((call) => (call.calledUser === guarded ? byKey(call) : call));
  const said: string[] = [];
  const inbound = record.direction === 'inbound';
  const channels = channelsOf(record, witnesses.cel);
  const remoteChannel = channels.find(({ uniqueId }) => sideOf(record, uniqueId) === 'remote');
  const agentChannels = channels.filter(({ uniqueId }) => sideOf(record, uniqueId) === 'agent');
  const sipTalk = talkOfPhones(remote, agents);
  const celTalk = talkInRooms(record, witnesses.cel);

  const sameMoment = (what: string, recorded: string | null, witness: string, seen: number | undefined): void => {
    if (recorded === null && seen === undefined) return;
    const away = recorded === null || seen === undefined ? Infinity : Math.abs(Date.parse(recorded) - seen);
    if (away <= TOLERANCE_MS) return;
    said.push(`${what} is ${recorded ?? 'not recorded'}, by ${witness} it is ${instant(seen)}`);
  };
  const sameSeconds = (what: string, recorded: number, witness: string, ms: number): void => {
    if (Math.abs(recorded - Math.round(ms / 1000)) > TOLERANCE_MS / 1000)
      said.push(`${what} is ${recorded} s, by ${witness} it is ${(ms / 1000).toFixed(3)} s`);
  };

  const rang = inbound ? agents : remote === undefined ? [] : [remote];
  const ringingAt = least(rang.flatMap(({ ringingAt: ring, earlyMediaAt }) => [ring, earlyMediaAt]));
  const parties = [...(remote === undefined ? [] : [remote]), ...agents];
  const sipEnd = inbound ? endOf(remote) : most(parties.map(endOf));
  const celEnd = inbound ? remoteChannel?.endedAt : most(channels.map(({ endedAt }) => endedAt));
  const startedAt = inbound ? remote?.inviteAt : within(asked, Date.parse(record.startedAt));

  sameMoment('the start', record.startedAt, inbound ? 'the caller’s INVITE' : 'the request', startedAt);
  if (inbound) sameMoment('the start', record.startedAt, 'CEL', remoteChannel?.startedAt);
  sameMoment('the ring', record.ringingAt, 'the phones', ringingAt);
  sameMoment('the answer', record.answeredAt, 'the phones', sipTalk?.from);
  sameMoment('the answer', record.answeredAt, 'CEL', celTalk?.from);
  sameMoment('the end', record.endedAt, 'the phones', sipEnd);
  sameMoment('the end', record.endedAt, 'CEL', celEnd);
  sameSeconds('the talk', record.talkSeconds, 'the phones', lengthOf(sipTalk));
  sameSeconds('the talk', record.talkSeconds, 'CEL', lengthOf(celTalk));
  if (startedAt !== undefined && sipEnd !== undefined)
    sameSeconds('the duration', record.durationSeconds, 'the phones', sipEnd - startedAt);
  const waitedMs = ringingAt === undefined ? 0 : (sipTalk?.from ?? sipEnd ?? ringingAt) - ringingAt;
  sameSeconds('the wait', record.waitSeconds, 'the phones', waitedMs);

  if ((record.outcome === 'answered') !== (sipTalk !== undefined))
    said.push(`the outcome is ${record.outcome}, but the phones ${sipTalk === undefined ? 'did not talk' : 'talked'}`);
  const by = whoHungUp(record, { ...witnesses, agents }, sipTalk !== undefined, remoteChannel !== undefined);
  if (record.hangup?.by !== by) said.push(`the record says that ${record.hangup?.by} hung up, it was ${by}`);

  const legs = record.legs.map(({ id }) => id);
  for (const { uniqueId, name } of channelsByName(record, witnesses.cel))
    if (!legs.includes(uniqueId)) said.push(`the record does not know ${name} (${uniqueId})`);
  for (const leg of record.legs) {
    const channel = channels.find(({ uniqueId }) => uniqueId === leg.id);
    if (channel === undefined) {
      if (leg.answeredAt !== null || leg.ringingAt !== null) said.push(`CEL does not know the leg ${leg.id}`);
      continue;
    }
    sameMoment(`the end of ${leg.id}`, leg.endedAt, 'CEL', channel.endedAt);
    // CEL counts the fall-back's answer too; the record does not.
    const isAsked = guarded !== undefined && leg.device?.startsWith(`PJSIP/${guarded}@`) === true;
    if (!isAsked && (leg.side === 'agent' || sipTalk !== undefined))
      sameMoment(`the answer of ${leg.id}`, leg.answeredAt, 'CEL', channel.answeredAt);
    // CEL says 0 of a caller who hung up.
    if (leg.q850 !== null && Boolean(channel.cause) && leg.q850 !== channel.cause)
      said.push(`the cause of ${leg.id} is ${leg.q850}, by CEL it is ${channel.cause}`);
  }
  for (const { callId } of parties)
    if (!record.sipCallIds.includes(callId)) said.push(`the record does not know the SIP Call-ID ${callId}`);
  for (const participant of record.participants) {
    const phones = agents.filter(({ calledUser }) => `PJSIP/${calledUser}` === participant.device?.split('@')[0]);
    const ring = least(phones.map((phone) => phone.ringingAt));
    sameMoment(`the ring of ${participant.device}`, participant.ringingAt, 'the phone', ring);
    if (participant.role !== 'answered') continue;
    const answer = least(phones.map((phone) => phone.answeredAt));
    sameMoment(`the answer of ${participant.device}`, participant.answeredAt, 'the phone', answer);
    sameMoment(`the end of ${participant.device}`, participant.leftAt, 'the phone', most(phones.map(endOf)));
  }
  if (inbound && agentChannels.some(({ startedAt: made }) => made < (remoteChannel?.startedAt ?? 0)))
    said.push('an agent was rung before the caller came');
  return said;
}

/** Whoever is asked to press 1 answers by that, and declines by another key. */
function byKey(call: SipCall): SipCall {
  const { pressed } = call;
  if (call.answeredAt === undefined || pressed?.key === '1')
    return { ...call, answeredAt: call.answeredAt && pressed?.at };
  return { ...call, answeredAt: undefined, byeBy: pressed === undefined ? call.byeBy : 'us' };
}

/** Who ended the call, by who said BYE, CANCEL, or a refusal. */
function whoHungUp(
  record: Call,
  { remote, agents, hungUpByApi }: Witnesses,
  talked: boolean,
  wasDialled: boolean,
): string {
  if (hungUpByApi === true) return 'api';
  // A phone that declines ends nothing while others may ring or talk, nor an incoming call: the fall-back takes that.
  const agentsInCall = agents.filter(({ answeredAt }) =>
    answeredAt === undefined ? !talked && record.direction === 'outbound' : true,
  );
  if (remote !== undefined && leftByItself(remote)) {
    return agentsInCall.some((agent) => leftByItself(agent) && (endOf(agent) ?? 0) < (endOf(remote) ?? 0))
      ? 'agent'
      : 'remote';
  }
  if (agentsInCall.some(leftByItself)) return 'agent';
  // A trunk at whose address nobody listens ends a call as one does that refuses it: both give no answer.
  return remote === undefined && wasDialled ? 'remote' : 'system';
}

/** True when this phone's own person ended the call: hung up, gave up, or declined. */
function leftByItself(call: SipCall): boolean {
  const isCaller = call.messages.find(({ firstLine }) => firstLine.startsWith('INVITE '))?.direction === 'sent';
  if (call.byeAt !== undefined) return call.byeBy === 'us';
  if (call.cancelAt !== undefined) return isCaller;
  return !isCaller && call.finalStatus !== undefined && call.finalStatus >= 300;
}

function endOf(call: SipCall | undefined): number | undefined {
  return call?.byeAt ?? call?.cancelAt ?? (call?.answeredAt === undefined ? call?.finalAt : undefined);
}

/** When both sides’ phones had answered and none had hung up; the longest, where two agents answered. */
function talkOfPhones(remote: SipCall | undefined, agents: readonly SipCall[]): Span | undefined {
  if (remote?.answeredAt === undefined) return undefined;
  const { answeredAt, byeAt } = remote;
  return agents
    .flatMap((agent): Span[] => {
      if (agent.answeredAt === undefined) return [];
      const from = Math.max(answeredAt, agent.answeredAt);
      const until = Math.min(byeAt ?? Infinity, agent.byeAt ?? Infinity);
      return until >= from ? [{ from, until }] : [];
    })
    .toSorted((a, b) => lengthOf(b) - lengthOf(a))[0];
}

/** When both sides were in one bridge and had answered, by CEL. */
function talkInRooms(record: Call, rows: readonly CelRow[]): Span | undefined {
  const stays = record.legs.flatMap(({ id, side }) => {
    const own = rows.filter(({ uniqueId }) => uniqueId === id);
    const answeredAt = own.find(({ event }) => event === 'ANSWER')?.at;
    const enters = own.filter(({ event }) => event === 'BRIDGE_ENTER');
    if (answeredAt === undefined) return [];
    return enters.map((enter) => ({
      side,
      room: enter.extra['bridge_id'],
      from: Math.max(enter.at, answeredAt),
      until:
        own.find(
          (row) =>
            row.event === 'BRIDGE_EXIT' && row.at >= enter.at && row.extra['bridge_id'] === enter.extra['bridge_id'],
        )?.at ?? Infinity,
    }));
  });
  return stays
    .filter(({ side }) => side === 'remote')
    .flatMap((mine) =>
      stays
        .filter(({ side, room }) => side === 'agent' && room === mine.room)
        .map((theirs) => ({ from: Math.max(mine.from, theirs.from), until: Math.min(mine.until, theirs.until) })),
    )
    .filter(({ from, until }) => until >= from)
    .toSorted((a, b) => lengthOf(b) - lengthOf(a))[0];
}

function channelsOf(record: Call, rows: readonly CelRow[]): CelChannel[] {
  const legs = new Set(record.legs.map(({ id }) => id));
  return celChannels(rows.filter(({ uniqueId }) => legs.has(uniqueId)));
}

/** Channels that Ringline made for this call, whether the record knows them or not. */
function channelsByName(record: Call, rows: readonly CelRow[]): CelChannel[] {
  return celChannels(rows.filter(({ uniqueId }) => uniqueId.startsWith(`rl-${record.id}`)));
}

function sideOf(record: Call, leg: string): 'remote' | 'agent' | undefined {
  return record.legs.find(({ id }) => id === leg)?.side;
}

function lengthOf(span: Span | undefined): number {
  return span === undefined ? 0 : span.until - span.from;
}

/** The moment itself where it lies in the span, else the nearest end of that. */
function within(span: Span | undefined, at: number): number | undefined {
  return span && Math.min(Math.max(at, span.from), span.until);
}

function least(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function most(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function instant(at: number | undefined): string {
  return at === undefined || !Number.isFinite(at) ? 'nowhere' : new Date(at).toISOString();
}
