import { describe, expect, it } from 'vitest';
import { gatherState } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import { foldCall } from '../domain/fold.js';
import type { RingLine } from '../domain/plan.js';
import { decideRingLine } from './ring-line.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const caller = '1795343276.0';
const legs = [`rl-${callId}-a0c0`, `rl-${callId}-a1c0`] as const;
const agentIds = ['01936c7e-8b2a-7000-8000-0000000000cc', '01936c7e-8b2a-7000-8000-0000000000cd'] as const;
const start = Date.parse('2026-03-01T10:00:00.000Z');
const plan: RingLine = {
  kind: 'ring-line',
  callerLeg: caller,
  phones: agentIds.map((agentId, i) => ({ agentId, endpoint: `agent${i + 1}`, autoAnswer: 'none' })),
  ringSeconds: 25,
  limitSeconds: 7200,
};
const outside = { raw: '+493023125301', e164: '+493023125301', name: null };
const line = { id: '01936c7e-8b2a-7000-8000-0000000000dd', number: '+493023125001', name: 'Sales' };

function fact(leg: string, kind: Fact['kind'], after: number, data: unknown = {}): Fact {
  return { leg, kind, key: '', at: start + after, source: 'switch', data } as Fact;
}

const ringing: readonly Fact[] = [
  fact(callId, 'placed', 0, { direction: 'inbound', from: outside, to: outside, line, plan }),
  fact(caller, 'created', 0, { side: 'remote', linkedId: caller, sipCallId: null, name: null }),
  ...legs.flatMap((leg, i) => [
    fact(leg, 'planned', 5, { side: 'agent', agentId: agentIds[i], device: `PJSIP/agent${i + 1}`, contact: null }),
    fact(leg, 'created', 10, { side: 'agent', linkedId: leg, sipCallId: null, name: null }),
    fact(leg, 'dial-sent', 12),
    fact(leg, 'dialling', 14),
  ]),
];

/** What is decided at a moment, ms after the call began. */
function decide(after: number, ...more: readonly Fact[]): ReturnType<typeof decideRingLine> {
  const state = gatherState(callId, [...ringing, ...more]);
  if (state === null) throw new Error('no call was placed');
  return decideRingLine(callId, plan, state, start + after);
}

function handBackReason({ record }: ReturnType<typeof decideRingLine>): unknown {
  return record.flatMap((told) => (told.kind === 'handed-back' ? [told.data.reason] : []));
}

describe('a line that rings', () => {
  it('waits for the whole ring time', () => {
    const decision = decide(24_999, fact(legs[0], 'ringing', 100));
    expect(handBackReason(decision)).toEqual([]);
    expect(decision.wakeAt).toBe(start + 25_000);
  });

  it.each([
    { rung: [legs[0]], reason: 'agent-no-answer', what: 'a phone rang' },
    { rung: [], reason: 'device-unreachable', what: 'no phone so much as rang' },
  ])('gives the caller back at the end of the ring time: $reason when $what', ({ rung, reason }) => {
    const decision = decide(25_000, ...rung.map((leg) => fact(leg, 'ringing', 100)));
    expect(handBackReason(decision)).toEqual([reason]);
    expect(decision.record.filter(({ kind }) => kind === 'released').map(({ leg }) => leg)).toEqual(legs);
  });

  it('has the other phones told that the call was answered elsewhere', () => {
    const won = [fact(legs[0], 'ringing', 100), fact(legs[1], 'ringing', 100), fact(legs[0], 'answered', 900)];
    const decision = decide(950, ...won, fact(legs[1], 'released', 940, { why: 'answered-elsewhere' }));
    expect(decision.chains).toContainEqual([
      { key: `end:${legs[1]}`, do: 'end-leg', leg: legs[1], why: 'answered-elsewhere' },
    ]);
  });
});

describe('a caller who is blocked', () => {
  const blocked: RingLine = { ...plan, phones: [], blockedBy: '+493023125301' };
  const came = [
    fact(callId, 'placed', 0, { direction: 'inbound', from: outside, to: outside, line, plan: blocked }),
    fact(caller, 'created', 0, { side: 'remote', linkedId: caller, sipCallId: null, name: null }),
  ];
  const decideBlocked = (after: number, ...more: readonly Fact[]): ReturnType<typeof decideRingLine> => {
    const state = gatherState(callId, [...came, ...more]);
    if (state === null) throw new Error('no call was placed');
    return decideRingLine(callId, blocked, state, start + after);
  };

  it('is refused at once: nothing rings, and the dial plan does not get him', () => {
    const first = decideBlocked(1);
    expect(first).toEqual({
      record: [
        {
          leg: caller,
          kind: 'released',
          key: '',
          at: start + 1,
          source: 'ringline',
          data: { why: 'blocked' },
        },
      ],
      chains: [],
      wakeAt: null,
    });
    expect(decideBlocked(2, ...first.record).chains).toEqual([
      [{ key: `end:${caller}`, do: 'end-leg', leg: caller, why: 'blocked' }],
    ]);
  });

  it('is asked about again while his end does not come', () => {
    const released = fact(caller, 'released', 1, { why: 'blocked' });
    expect(decideBlocked(2_001, released).chains).toContainEqual([
      { key: `check:${caller}:0`, do: 'check-leg', leg: caller },
    ]);
  });

  it.each<[string, Fact]>([
    ['the dial plan took him back meanwhile', fact(caller, 'left-control', 8_000)],
    ['he was given back when Ringline stopped', fact(callId, 'handed-back', 5, { reason: 'service-stopped' })],
  ])('is left alone when %s', (_, taken) => {
    expect(decideBlocked(8_010, taken).record).toEqual([]);
  });
});

describe('a caller whose owner rings first', () => {
  const first: RingLine = { ...plan, first: { agentId: agentIds[1], seconds: 10 } };
  const decideFirst = (after: number, ...more: readonly Fact[]): ReturnType<typeof decideRingLine> => {
    const placed = { direction: 'inbound', from: outside, to: outside, line, plan: first };
    const alone = ringing.filter(({ leg, kind }) => kind !== 'placed' && leg !== legs[0]);
    const state = gatherState(callId, [fact(callId, 'placed', 0, placed), ...alone, ...more]);
    if (state === null) throw new Error('no call was placed');
    return decideRingLine(callId, first, state, start + after);
  };
  const planned = ({ record }: ReturnType<typeof decideRingLine>): readonly string[] =>
    record.flatMap(({ kind, leg }) => (kind === 'planned' ? [leg] : []));

  it('rings nobody else until his time is up', () => {
    const decision = decideFirst(9_999, fact(legs[1], 'ringing', 100));
    expect(planned(decision)).toEqual([]);
    expect(decision.wakeAt).toBe(start + 10_000);
    const asked = decision.chains.flat().flatMap((one) => (one.do === 'find-contacts' ? [one.rung.agentId] : []));
    expect(asked).toEqual([agentIds[1]]);
  });

  it('rings the others beside him then, and he goes on ringing', () => {
    const decision = decideFirst(10_000, fact(legs[1], 'ringing', 100));
    expect(planned(decision)).toEqual([legs[0]]);
    expect(decision.record.filter(({ kind }) => kind === 'released')).toEqual([]);
  });

  it('rings the others at once when he cannot be rung, or refuses', () => {
    const end = { cause: 21, causeText: null, sipCode: null, inferred: false };
    expect(planned(decideFirst(500, fact(legs[1], 'ringing', 100), fact(legs[1], 'ended', 490, end)))).toEqual([
      legs[0],
    ]);
  });

  it('goes to the fall-back at the end of the whole ring time, when all have rung', () => {
    const others = ringing.filter(({ leg }) => leg === legs[0]);
    const decision = decideFirst(25_000, ...others, fact(legs[1], 'ringing', 100));
    expect(handBackReason(decision)).toEqual(['agent-no-answer']);
  });

  it('has none but him as a participant while he rings alone', () => {
    const placed = { direction: 'inbound', from: outside, to: outside, line, plan: first };
    const identity = { id: callId, tenantId: 't', pbxNodeId: 'n' };
    const alone = ringing.filter(({ leg, kind }) => kind !== 'placed' && leg !== legs[0]);
    const others = ringing.filter(({ leg }) => leg === legs[0]);
    const agentsOf = (...facts: readonly Fact[]): readonly unknown[] => {
      const state = gatherState(callId, [fact(callId, 'placed', 0, placed), ...facts]);
      return state === null ? [] : foldCall(identity, state, 1).participants.map(({ agentId }) => agentId);
    };
    expect(agentsOf(...alone)).toEqual([agentIds[1]]);
    expect(agentsOf(...alone, ...others)).toEqual(agentIds);
  });
});
