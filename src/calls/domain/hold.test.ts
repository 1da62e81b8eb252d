import { describe, expect, it } from 'vitest';
import { FactSet, apiKey, gatherState, type CallState } from './call-state.js';
import { changesBetween } from './changes.js';
import type { Call } from './call.js';
import type { Fact } from './fact.js';
import { foldCall } from './fold.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const identity = { id: callId, tenantId: callId, pbxNodeId: callId };
const [caller, agent, room] = ['1795343276.0', `rl-${callId}-a0c0`, `rl-${callId}`];
const start = Date.parse('2026-03-01T10:00:00.000Z');
const number = { raw: '+4930111222', e164: '+4930111222', name: null };
const line = { id: callId, number: '+4930901820', name: 'Sales' };

function fact(leg: string, kind: Fact['kind'], after: number, data: unknown = {}, key = ''): Fact {
  return { leg, kind, key, at: start + after, source: 'switch', data } as Fact;
}

const talking: readonly Fact[] = [
  fact(callId, 'placed', 0, {
    direction: 'inbound',
    from: number,
    to: number,
    line,
    plan: { kind: 'ring-line', callerLeg: caller, phones: [], ringSeconds: 25, limitSeconds: 7200 },
  }),
  fact(caller, 'created', 0, { side: 'remote', linkedId: caller, sipCallId: null, name: null }),
  fact(agent, 'planned', 5, { side: 'agent', agentId: null, device: 'PJSIP/agent1', contact: null }),
  fact(agent, 'created', 10, { side: 'agent', linkedId: agent, sipCallId: null, name: null }),
  fact(agent, 'answered', 1_000),
  fact(caller, 'answered', 1_010),
  fact(caller, 'joined', 1_020, { room }, `${room}@1020`),
  fact(agent, 'joined', 1_021, { room }, `${room}@1021`),
];

function stateOf(...more: readonly Fact[]): CallState {
  const state = gatherState(callId, new FactSet([...talking, ...more]).values());
  if (state === null) throw new Error('no call was placed');
  return state;
}

function fold(...more: readonly Fact[]): Call {
  return foldCall(identity, stateOf(...more), 1);
}

const phoneHolds = fact(agent, 'held', 5_000, {}, '5000');
const phoneResumes = fact(agent, 'resumed', 9_000, {}, '9000');
const apiHolds = fact(agent, 'held', 6_000, {}, apiKey(1));
const apiResumes = fact(agent, 'resumed', 12_000, {}, apiKey(2));
const hangsUp = [
  fact(caller, 'ended', 20_000, { q850: 16, sip: null, text: null }),
  fact(agent, 'ended', 20_000, { q850: 16, sip: null, text: null }),
];

describe('a call on hold', () => {
  it.each(['agent', 'caller'] as const)('is not taken off it when the %s leaves a moment before the other', (first) => {
    const [left, last] = first === 'agent' ? hangsUp.toReversed() : hangsUp;
    for (const hold of [phoneHolds, apiHolds]) {
      const held = fold(hold);
      const parted = fold(hold, left!);
      expect([...changesBetween(held, parted), ...changesBetween(parted, fold(hold, left!, last!))]).toEqual([
        'call.ended',
      ]);
    }
  });

  it.each([
    ['by the agent’s phone', [phoneHolds], 'held'],
    ['by the API', [apiHolds], 'held'],
    ['by the other party', [fact(caller, 'held', 5_000, {}, '5000')], 'held'],
    ['and taken off it', [phoneHolds, phoneResumes], 'answered'],
    ['by both, and taken off by the phone alone', [phoneHolds, apiHolds, phoneResumes], 'held'],
    ['by both, and taken off by both', [phoneHolds, apiHolds, phoneResumes, apiResumes], 'answered'],
    ['when it ends', [phoneHolds, ...hangsUp], 'ended'],
  ])('%s is told so', (_, facts, status) => {
    expect(fold(...facts).status).toBe(status);
    expect(fold(...[...facts].reverse()).status).toBe(status);
  });

  it('is a milestone when it begins and when it is over, and the talk goes on', () => {
    const [talk, held, resumed] = [fold(), fold(phoneHolds), fold(phoneHolds, phoneResumes)];
    expect(changesBetween(talk, held)).toEqual(['call.held']);
    expect(changesBetween(held, resumed)).toEqual(['call.resumed']);
    expect(changesBetween(held, fold(phoneHolds, ...hangsUp))).toEqual(['call.ended']);
    expect(fold(phoneHolds, phoneResumes, ...hangsUp).talkSeconds).toBe(19);
  });

  it('cannot begin before anybody talks', () => {
    const state = gatherState(callId, [...talking.slice(0, 3), fact(caller, 'held', 500, {}, '500')]);
    expect(state && foldCall(identity, state, 1).status).toBe('queued');
  });
});

describe('what the API asked for', () => {
  it('is what was asked last, also within one millisecond', () => {
    const at = 6_000;
    const held = [1, 2, 3].map((place) => fact(agent, place % 2 ? 'held' : 'resumed', at, {}, apiKey(place)));
    const leg = (facts: readonly Fact[]) => stateOf(...facts).legs.find(({ id }) => id === agent);
    expect(stateOf(...held).isOnHold).toBe(true);
    expect(stateOf(...held.slice(0, 2)).isOnHold).toBe(false);
    expect(stateOf(phoneHolds).isOnHold).toBe(false);
    const muted = [fact(agent, 'muted', at, {}, apiKey(9)), fact(agent, 'unmuted', at, {}, apiKey(10))];
    expect(leg(muted)?.isMuted).toBe(false);
    expect(leg(muted.slice(0, 1))?.isMuted).toBe(true);
  });
});
