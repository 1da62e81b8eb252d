import { describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../../common/clock.js';
import { createLog } from '../../common/logger.js';
import { Metrics } from '../../metrics/metrics.js';
import type { CommittedChange } from '../after-commit.js';
import { LOGGED, type Fact } from '../domain/fact.js';
import type { Known, Route, Routing, Seen } from '../routing.js';
import { CallLedger } from './call-ledger.js';
import { ledgerHealth } from './ledger-health.js';
import { LedgerMetrics } from './ledger-metrics.js';
import type { Commit, LedgerStore } from './ledger-store.js';
import type { LiveCall } from './live-call.js';

const node = { nodeId: '01936c7e-8b2a-7000-8000-0000000000bb', boot: 'boot' };
const id = (n: number): string => `01936c7e-8b2a-7000-8000-${String(n).padStart(12, '0')}`;
const route: Route = {
  tenantId: id(900),
  from: { raw: '030 111', e164: null, name: null },
  blockedBy: null,
  line: { id: id(901), number: '+4930901820', name: 'Sales' },
  phones: [],
  ringSeconds: 25,
  record: false,
  limitSeconds: 7200,
};

const staffed: Route = { ...route, phones: [{ agentId: id(902), endpoint: 'agent1', autoAnswer: 'none' }] };

/** Of an observed leg that nothing is known of. */
const nobodys: Known = {
  line: null,
  device: null,
  isTrunk: false,
  outboundLines: [],
  calledAgents: [],
  defaultTenantId: null,
  regions: {},
};

/** A ledger over a store that keeps what it is given, unless `refuse` throws. */
function ledgerWith(
  refuse: (commit: Commit) => void | Promise<void>,
  clock: Clock = systemClock,
  known: (seen: Seen) => Known = () => nobodys,
) {
  const stored: Commit[] = [];
  const told: CommittedChange[] = [];
  const asked: string[] = [];
  const store = {
    callsOfLegs: (legs: readonly { leg: string }[]) => {
      asked.push(...legs.map(({ leg }) => leg));
      return Promise.resolve(new Map());
    },
    load: () => Promise.resolve([] as LiveCall[]),
    commit: async (commit: Commit) => {
      await refuse(commit);
      stored.push(commit);
    },
  } as unknown as LedgerStore;
  const routing = {
    routes: (wanted: readonly { did: string }[]) =>
      Promise.resolve(wanted.map(({ did }) => (did === 'line' ? route : did === 'staffed' ? staffed : null))),
    known: (seen: readonly Seen[]) => Promise.resolve(seen.map((one) => known(one))),
  } as unknown as Routing;
  const unrouted: string[] = [];
  const metrics = new LedgerMetrics(new Metrics());
  const ledger = new CallLedger(store, routing, metrics, clock, createLog('silent'));
  ledger.subscribe(
    [{ name: 'test', onCommit: (changes) => void told.push(...changes) }],
    ({ leg }) => void unrouted.push(leg),
  );
  const arrive = (leg: string, did = 'line', source: Fact['source'] = 'switch'): void => {
    const at = Date.now();
    const created = {
      leg,
      kind: 'created',
      key: '',
      at,
      source,
      data: { side: 'remote', linkedId: leg, sipCallId: null, name: null },
    };
    ledger.tell({
      ...node,
      leg,
      facts: [created as Fact],
      receivedAt: at,
      arrival: { did, callerNumber: '030 111', callerName: '', at },
    });
  };
  return { ledger, stored, told, unrouted, arrive, asked, metrics };
}

const legsOf = (commits: readonly Commit[]): string[] =>
  commits.flatMap(({ facts }) => facts.filter(({ fact }) => fact.kind === 'created').map(({ fact }) => fact.leg));

/** Phones of two tenants: `a1`, `a2` of one, `b1`, `b2` of the other. */
function ofTwoTenants({ endpoint }: Seen): Known {
  const tenantId = id(endpoint?.startsWith('a') === true ? 910 : 911);
  return { ...nobodys, device: { tenantId, agentId: id(912) }, regions: { [tenantId]: 'DE' } };
}

describe('a conference of a dial plan', () => {
  it('is one call of a tenant’s members, whoever of another tenant is in it', async () => {
    const { ledger, told } = ledgerWith(() => undefined, systemClock, ofTwoTenants);
    const at = Date.now();
    for (const [i, endpoint] of ['a1', 'b1', 'a2', 'b2'].entries()) {
      const leg = `1.${i}`;
      const seen = { callerNumber: endpoint, callerName: '', called: null, shown: null, at: at + i };
      const sighting = { linkedId: leg, endpoint, entered: { dialled: '800', context: 'phones' }, ...seen };
      const about = { leg, at: at + i, source: 'switch' } as const;
      const created = {
        side: 'remote',
        linkedId: leg,
        sipCallId: null,
        name: `PJSIP/${endpoint}-0000000${i}`,
      } as const;
      const entered = { dialled: '800', callerNumber: endpoint, callerName: '' };
      const facts: Fact[] = [
        { ...about, kind: 'created', key: '', data: created },
        { ...about, kind: 'entered', key: '', data: entered },
        { ...about, kind: 'answered', key: '', data: {} },
        { ...about, kind: 'joined', key: `room@${at + i}`, data: { room: 'room', in: 'conference' } },
      ];
      ledger.tell({ ...node, leg, facts, receivedAt: at + i, sighting });
      await ledger.settled();
    }
    const calls = new Map(told.map(({ call }) => [call.id, call]));
    const members = [...calls.values()].map(({ tenantId, legs }) => [tenantId, legs.map(({ device }) => device)]);
    expect(members).toEqual([[id(910), ['PJSIP/a1', 'PJSIP/a2']]]);
  });
});

describe('an observed call', () => {
  it('that is no tenant’s is counted, and not stored', async () => {
    const { ledger, stored, metrics } = ledgerWith(() => undefined);
    const at = Date.now();
    const data = { dialled: '+4930111222', callerNumber: '+491713920001', callerName: '' };
    const entered: Fact = { leg: '1.1', kind: 'entered', key: '', at, source: 'switch', data };
    const sighting = {
      linkedId: '1.1',
      endpoint: 'trunk',
      entered: { dialled: '+4930111222', context: 'from-trunk' },
      callerNumber: '+491713920001',
      callerName: '',
      called: null,
      shown: null,
      at,
    };
    ledger.tell({ ...node, leg: '1.1', facts: [entered], receivedAt: at, sighting });
    await ledger.settled();
    expect((await metrics.unassigned.get()).values[0]?.value).toBe(1);
    expect(stored).toEqual([]);
  });
});

describe('the ledger', () => {
  it('stores what came together in one commit, and tells of it only then', async () => {
    const { ledger, stored, told, arrive } = ledgerWith(() => undefined);
    for (const leg of ['a', 'b', 'c']) arrive(leg);
    expect(told).toEqual([]);
    await ledger.settled();
    expect(stored).toHaveLength(1);
    expect(told.flatMap(({ events }) => events.map(({ event }) => event.type))).toEqual(Array(3).fill('call.started'));
  });

  it('records no call for a number that is no line, and says so', async () => {
    const { ledger, stored, unrouted, arrive } = ledgerWith(() => undefined);
    arrive('a', 'nobody');
    await ledger.settled();
    expect({ stored, unrouted }).toEqual({ stored: [], unrouted: ['a'] });
  });

  it('keeps what is told of a caller before he came, and counts it once he is there', async () => {
    const { ledger, stored, told, arrive } = ledgerWith(() => undefined);
    const data = { q850: 16, sip: null, text: null };
    const end: Fact = { leg: 'a', kind: 'ended', key: '', at: Date.now() + 5_000, source: 'switch', data };
    ledger.tell({ ...node, leg: 'a', facts: [end], receivedAt: Date.now() });
    await ledger.settled();
    expect(stored).toEqual([]);
    arrive('a');
    await ledger.settled();
    expect(told.map(({ call }) => call)).toMatchObject([{ status: 'ended', outcome: 'missed' }]);
  });

  it('lets a listener hear what is told and where callers lead, in order', async () => {
    const { ledger, arrive } = ledgerWith(() => undefined);
    const heard: unknown[] = [];
    ledger.listen({
      onTold: ({ leg }) => heard.push(leg),
      onRouted: ({ leg, did, callId, route: found }) => heard.push({ leg, did, callId, found }),
    });
    arrive('a');
    arrive('b', 'nobody');
    await ledger.settled();
    const [call] = ledger.openCallsOf(node.nodeId);
    expect(heard).toEqual([
      'a',
      'b',
      { leg: 'a', did: 'line', callId: call?.identity.id, found: route },
      { leg: 'b', did: 'nobody', callId: null, found: null },
    ]);
  });

  it('has nobody handed back of whom only the log tells: that is past', async () => {
    const { ledger, stored, unrouted, arrive } = ledgerWith(() => undefined);
    arrive('a', 'nobody', 'cel');
    arrive('b', 'line', 'cel');
    await ledger.settled();
    expect({ legs: legsOf(stored), unrouted }).toEqual({ legs: ['b'], unrouted: [] });
  });

  it('plans a leg for the phone of a caller who came, and none where only the log tells of him', async () => {
    const { ledger, stored, arrive } = ledgerWith(() => undefined);
    arrive('a', 'staffed');
    arrive('b', 'staffed', 'cel');
    await ledger.settled();
    const legs = stored.flatMap(({ facts }) => facts.filter(({ fact }) => fact.kind === 'planned'));
    expect(legs.map(({ callId }) => callId)).toEqual([ledger.callOfLeg(node, 'a')?.identity.id]);
  });

  it.each([
    ['switch', 0],
    ['cel', 1],
    ['reconcile', 1],
  ] as const)('counts that a call began unheard where %s tells of it first', async (source, gaps) => {
    const { ledger, stored, metrics, arrive } = ledgerWith(() => undefined);
    arrive('a', 'line', source);
    arrive('a', 'line', source);
    await ledger.settled();
    const told = stored.flatMap(({ facts }) => facts.filter(({ fact }) => fact.kind === 'gap'));
    expect(told.map(({ fact, callId }) => [fact.leg === callId, fact.data])).toEqual(
      Array.from({ length: gaps }, () => [true, { what: 'beginning-missed', until: expect.any(Number) }]),
    );
    expect((await metrics.gaps.get()).values.reduce((sum, { value }) => sum + value, 0)).toBe(gaps);
  });

  it('takes a leg of which the log tells for that of the caller’s call, where the record that it rang for is lost', async () => {
    const { ledger, stored, arrive } = ledgerWith(() => undefined);
    arrive('a', 'staffed', 'cel');
    const room = `rl-${id(903)}`;
    const joined = { leg: 'a', kind: 'joined', key: `${room}@1`, at: 1, source: 'cel', data: { room } } as Fact;
    ledger.tell({ ...node, leg: 'a', facts: [joined], receivedAt: null });
    const rung = (leg: string, source: Fact['source'] = 'cel'): void => {
      const data = { side: 'agent', linkedId: leg, sipCallId: null, name: 'PJSIP/agent1-0000002a' };
      const created = { leg, kind: 'created', key: LOGGED, at: Date.now(), source, data } as Fact;
      ledger.tell({ ...node, leg, facts: [created], receivedAt: null });
    };
    const lost = `rl-${id(903)}-a0c0`;
    rung(`rl-${id(903)}-a1c0`, 'switch');
    rung(lost);
    rung(`rl-${id(904)}-a0c0`);
    await ledger.settled();
    const facts = stored.flatMap((commit) => commit.facts);
    const caller = facts.find(({ fact }) => fact.kind === 'placed');
    const phone = { side: 'agent', agentId: id(902), device: 'PJSIP/agent1', contact: null };
    expect(facts.filter(({ fact }) => fact.leg.startsWith('rl-'))).toMatchObject([
      { callId: caller?.callId, fact: { leg: lost, kind: 'planned', data: phone } },
      { callId: caller?.callId, fact: { leg: lost, kind: 'created' } },
    ]);
  });

  it('keeps a bounded number of ended calls in memory, however many a log tells of', async () => {
    const { ledger, stored, arrive } = ledgerWith(() => undefined);
    const total = 5_050;
    for (let n = 0; n < total; n++) {
      arrive(`leg-${n}`, 'line', 'cel');
      const data = { q850: null, sip: null, text: null };
      const ended: Fact = { leg: `leg-${n}`, kind: 'ended', key: LOGGED, at: Date.now(), source: 'cel', data };
      ledger.tell({ ...node, leg: ended.leg, facts: [ended], receivedAt: null });
    }
    await ledger.settled();
    expect(legsOf(stored)).toHaveLength(total);
    expect(ledger.callOfLeg(node, 'leg-0')).toBeNull();
    expect(ledger.callOfLeg(node, `leg-${total - 1}`)).not.toBeNull();
  });

  it('sets a call aside that cannot be written, and its neighbours go on', async () => {
    const { ledger, stored, arrive } = ledgerWith(({ facts }) => {
      if (facts.some(({ fact }) => fact.leg === 'poison')) throw new Error('invalid input');
    });
    for (const leg of ['a', 'poison', 'b']) arrive(leg);
    await ledger.settled();
    expect(legsOf(stored)).toEqual(['a', 'b']);
    expect({ parked: ledger.parkedCalls(), trouble: ledger.trouble() }).toEqual({ parked: 1, trouble: null });
    expect(ledgerHealth(ledger)).toMatchObject({
      status: 'degraded',
      detail: expect.stringContaining('1 call records'),
    });
    arrive('c');
    await ledger.settled();
    expect(legsOf(stored)).toEqual(['a', 'b', 'c']);
  });

  it('asks the store for callers who just came only after a commit failed: they are no longer in memory', async () => {
    const { ledger, arrive, asked } = ledgerWith(({ facts }) => {
      if (facts.some(({ fact }) => fact.leg === 'poisoned')) throw new Error('value out of range');
    });
    arrive('a');
    await ledger.settled();
    expect(asked).toEqual([]);
    arrive('poisoned');
    await ledger.settled();
    arrive('b');
    await ledger.settled();
    expect(asked).toContain('b');
  });

  it('keeps what it could not store while the database is away, in order, and tells that there is trouble', async () => {
    let away = 3;
    const troubles: (string | null)[] = [];
    const { ledger, stored, arrive } = ledgerWith(() => {
      troubles.push(ledger.trouble());
      if (away-- > 0) throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    });
    for (const leg of ['a', 'b']) arrive(leg);
    await ledger.settled();
    expect(legsOf(stored)).toEqual(['a', 'b']);
    // One cut connection is no trouble yet.
    expect(troubles.map((trouble) => trouble !== null)).toEqual([false, false, true, true]);
    expect(ledger.trouble()).toBeNull();
  });

  it('stores what a plan writes down in the commit that it follows from', async () => {
    const { ledger, stored, arrive } = ledgerWith(() => undefined);
    ledger.subscribe(
      [],
      () => undefined,
      ({ identity }) => [
        { leg: identity.id, kind: 'handed-back', key: '', at: 0, source: 'ringline', data: { reason: 'agent-busy' } },
      ],
    );
    arrive('a');
    await ledger.settled();
    expect(stored.map(({ facts }) => facts.map(({ fact }) => fact.kind))).toEqual([
      ['placed', 'created', 'handed-back'],
    ]);
  });

  it('stores what the switch tells also when a plan fails', async () => {
    const { ledger, stored, arrive } = ledgerWith(() => undefined);
    ledger.subscribe(
      [],
      () => undefined,
      () => {
        throw new Error('a plan that nobody thought of');
      },
    );
    arrive('a');
    await ledger.settled();
    expect({ stored: stored.length, parked: ledger.parkedCalls() }).toEqual({ stored: 1, parked: 0 });
  });

  it('takes a stall of its own process for no trouble of the database', async () => {
    let now = Date.now();
    let tries = 0;
    const troubles: (string | null)[] = [];
    const { ledger, stored, arrive } = ledgerWith(
      () => {
        if (tries++ > 0) return void troubles.push(ledger.trouble());
        // The process is frozen in the middle of the first try. When it goes on, its deadline for the answer has passed.
        now += 15_000;
        troubles.push(ledger.trouble());
        throw Object.assign(new Error('Query read timeout'), { code: 'ETIMEDOUT' });
      },
      { now: () => now },
    );
    arrive('a');
    await ledger.settled();
    expect(legsOf(stored)).toEqual(['a']);
    expect(troubles).toEqual([null, null]);
  });

  it('tells of trouble when a commit takes too long', async () => {
    let now = Date.now();
    const troubles: (string | null)[] = [];
    const { ledger, arrive } = ledgerWith(
      () => {
        for (let i = 0; i < 30; i++) {
          now += 100;
          troubles.push(ledger.trouble());
        }
      },
      { now: () => now },
    );
    arrive('a');
    await ledger.settled();
    expect(troubles[18]).toBeNull();
    expect(troubles[29]).toContain('takes too long');
    expect(ledger.trouble()).toBeNull();
  });

  it('loses nothing when the database goes while it looks for what cannot be written', async () => {
    let tries = 0;
    const { ledger, stored, arrive } = ledgerWith(({ facts }) => {
      tries++;
      if (facts.some(({ fact }) => fact.leg === 'poison')) throw new Error('invalid input');
      if (tries === 3) throw Object.assign(new Error('connect'), { code: 'ECONNRESET' });
    });
    for (const leg of ['poison', 'a', 'b']) arrive(leg);
    await ledger.settled();
    expect(legsOf(stored)).toEqual(['a', 'b']);
    expect(ledger.parkedCalls()).toBe(1);
  });
});
