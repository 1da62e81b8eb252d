import { describe, expect, it } from 'vitest';
import { waitFor } from '../../../lab/wait-for.js';
import { createLog } from '../../common/logger.js';
import type { Fact } from '../domain/fact.js';
import type { CallLedger } from '../ledger/call-ledger.js';
import { LiveCall } from '../ledger/live-call.js';
import type { CommandResult, LegPresence, TelephonySwitch } from '../telephony-switch.js';
import { CallDirector } from './call-director.js';
import { firstLegs } from './legs.js';

const callId = '01936c7e-8b2a-7000-8000-000000000001';
const other = '01936c7e-8b2a-7000-8000-000000000002';
const leg = `rl-${callId}-a0c0`;
const line = { id: other, number: '+4930901820', name: 'Sales' };
const to = { raw: '+4930111222', e164: '+4930111222', name: null };
const phone = { agentId: other, endpoint: 'agent1', autoAnswer: 'none' as const };

/** No phone asks for a transfer. */
const nobody = () => Promise.reject(new Error('nobody asked'));
const targets = { wished: nobody, reached: nobody };

/** A click-to-call of whose agent's leg so much is known: unless told otherwise it was made, and is to be dialled next. */
function callToDial(isKnown: readonly Fact['kind'][] = ['planned', 'created']) {
  const at = Date.now();
  const fact = (of: string, kind: Fact['kind'], data: unknown): Fact =>
    ({ leg: of, kind, key: '', at, source: 'ringline', data }) as Fact;
  const plan = {
    kind: 'click-to-call',
    phones: [phone],
    to,
    line,
    trunk: { endpoint: 'trunk', number: '+4930111222' },
    tags: [],
    agentRingSeconds: 30,
    remoteRingSeconds: 60,
    limitSeconds: 7200,
  };
  const from = { raw: line.number, e164: line.number, name: null };
  const facts = [
    fact(callId, 'placed', { direction: 'outbound', from, to, line, plan }),
    fact(leg, 'planned', { side: 'agent', agentId: other, device: 'PJSIP/agent1', contact: null }),
    fact(leg, 'created', { side: 'agent', linkedId: null, sipCallId: null, name: null }),
  ];
  const known = facts.filter(({ kind }) => kind === 'placed' || isKnown.includes(kind));
  const call = new LiveCall({ id: callId, tenantId: other, pbxNodeId: 'node' }, 'boot', known, null);
  const hear = (kind: Fact['kind'], agoMs = 0): void => void call.apply([{ ...fact(leg, kind, {}), at: at - agoMs }]);
  return { call, hear };
}

/** A director of that call, with a switch that answers dials one after another as told. */
function directorOf(
  call: LiveCall,
  dials: CommandResult[],
  presence: () => LegPresence,
  ended: CommandResult = { kind: 'done' },
  boot: () => string | null = () => 'boot',
  contacts: () => readonly string[] | null = () => [],
) {
  const counts = { creates: 0, dials: 0, asked: 0 };
  const told: Fact[] = [];
  const ledger = {
    peek: () => call,
    tell: ({ facts }: { facts: readonly Fact[] }) => void told.push(...facts),
  } as unknown as CallLedger;
  const telephony = {
    bootOf: () => boot(),
    isOverloaded: () => false,
    nowAt: () => Date.now(),
    contactsOf: () => Promise.resolve(contacts()),
    createLeg: () => {
      counts.creates += 1;
      return Promise.resolve({ kind: 'done' });
    },
    endLeg: () => Promise.resolve(ended),
    presenceOf: () => {
      counts.asked += 1;
      return Promise.resolve(presence());
    },
    dialLeg: () => {
      counts.dials += 1;
      return Promise.resolve(dials.shift() ?? { kind: 'done' });
    },
  } as unknown as TelephonySwitch;
  return { director: new CallDirector(ledger, telephony, targets, createLog('silent')), counts, told };
}

/** Has the director write down that it dials, and stores that: the dial goes out. */
function dial(director: CallDirector, hear: (kind: Fact['kind']) => void): void {
  director.follow(callId);
  hear('dial-sent');
  director.follow(callId);
}

const lost: CommandResult = { kind: 'unknown', text: 'no answer' };
const isFalse = (what: () => boolean, timeoutMs: number) =>
  expect(waitFor(what, { what: 'what must not come', timeoutMs })).rejects.toThrow('in vain');

describe('a dial whose answer is lost', () => {
  it('is not given again when the switch tells a moment later that it dials', async () => {
    const { call, hear } = callToDial();
    const { director, counts } = directorOf(call, [lost], () => 'idle');
    dial(director, hear);
    await waitFor(() => counts.dials === 1 && counts.asked > 3, { what: 'the leg to be asked about' });
    hear('dialling');
    await isFalse(() => counts.dials > 1, 2_500);
  });

  it('is given again when the leg stays idle, and once is enough', async () => {
    const { call, hear } = callToDial();
    const { director, counts } = directorOf(call, [lost], () => 'idle');
    const begunAt = Date.now();
    dial(director, hear);
    await waitFor(() => counts.dials === 2, { what: 'the second dial' });
    expect(Date.now() - begunAt).toBeGreaterThan(1_900);
    await isFalse(() => counts.dials > 2, 500);
  });

  it.each<LegPresence>(['ringing', 'answered'])('is not given again when the leg is %s', async (presence) => {
    const { call, hear } = callToDial();
    let now: LegPresence = 'idle';
    const { director, counts } = directorOf(call, [lost], () => now);
    dial(director, hear);
    await waitFor(() => counts.dials === 1, { what: 'the dial' });
    now = presence;
    await isFalse(() => counts.dials > 1, 2_500);
  });

  it('is not given again when the leg is gone: it has ended', async () => {
    const { call, hear } = callToDial();
    let now: LegPresence = 'idle';
    const { director, counts, told } = directorOf(call, [lost], () => now);
    dial(director, hear);
    await waitFor(() => counts.dials === 1, { what: 'the dial' });
    now = 'gone';
    await waitFor(() => told.some(({ kind }) => kind === 'ended'), { what: 'the end to be told' });
    expect(counts.dials).toBe(1);
  });

  it('three times over is given up, and why is not known', async () => {
    const { call, hear } = callToDial();
    const { director, counts, told } = directorOf(call, [lost, lost, lost], () => 'idle');
    dial(director, hear);
    await waitFor(() => told.find(({ kind }) => kind === 'refused'), { what: 'the refusal', timeoutMs: 15_000 });
    expect(counts.dials).toBe(3);
    expect(told.find(({ kind }) => kind === 'refused')?.data).toMatchObject({ reason: 'unknown' });
  });
});

describe('a leg that the switch said it has made', () => {
  it('is made once when it turns up', async () => {
    const { call, hear } = callToDial(['planned']);
    const { director, counts } = directorOf(call, [], () => 'gone');
    director.follow(callId);
    await waitFor(() => counts.creates === 1, { what: 'the leg to be made' });
    hear('created');
    await isFalse(() => counts.creates > 1 || counts.asked > 0, 2_500);
  });

  it('is made again when it is gone untold, as it is while Asterisk has lost its connection to us', async () => {
    const { call } = callToDial(['planned']);
    const { director, counts } = directorOf(call, [], () => 'gone');
    director.follow(callId);
    await waitFor(() => counts.creates === 2, { what: 'the leg to be made again' });
  });

  it('is not made again before there is a connection, and not then when the switch was started anew', async () => {
    const { call } = callToDial(['planned']);
    let boot: string | null = 'boot';
    const { director, counts } = directorOf(
      call,
      [],
      () => 'gone',
      { kind: 'done' },
      () => boot,
    );
    director.follow(callId);
    boot = null;
    await isFalse(() => counts.creates > 1, 2_500);
    boot = 'another';
    await isFalse(() => counts.creates > 1, 2_500);
  });

  it('is not made again once it is needed no more', async () => {
    const { call, hear } = callToDial(['planned']);
    const { director, counts } = directorOf(call, [], () => 'gone');
    director.follow(callId);
    hear('released');
    await isFalse(() => counts.creates > 1, 2_500);
  });

  it('three times over without turning up is given up', async () => {
    const { call } = callToDial(['planned']);
    const { director, counts, told } = directorOf(call, [], () => 'gone');
    director.follow(callId);
    await waitFor(() => told.find(({ kind }) => kind === 'refused'), { what: 'the refusal', timeoutMs: 15_000 });
    expect(counts.creates).toBe(3);
  });
});

describe('the addresses of a phone', () => {
  it('are asked for again when it was not told which they are, and then not again', async () => {
    const { call } = callToDial();
    const answers = [null, ['sip:a@x', 'sip:b@x']];
    let asked = 0;
    const { director, told } = directorOf(
      call,
      [],
      () => 'idle',
      { kind: 'done' },
      () => 'boot',
      () => answers[asked++] ?? null,
    );
    director.follow(callId);
    await waitFor(() => asked === 1, { what: 'the first question' });
    await new Promise(setImmediate);
    for (let news = 0; news < 3; news++) director.follow(callId);
    await waitFor(() => told.some(({ kind }) => kind === 'planned'), { what: 'the second address' });
    director.follow(callId);
    await new Promise(setImmediate);
    expect(asked).toBe(2);
    expect(told.filter(({ kind }) => kind === 'planned')).toMatchObject([{ data: { contact: 'sip:b@x' } }]);
  });
});

describe('a leg that an earlier process wrote down as dialled', () => {
  function followed(agoMs: number, presence: LegPresence) {
    const { call, hear } = callToDial();
    hear('dial-sent', agoMs);
    const world = directorOf(call, [], () => presence);
    world.director.follow(callId);
    return world;
  }

  it('is not dialled again, for a second dial would end it, and has its time to ring', async () => {
    const { counts, told } = followed(0, 'idle');
    await waitFor(() => counts.asked > 10, { what: 'the leg to be asked about' });
    await isFalse(() => counts.dials > 0 || told.length > 0, 2_000);
  });

  it('is given up when it has not rung for long: it may never have been dialled', async () => {
    const { counts, told } = followed(20_000, 'idle');
    await waitFor(() => told.length > 0, { what: 'the refusal' });
    expect(told).toMatchObject([{ leg, kind: 'refused', data: { reason: 'unknown' } }]);
    expect(counts.asked).toBeGreaterThan(3);
    expect(counts.dials).toBe(0);
  });

  it('is waited for when it rings, however late', async () => {
    const { counts, told } = followed(20_000, 'ringing');
    await waitFor(() => counts.asked > 0, { what: 'the leg to be asked about' });
    await isFalse(() => told.length > 0, 1_500);
  });
});

describe('a leg that was planned, and released before it was made', () => {
  it('was not needed, however often it turns out not to be there: it has no end whose time is inferred', async () => {
    const { call } = callToDial(['planned']);
    const at = Date.now() - 10_000;
    const by = { at, source: 'ringline', key: '' } as const;
    call.apply([
      { ...by, leg: callId, kind: 'cancel-asked', data: { by: 'api', reason: 'cancelled-by-api' } },
      { ...by, leg, kind: 'released', data: { why: 'cancelled' } },
    ] as Fact[]);
    const { director, counts, told } = directorOf(call, [], () => 'gone', { kind: 'gone' });
    director.follow(callId);
    await waitFor(() => told.length > 0 && counts.asked > 0, { what: 'both to be told' });
    await isFalse(() => told.some(({ kind }) => kind !== 'refused'), 200);
  });
});

describe('a caller who has come', () => {
  const callerLeg = '1795343276.0';

  /** Further addresses of phones are looked for once it is decided that they ring. */
  function followed(
    source: 'switch' | 'cel',
    presence: 'waiting' | 'elsewhere',
    {
      agoMs = 0,
      isOverloaded = () => false,
      blockedBy,
    }: { agoMs?: number; isOverloaded?: () => boolean; blockedBy?: string } = {},
  ) {
    const at = Date.now() - agoMs;
    const plan = { kind: 'ring-line', callerLeg, phones: [phone], ringSeconds: 25, limitSeconds: 7200, blockedBy };
    const created = { side: 'remote', linkedId: null, sipCallId: null, name: null };
    const facts = [
      {
        leg: callId,
        kind: 'placed',
        key: '',
        at,
        source: 'ringline',
        data: { direction: 'inbound', from: to, to, line, plan },
      },
      { leg: callerLeg, kind: 'created', key: '', at, source, data: created },
      ...(source === 'cel' ? [] : firstLegs(callId, [phone], at)),
    ] as Fact[];
    const call = new LiveCall({ id: callId, tenantId: other, pbxNodeId: 'node' }, 'boot', facts, null);
    const counts = { asked: 0, looked: 0, created: 0, handedBack: 0 };
    const told: Fact[] = [];
    const telephony = {
      bootOf: () => 'boot',
      isOverloaded,
      nowAt: () => Date.now(),
      callerPresence: () => Promise.resolve(((counts.asked += 1), presence)),
      contactsOf: () => Promise.resolve(((counts.looked += 1), [])),
      createLeg: () => Promise.resolve(((counts.created += 1), { kind: 'done' })),
      handBack: () => Promise.resolve(((counts.handedBack += 1), { kind: 'done' })),
      endLeg: () => Promise.resolve({ kind: 'done' }),
    } as unknown as TelephonySwitch;
    const ledger = {
      peek: () => call,
      tell: (one: { facts: readonly Fact[] }) => {
        told.push(...one.facts);
        call.apply(one.facts);
        setImmediate(() => director.follow(callId));
      },
    } as unknown as CallLedger;
    const director = new CallDirector(ledger, telephony, targets, createLog('silent'));
    const recorded = director.nextRecords(call);
    call.apply(recorded);
    director.follow(callId);
    return { call, counts, told, recorded };
  }

  it('is worked for at once when an event told of it', async () => {
    const { counts } = followed('switch', 'waiting');
    await waitFor(() => counts.looked === 1, { what: 'the phones to be looked for' });
    expect(counts.asked).toBe(0);
  });

  it.each([
    ['some time ago, so that he may be gone', 'switch', 5_000],
    ['by the log alone, which tells of the past', 'cel', 0],
  ] as const)('%s is asked for first', async (_, source, agoMs) => {
    const waiting = followed(source, 'waiting', { agoMs });
    await waitFor(() => waiting.counts.looked === 1, { what: 'the phones to be looked for' });
    expect({ asked: waiting.counts.asked, recorded: waiting.recorded }).toEqual({ asked: 1, recorded: [] });
    const gone = followed(source, 'elsewhere', { agoMs });
    await waitFor(() => gone.told.some(({ kind }) => kind === 'left-control'), { what: 'what was found' });
    expect(gone.counts.looked).toBe(0);
  });

  it('goes to the dial plan at once while the PBX has more to do than it can: nobody is rung, no pop is shown', async () => {
    const { call, counts, recorded } = followed('switch', 'waiting', { isOverloaded: () => true });
    expect(recorded.map(({ leg: of, kind }) => [of, kind])).toEqual([
      [callId, 'handed-back'],
      [leg, 'refused'],
    ]);
    await waitFor(() => counts.handedBack === 1, { what: 'the caller to be given back' });
    expect(counts).toEqual({ asked: 0, looked: 0, created: 0, handedBack: 1 });
    // Who is asked for has left already, so no pop is shown.
    expect(call.document?.participants).toMatchObject([{ role: 'requested', leftAt: expect.any(String) }]);
    call.apply([
      { leg: callerLeg, kind: 'left-control', key: '', at: Date.now(), source: 'switch', data: {} },
      {
        leg: callerLeg,
        kind: 'ended',
        key: '',
        at: Date.now(),
        source: 'switch',
        data: { q850: 16, sip: null, text: null },
      },
    ] as Fact[]);
    expect(call.document).toMatchObject({ status: 'ended', outcome: 'missed', outcomeReason: 'overloaded' });
  });

  it('is kept once his phones were asked for, however much there is to do', async () => {
    let isOverloaded = false;
    const { counts, told } = followed('switch', 'waiting', { isOverloaded: () => isOverloaded });
    isOverloaded = true;
    await waitFor(() => counts.looked === 1 && counts.created === 1, { what: 'the phone to be asked for' });
    expect({ handedBack: counts.handedBack, told }).toEqual({ handedBack: 0, told: [] });
  });

  it('is refused if he is blocked, however much there is to do', () => {
    const { recorded } = followed('switch', 'waiting', { isOverloaded: () => true, blockedBy: '+4930111222' });
    expect(recorded).toMatchObject([{ leg: callerLeg, kind: 'released', data: { why: 'blocked' } }]);
  });

  it('rings once he turns out to be there, though the log alone told of him', async () => {
    const { told, counts } = followed('cel', 'waiting');
    await waitFor(() => counts.looked === 1, { what: 'the phones to be looked for' });
    expect(told.map(({ leg: of, kind }) => [of, kind])).toEqual([[leg, 'planned']]);
  });
});
