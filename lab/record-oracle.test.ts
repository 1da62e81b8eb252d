import { describe, expect, it } from 'vitest';
import { callDocument } from './call-document.js';
import { participant } from '../test/support/call-document.js';
import type { Call } from '../src/calls/domain/call.js';
import type { CelRow } from './cel.js';
import { disagreements, type Witnesses } from './record-oracle.js';
import { sipCalls, type SipCall, type SipMessage } from './sip-trace.js';

const start = Date.parse('2026-03-01T10:00:00.000Z');
const callId = '01936c7e-8b2a-7000-8000-000000000001';
const agentId = '01936c7e-8b2a-7000-8000-0000000000cc';
const caller = '1795343276.0';
const agent = `rl-${callId}-a0c0`;

function at(ms: number): string {
  return new Date(start + ms).toISOString();
}

function message(ms: number, direction: SipMessage['direction'], firstLine: string, id: string): SipMessage {
  const from = id === 'caller' ? '<sip:+493023125301@x>;tag=1' : '<sip:+493023125301@x>;tag=2';
  const headers = [
    ['Call-ID', id],
    ['From', from],
    ['To', '<sip:x@x>'],
    ['CSeq', firstLine.startsWith('BYE') ? '2 BYE' : '1 INVITE'],
  ] as const;
  return { at: start + ms, direction, firstLine, headers, body: '' };
}

/** A call of 10 s whose caller hangs up, as its phones saw it. */
function phone(id: 'caller' | 'agent', hangsUp: boolean): SipCall {
  const [ours, theirs] = id === 'caller' ? (['sent', 'received'] as const) : (['received', 'sent'] as const);
  const [call] = sipCalls([
    message(0, ours, 'INVITE sip:agent1@x SIP/2.0', id),
    message(200, theirs, 'SIP/2.0 180 Ringing', id),
    message(3_000, theirs, 'SIP/2.0 200 OK', id),
    message(13_000, hangsUp ? 'sent' : 'received', 'BYE sip:x@x SIP/2.0', id),
  ]);
  if (call === undefined) throw new Error('the messages make no call');
  return call;
}

function row(event: string, ms: number, uniqueId: string, extra: Record<string, unknown> = {}): CelRow {
  const rest = { linkedId: caller, channel: uniqueId, callerNumber: '', exten: '', context: '', app: '', appData: '' };
  return { event, at: start + ms, uniqueId, ...rest, peer: '', extra };
}

const cel = [caller, agent].flatMap((id) => [
  row('CHAN_START', 0, id),
  row('ANSWER', 3_000, id),
  row('BRIDGE_ENTER', 3_010, id, { bridge_id: 'room' }),
  row('BRIDGE_EXIT', 13_000, id, { bridge_id: 'room' }),
  row('HANGUP', 13_010, id, { hangupcause: 16 }),
]);
const witnesses: Witnesses = { cel, remote: phone('caller', true), agents: [phone('agent', false)] };
const leg = { device: null, agentId: null, ringingAt: null, q850: 16, sip: null, release: null };
const record = callDocument({
  id: callId,
  status: 'ended',
  outcome: 'answered',
  outcomeReason: 'talked',
  startedAt: at(5),
  ringingAt: at(210),
  answeredAt: at(3_010),
  endedAt: at(13_010),
  waitSeconds: 3,
  talkSeconds: 10,
  durationSeconds: 13,
  hangup: { by: 'remote', q850: 16, sip: null, text: null },
  sipCallIds: ['caller', 'agent'],
  participants: [
    participant(agentId, {
      device: 'PJSIP/agent1',
      role: 'answered',
      ringingAt: at(210),
      answeredAt: at(3_000),
      leftAt: at(13_010),
      talkSeconds: 10,
    }),
  ],
  legs: [
    { ...leg, id: caller, side: 'remote', answeredAt: at(3_000), endedAt: at(13_010) },
    { ...leg, id: agent, side: 'agent', answeredAt: at(3_000), endedAt: at(13_010) },
  ],
});

describe('the oracle of records', () => {
  it('agrees with a record that is as phones and CEL saw it', () => {
    expect(disagreements(record, witnesses)).toEqual([]);
  });

  const untrue: { what: string; changes: Partial<Call>; says: RegExp }[] = [
    { what: 'a start 2 s late', changes: { startedAt: at(2_000) }, says: /^the start is/ },
    { what: 'no ring', changes: { ringingAt: null }, says: /^the ring is not recorded/ },
    { what: 'an answer 2 s early', changes: { answeredAt: at(1_000) }, says: /^the answer is/ },
    { what: 'an end 2 s late', changes: { endedAt: at(15_000) }, says: /^the end is/ },
    { what: 'a talk of 12 s', changes: { talkSeconds: 12 }, says: /^the talk is 12 s/ },
    { what: 'a wait of 0 s', changes: { waitSeconds: 0 }, says: /^the wait is 0 s/ },
    { what: 'a duration of 10 s', changes: { durationSeconds: 10 }, says: /^the duration is 10 s/ },
    { what: 'another outcome', changes: { outcome: 'missed' }, says: /but the phones talked$/ },
    {
      what: 'another who hung up',
      changes: { hangup: { by: 'agent', q850: 16, sip: null, text: null } },
      says: /it was remote$/,
    },
    { what: 'a leg too few', changes: { legs: record.legs.slice(0, 1) }, says: /does not know rl-/ },
    { what: 'a SIP call too few', changes: { sipCallIds: ['caller'] }, says: /the SIP Call-ID agent$/ },
  ];
  it.each(untrue)('objects to $what', ({ changes, says }) => {
    expect(disagreements({ ...record, ...changes }, witnesses)).toContainEqual(expect.stringMatching(says));
  });
});
