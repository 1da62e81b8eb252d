import { describe, expect, it } from 'vitest';
import { gatherState } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import type { Plan } from '../domain/plan.js';
import { decide } from './decide.js';
import {
  agent,
  callId,
  caller,
  created,
  fact,
  joined,
  line,
  number,
  otherPhone,
  phone,
  start,
} from './talking.test-support.js';

const shared = { phones: [phone], limitSeconds: 7200 };
const click = {
  ...shared,
  kind: 'click-to-call',
  to: number,
  line,
  trunk: { endpoint: 'trunk', number: '+493023125301' },
  tags: [],
  agentRingSeconds: 30,
  remoteRingSeconds: 60,
} as const;
const plans: readonly (readonly [string, Plan])[] = [
  ['an incoming call', { ...shared, kind: 'ring-line', callerLeg: caller, ringSeconds: 25 }],
  ['a click-to-call', click],
  ['a click-to-call, customer first', { ...click, order: 'customer-first' }],
];
const wire = '1795343299.7';
const takenOver = [
  fact(agent, 'taken-over', 9_000, { by: wire, to: 'agent2' }),
  created(wire, 9_000, 'agent'),
  fact(agent, 'ended', 9_010, { q850: 16, sip: null, text: null }),
];

/** What is decided when the switch has passed the other party on by itself. */
function decided(plan: Plan, after: number, ...more: readonly Fact[]) {
  const direction = plan.kind === 'ring-line' ? 'inbound' : 'outbound';
  const state = gatherState(callId, [
    fact(callId, 'placed', 0, { direction, from: number, to: number, line, plan }),
    created(caller, 0, 'remote'),
    fact(caller, 'answered', 900),
    fact(agent, 'planned', 5, { side: 'agent', agentId: phone.agentId, device: 'PJSIP/agent1', contact: null }),
    created(agent, 10, 'agent'),
    fact(agent, 'answered', 1_000),
    joined(caller, 1_020),
    joined(agent, 1_021),
    ...takenOver,
    ...more,
  ]);
  if (state === null) throw new Error('no call was placed');
  const { record, chains } = decide(callId, state, start + after);
  return {
    record: record.map(({ kind, leg }) => [kind, leg]),
    commands: chains.flat().map((command) => command.do),
  };
}

describe.each(plans)('%s that the switch passed on by itself', (_, plan) => {
  it('keeps the other party, and asks only who has it now', () => {
    expect(decided(plan, 20_000)).toEqual({ record: [], commands: ['name-taker'] });
  });

  it('does so in the course of a transfer too', () => {
    const target = { kind: 'agent', phones: [otherPhone] };
    const asked = fact(callId, 'transfer-asked', 8_000, { mode: 'blind', target, ringSeconds: 30 }, '1');
    expect(decided(plan, 20_000, asked)).toEqual({ record: [], commands: ['name-taker'] });
  });

  it('ends with the other party', () => {
    const { record } = decided(plan, 20_000, fact(caller, 'ended', 19_000, { q850: 16, sip: null, text: null }));
    expect(record).toContainEqual(['released', wire]);
  });

  it('ends when that is asked for', () => {
    const { record } = decided(
      plan,
      20_000,
      fact(callId, 'cancel-asked', 19_990, { by: 'api', reason: 'cancelled-by-api' }),
    );
    expect(record).toEqual(
      expect.arrayContaining([
        ['released', caller],
        ['released', wire],
      ]),
    );
  });
});
