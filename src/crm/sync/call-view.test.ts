import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callDocument } from '../../../lab/call-document.js';
import { participant } from '../../../test/support/call-document.js';
import { callOutcomes, outcomeReasons, type Call } from '../../calls/domain/call.js';
import { connectionRulesSchema } from '../connections/connection-rules.js';
import type { CrmCapabilities } from '../port/crm-adapter.js';
import type { CrmCall } from '../port/crm-objects.js';
import { callView, fingerprint } from './call-view.js';
import type { KnownAgents } from './call-people.js';
import { lasting } from './call-words.js';
import type { Links } from './links.js';

const [alice, bob, carl] = [
  '01936c7e-0000-7000-8000-00000000000a',
  '01936c7e-0000-7000-8000-00000000000b',
  '01936c7e-0000-7000-8000-00000000000c',
];
const agents: KnownAgents = new Map([
  [alice, { name: 'Alice', userId: 'u1' }],
  [bob, { name: 'Bob', userId: 'u2' }],
  [carl, { name: 'Carl', userId: null }],
]);
const at = (minute: number, second = 0): string =>
  `2026-03-01T09:${String(minute).padStart(2, '0')}:${String(second).padStart(2, '0')}.000Z`;

function view(call: Partial<Call>, options: { links?: Links; rules?: object; recordingUrl?: string } = {}): CrmCall {
  return callView(callDocument({ startedAt: at(30), ...call }), {
    links: options.links ?? {},
    rules: connectionRulesSchema.parse(options.rules ?? {}),
    agents,
    region: 'DE',
    recordingUrl: options.recordingUrl ?? null,
  });
}

const talked: Partial<Call> = {
  status: 'ended',
  outcome: 'answered',
  outcomeReason: 'talked',
  ringingAt: at(30),
  answeredAt: at(30, 12),
  endedAt: at(34, 14),
  waitSeconds: 12,
  talkSeconds: 242,
  durationSeconds: 254,
  hangup: { by: 'remote', q850: 16, sip: null, text: null },
  participants: [
    participant(alice, { role: 'answered', ringingAt: at(30), answeredAt: at(30, 12), talkSeconds: 242 }),
    participant(bob, { role: 'rang', ringingAt: at(30, 1) }),
  ],
};

describe('a call as a CRM is told of it', () => {
  it('is told in words, in the time zone of its connection', () => {
    const told = view(talked, { rules: { timeZone: 'Europe/Berlin' } });
    expect(told.subject).toBe('Incoming call from Carol (+14155550123)');
    expect(told.summary.split('\n')).toEqual([
      'Incoming call from Carol (+14155550123), line Sales (+4930123456), 1 March 2026, 10:30:00 (Europe/Berlin).',
      'Waited 12 s.',
      'Talked with Alice (4 min 2 s).',
      'Rang in vain: Bob.',
      'The caller hung up.',
    ]);
    expect(told).toMatchObject({
      status: 'ended',
      outcome: 'answered',
      userId: 'u1',
      startedAt: new Date(at(30)),
      people: [
        { userId: 'u1', name: 'Alice', part: 'answered', talkSeconds: 242 },
        { userId: 'u2', name: 'Bob', part: 'rang', talkSeconds: 0 },
      ],
      number: { raw: '+14155550123', e164: '+14155550123', national: '(415) 555-0123', digits: '14155550123' },
    });
  });

  it('of a transfer names whom it went to in order, and is the last one’s', () => {
    const told = view({
      ...talked,
      participants: [
        participant(bob, { role: 'transferred', ringingAt: at(32), answeredAt: at(32, 5), talkSeconds: 100 }),
        participant(alice, { role: 'answered', ringingAt: at(30), answeredAt: at(30, 12), talkSeconds: 90 }),
      ],
    });
    expect(told.people.map(({ name, part }) => [name, part])).toEqual([
      ['Alice', 'answered'],
      ['Bob', 'answered'],
    ]);
    expect(told.userId).toBe('u2');
    expect(told.summary).toContain('Talked with Alice (1 min 30 s), then Bob (1 min 40 s).');
    expect(told.summary).toContain('Talked 4 min 2 s in all.');
  });

  it('that came back to who had it first names everybody once and is his', () => {
    const told = view({
      ...talked,
      participants: [
        participant(alice, { role: 'answered', ringingAt: at(30), answeredAt: at(30, 12), talkSeconds: 60 }),
        participant(bob, { role: 'transferred', ringingAt: at(31), answeredAt: at(31, 5), talkSeconds: 60 }),
        participant(alice, { role: 'transferred', ringingAt: at(32), answeredAt: at(32, 5), talkSeconds: 30 }),
      ],
    });
    expect(told.people.map(({ name, talkSeconds }) => [name, talkSeconds])).toEqual([
      ['Alice', 90],
      ['Bob', 60],
    ]);
    expect(told.userId).toBe('u1');
  });

  it('of a transfer to an outside number names that number', () => {
    const number = { raw: '017012345678', e164: '+4917012345678', name: null };
    const told = view({
      ...talked,
      participants: [
        ...(talked.participants ?? []),
        {
          ...participant('x', { role: 'transferred', ringingAt: at(33), answeredAt: at(33, 5) }),
          agentId: null,
          number,
        },
      ],
    });
    expect(told.people.at(-1)).toEqual({ userId: null, name: '+4917012345678', part: 'answered', talkSeconds: 0 });
    expect(told.userId).toBe('u1');
  });

  it('of a conference has all who talked, and not who listened in or never rang', () => {
    const told = view({
      ...talked,
      participants: [
        participant(alice, { role: 'answered', ringingAt: at(30), answeredAt: at(30, 12), talkSeconds: 200 }),
        participant(bob, { role: 'answered', ringingAt: at(31), answeredAt: at(31), talkSeconds: 180 }),
        participant(carl, { role: 'supervisor', answeredAt: at(31), talkSeconds: 10 }),
        participant(carl, { role: 'requested' }),
      ],
    });
    expect(told.people.map(({ name }) => name)).toEqual(['Alice', 'Bob']);
  });

  it('of an anonymous caller has an empty number and says so', () => {
    const remote = { raw: 'anonymous', e164: null, name: 'Anonymous' };
    const told = view({ ...talked, remote });
    expect(told.number).toEqual({ raw: '', e164: null, national: null, digits: '' });
    expect(told.subject).toBe('Incoming call from a caller who hides the number');
  });

  it('inside the company is with an extension', () => {
    const remote = { raw: '204', e164: null, name: null };
    const told = view({ ...talked, direction: 'internal', remote, line: null });
    expect(told.number).toEqual({ raw: '204', e164: null, national: null, digits: '204' });
    expect(told.subject).toBe('Internal call with 204');
  });

  it.each([
    [{ outcome: 'voicemail', outcomeReason: 'agent-no-answer' }, 'Voicemail from Carol', 'Nobody of ours answered.'],
    [{ outcome: 'missed', outcomeReason: 'caller-gave-up' }, 'Missed call from Carol', 'The caller gave up.'],
    [{ outcome: 'blocked', outcomeReason: 'blocked-number' }, 'Blocked call from Carol', 'on the block list.'],
    [{ direction: 'outbound', outcome: 'busy', outcomeReason: 'remote-busy' }, 'Unanswered call to Carol', 'was busy.'],
  ] as const)('that was not answered says how it came out: %j', (changes, subject, words) => {
    const told = view({ status: 'ended', endedAt: at(31), ...changes });
    expect(told.subject).toContain(subject);
    expect(told.summary).toContain(words);
  });

  it('that merged names the call it became part of', () => {
    const mergedInto = '01936c7e-0000-7000-8000-0000000000ff';
    expect(view({ ...talked, mergedInto }).summary).toContain(`another call, ${mergedInto}.`);
  });

  it('is whose it can be: who talked, who was sought, the contact’s owner, the default user', () => {
    const contact = { type: 'Contact', id: 'c1', kind: 'contact', name: 'Carol', ownerId: 'u9' } as const;
    const sought = [participant(carl, { role: 'rang', ringingAt: at(30) }), participant(bob)];
    const rules = { users: { defaultUserId: 'u0' } };
    expect(view({ participants: sought }, { links: { contact }, rules }).userId).toBe('u2');
    expect(view({ participants: sought.slice(0, 1) }, { links: { contact }, rules }).userId).toBe('u9');
    expect(view({}, { rules }).userId).toBe('u0');
    expect(view({}).userId).toBeNull();
  });

  it('is of what was made of the caller rather than of nobody', () => {
    const created = { type: 'lead', id: 'l1', kind: 'lead' } as const;
    expect(view({}, { links: { contact: null, created } }).contact).toEqual({ type: 'lead', id: 'l1' });
  });

  it('fills the CRM’s fields by the map, and leaves out what it does not have', () => {
    const rules = {
      fields: {
        dispositions: { sold: 'Won' },
        set: {
          c_id: 'id',
          c_out: 'disposition',
          c_tags: 'tags',
          c_note: 'note',
          c_talk: 'talkSeconds',
          c_by: 'hangupBy',
        },
      },
    };
    const told = view({ ...talked, disposition: 'sold', tags: ['a', 'b'], hangup: null }, { rules });
    expect(told.disposition).toBe('Won');
    expect(told.fields).toEqual({ c_id: told.id, c_out: 'Won', c_tags: 'a, b', c_talk: 242 });
    expect(view({ disposition: 'other' }, { rules }).disposition).toBe('other');
  });

  it('whatever it is, has words, the same for the same call, and people who are each there once', () => {
    const instant = fc.integer({ min: 0, max: 59 }).map((minute) => at(minute));
    const person = fc.record({
      agentId: fc.constantFrom(alice, bob, carl),
      role: fc.constantFrom('requested', 'rang', 'answered', 'transferred', 'supervisor' as const),
      ringingAt: fc.option(instant),
      answeredAt: fc.option(instant),
      talkSeconds: fc.nat(9_999),
    });
    const calls = fc.record({
      direction: fc.constantFrom('inbound', 'outbound', 'internal' as const),
      status: fc.constantFrom('queued', 'dialing', 'ringing', 'answered', 'held', 'ended' as const),
      outcome: fc.option(fc.constantFrom(...callOutcomes)),
      outcomeReason: fc.option(fc.constantFrom(...outcomeReasons)),
      answeredAt: fc.option(instant),
      endedAt: fc.option(instant),
      waitSeconds: fc.nat(9_999),
      talkSeconds: fc.nat(9_999),
      remote: fc.record({
        raw: fc.constantFrom('', 'anonymous', '101', '+4930123456', 'sip:a@b', '*72'),
        e164: fc.constant(null),
        name: fc.option(fc.string()),
      }),
      participants: fc.array(
        person.map(({ agentId, ...changes }) => participant(agentId, changes)),
        { maxLength: 6 },
      ),
    });
    fc.assert(
      fc.property(calls, (changes) => {
        const call = callDocument({ startedAt: at(0), ...changes });
        const telling = { links: {}, rules: connectionRulesSchema.parse({}), agents, region: 'DE', recordingUrl: null };
        const told = callView(call, telling);
        expect(callView(call, telling)).toEqual(told);
        expect(told.subject).not.toMatch(/undefined|null/);
        expect(told.summary).not.toMatch(/undefined|NaN/);
        const names = told.people.map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        const has = (...roles: string[]): boolean => changes.participants.some(({ role }) => roles.includes(role));
        expect(told.people.some(({ part }) => part === 'answered')).toBe(has('answered', 'transferred'));
      }),
    );
  });
});

describe('the fingerprint of what was told', () => {
  const beside = { note: 'beside' } as CrmCapabilities;
  const inCall = { note: 'in-call' } as CrmCapabilities;
  const told = view(talked);

  it('differs with what a CRM would show, and not with a recording’s link', () => {
    expect(fingerprint({ ...told, tags: ['a'] }, beside)).not.toBe(fingerprint(told, beside));
    expect(fingerprint({ ...told, userId: 'u2' }, beside)).not.toBe(fingerprint(told, beside));
    expect(fingerprint({ ...told, recordingUrl: 'https://x' }, beside)).toBe(fingerprint(told, beside));
  });

  it('differs with the note where that stands in the call', () => {
    expect(fingerprint({ ...told, note: 'n' }, inCall)).not.toBe(fingerprint(told, inCall));
    expect(fingerprint({ ...told, note: 'n' }, beside)).toBe(fingerprint(told, beside));
  });
});

describe('a length of time in words', () => {
  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [242, '4 min 2 s'],
    [3600, '1 h'],
    [3661, '1 h 1 min 1 s'],
  ])('%i seconds are %s', (seconds, words) => {
    expect(lasting(seconds)).toBe(words);
  });
});
