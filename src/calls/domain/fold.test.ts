import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FactSet, gatherState } from './call-state.js';
import { changesBetween } from './changes.js';
import type { Call } from './call.js';
import type { Fact } from './fact.js';
import { foldCall } from './fold.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const identity = {
  id: callId,
  tenantId: '01936c7e-8b2a-7000-8000-0000000000aa',
  pbxNodeId: '01936c7e-8b2a-7000-8000-0000000000bb',
};
const agentId = '01936c7e-8b2a-7000-8000-0000000000cc';
const line = { id: '01936c7e-8b2a-7000-8000-0000000000dd', number: '+4930901820', name: 'Sales' };
const start = Date.parse('2026-03-01T10:00:00.000Z');
const caller = '1795343276.0';
const agentLeg = `rl-${callId}-a0c0`;
const room = `rl-${callId}`;

/** A fact by its kind; times are ms after the call began. */
function fact(
  leg: string,
  kind: Fact['kind'],
  after: number,
  data: unknown = {},
  more: Partial<Pick<Fact, 'key' | 'source'>> = {},
): Fact {
  return { leg, kind, key: '', at: start + after, source: 'switch', data, ...more } as Fact;
}

const placed = fact(
  callId,
  'placed',
  0,
  {
    direction: 'inbound',
    from: { raw: '+4930111222', e164: '+4930111222', name: null },
    to: { raw: '4930901820', e164: '+4930901820', name: null },
    line,
    plan: {
      kind: 'ring-line',
      callerLeg: caller,
      phones: [{ agentId, endpoint: 'agent1', autoAnswer: 'none' }],
      ringSeconds: 25,
      limitSeconds: 7200,
    },
  },
  { source: 'ringline' },
);

/** An answered call in which the caller hangs up, as the lab's switch told it. */
const answeredCall: readonly Fact[] = [
  placed,
  fact(caller, 'created', 0, { side: 'remote', linkedId: caller, sipCallId: 'a@b', name: 'PJSIP/trunk-00000001' }),
  fact(
    agentLeg,
    'planned',
    5,
    { side: 'agent', agentId, device: 'PJSIP/agent1', contact: null },
    { source: 'ringline' },
  ),
  fact(agentLeg, 'created', 10, { side: 'agent', linkedId: agentLeg, sipCallId: 'c@d', name: 'PJSIP/agent1-00000002' }),
  fact(agentLeg, 'dial-sent', 12, {}, { source: 'ringline' }),
  fact(agentLeg, 'dialling', 14),
  fact(agentLeg, 'ringing', 100),
  fact(agentLeg, 'answered', 4_100),
  fact(caller, 'answered', 4_110),
  fact(caller, 'joined', 4_120, { room }, { key: `${room}@4120` }),
  fact(agentLeg, 'joined', 4_121, { room }, { key: `${room}@4121` }),
  fact(caller, 'hangup-asked', 64_121, { byParty: true }),
  fact(caller, 'cause', 64_121, { q850: 16 }, { key: '16' }),
  fact(caller, 'parted', 64_122, { room }, { key: `${room}@64122` }),
  fact(caller, 'left-control', 64_123),
  fact(caller, 'ended', 64_124, { q850: 0, sip: null, text: 'Unknown' }),
  fact(agentLeg, 'released', 64_130, { why: 'other-side-left' }, { source: 'ringline' }),
  fact(agentLeg, 'hangup-asked', 64_135, { byParty: false }),
  fact(agentLeg, 'parted', 64_136, { room }, { key: `${room}@64136` }),
  fact(agentLeg, 'ended', 64_140, { q850: 16, sip: null, text: 'Normal Clearing' }),
];

function fold(facts: Iterable<Fact>): Call {
  const state = gatherState(callId, new FactSet(facts).values());
  if (state === null) throw new Error('no call');
  return foldCall(identity, state, 1);
}

describe('a folded call', () => {
  it('tells who talked, when, how long and who hung up', () => {
    expect(fold(answeredCall)).toMatchObject({
      status: 'ended',
      outcome: 'answered',
      outcomeReason: 'talked',
      ringingAt: '2026-03-01T10:00:00.100Z',
      answeredAt: '2026-03-01T10:00:04.121Z',
      endedAt: '2026-03-01T10:01:04.124Z',
      waitSeconds: 4,
      talkSeconds: 60,
      durationSeconds: 64,
      estimated: false,
      // The end of the leg says 0; the true cause came with an earlier event.
      hangup: { by: 'remote', q850: 16 },
      participants: [{ agentId, device: 'PJSIP/agent1', role: 'answered', talkSeconds: 60 }],
    });
  });

  it('was ended by the party that left, though the switch asks for the same end in the same millisecond', () => {
    const echo = fact(caller, 'hangup-asked', 64_121, { byParty: false });
    expect(fold([...answeredCall, echo]).hangup).toMatchObject({ by: 'remote' });
    expect(fold([echo, ...answeredCall]).hangup).toMatchObject({ by: 'remote' });
  });

  it.each([
    ['midnight', '2026-03-01T23:59:30.000Z', '2026-03-02T00:00:34.124Z'],
    ['the end of the year', '2026-12-31T23:59:30.000Z', '2027-01-01T00:00:34.124Z'],
    ['the hour that is not there', '2026-03-29T00:59:30.000Z', '2026-03-29T01:00:34.124Z'],
    ['the hour that comes twice', '2026-10-25T00:59:30.000Z', '2026-10-25T01:00:34.124Z'],
    ['the last day of February', '2028-02-29T23:59:30.000Z', '2028-03-01T00:00:34.124Z'],
  ])('over %s is as long as any other', (_, from, until) => {
    const shift = Date.parse(from) - start;
    const [record, other] = [fold(answeredCall.map((one) => ({ ...one, at: one.at + shift }))), fold(answeredCall)];
    expect(record).toMatchObject({
      startedAt: from,
      endedAt: until,
      waitSeconds: 4,
      talkSeconds: 60,
      durationSeconds: 64,
    });
    expect(record.participants.map(({ talkSeconds }) => talkSeconds)).toEqual([60]);
    expect(record.hangup).toEqual(other.hangup);
  });

  it('is the same whatever the order and the repetition of its facts', () => {
    const expected = fold(answeredCall);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(answeredCall as Fact[], { minLength: answeredCall.length }),
        fc.array(fc.constantFrom(...answeredCall), { maxLength: 30 }),
        (shuffled, repeated) => {
          expect(fold([...shuffled, ...repeated])).toEqual(expected);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it('keeps answered over a late orphan end, and over estimates', () => {
    const expected = fold(answeredCall);
    const late = [
      fact(agentLeg, 'ended', 70_000, { q850: 19, sip: 480, text: 'no answer' }, { source: 'estimate' }),
      fact(agentLeg, 'answered', 90_000, {}, { source: 'estimate' }),
      fact(caller, 'ended', 99_000, { q850: null, sip: null, text: null }, { source: 'reconcile' }),
    ];
    expect(fold([...answeredCall, ...late])).toEqual(expected);
  });

  it('never loses an answer, whatever is lost of what came after the parties were joined', () => {
    const joinedBy = answeredCall.findIndex(({ key }) => key === `${room}@4121`) + 1;
    const later = answeredCall.slice(joinedBy);
    fc.assert(
      fc.property(fc.subarray(later), (kept) => {
        const call = fold([...answeredCall.slice(0, joinedBy), ...kept]);
        expect(call.answeredAt).toBe('2026-03-01T10:00:04.121Z');
        expect([null, 'answered']).toContain(call.outcome);
      }),
    );
  });

  it('is flagged while something in it is an estimate, and no longer once a better source told it', () => {
    const withoutEnd = answeredCall.filter(({ leg, kind }) => !(leg === caller && kind === 'ended'));
    const guess = fact(caller, 'ended', 60_000, { q850: null, sip: null, text: null }, { source: 'estimate' });
    expect(fold([...withoutEnd, guess])).toMatchObject({ estimated: true, status: 'ended' });
    expect(fold([...answeredCall, guess])).toEqual(fold(answeredCall));
  });

  it('is missed when the caller gives up while a phone rings', () => {
    const facts = [
      ...answeredCall.slice(0, 7),
      fact(caller, 'hangup-asked', 9_000, { byParty: true }),
      fact(caller, 'ended', 9_001, { q850: 127, sip: null, text: null }),
      fact(agentLeg, 'released', 9_002, { why: 'cancelled' }, { source: 'ringline' }),
      fact(agentLeg, 'ended', 9_010, { q850: 16, sip: 487, text: null }),
    ];
    expect(fold(facts)).toMatchObject({
      status: 'ended',
      outcome: 'missed',
      outcomeReason: 'caller-gave-up',
      waitSeconds: 9,
      talkSeconds: 0,
      hangup: { by: 'remote' },
      participants: [{ role: 'rang' }],
    });
  });
});

/** Event types of a call whose facts come one by one in this order. */
function published(facts: readonly Fact[]): string[] {
  const known = new FactSet();
  const types: string[] = [];
  let stored: Call | null = null;
  for (const next of facts) {
    if (!known.add(next)) continue;
    const state = gatherState(callId, known.values());
    if (state === null) continue;
    const folded = foldCall(identity, state, types.length + 1);
    const changes = changesBetween(stored, folded);
    types.push(...changes);
    if (changes.length > 0) stored = folded;
  }
  return types;
}

describe('who the other party is', () => {
  const contact = {
    connectionId: agentId,
    type: 'card',
    id: '1',
    kind: 'contact',
    name: 'Ann',
    company: null,
    url: null,
  };
  const found = (after: number, id: string): Fact =>
    fact(
      callId,
      'contact-found',
      after,
      { contact: { ...contact, id }, owner: null },
      { key: `k${id}`, source: 'ringline' },
    );

  it('is whom was found last, whatever the order in which it is told', () => {
    const facts = [...answeredCall, found(10, '2'), found(20, '1')];
    expect(fold(facts).contact).toEqual(contact);
    expect(fold(facts.toReversed())).toEqual(fold(facts));
  });

  it('rides along with what happens next while the call is open, and is news once it is over', () => {
    const open = fold([placed]);
    expect(changesBetween(open, fold([placed, found(10, '1')]))).toEqual([]);
    expect(changesBetween(fold(answeredCall), fold([...answeredCall, found(10, '1')]))).toEqual(['call.updated']);
  });
});

describe('published changes', () => {
  it('are one per milestone of an ordinary call', () => {
    expect(published(answeredCall)).toEqual(['call.started', 'call.ringing', 'call.answered', 'call.ended']);
  });

  it('tell a milestone that is learned after a later one as an update', () => {
    const ringing = answeredCall.filter(({ kind }) => kind === 'ringing');
    const others = answeredCall.filter(({ kind }) => kind !== 'ringing');
    expect(published([...others, ...ringing])).toEqual(['call.started', 'call.answered', 'call.ended', 'call.updated']);
  });

  it('never repeat a milestone and never end twice, in any order of the facts', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(answeredCall.slice(1), { minLength: answeredCall.length - 1 }), (shuffled) => {
        const types = published([placed, ...shuffled]);
        for (const milestone of ['call.started', 'call.ringing', 'call.answered', 'call.ended']) {
          expect(types.filter((type) => type === milestone).length).toBeLessThanOrEqual(1);
        }
        expect(types[0]).toBe('call.started');
      }),
      { numRuns: 1_000 },
    );
  });
});
