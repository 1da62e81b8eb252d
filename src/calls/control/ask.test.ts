import { describe, expect, it } from 'vitest';
import { FactSet, gatherState } from '../domain/call-state.js';
import type { Fact } from '../domain/fact.js';
import { foldCall } from '../domain/fold.js';
import type { ClickToCall, OutsidePhone, RingLine } from '../domain/plan.js';
import { decideClickToCall } from './click-to-call.js';
import type { Decision } from './decision.js';
import { outsideByLog, plannedLegsOf } from './outside-legs.js';
import { decideRingLine } from './ring-line.js';
import { agentIds, callId, caller, created, fact, joined, line, number, phone, start } from './talking.test-support.js';

const mobiles = ['+491713920001', '+491713920002'] as const;
const [first, second, desk] = [`rl-${callId}-g0`, `rl-${callId}-g1`, `rl-${callId}-a0c0`];

const outside = mobiles.map((e164, i): OutsidePhone => ({
  agentId: agentIds[i] ?? '',
  number: { raw: e164, e164, name: null },
  trunk: { endpoint: 'carrier', number: e164 },
  guarded: true,
}));
const plan: RingLine = {
  kind: 'ring-line',
  callerLeg: caller,
  phones: [phone],
  outside,
  ringSeconds: 25,
  limitSeconds: 7200,
};
const click: ClickToCall = {
  kind: 'click-to-call',
  phones: [],
  outside,
  to: number,
  line,
  trunk: { endpoint: 'carrier', number: '+493023125601' },
  tags: [],
  agentRingSeconds: 30,
  remoteRingSeconds: 60,
  limitSeconds: 7200,
};

const dialled = (leg: string): readonly Fact[] => [
  created(leg, 10, 'agent'),
  fact(leg, 'dial-sent', 12),
  fact(leg, 'dialling', 14),
  fact(leg, 'ringing', 500),
];
const rung: readonly Fact[] = [
  fact(callId, 'placed', 0, { direction: 'inbound', from: number, to: number, line, plan }),
  created(caller, 0, 'remote'),
  ...plannedLegsOf(callId, plan, start + 5),
  ...[first, second, desk].flatMap(dialled),
];
const clicked: readonly Fact[] = [
  fact(callId, 'placed', 0, { direction: 'outbound', from: number, to: number, line, plan: click }),
  ...plannedLegsOf(callId, click, start + 5),
  ...[first, second].flatMap(dialled),
];
const pickedUp = (leg: string, after: number): Fact => fact(leg, 'answered', after);
const pressed = (leg: string, after: number, one: boolean): Fact => fact(leg, 'key-pressed', after, { one });

function stateOf(facts: readonly Fact[]): NonNullable<ReturnType<typeof gatherState>> {
  const state = gatherState(callId, facts);
  if (state === null) throw new Error('no call was placed');
  return state;
}
const ringing = (after: number, ...more: readonly Fact[]): Decision =>
  decideRingLine(callId, plan, stateOf([...rung, ...more]), start + after);
const clicking = (after: number, ...more: readonly Fact[]): Decision =>
  decideClickToCall(callId, click, stateOf([...clicked, ...more]), start + after);
const released = ({ record }: Decision): unknown =>
  record.flatMap((told) => (told.kind === 'released' ? [[told.leg, told.data.why]] : []));
const commands = ({ chains }: Decision): string[] => chains.flat().map(({ key }) => key);
const handedBack = ({ record }: Decision): unknown =>
  record.flatMap((told) => (told.kind === 'handed-back' ? [told.data.reason] : []));

describe('an outside phone that answers', () => {
  it('is asked to press 1, and nobody else is sent away for it', () => {
    const decision = ringing(2_000, pickedUp(first, 2_000));
    expect(commands(decision)).toEqual(expect.arrayContaining([`ask:${first}`, `lease:ask:${first}`]));
    expect(decision.record).toEqual([]);
    expect(commands(decision)).not.toContain('answer');
    // The caller's lease comes first.
    expect(decision.wakeAt).toBe(start + 4_000);
  });

  it('is asked for the rest of its time by who comes after a restart, for whom Asterisk ends it a little later', () => {
    const decision = ringing(12_000, pickedUp(first, 2_000));
    expect(decision.chains.flat()).toContainEqual({
      key: `lease:ask:${first}`,
      do: 'renew-lease',
      leg: first,
      seconds: 10,
    });
  });

  it('has the call by 1, and what it hears ends before it comes into the room', () => {
    const decision = ringing(5_000, pickedUp(first, 2_000), pressed(first, 4_900, true));
    expect(released(decision)).toEqual([
      [desk, 'answered-elsewhere'],
      [second, 'answered-elsewhere'],
    ]);
    const chain = decision.chains.find((one) => one.some((command) => command.do === 'answer-leg'));
    expect(chain?.map(({ key }) => key)).toEqual(['answer', `asked:${first}`, `join:${first}`, 'limit']);
    expect(commands(decision)).toContain(`lease:confirmed:${first}`);
  });

  it.each([
    { what: 'by another key', more: [pressed(first, 3_000, false)], after: 3_001 },
    { what: 'by no key in 15 s', more: [], after: 17_000 },
  ])('is sent away $what, and the others ring on', ({ more, after }) => {
    const decision = ringing(after, pickedUp(first, 2_000), ...more);
    expect(released(decision)).toEqual([[first, 'not-confirmed']]);
    expect(handedBack(decision)).toEqual([]);
  });

  it('may be the second to answer and the first to press 1', () => {
    const both = [pickedUp(first, 2_000), pickedUp(second, 3_000), pressed(second, 4_000, true)];
    expect(released(ringing(4_010, ...both))).toEqual([
      [desk, 'answered-elsewhere'],
      [first, 'answered-elsewhere'],
    ]);
    // Who presses it a moment later, before he is told, is too late.
    expect(released(ringing(4_010, ...both, pressed(first, 4_005, true)))).toContainEqual([
      first,
      'answered-elsewhere',
    ]);
  });

  it('keeps its time to press 1 when the ring time is over; then the caller is given back', () => {
    const late = ringing(25_000, pickedUp(first, 24_000));
    expect(released(late)).toEqual([
      [desk, 'no-answer'],
      [second, 'no-answer'],
    ]);
    expect(handedBack(late)).toEqual([]);
    expect(handedBack(ringing(39_000, pickedUp(first, 24_000)))).toEqual(['agent-no-answer']);
  });

  it('is sent away when the caller hangs up', () => {
    const gone = fact(caller, 'ended', 5_000, { q850: 16, sip: null, text: null });
    expect(released(ringing(5_001, pickedUp(first, 2_000), gone))).toContainEqual([first, 'cancelled']);
  });

  it('is not asked where it need not confirm: it has the call', () => {
    const open = { ...plan, phones: [], outside: [{ ...(outside[0] as OutsidePhone), guarded: false }] };
    const leg = `rl-${callId}-n0`;
    const facts = [
      fact(callId, 'placed', 0, { direction: 'inbound', from: number, to: number, line, plan: open }),
      created(caller, 0, 'remote'),
      ...plannedLegsOf(callId, open, start + 5),
      ...dialled(leg),
      pickedUp(leg, 2_000),
    ];
    const decision = decideRingLine(callId, open, stateOf(facts), start + 2_001);
    expect(commands(decision)).toContain('answer');
    expect(commands(decision).filter((key) => key.includes('ask'))).toEqual([]);
  });
});

describe('a press of 1', () => {
  it.each([
    ['after the leg was sent away', fact(first, 'released', 3_000, { why: 'answered-elsewhere' })],
    ['of which is learned when the time was over', fact(first, 'released', 17_000, { why: 'not-confirmed' })],
  ])('%s takes no call', (_, sentAway) => {
    const state = stateOf([...rung, pickedUp(first, 2_000), pressed(first, 4_000, true), sentAway]);
    expect(state.legs.find(({ id }) => id === first)).toMatchObject({ answered: null });
  });

  it.each([false, true])('counts only as the first key, whichever is heard of first (turned round: %s)', (isTurned) => {
    const keys = [pressed(first, 3_000, false), pressed(first, 4_000, true)];
    const known = new FactSet(isTurned ? keys.toReversed() : keys);
    expect(released(ringing(4_001, pickedUp(first, 2_000), ...known.values()))).toEqual([[first, 'not-confirmed']]);
  });
});

describe('a click-to-call of an agent outside', () => {
  it('calls the customer only after 1 was pressed', () => {
    const asked = clicking(2_000, pickedUp(first, 2_000));
    expect(asked.record).toEqual([]);
    expect(commands(asked)).toContain(`ask:${first}`);
    const confirmed = clicking(4_001, pickedUp(first, 2_000), pressed(first, 4_000, true));
    expect(confirmed.record.map(({ leg, kind }) => [leg, kind])).toEqual([
      [second, 'released'],
      [`rl-${callId}-r`, 'planned'],
    ]);
    expect(commands(confirmed)).toEqual(expect.arrayContaining([`asked:${first}`, `lease:confirmed:${first}`]));
  });

  it('keeps the time to press 1 when the ring time is over', () => {
    expect(released(clicking(30_000, pickedUp(first, 29_000)))).toEqual([[second, 'no-answer']]);
    expect(released(clicking(44_000, pickedUp(first, 29_000)))).toEqual(
      expect.arrayContaining([[first, 'not-confirmed']]),
    );
  });
});

describe('the record of a call that rang outside numbers', () => {
  const identity = { id: callId, tenantId: callId, pbxNodeId: callId };
  const ended = (leg: string, after: number): Fact => fact(leg, 'ended', after, { q850: 16, sip: null, text: null });

  it('names the number beside the agent, and shows an answer only once 1 was pressed', () => {
    const mailbox = foldCall(identity, stateOf([...rung, pickedUp(first, 2_000)]), 1);
    expect(mailbox.participants[1]).toMatchObject({
      agentId: agentIds[0],
      number: { e164: mobiles[0] },
      device: `PJSIP/${mobiles[0]}@carrier`,
      role: 'rang',
      answeredAt: null,
    });
    const talking = [pickedUp(first, 2_000), pressed(first, 4_000, true), joined(caller, 4_100), joined(first, 4_101)];
    const call = foldCall(identity, stateOf([...rung, ...talking]), 1);
    expect(call.answeredAt).toBe(new Date(start + 4_101).toISOString());
    expect(call.participants[1]).toMatchObject({
      role: 'answered',
      answeredAt: new Date(start + 4_000).toISOString(),
    });
  });

  it('that is made anew from the log knows the number that had the call by the id of its leg', () => {
    const lost = 'rl-01936c7e-8b2a-7000-8000-00000000000f-g1';
    expect(outsideByLog(outside, { leg: lost, at: start })).toMatchObject([
      { leg: lost, kind: 'planned', data: { agentId: agentIds[1], device: `PJSIP/${mobiles[1]}@carrier` } },
    ]);
    for (const leg of [desk, `rl-${callId}-r`, `rl-${callId}-g2`])
      expect(outsideByLog(outside, { leg, at: 0 })).toEqual([]);
  });

  it.each([
    ['no key was pressed', [fact(first, 'released', 17_000, { why: 'not-confirmed' })], 'failed', 'agent-no-answer'],
    [
      'another key was pressed',
      [pressed(first, 3_000, false), fact(first, 'released', 3_001, { why: 'not-confirmed' })],
      'cancelled',
      'agent-rejected',
    ],
    ['it was hung up there', [fact(first, 'hangup-asked', 3_000, { byParty: true })], 'cancelled', 'agent-rejected'],
    ['Asterisk ended it', [fact(first, 'hangup-asked', 22_000, { byParty: false })], 'failed', 'agent-no-answer'],
  ])('tells why a click came to nothing: %s', (_, facts, outcome, outcomeReason) => {
    const over = [ended(first, 22_500), fact(second, 'refused', 100, { reason: 'device-unreachable', text: '' })];
    const state = stateOf([...clicked, pickedUp(first, 2_000), ...facts, ...over]);
    expect(foldCall(identity, state, 1)).toMatchObject({ outcome, outcomeReason });
  });
});
