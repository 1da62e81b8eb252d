import { describe, expect, it } from 'vitest';
import type { Told } from '../ledger/told.js';
import type { Fact } from './fact.js';
import {
  observedLog,
  observedNames,
  observedTold,
  play,
  summary,
  type Outcome,
} from '../../../lab/replay/observed-stream.js';
import { toldLater } from '../../../lab/replay/retimed.js';

const TICK_MS = 10;

/**
 * What the lab's ordinary PBX made of these, and how its records must come out: the customer's call as
 * `direction from>to outcome/reason (who hung up)`, its participants in the order in which they came, its events.
 */
const expected: Readonly<Record<string, readonly string[]>> = {
  inbound: [
    'inbound +491713920001>+493023125001 answered/talked (agent)',
    '1001 answered',
    'started ringing answered ended',
  ],
  outbound: ['outbound 1001>01713920042 answered/talked (agent)', '1001 answered', 'started ringing answered ended'],
  'outbound-given-up': [
    'outbound 1001>01713920042 cancelled/agent-hung-up (agent)',
    '1001 requested',
    'started ringing ended',
  ],
  'outbound-refused': ['outbound 1001>01713920042 failed/trunk-refused (remote)', '1001 requested', 'started ended'],
  'internal-busy': ['internal 1001>1009 busy/remote-busy (agent)', '1001 requested, 1009 requested', 'started ended'],
  'internal-voicemail': [
    'internal 1001>1003 voicemail/agent-busy (agent)',
    '1001 requested, 1003 rang',
    'started ringing voicemail ended',
  ],
  'nobody-to-voicemail': [
    'inbound +491713920001>+493023125003 voicemail/agent-no-answer (remote)',
    '1003 rang',
    'started ringing voicemail ended',
  ],
  'ring-group': [
    'inbound +491713920001>+493023125101 answered/talked (agent)',
    '1004 rang, 1005 answered',
    'started ringing answered ended',
  ],
  'group-to-voicemail': [
    'inbound +491713920001>s voicemail/agent-busy (remote)',
    '1001 rang, 1002 rang, 1003 rang',
    'started ringing voicemail ended',
  ],
  queue: [
    'inbound +491713920001>+493023125200 answered/talked (agent)',
    '1001 rang, 1002 answered, 1003 rang, 1004 rang',
    'started ringing answered ended',
  ],
  'queue-linear': [
    'inbound +491713920001>+493023125201 answered/talked (remote)',
    '1005 rang, 1006 answered',
    'started ringing answered ended',
  ],
  menu: [
    'inbound +491713920001>+493023125300 answered/talked (remote)',
    '1002 answered',
    'started ringing answered ended',
  ],
  hold: [
    'inbound +491713920001>+493023125001 answered/talked (remote)',
    '1001 answered',
    'started ringing answered held resumed held resumed ended',
  ],
  'blind-refer': [
    'inbound +491713920001>+493023125001 answered/talked (remote)',
    '1001 transferred, 1002 answered',
    'started ringing answered transferred ended',
  ],
  'blind-refer-refused': [
    'inbound +491713920001>+493023125001 answered/talked (agent)',
    '1001 answered',
    'started ringing answered ended',
  ],
  'blind-feature-code': [
    'inbound +491713920001>+493023125001 answered/talked (remote)',
    '1001 transferred, 1002 answered',
    'started ringing answered held resumed transferred ended',
  ],
  'attended-refer': [
    'inbound +491713920001>+493023125001 answered/talked (remote)',
    '1001 transferred, 1002 answered',
    'started ringing answered held resumed transferred ended',
  ],
  'attended-feature-code': [
    'inbound +491713920001>+493023125001 answered/talked (remote)',
    '1001 transferred, 1002 answered',
    'started ringing answered held resumed transferred ended',
  ],
  'attended-refer-at-once': [
    'inbound +491713920001>+493023125001 answered/talked (remote)',
    '1001 transferred, 1002 answered',
    'started ringing answered held resumed transferred ended',
  ],
  'attended-cancelled': [
    'inbound +491713920001>+493023125001 answered/talked (remote)',
    '1001 answered, 1002 rang',
    'started ringing answered held resumed ended',
  ],
  'attended-busy': [
    'inbound +491713920001>+493023125001 answered/talked (remote)',
    '1001 answered, 1009 rang',
    'started ringing answered held resumed ended',
  ],
  'chain-of-three': [
    'inbound +491713920001>+493023125001 answered/talked (remote)',
    '1001 transferred, 1002 transferred, 1003 answered',
    'started ringing answered held resumed transferred transferred ended',
  ],
  'transfer-back': [
    'inbound +491713920001>+493023125001 answered/talked (agent)',
    '1001 transferred, 1002 transferred',
    'started ringing answered transferred transferred ended',
  ],
  'to-own-mobile': [
    'inbound +491713920001>+493023125001 answered/talked (agent)',
    '01713920043 answered, 1001 transferred',
    'started ringing answered transferred ended',
  ],
  'outbound-attended': [
    'outbound 1001>01713920042 answered/talked (agent)',
    '1001 transferred, 1002 answered',
    'started ringing answered held resumed transferred ended',
  ],
  'pick-up': [
    'inbound +491713920001>+493023125001 answered/talked (agent)',
    '1001 rang, 1002 answered',
    'started ringing answered ended',
  ],
  'directed-pick-up': [
    'inbound +491713920001>+493023125001 answered/talked (agent)',
    '1001 rang, 1002 answered',
    'started ringing answered ended',
  ],
  parking: [
    'inbound +491713920001>+493023125001 answered/talked (agent)',
    '1001 transferred, 1002 answered',
    'started ringing answered transferred ended',
  ],
  'busy-to-voicemail': [
    'inbound +491713920001>+493023125003 voicemail/agent-busy (remote)',
    '1003 rang',
    'started ringing voicemail ended',
  ],
  'do-not-disturb': ['inbound +491713920001>+493023125003 voicemail/unknown (remote)', '', 'started voicemail ended'],
  conference: [
    'inbound +491713920001>+493023125400 answered/talked (remote)',
    '1001 answered, 1002 answered',
    'started answered ended',
  ],
  'conference-joined-later': [
    'inbound +491713920001>+493023125400 answered/talked (remote)',
    '1001 answered, 1002 answered',
    'started answered updated ended',
  ],
  'conference-of-two-customers': [
    'inbound +491713920001>+493023125400 answered/talked (remote)',
    '+491713920002 answered, 1001 answered',
    'started answered ended',
  ],
  'follow-me': [
    'inbound +491713920001>+493023125003 answered/talked (remote)',
    '01713920042 answered, 1003 rang',
    'started ringing answered ended',
  ],
  'click-by-phone': [
    'outbound 1001>01713920042 answered/talked (agent)',
    '1001 answered',
    'started updated updated ringing answered ended',
  ],
  'click-by-wire': [
    'outbound 1001>01713920042 answered/talked (agent)',
    '1001 answered',
    'started updated updated ringing answered ended',
  ],
  'click-of-a-mailbox': [
    'outbound >01713920042 failed/remote-hung-up (remote)',
    '1002 rang',
    'started updated updated ringing ended',
  ],
  'click-for-a-colleague': [
    'internal 1001>1002 answered/talked (agent)',
    '1001 answered, 1002 answered',
    'started updated ringing answered ended',
  ],
  dialler: ['outbound >01713920042 answered/talked (agent)', '1001 answered', 'started ringing answered ended'],
};

/** Conversations that became part of another one. */
const merged: Readonly<Record<string, readonly string[]>> = {
  'conference-joined-later': ['inbound +491713920001>+493023125400 merged', '', 'started merged'],
  'conference-of-two-customers': ['inbound +491713920002>+493023125400 merged', '', 'started merged'],
  'attended-refer': ['internal 1001>1002 merged', '1001 answered, 1002 answered', 'started ringing answered merged'],
  'attended-refer-at-once': [
    'internal 1001>1002 merged',
    '1001 answered, 1002 answered',
    'started ringing answered merged',
  ],
  'chain-of-three': ['internal 1001>1002 merged', '1001 answered, 1002 answered', 'started ringing answered merged'],
  'outbound-attended': ['internal 1001>1002 merged', '1001 answered, 1002 answered', 'started ringing answered merged'],
};

describe.each([16, 22])('what Asterisk %i tells of an ordinary dial plan', (version) => {
  it.each(Object.entries(expected))('makes one record of %s', async (name, [record, who, events]) => {
    const told = observedTold(`${name}.${version}`);
    const all = [[record, who, events], ...(merged[name] === undefined ? [] : [merged[name]])];
    expect(summary(await play(told))).toEqual(all);
    expect(summary(await play(told, undefined, 20))).toEqual(all);
  });

  it('keeps two calls of one customer apart', async () => {
    const made = summary(await play(observedTold(`forwarded.${version}`)));
    expect(made).toEqual([
      [
        'inbound +491713920001>+493023125200 missed/caller-gave-up (remote)',
        '1001 rang, 1002 rang, 1003 rang, 1004 rang',
        'started ringing ended',
      ],
      [
        'inbound +491713920001>+493023125002 answered/talked (remote)',
        '01713920042 answered',
        'started ringing answered ended',
      ],
    ]);
  });
});

describe('an observed call', () => {
  it('that a queue makes for who did not wait is one of its own', async () => {
    for (const version of [16, 22]) {
      const made = summary(await play(observedTold(`queue-call-back.${version}`)));
      expect(made, `${version}`).toEqual([
        [
          'inbound +491713920001>+493023125200 missed/agent-no-answer (system)',
          '1001 rang, 1002 rang, 1003 rang',
          'started ringing ended',
        ],
        [
          'outbound 1002>+491713920001 answered/talked (agent)',
          '1001 rang, 1002 answered, 1003 rang',
          'started updated updated ringing answered ended',
        ],
      ]);
    }
  });

  it('comes out alike where much happens within one tick of the clock', async () => {
    for (const version of [16, 22]) {
      for (const [name, [record, who, events]] of Object.entries(expected)) {
        const told = observedTold(`${name}.${version}`).map((one) => ({ ...one, facts: one.facts.map(atTick) }));
        const [made] = summary(await play(told));
        expect(made, `${name}.${version}`).toEqual([record, who, events]);
      }
    }
  });

  it('is the same record in whatever order its facts come, and however often', async () => {
    for (const name of ['attended-feature-code.22', 'follow-me.22', 'queue.22', 'blind-refer.16']) {
      const told = observedTold(name);
      const { calls, refold } = await play(told);
      const first = calls[0]!;
      const random = seeded(name.length);
      for (let turn = 0; turn < 200; turn++) expect(refold(first.id, random)).toEqual({ ...first, version: 1 });
    }
  });

  it('is recorded however long he was alone who began it', async () => {
    const minute = 60_000;
    for (const name of ['click-by-wire', 'internal-busy']) {
      const [first, ...others] = observedTold(`${name}.22`);
      if (first === undefined) throw new Error(`${name} is empty`);
      const other = toldLater(elsewhere(first), 5 * minute);
      const told = [first, other, ...others.map((one) => toldLater(one, 10 * minute))];
      expect(summary(await play(told)), name).toEqual([expected[name]]);
    }
  });

  it('is told while it rings though its beginning was not heard', async () => {
    for (const name of ['inbound.16', 'inbound.22', 'internal-voicemail.22']) {
      const told = observedTold(name, 1);
      const rings = told.findIndex(({ facts }) => facts.some(({ kind }) => kind === 'ringing'));
      const [made] = summary(await play(told.slice(0, rings + 1)));
      expect(made?.at(-1), name).toBe('started ringing');
    }
  });

  it('that ends while it is held was not resumed', async () => {
    for (const version of [16, 22]) {
      const told = observedTold(`hold.${version}`).map((one) => ({
        ...one,
        facts: one.facts.filter(({ kind }) => kind !== 'resumed'),
      }));
      const [made] = summary(await play(told));
      expect(made?.at(-1), `hold.${version}`).toBe('started ringing answered held ended');
    }
  });

  it('left by the line whose number was shown outside, where many go out by one trunk', async () => {
    for (const name of ['outbound.16', 'outbound.22', 'outbound-attended.22', 'outbound-refused.16']) {
      const { calls } = await play(observedTold(name));
      expect(calls[0]?.line?.number, name).toBe('+493023125001');
    }
  });

  it('is no other record, and is told nothing more of, where the log tells it again', async () => {
    for (const name of observedNames()) {
      const told = observedTold(name);
      const [heard, read] = [await play(told), await play(told, undefined, 0, observedLog(name))];
      const bare = ({ calls, events }: Outcome): unknown =>
        calls.map((call) => ({
          ...call,
          id: '',
          mergedInto: call.mergedInto === null ? null : '',
          events: events.get(call.id)?.map(({ type }) => type),
        }));
      expect(bare(read), name).toEqual(bare(heard));
    }
  });

  it('has agents whose talk times sum to its own', async () => {
    for (const name of Object.keys(expected).filter((one) => one !== 'hold' && !one.startsWith('conference'))) {
      const { calls } = await play(observedTold(`${name}.22`));
      for (const { talkSeconds, participants, mergedInto } of calls) {
        if (mergedInto !== null) continue;
        const sum = participants.reduce((total, one) => total + one.talkSeconds, 0);
        expect(Math.abs(sum - talkSeconds)).toBeLessThanOrEqual(1);
      }
    }
  });
});

/** The same of a conversation of its own. */
function elsewhere(told: Told): Told {
  const leg = `${told.leg}0`;
  const facts = told.facts.map((fact) => ({ ...fact, leg }));
  return {
    ...told,
    leg,
    facts,
    ...(told.sighting !== undefined && { sighting: { ...told.sighting, linkedId: leg } }),
  };
}

/** Of some ms, so that what follows from each other has one time: the switch does in one ms what takes it two now and then. */
function atTick(fact: Fact): Fact {
  return { ...fact, at: Math.floor(fact.at / TICK_MS) * TICK_MS };
}

function seeded(seed: number): () => number {
  let state = seed * 2654435761;
  return () => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
