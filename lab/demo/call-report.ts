import type { Call } from '../../src/calls/domain/call.js';
import type { SipCall } from '../sip-trace.js';
import { waitFor } from '../wait-for.js';
import type { DemoWorld } from './demo-world.js';
import type { Findings } from './findings.js';
import type { Narrator } from './narrator.js';
import { RtpCounters, type RtpPackets } from './rtp-counters.js';
import type { ReceivedEvent } from './webhook-receiver.js';

/** What the command says of one call; the names are fixed for whoever reads it by program. */
export interface CallReport {
  readonly scenario: 'click-to-call' | 'incoming';
  readonly call: Call;
  readonly events: ReadonlyArray<{
    readonly type: string;
    readonly sequence: number;
    readonly signatureValid: boolean;
  }>;
  /** Smallest of all agents rung; null where no pop is due, as in a click-to-call. */
  readonly popBeforeInviteMs: number | null;
  readonly rtpPackets: { readonly fromAgent: number; readonly fromCustomer: number };
}

/** A moment of a call, from whoever saw it. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly who: string;
  readonly what: string;
}

const TALK_TOLERANCE_MS = 1_000;
const END_TIMEOUT_MS = 60_000;

/** Follows a call to its end by the API, and its recording until that can be heard, reading Asterisk's packet counters while both talk. */
export async function followToEnd(world: DemoWorld, callId: string): Promise<{ call: Call; packets: RtpPackets }> {
  const counters = new RtpCounters(world.lab.asterisk);
  const call = await waitFor(
    async () => {
      const record = (await world.company.call('GET', `/v1/calls/${callId}`)).body as Call;
      if (record.status === 'answered') await counters.read(record);
      const isOver =
        record.status === 'ended' &&
        record.legs.every(({ endedAt }) => endedAt !== null) &&
        record.recordings.every(({ state }) => state === 'ready' || state === 'failed');
      return isOver ? record : null;
    },
    { what: `the record of call ${callId} to end`, timeoutMs: END_TIMEOUT_MS, everyMs: 200 },
  );
  return { call, packets: counters.last };
}

/** All events up to the record's version. Settles also when some stay out: the checks name them. */
export async function eventsUpTo(world: DemoWorld, call: Call): Promise<readonly ReceivedEvent[]> {
  const { receiver } = world;
  await waitFor(() => receiver.eventsOf(call.id).some(({ event }) => event.sequence >= call.version), {
    what: 'the last webhook',
    timeoutMs: 20_000,
  }).catch(() => undefined);
  return receiver.eventsOf(call.id);
}

export function checkEvents(findings: Findings, call: Call, received: readonly ReceivedEvent[]): void {
  const sequences = received.map(({ event }) => event.sequence);
  const types = received.map(({ event }) => event.type);
  findings.check(
    sequences.length === call.version && sequences.every((sequence, index) => sequence === index + 1),
    `The webhooks came in sequence, from 1 to the record's version ${call.version}`,
    `came: ${sequences.join(', ') || 'none'}`,
  );
  findings.check(
    received.length > 0 && received.every(({ signatureValid }) => signatureValid),
    'Every webhook is signed so that the standardwebhooks package accepts it',
  );
  const milestones = types.filter((type) => type !== 'call.updated').map((type) => type.replace('call.', ''));
  const wanted = ['started', 'ringing', 'answered', 'ended', ...call.recordings.map(() => 'recording.ready')];
  findings.check(
    milestones.join() === wanted.join(),
    `The milestones ${wanted.join(', ')} were each told once, in that order`,
    types.join(', '),
  );
  const last = received.at(-1)?.event.data.call;
  findings.check(
    last?.version === call.version && last.outcome === call.outcome && last.talkSeconds === call.talkSeconds,
    'The last webhook holds the same record as the API',
  );
}

export function checkPackets(findings: Findings, { agent, customer }: RtpPackets): void {
  findings.check(
    agent.received > 0 && customer.received > 0 && agent.sent > 0 && customer.sent > 0,
    'Sound ran both ways, by the RTP counters of Asterisk',
    `agent ${agent.received} in and ${agent.sent} out, customer ${customer.received} in and ${customer.sent} out`,
  );
}

export function checkTalkTime(findings: Findings, call: Call, sip: SipCall): void {
  findings.check(
    sip.talkMs !== undefined && Math.abs(call.talkSeconds * 1000 - sip.talkMs) <= TALK_TOLERANCE_MS,
    "The record's talk time is SIPp's within one second",
    `record ${call.talkSeconds} s, SIPp ${sip.talkMs === undefined ? 'none' : (sip.talkMs / 1000).toFixed(2)} s`,
  );
}

/** One conversation is one record: the history has this call and no second one. */
export async function checkOneRecord(world: DemoWorld, findings: Findings, call: Call): Promise<void> {
  const { body } = await world.company.call('GET', `/v1/calls?from=${encodeURIComponent(call.startedAt)}`);
  const ids = (body.items as readonly Call[]).map(({ id }) => id);
  findings.check(ids.length === 1 && ids[0] === call.id, 'The history holds this conversation once', `${ids.length}`);
}

export function checkRecord(findings: Findings, claims: Readonly<Record<string, readonly [unknown, unknown]>>): void {
  const wrong = Object.entries(claims).filter(([, [seen, wanted]]) => JSON.stringify(seen) !== JSON.stringify(wanted));
  findings.check(
    wrong.length === 0,
    'The record is right',
    wrong.length === 0
      ? Object.keys(claims).join(', ')
      : wrong.map(([name, [seen, wanted]]) => `${name} is ${String(seen)}, not ${String(wanted)}`).join('; '),
  );
}

/** The moments of one phone in a call, in SIP's own words. */
export function momentsOfPhone(who: string, sip: SipCall | undefined): Moment[] {
  if (sip === undefined) return [];
  const moments: Array<readonly [number | undefined, string]> = [
    [sip.inviteAt, `INVITE, From ${sip.fromUser}`],
    [sip.ringingAt, '180 Ringing'],
    [sip.answeredAt, '200 OK, both sides send sound'],
    [sip.cancelAt, 'CANCEL: somebody else was faster'],
    [sip.byeAt, sip.byeBy === 'us' ? 'BYE, hung up here' : 'BYE'],
  ];
  return moments.flatMap(([at, what]) => (at === undefined ? [] : [{ at, who, what }]));
}

export function momentsOfEvents(received: readonly ReceivedEvent[]): Moment[] {
  return received.map(({ at, event, signatureValid }) => ({
    at,
    who: 'webhook',
    what: `${event.type}, sequence ${event.sequence}, signature ${signatureValid ? 'valid' : 'NOT VALID'}`,
  }));
}

export function tellMoments(narrator: Narrator, moments: readonly Moment[]): void {
  const sorted = moments.toSorted((one, other) => one.at - other.at);
  const first = sorted[0]?.at ?? 0;
  for (const { at, who, what } of sorted) {
    narrator.detail(`${`+${((at - first) / 1000).toFixed(3)}`.padStart(8)}  ${who.padEnd(16)} ${what}`);
  }
}

export function reportOf(
  scenario: CallReport['scenario'],
  call: Call,
  received: readonly ReceivedEvent[],
  packets: RtpPackets,
  popBeforeInviteMs: number | null,
): CallReport {
  return {
    scenario,
    call,
    events: received.map(({ event: { type, sequence }, signatureValid }) => ({ type, sequence, signatureValid })),
    popBeforeInviteMs,
    rtpPackets: { fromAgent: packets.agent.received, fromCustomer: packets.customer.received },
  };
}
