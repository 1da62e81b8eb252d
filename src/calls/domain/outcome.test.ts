import { describe, expect, it } from 'vitest';
import { clickWithout, sipAnswers } from '../../../test/lab/outcome-table.js';
import type { Call } from './call.js';
import { gatherState } from './call-state.js';
import type { Fact } from './fact.js';
import { foldCall } from './fold.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const agentId = '01936c7e-8b2a-7000-8000-0000000000cc';
const identity = {
  id: callId,
  tenantId: '01936c7e-8b2a-7000-8000-0000000000aa',
  pbxNodeId: '01936c7e-8b2a-7000-8000-0000000000bb',
};
const line = { id: '01936c7e-8b2a-7000-8000-0000000000dd', number: '+493023125001', name: 'Sales' };
const outside = { raw: '+493023125301', e164: '+493023125301', name: null };
const phones = [{ agentId, endpoint: 'agent1', autoAnswer: 'none' }];
const caller = '1795343276.0';
const agentLeg = `rl-${callId}-a0c0`;
const customer = `rl-${callId}-r`;
const start = Date.parse('2026-03-01T10:00:00.000Z');

/** A fact by its kind; times are ms after the call began. */
function fact(leg: string, kind: Fact['kind'], after: number, data: unknown = {}): Fact {
  return { leg, kind, key: '', at: start + after, source: 'switch', data } as Fact;
}

const incoming = [
  fact(callId, 'placed', 0, {
    direction: 'inbound',
    from: outside,
    to: outside,
    line,
    plan: { kind: 'ring-line', callerLeg: caller, phones, ringSeconds: 25, limitSeconds: 7200 },
  }),
  fact(caller, 'created', 0, { side: 'remote', linkedId: caller, sipCallId: null, name: null }),
];
const click = fact(callId, 'placed', 0, {
  direction: 'outbound',
  from: outside,
  to: outside,
  line,
  plan: { kind: 'click-to-call', phones, to: outside, line, tags: [] },
});
const planned = fact(agentLeg, 'planned', 5, { side: 'agent', agentId, device: 'PJSIP/agent1', contact: null });
const agentAnswered = [planned, fact(agentLeg, 'ringing', 100), fact(agentLeg, 'answered', 900)];
const customerPlanned = fact(customer, 'planned', 905, { side: 'remote', agentId: null, device: 'x', contact: null });

function answers(leg: string, status: number, after: number): Fact[] {
  return [
    fact(leg, 'hangup-asked', after, { byParty: true }),
    fact(leg, 'ended', after + 1, { q850: null, sip: status, text: null }),
  ];
}

function fold(...facts: readonly Fact[]): Call {
  const state = gatherState(callId, facts);
  if (state === null) throw new Error('no call was placed');
  return foldCall(identity, state, 1);
}

function outcomeOf({ outcome, outcomeReason }: Call): unknown {
  return { outcome, reason: outcomeReason };
}

describe('the outcome, by docs/outcomes.md', () => {
  it.each(sipAnswers)('of a click-to-call whose customer answers $status', ({ status, customer: expected }) => {
    const record = fold(
      click,
      ...agentAnswered,
      customerPlanned,
      fact(customer, 'ringing', 1_500),
      ...answers(customer, status, 4_000),
      fact(agentLeg, 'released', 4_010, { why: 'other-side-left' }),
      fact(agentLeg, 'ended', 4_020, { q850: 16, sip: null, text: null }),
    );
    expect(outcomeOf(record)).toEqual(expected);
    expect(record.hangup).toMatchObject({ by: 'remote', sip: status });
  });

  it.each(sipAnswers)('of a click-to-call whose agent answers $status', ({ status, agent }) => {
    const record = fold(click, planned, fact(agentLeg, 'ringing', 100), ...answers(agentLeg, status, 4_000));
    expect(outcomeOf(record)).toEqual({ outcome: clickWithout(agent), reason: agent });
    expect(record.hangup).toMatchObject({ by: 'agent', sip: status });
  });

  it('tells a customer who does not answer from a carrier at whose address nobody listens', () => {
    const record = fold(
      click,
      ...agentAnswered,
      customerPlanned,
      ...answers(customer, 408, 33_000),
      fact(agentLeg, 'released', 33_010, { why: 'other-side-left' }),
      fact(agentLeg, 'ended', 33_020, { q850: 16, sip: null, text: null }),
    );
    expect(outcomeOf(record)).toEqual({ outcome: 'failed', reason: 'trunk-unreachable' });
  });

  it.each([
    { rings: true, reason: 'agent-no-answer' },
    { rings: false, reason: 'device-unreachable' },
  ])('of a click-to-call whose agent’s time is up: $reason', ({ rings, reason }) => {
    const record = fold(
      click,
      planned,
      ...(rings ? [fact(agentLeg, 'ringing', 100)] : []),
      fact(agentLeg, 'released', 30_000, { why: 'no-answer' }),
      fact(agentLeg, 'hangup-asked', 30_010, { byParty: false }),
      fact(agentLeg, 'ended', 30_011, { q850: 16, sip: null, text: null }),
    );
    expect(outcomeOf(record)).toEqual({ outcome: 'failed', reason });
  });
});

describe('an incoming call', () => {
  it('is not queued again for the moment between a caller’s end and that of the phones', () => {
    const record = fold(
      ...incoming,
      planned,
      fact(agentLeg, 'ringing', 100),
      fact(caller, 'hangup-asked', 4_000, { byParty: true }),
      fact(caller, 'left-control', 4_000),
    );
    expect(record.status).toBe('ringing');
  });

  it('is queued when the dial plan took the caller back', () => {
    const record = fold(...incoming, planned, fact(agentLeg, 'ringing', 100), fact(caller, 'left-control', 4_000));
    expect(record.status).toBe('queued');
  });

  it('that the fall-back ends was ended by the system', () => {
    const record = fold(
      ...incoming,
      fact(callId, 'handed-back', 50, { reason: 'device-unreachable' }),
      fact(caller, 'left-control', 60),
      fact(caller, 'hangup-asked', 4_000, { byParty: false }),
      fact(caller, 'ended', 4_001, { q850: 16, sip: null, text: 'Normal Clearing' }),
    );
    expect(record.hangup?.by).toBe('system');
    expect(outcomeOf(record)).toEqual({ outcome: 'missed', reason: 'device-unreachable' });
  });
});

describe('a caller who is blocked', () => {
  const came = incoming.map((told) =>
    told.kind === 'placed'
      ? fact(callId, 'placed', 0, {
          ...told.data,
          plan: { ...told.data.plan, phones: [], blockedBy: '+493023125*' },
        })
      : told,
  );
  const left = fact(caller, 'left-control', 20);
  const ended = fact(caller, 'ended', 21, { q850: 21, sip: 403, text: 'Call Rejected' });
  const refused = [
    ...came,
    fact(caller, 'released', 5, { why: 'blocked' }),
    fact(caller, 'hangup-asked', 20, { byParty: false }),
    left,
    ended,
  ];
  const blocked = { outcome: 'blocked', reason: 'blocked-number' };

  it('was refused by the system, and nobody was asked for', () => {
    const record = fold(...refused);
    expect(outcomeOf(record)).toEqual(blocked);
    expect(record.hangup).toEqual({ by: 'system', q850: 21, sip: 403, text: 'Call Rejected' });
    expect(record.participants).toEqual([]);
  });

  it('is no missed call when he gives up before he is refused, or the API hangs up', () => {
    expect(outcomeOf(fold(...came, fact(caller, 'hangup-asked', 20, { byParty: true }), left, ended))).toEqual(blocked);
    const asked = fact(callId, 'cancel-asked', 3, { by: 'api', reason: 'cancelled-by-api' });
    expect(outcomeOf(fold(...refused, asked))).toEqual(blocked);
  });

  it('is missed when the dial plan got him all the same: by its timer, or because Ringline stopped', () => {
    const later = fact(caller, 'hangup-asked', 9_000, { byParty: true });
    expect(outcomeOf(fold(...came, left, later, ended))).toEqual({ outcome: 'missed', reason: 'handed-back' });
    const back = fact(callId, 'handed-back', 10, { reason: 'service-stopped' });
    expect(outcomeOf(fold(...came, back, left, ended))).toEqual({ outcome: 'missed', reason: 'service-stopped' });
  });
});
