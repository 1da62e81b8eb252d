import { describe, expect, it } from 'vitest';
import { changesBetween } from '../domain/changes.js';
import type { Call } from '../domain/call.js';
import type { Fact } from '../domain/fact.js';
import { foldCall } from '../domain/fold.js';
import type { TransferMode, TransferTarget } from '../domain/plan.js';
import type { Decision } from './decision.js';
import {
  agent,
  agentIds,
  callId,
  caller,
  created,
  decide,
  fact,
  joined,
  line,
  number,
  otherPhone,
  room,
  start,
  stateWith,
} from './talking.test-support.js';

const identity = { id: callId, tenantId: callId, pbxNodeId: callId };
const [target, outside] = [`rl-${callId}-t1a0c0`, `rl-${callId}-t1n`];
const ended = (leg: string, after: number, sip: number | null = null): Fact =>
  fact(leg, 'ended', after, { q850: 16, sip, text: null });
const toAgent: TransferTarget = { kind: 'agent', phones: [otherPhone] };
const toNumber: TransferTarget = { kind: 'number', number, trunk: { endpoint: 'trunk', number: '+493023125301' } };
const toExtension: TransferTarget = {
  kind: 'extension',
  number: { raw: '600', e164: null, name: null },
  context: 'company-extensions',
};
const asked = (mode: TransferMode, to: TransferTarget = toAgent, place = 1): Fact =>
  fact(callId, 'transfer-asked', 10_000, { mode, target: to, ringSeconds: 20 }, String(place));
const rung: readonly Fact[] = [
  fact(target, 'planned', 10_010, {
    side: 'agent',
    agentId: agentIds[1],
    device: 'PJSIP/agent2',
    contact: null,
    transfer: 1,
  }),
  created(target, 10_020, 'agent'),
  fact(target, 'dial-sent', 10_030),
  fact(target, 'ringing', 10_100),
];
const took = fact(target, 'answered', 14_000);
const onHold = fact(agent, 'held', 10_050, {}, 'api 1');
const transferred = fact(callId, 'transferred', 14_010, { from: agent, to: target }, '1');

function fold(...more: readonly Fact[]): Call {
  return foldCall(identity, stateWith(more), 1);
}

/** What is written down, in short. */
const records = ({ record }: Decision): unknown[] =>
  record.map(({ leg, kind, data }) => [
    kind,
    ...(leg === callId ? [] : [leg]),
    ...Object.values(kind === 'released' || kind === 'transfer-failed' || kind === 'handed-back' ? data : {}),
  ]);
const commands = ({ chains }: Decision): string[] => chains.flat().map(({ key }) => key);

describe('a transfer that was asked for', () => {
  it('first lets the agent leave and puts the other party on hold, and writes down who is rung', () => {
    const decision = decide(10_001, asked('blind'));
    expect(records(decision)).toEqual([['planned', target]]);
    expect(commands(decision)).toEqual([`untie:${agent}:1`, 'lease:t1', 'hold:1']);
    expect(decision.chains.flat()).toContainEqual({
      key: `untie:${agent}:1`,
      do: 'retie-legs',
      leg: agent,
      partner: null,
    });
  });

  it('rings every address of the agent’s phones as the line does, and the number by the trunk', () => {
    const planned = rung.slice(0, 1);
    expect(commands(decide(10_020, asked('blind'), ...planned, onHold))).toEqual(
      expect.arrayContaining(['contacts:1:agent2', `create:${target}`]),
    );
    const byWire = decide(10_001, asked('blind', toExtension)).record;
    expect(byWire).toMatchObject([
      { leg: outside, data: { agentId: null, device: 'Local/600@company-extensions/n', transfer: 1 } },
    ]);
    const wire = decide(10_020, asked('blind', toExtension), byWire[0]!, onHold).chains.flat();
    expect(wire.find((command) => command.do === 'create-leg')).toMatchObject({
      leg: {
        endpoint: 'Local/600@company-extensions/n',
        display: { shownNumber: number.e164, ownNumber: line.number },
      },
    });
    const byTrunk = decide(10_001, asked('blind', toNumber));
    expect(byTrunk.record).toMatchObject([
      { leg: outside, data: { side: 'agent', agentId: null, device: 'PJSIP/+493023125301@trunk', transfer: 1 } },
    ]);
    const create = decide(10_020, asked('blind', toNumber), ...byTrunk.record, onHold).chains.flat();
    expect(create).toContainEqual(
      expect.objectContaining({
        key: `create:${outside}`,
        leg: expect.objectContaining({ display: expect.objectContaining({ shownNumber: line.number }) }),
      }),
    );
  });

  it.each<[string, readonly Fact[], number, string]>([
    ['the target declines', [ended(target, 12_000, 603)], 12_010, 'agent-rejected'],
    ['the target is busy', [ended(target, 12_000, 486)], 12_010, 'agent-busy'],
    ['nobody answers', [], 30_010, 'agent-no-answer'],
    ['it is cancelled', [fact(callId, 'transfer-cancel-asked', 12_000, {}, '1')], 12_010, 'cancelled-by-api'],
    ['who answered leaves before he has the call', [took, ended(target, 14_005)], 14_010, 'agent-hung-up'],
  ])('fails when %s, and the other party is taken off hold where it is', (_, facts, at, reason) => {
    const before = [asked('blind'), ...rung, onHold, ...facts];
    const failing = decide(at, ...before);
    expect(records(failing)).toContainEqual(['transfer-failed', reason]);
    const after = decide(at + 10, ...before, ...failing.record);
    expect(after.chains.flat()).toContainEqual(expect.objectContaining({ do: 'hold-leg', leg: caller, held: false }));
    expect(commands(after)).toEqual(expect.arrayContaining([`retie:${caller}:1`, `retie:${agent}:1`, 'limit:s1']));
    expect(fold(...before, ...failing.record, fact(agent, 'resumed', at + 20, {}, 'api 2')).status).toBe('answered');
  });

  it('waits for the target’s whole ring time', () => {
    const waiting = decide(29_999, asked('blind'), ...rung, onHold);
    expect(records(waiting)).toEqual([]);
    expect(waiting.wakeAt).toBe(start + 30_000);
  });

  it('gives the caller to the dial plan when it fails and who transferred him is gone', () => {
    const before = [asked('blind'), ...rung, onHold, ended(agent, 11_000), ended(target, 12_000, 486)];
    const failing = decide(12_010, ...before);
    const handing = decide(12_020, ...before, ...failing.record);
    expect(records(handing)).toEqual([['handed-back', 'agent-busy']]);
    expect(decide(12_030, ...before, ...failing.record, ...handing.record).chains).toContainEqual([
      { key: 'hand-back', do: 'hand-back', leg: caller, isOnHold: true },
    ]);
  });

  it('ends all of it when the other party leaves', () => {
    const left = decide(13_000, asked('blind'), ...rung, onHold, ended(caller, 12_000));
    expect(records(left)).toEqual(
      expect.arrayContaining([
        ['released', target, 'other-side-left'],
        ['released', agent, 'other-side-left'],
      ]),
    );
  });
});

describe('a target that answers', () => {
  it.each<[string, readonly Fact[]]>([
    ['a blind transfer', [asked('blind')]],
    [
      'an attended one that is completed',
      [asked('attended'), fact(callId, 'transfer-complete-asked', 13_000, {}, '1')],
    ],
    ['an attended one whose agent hung up', [asked('attended'), ended(agent, 13_000)]],
  ])('gets the other party: %s', (_, facts) => {
    const before = [...facts, ...rung, onHold, took];
    const taking = decide(14_010, ...before);
    expect(taking.record[0]).toMatchObject({ kind: 'transferred', key: '1', data: { from: agent, to: target } });
    const after = decide(14_020, ...before, ...taking.record);
    expect(after.chains).toContainEqual([
      { key: `join:${target}`, do: 'join-legs', room, legs: [target] },
      { key: 'hold:2', do: 'hold-leg', leg: caller, by: target, held: false, place: 2 },
    ]);
    expect(after.chains.flat()).toContainEqual({
      key: `retie:${caller}:1`,
      do: 'retie-legs',
      leg: caller,
      partner: `PJSIP/${target}-1`,
    });
  });

  it('is consulted in an attended transfer: nobody is let go, and the other party stays on hold', () => {
    const consulting = decide(14_010, asked('attended'), ...rung, onHold, took);
    expect(consulting.record).toEqual([]);
    expect(commands(consulting)).toEqual(expect.arrayContaining([`join:${target}`, 'limit:t1']));
    expect(commands(consulting).filter((key) => key.startsWith('hold'))).toEqual([]);
  });

  it('is not brought into a room where it is', () => {
    expect(commands(decide(14_010, asked('attended'), ...rung, onHold, took, joined(target, 14_005)))).not.toContain(
      `join:${target}`,
    );
  });
});

describe('the record of a call that was transferred', () => {
  const whole = [
    asked('attended'),
    ...rung,
    onHold,
    took,
    joined(target, 14_005),
    fact(callId, 'transferred', 20_400, { from: agent, to: target }, '1'),
    fact(agent, 'released', 20_400, { why: 'transferred' }),
    fact(target, 'resumed', 20_450, {}, 'api 2'),
    ended(agent, 20_440),
    ended(caller, 24_900),
    ended(target, 24_910),
  ];

  it('is one, in any order of its facts: each has what he talked, and it adds up', () => {
    for (const facts of [whole, whole.toReversed()]) {
      const { participants, talkSeconds, status, hangup } = fold(...facts);
      expect(participants.map(({ role, talkSeconds: own }) => [role, own])).toEqual([
        ['transferred', 19],
        ['answered', 5],
      ]);
      expect({ talkSeconds, status, by: hangup?.by }).toEqual({ talkSeconds: 24, status: 'ended', by: 'remote' });
    }
  });

  it('tells a transfer once, with what else it changes', () => {
    const held = fold(asked('blind'), ...rung, onHold, took);
    const after = fold(asked('blind'), ...rung, onHold, took, transferred);
    expect(held.status).toBe('held');
    expect(changesBetween(fold(), held)).toEqual(['call.held']);
    expect(changesBetween(held, after)).toEqual(['call.transferred', 'call.resumed']);
    expect(changesBetween(after, after)).toEqual([]);
  });

  it('does not count who was only consulted', () => {
    const cancelled = [
      asked('attended'),
      ...rung,
      took,
      joined(target, 14_005),
      fact(callId, 'transfer-failed', 16_000, { reason: 'cancelled-by-api' }, '1'),
      ended(target, 16_100),
      ended(caller, 21_020),
      ended(agent, 21_030),
    ];
    const { participants, talkSeconds } = fold(...cancelled);
    expect(participants.map(({ role, talkSeconds: own }) => [role, own])).toEqual([
      ['answered', 20],
      ['rang', 0],
    ]);
    expect(talkSeconds).toBe(20);
  });

  it('does not say that the agent ended a call that he left to the target', () => {
    const left = [asked('blind'), ...rung, ended(agent, 12_000), took, transferred, joined(target, 14_020)];
    expect(fold(...left, ended(target, 18_000), ended(caller, 18_020)).hangup?.by).toBe('agent');
    expect(fold(...left, ended(caller, 18_000), ended(target, 18_020)).hangup?.by).toBe('remote');
    const failed = fact(callId, 'transfer-failed', 13_000, { reason: 'agent-busy' }, '1');
    const stranded = [asked('blind'), ...rung, ended(agent, 12_000), ended(target, 12_900, 486), failed];
    expect(fold(...stranded, ended(caller, 15_000)).hangup?.by).toBe('remote');
  });
});
