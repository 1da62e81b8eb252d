import type { Fact } from '../domain/fact.js';
import { gatherState, type CallState } from '../domain/call-state.js';
import type { RingLine } from '../domain/plan.js';
import type { Decision } from './decision.js';
import { decideRingLine } from './ring-line.js';

/** A caller who talks with the agent of a line, for tests of what may be done with him then. */
export const callId = '01936c7e-8b2a-7000-8000-000000000001';
export const [caller, agent, room] = ['1795343276.0', `rl-${callId}-a0c0`, `rl-${callId}`];
export const start = Date.parse('2026-03-01T10:00:00.000Z');
export const agentIds = ['01936c7e-8b2a-7000-8000-0000000000cc', '01936c7e-8b2a-7000-8000-0000000000cd'] as const;
export const [phone, otherPhone] = [
  { agentId: agentIds[0], endpoint: 'agent1', autoAnswer: 'none' },
  { agentId: agentIds[1], endpoint: 'agent2', autoAnswer: 'none' },
] as const;
export const number = { raw: '+493023125301', e164: '+493023125301', name: null };
export const line = { id: callId, number: '+493023125001', name: 'Sales' };
const plan: RingLine = {
  kind: 'ring-line',
  callerLeg: caller,
  phones: [phone],
  ringSeconds: 25,
  limitSeconds: 7200,
};

/** What the switch told, `after` ms from the call's beginning. */
export function fact(leg: string, kind: Fact['kind'], after: number, data: unknown = {}, key = ''): Fact {
  return { leg, kind, key, at: start + after, source: 'switch', data } as Fact;
}

export function joined(leg: string, after: number): Fact {
  return fact(leg, 'joined', after, { room }, `${room}@${after}`);
}

export function created(leg: string, after: number, side: string): Fact {
  return fact(leg, 'created', after, { side, linkedId: null, sipCallId: null, name: `PJSIP/${leg}-1` });
}

const talking: readonly Fact[] = [
  fact(callId, 'placed', 0, { direction: 'inbound', from: number, to: number, line, plan }),
  created(caller, 0, 'remote'),
  fact(agent, 'planned', 5, { side: 'agent', agentId: phone.agentId, device: 'PJSIP/agent1', contact: null }),
  created(agent, 10, 'agent'),
  fact(agent, 'answered', 1_000),
  joined(caller, 1_020),
  joined(agent, 1_021),
];

/** The call as it is once more is known. */
export function stateWith(more: readonly Fact[]): CallState {
  const state = gatherState(callId, [...talking, ...more]);
  if (state === null) throw new Error('no call was placed');
  return state;
}

/** What is decided `after` ms from the beginning, when more is known. */
export function decide(after: number, ...more: readonly Fact[]): Decision {
  return decideRingLine(callId, plan, stateWith(more), start + after);
}
