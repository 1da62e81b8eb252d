import { describe, expect, it } from 'vitest';
import { gatherState } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import type { PhoneWish, RingLine } from '../domain/plan.js';
import type { Decision } from './decision.js';
import { decideRingLine } from './ring-line.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const [caller, agent, target, room] = ['1795343276.0', `rl-${callId}-a0c0`, `rl-${callId}-t1n`, `rl-${callId}`];
const start = Date.parse('2026-03-01T10:00:00.000Z');
const phone = { agentId: '01936c7e-8b2a-7000-8000-0000000000cc', endpoint: 'agent1', autoAnswer: 'none' } as const;
const other = { ...phone, agentId: '01936c7e-8b2a-7000-8000-0000000000cd', endpoint: 'agent2' };
const plan: RingLine = {
  kind: 'ring-line',
  callerLeg: caller,
  phones: [phone],
  ringSeconds: 25,
  limitSeconds: 7200,
};
const number = { raw: '+493023125301', e164: '+493023125301', name: null };
const line = { id: callId, number: '+493023125001', name: 'Sales' };

function fact(leg: string, kind: Fact['kind'], after: number, data: unknown = {}, key = ''): Fact {
  return { leg, kind, key, at: start + after, source: 'switch', data } as Fact;
}
const joined = (leg: string, after: number): Fact => fact(leg, 'joined', after, { room }, `${room}@${after}`);
const created = (leg: string, after: number, side: string): Fact =>
  fact(leg, 'created', after, { side, linkedId: null, sipCallId: null, name: `PJSIP/${leg}-1` });
const talking: readonly Fact[] = [
  fact(callId, 'placed', 0, { direction: 'inbound', from: number, to: number, line, plan }),
  created(caller, 0, 'remote'),
  fact(agent, 'planned', 5, { side: 'agent', agentId: phone.agentId, device: 'PJSIP/agent1', contact: null }),
  created(agent, 10, 'agent'),
  fact(agent, 'answered', 1_000),
  joined(caller, 1_020),
  joined(agent, 1_021),
];
const wish = (data: PhoneWish = { to: 'agent2' }, after = 10_000): Fact =>
  fact(agent, 'transfer-wished', after, data, `wish ${after}`);
const consulted = { kind: 'consulted', name: 'PJSIP/agent2-0000000a', phone: other, number };
const asked = fact(
  callId,
  'transfer-asked',
  10_100,
  { mode: 'blind', target: consulted, ringSeconds: 30, by: { leg: agent, wish: 'wish 10000' } },
  '1',
);
const planned = fact(target, 'planned', 10_110, {
  side: 'agent',
  agentId: other.agentId,
  device: 'PJSIP/agent2',
  contact: null,
  transfer: 1,
});

function decide(after: number, ...more: readonly Fact[]): Decision {
  const state = gatherState(callId, [...talking, ...more]);
  if (state === null) throw new Error('no call was placed');
  return decideRingLine(callId, plan, state, start + after);
}
const refusals = ({ record }: Decision): unknown[] =>
  record.flatMap(({ kind, data }) => (kind === 'wish-refused' ? [(data as { text: string }).text] : []));
const given = ({ chains }: Decision, ...what: readonly string[]): unknown[] =>
  chains.flat().filter((command) => what.includes(command.do));

describe('a transfer that a phone asks for', () => {
  it('is looked up, once', () => {
    const [first, again] = [10_010, 12_000].map((after) => given(decide(after, wish()), 'find-target'));
    expect(first).toMatchObject([{ do: 'find-target', leg: agent, wish: { to: 'agent2', key: 'wish 10000' } }]);
    expect(again).toEqual(first);
  });

  it.each<[string, number, readonly Fact[], RegExp]>([
    ['it is heard of late', 15_100, [wish()], /some time ago/],
    ['another is under way', 10_300, [asked, planned, wish({ to: 'agent3' }, 10_200)], /under way/],
    ['nobody is on the line to whom it could go', 10_010, [wish({ to: 'agent2', consulted: null })], /on the line/],
    ['the parties do not talk', 10_010, [wish(), fact(caller, 'parted', 9_000, { room }, 'p')], /does not talk/],
  ])('is refused when %s', (_, after, more, text) => {
    expect(refusals(decide(after, ...more))).toEqual([expect.stringMatching(text)]);
  });

  it('is told to the phone when it is refused, but not for ever, and changes nothing else', () => {
    const refused = fact(agent, 'wish-refused', 10_050, { problem: 'number-blocked', text: 'No.' }, 'wish 10000');
    const tell = { do: 'tell-transfer', leg: agent, progress: 'refused' };
    expect(given(decide(10_060, wish(), refused), 'tell-transfer', 'find-target', 'hold-leg')).toMatchObject([tell]);
    expect(given(decide(30_000, wish(), refused), 'tell-transfer')).toEqual([]);
    expect(decide(30_000, wish(), refused).record).toEqual([]);
  });

  it('fetches whom the phone had called, and tells the phone before its leg ends', () => {
    expect(given(decide(10_120, wish(), asked, planned), 'create-leg')).toMatchObject([
      { leg: { leg: target, endpoint: 'Local/s@ringline-take/n', takes: consulted.name, party: 'outside' } },
    ]);
    const took = [created(target, 10_150, 'agent'), fact(target, 'answered', 10_200)];
    const decided = decide(10_210, wish(), asked, planned, ...took);
    expect(decided.record.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['transferred', 'released']));
    const done = decided.record.map((told) => ({ ...told }));
    const next = decide(10_220, wish(), asked, planned, ...took, ...done);
    const ends = next.chains.find((chain) => chain.some((command) => command.do === 'end-leg'));
    expect(ends).toMatchObject([
      { do: 'tell-transfer', leg: agent, progress: 'done' },
      { do: 'end-leg', leg: agent },
    ]);
  });

  it('is told to have failed when its target does not take it', () => {
    const failed = fact(callId, 'transfer-failed', 10_500, { reason: 'agent-busy' }, '1');
    const next = decide(
      10_510,
      wish(),
      asked,
      planned,
      fact(target, 'ended', 10_490, { q850: 17, sip: 486, text: '' }),
      failed,
    );
    expect(given(next, 'tell-transfer')).toMatchObject([{ leg: agent, progress: 'failed' }]);
    expect(refusals(next)).toEqual([]);
  });
});
