import { describe, expect, it } from 'vitest';
import type { Fact } from '../domain/fact.js';
import type { PhoneWish } from '../domain/plan.js';
import type { Decision } from './decision.js';
import { agent, callId, caller, created, decide, fact, number, otherPhone, room } from './talking.test-support.js';

const target = `rl-${callId}-t1n`;
const wish = (data: PhoneWish = { to: 'agent2' }, after = 10_000): Fact =>
  fact(agent, 'transfer-wished', after, data, `wish ${after}`);
const consulted = { kind: 'consulted', name: 'PJSIP/agent2-0000000a', phone: otherPhone, number };
const asked = fact(
  callId,
  'transfer-asked',
  10_100,
  { mode: 'blind', target: consulted, ringSeconds: 30, by: { leg: agent, wish: 'wish 10000' } },
  '1',
);
const planned = fact(target, 'planned', 10_110, {
  side: 'agent',
  agentId: otherPhone.agentId,
  device: 'PJSIP/agent2',
  contact: null,
  transfer: 1,
});

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
