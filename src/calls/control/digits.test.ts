import { describe, expect, it } from 'vitest';
import { gatherState } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import { talks } from '../domain/talk.js';
import { DecisionBuilder, type Decision } from './decision.js';
import { decideDigits } from './digits.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const [caller, agent, room] = ['1795343276.0', `rl-${callId}-a0c0`, `rl-${callId}`];
const start = Date.parse('2026-03-01T10:00:00.000Z');

function fact(leg: string, kind: Fact['kind'], after: number, data: unknown = {}, key = ''): Fact {
  return { leg, kind, key, at: start + after, source: 'switch', data } as Fact;
}

const plan = { kind: 'ring-line', callerLeg: caller, phones: [], ringSeconds: 25, limitSeconds: 7200 };
const talking: readonly Fact[] = [
  fact(callId, 'placed', 0, { direction: 'inbound', from: {}, to: {}, line: {}, plan }),
  fact(caller, 'created', 0, { side: 'remote', linkedId: null, sipCallId: null, name: null }),
  fact(agent, 'planned', 5, { side: 'agent', agentId: null, device: 'PJSIP/agent1', contact: null }),
  fact(agent, 'created', 10, { side: 'agent', linkedId: null, sipCallId: null, name: null }),
  fact(agent, 'answered', 1_000),
  fact(caller, 'joined', 1_020, { room }, `${room}@1020`),
  fact(agent, 'joined', 1_021, { room }, `${room}@1021`),
];
const first = fact(callId, 'digits-asked', 2_000, { digits: '12' }, 'first');
const second = fact(callId, 'digits-asked', 2_100, { digits: '3#' }, 'second');
const sent = (key: string): Fact => fact(caller, 'digits-sent', 2_200, {}, key);

function decide(after: number, ...more: readonly Fact[]): Pick<Decision, 'record' | 'chains'> {
  const state = gatherState(callId, [...talking, ...more]);
  if (state === null) throw new Error('no call was placed');
  const decision = new DecisionBuilder(state, start + after);
  decideDigits(decision, state, talks(state)[0], start + after);
  return decision.done();
}

describe('digits that were asked for', () => {
  it('are written down first, and nothing goes out with that', () => {
    const { record, chains } = decide(2_050, first);
    expect(record).toMatchObject([{ leg: caller, kind: 'digits-sent', key: 'first' }]);
    expect(chains).toEqual([]);
  });

  it('go to the other party in the order in which they were asked for', () => {
    const { record, chains } = decide(2_250, second, first, sent('second'), sent('first'));
    expect(record).toEqual([]);
    expect(chains).toEqual([
      [
        { key: 'digits:first', do: 'send-digits', leg: caller, digits: '12', id: 'first' },
        { key: 'digits:second', do: 'send-digits', leg: caller, digits: '3#', id: 'second' },
      ],
    ]);
  });

  it('are not sent any more when they could not be sent in time', () => {
    expect(decide(7_000, first).record).toEqual([]);
  });

  it('are sent to nobody when the parties talk no more', () => {
    const over = fact(agent, 'ended', 2_010, { q850: 16, sip: null, text: null });
    expect(decide(2_050, first, over)).toEqual({ record: [], chains: [], wakeAt: null });
  });
});
