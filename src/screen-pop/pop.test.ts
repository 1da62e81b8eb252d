import { describe, expect, it } from 'vitest';
import { callDocument } from '../../lab/call-document.js';
import { participant } from '../../test/support/call-document.js';
import type { Call } from '../calls/domain/call.js';
import { newId } from '../common/ids.js';
import { popIdOf } from './pop-id.js';
import { POP_LIFETIME_MS, agentsOf, validPops } from './pop.js';

const alice = newId();
const bob = newId();
const startedAt = '2026-03-01T10:00:00.000Z';
const now = Date.parse(startedAt) + 20;
const instant = new Date(now).toISOString();
const popped = (changes: Partial<Call>): string[] =>
  validPops(callDocument({ startedAt, participants: [participant(alice)], ...changes }), now).map(
    ({ agentId }) => agentId,
  );

describe('the valid pops of a call', () => {
  it('are one for each agent who is about to be rung or rings', () => {
    expect(
      popped({ participants: [participant(alice), participant(bob, { role: 'rang', ringingAt: instant })] }),
    ).toEqual([alice, bob]);
  });

  it('name caller, line, expiry and the whole call, and nothing else', () => {
    const call = callDocument({ startedAt, participants: [participant(alice)] });
    expect(validPops(call, now)).toEqual([
      {
        id: popIdOf(call.id, alice),
        callId: call.id,
        agentId: alice,
        from: call.from,
        line: call.line,
        matches: [],
        expiresAt: '2026-03-01T10:01:00.000Z',
        call,
      },
    ]);
  });

  it('are one for an agent with two phones, as long as one of them still rings', () => {
    const left = participant(alice, { role: 'rang', leftAt: instant });
    expect(popped({ participants: [left, participant(alice)] })).toEqual([alice]);
    expect(popped({ participants: [left, left] })).toEqual([]);
  });

  it('leave out a participant who is no agent', () => {
    expect(popped({ participants: [{ ...participant(alice), agentId: null }] })).toEqual([]);
  });

  it.each<[string, Partial<Call>]>([
    ['outbound', { direction: 'outbound' }],
    ['internal', { direction: 'internal' }],
    ['answered', { status: 'answered', answeredAt: instant }],
    ['held', { status: 'held' }],
    ['ended', { status: 'ended', endedAt: instant }],
    [
      'picked up by somebody else and not joined yet',
      { participants: [participant(bob, { role: 'answered' }), participant(alice)] },
    ],
    ['older than a pop lives', { startedAt: new Date(now - POP_LIFETIME_MS).toISOString() }],
  ])('are none for a call that is %s', (_, changes) => {
    expect(popped(changes)).toEqual([]);
  });
});

describe('the valid pops of a call that is transferred', () => {
  const later = new Date(now + 600_000).toISOString();
  const transferred: Partial<Call> = {
    status: 'held',
    answeredAt: instant,
    participants: [participant(bob, { role: 'answered', answeredAt: instant }), participant(alice)],
  };

  it.each<[string, Partial<Call>]>([
    ['about to be rung', {}],
    ['ringing', { participants: [participant(alice, { role: 'rang', ringingAt: later })] }],
    ['rung for a call that we placed', { direction: 'outbound' }],
  ])('are of the target who is %s', (_, changes) => {
    expect(popped({ ...transferred, ...changes })).toEqual([alice]);
  });

  it('name the other party, and live from now on', () => {
    const [customer, line] = [callDocument().remote, { raw: '1', e164: null, name: null }];
    const call = callDocument({ ...transferred, direction: 'outbound', from: line, to: customer, remote: customer });
    expect(validPops(call, now + 3_600_000)).toMatchObject([
      { agentId: alice, from: customer, expiresAt: new Date(now + 3_600_000 + POP_LIFETIME_MS).toISOString() },
    ]);
  });

  it.each<[string, Partial<Call>]>([
    ['over: it is back with who had it', { status: 'answered' }],
    ['at an end with the call', { endedAt: later }],
    ['consulting the target', { participants: [participant(alice, { role: 'rang', answeredAt: later })] }],
    [
      'no transfer, but a hold: others had rung for it',
      { participants: [participant(alice, { role: 'rang', ringingAt: startedAt })] },
    ],
    ['made by the dial plan', { control: 'observed' }],
  ])('are none when it is %s', (_, changes) => {
    expect(popped({ ...transferred, ...changes })).toEqual([]);
  });
});

describe('the agents of a call', () => {
  it('are each named once, whatever their role', () => {
    const call = callDocument({
      participants: [participant(bob, { role: 'answered' }), participant(alice), participant(bob)],
    });
    expect([...agentsOf(call)]).toEqual([bob, alice]);
  });
});
