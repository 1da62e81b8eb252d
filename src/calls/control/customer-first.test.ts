import { describe, expect, it } from 'vitest';
import { gatherState } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import { foldCall } from '../domain/fold.js';
import type { ClickToCall } from '../domain/plan.js';
import { decide } from './decide.js';
import type { Decision } from './decision.js';
import { created, fact, joined, line, number, phone, start } from './talking.test-support.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const [customer, agent] = [`rl-${callId}-r`, `rl-${callId}-a0c0`];
const plan: ClickToCall = {
  kind: 'click-to-call',
  order: 'customer-first',
  phones: [phone],
  to: number,
  line,
  trunk: { endpoint: 'trunk', number: '+493023125301' },
  tags: [],
  agentRingSeconds: 30,
  remoteRingSeconds: 60,
  limitSeconds: 7200,
};
const placed = [
  fact(callId, 'placed', 0, { direction: 'outbound', from: number, to: number, line, plan }),
  fact(customer, 'planned', 0, { side: 'remote', agentId: null, device: 'PJSIP/+493023125301@trunk', contact: null }),
];
const made = created(customer, 10, 'remote');
const dialled = [fact(customer, 'dial-sent', 20), fact(customer, 'dialling', 25)];
const answered = [made, ...dialled, fact(customer, 'ringing', 200), fact(customer, 'answered', 5_000)];
const rung = [
  fact(agent, 'planned', 5_010, { side: 'agent', agentId: phone.agentId, device: 'PJSIP/agent1', contact: null }),
  created(agent, 5_020, 'agent'),
  fact(agent, 'dial-sent', 5_030),
  fact(agent, 'dialling', 5_035),
];
const ended = (leg: string, after: number, sip: number | null = null): Fact =>
  fact(leg, 'ended', after, { q850: 16, sip, text: null });

function stateOf(more: readonly Fact[]) {
  const state = gatherState(callId, [...placed, ...more]);
  if (state === null) throw new Error('no call was placed');
  return state;
}

/** What is decided `after` ms from the beginning, when more is known. */
const at = (after: number, ...more: readonly Fact[]): Decision => decide(callId, stateOf(more), start + after);
const records = ({ record }: Decision): unknown[] =>
  record.map(({ leg, kind, data }) => [leg, kind, ...(kind === 'released' ? Object.values(data) : [])]);
const commands = ({ chains }: Decision): string[] => chains.flat().map(({ key }) => key);

describe('a click-to-call in the order customer first', () => {
  it('calls the customer, and no agent before he has answered', () => {
    expect(commands(at(1))).toEqual([`create:${customer}`]);
    expect(records(at(15, made))).toEqual([[customer, 'dial-sent']]);
    expect(commands(at(20, made, fact(customer, 'dial-sent', 20)))).toEqual([`dial:${customer}`]);
    const rings = at(3_000, made, ...dialled, fact(customer, 'ringing', 200));
    expect([records(rings), commands(rings), rings.wakeAt]).toEqual([[], [], start + 60_000]);
  });

  it('dials a customer no more whose time is up: Ringline was away meanwhile', () => {
    for (const decision of [at(60_000), at(60_000, made)])
      expect([records(decision), commands(decision)]).toEqual([[[customer, 'released', 'no-answer']], []]);
  });

  it('rings the agent when he has answered, at all addresses, and lets him hear it', () => {
    expect(records(at(5_010, ...answered))).toEqual([[agent, 'planned']]);
    expect(commands(at(5_015, ...answered, rung[0]!))).toEqual(['contacts:agent1', `create:${agent}`]);
    const rings = at(6_000, ...answered, ...rung, fact(agent, 'ringing', 5_900));
    expect(commands(rings)).toEqual(['contacts:agent1', 'tell-ringing']);
    expect(rings.wakeAt).toBe(start + 35_000);
  });

  it('joins both when the agent answers', () => {
    expect(commands(at(8_000, ...answered, ...rung, fact(agent, 'answered', 7_990)))).toEqual([
      `tie:${customer}`,
      `tie:${agent}`,
      `join:${agent}`,
      'limit',
    ]);
  });

  it.each([
    ['the agent is busy', 7_000, [ended(agent, 6_900, 486)], []],
    ['nobody takes the call in time', 35_000, [fact(agent, 'ringing', 5_900)], [[agent, 'released', 'no-answer']]],
  ])('lets the customer go when %s', (_, after, more, first) => {
    expect(records(at(after, ...answered, ...rung, ...more))).toEqual([
      ...first,
      [customer, 'released', 'other-side-left'],
    ]);
  });

  it('lets a phone go of which it heard too late: the customer is gone', () => {
    const late = [ended(customer, 6_900), ...rung];
    expect(records(at(7_000, ...answered, ...late))).toEqual([[agent, 'released', 'other-side-left']]);
  });

  it('lets all go when it is cancelled', () => {
    const cancelled = fact(callId, 'cancel-asked', 6_000, { by: 'api', reason: 'cancelled-by-api' });
    expect(records(at(6_000, ...answered, ...rung, cancelled))).toEqual([
      [customer, 'released', 'cancelled'],
      [agent, 'released', 'cancelled'],
    ]);
  });
});

describe('how it comes out', () => {
  const identity = { id: callId, tenantId: callId, pbxNodeId: callId };
  const outcomeOf = (...more: readonly Fact[]): unknown => {
    const { outcome, outcomeReason, hangup } = foldCall(identity, stateOf(more), 1);
    return [outcome, outcomeReason, hangup?.by];
  };
  const byParty = (leg: string, after: number): Fact => fact(leg, 'hangup-asked', after, { byParty: true });
  const released = (leg: string, after: number, why = 'other-side-left'): Fact => fact(leg, 'released', after, { why });

  it.each<[string, readonly Fact[], unknown]>([
    [
      'the customer is busy',
      [made, ...dialled, byParty(customer, 400), ended(customer, 401, 486)],
      ['busy', 'remote-busy', 'remote'],
    ],
    [
      'the customer hangs up while the agent’s phone rings',
      [
        ...answered,
        ...rung,
        byParty(customer, 7_000),
        ended(customer, 7_001),
        released(agent, 7_010),
        ended(agent, 7_020),
      ],
      ['failed', 'remote-hung-up', 'remote'],
    ],
    [
      'the agent is busy',
      [
        ...answered,
        ...rung,
        byParty(agent, 7_000),
        ended(agent, 7_001, 486),
        released(customer, 7_010),
        ended(customer, 7_020),
      ],
      ['failed', 'abandoned', 'agent'],
    ],
    [
      'the agent answers and is gone before he is joined',
      [
        ...answered,
        ...rung,
        fact(agent, 'answered', 7_000),
        byParty(agent, 7_010),
        ended(agent, 7_011),
        released(customer, 7_020),
        ended(customer, 7_030),
      ],
      ['failed', 'abandoned', 'agent'],
    ],
    [
      'both talk',
      [
        ...answered,
        ...rung,
        fact(agent, 'answered', 7_000),
        joined(customer, 7_020),
        joined(agent, 7_021),
        byParty(customer, 9_000),
        ended(customer, 9_001),
        ended(agent, 9_020),
      ],
      ['answered', 'talked', 'remote'],
    ],
  ])('when %s', (_, facts, expected) => {
    expect(outcomeOf(...facts)).toEqual(expected);
  });
});
