import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import type { Log } from '../../common/logger.js';
import type { OutboxEvent } from '../../outbox/outbox.js';
import type { AfterCommit, CommittedChange } from '../after-commit.js';
import type { CallEvent } from '../domain/call-event.js';
import { factId, type Fact } from '../domain/fact.js';
import { gapFact } from '../domain/gap.js';
import { callOfOurId, isAgentLegId, roomOf, rungByLog } from '../control/legs.js';
import { outsideByLog, plannedLegsOf } from '../control/outside-legs.js';
import { instant } from '../domain/fold.js';
import type { ObservedState } from '../domain/observed.js';
import type { Known, Route, Routing } from '../routing.js';
import { isDatabaseLost } from '../../database/database-errors.js';
import { BusyWatch } from './busy-watch.js';
import { EarlyFacts } from './early-facts.js';
import type { LedgerListener } from './ledger-listener.js';
import type { LedgerMetrics } from './ledger-metrics.js';
import type { CallStore, Merge } from './ledger-store.js';
import { LiveCall, type Change } from './live-call.js';
import {
  beganFact,
  bestEntered,
  betterEntered,
  calledBy,
  calledFact,
  conferencesIn,
  isBetterSight,
  isConversation,
  isOfTenant,
  observedFact,
  ownerOf,
  partyFacts,
} from './sightings.js';
import { legKey, type Arrival, type NodeBoot, type Sighting, type Told } from './told.js';

/** Facts in one commit at most: a commit stays short. */
const BATCH = 200;
/** How long facts that nobody waits for may wait for others, ms. */
const GATHER_MS = 50;
/**
 * Commits begin this far apart on average, ms: under load one carries what several calls brought. Two may follow each other at
 * once, so that a lone call is not held up between its arrival and the first phone.
 */
const PACE_MS = 25;
/** A subscriber that takes longer than this holds calls up, ms. */
const SUBSCRIBER_DEADLINE_MS = 50;
/** A commit that lasts longer than this makes new callers take the dial plan's fall-back, ms. */
const COMMIT_DEADLINE_MS = 2_000;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;
/** How long an ended call stays in memory for facts that come late, ms; and how many, for a log may tell of a whole day. */
const KEEP_ENDED_MS = 60_000;
const MOST_ENDED = 5_000;

/**
 * What a call's plan writes down as it now stands, before anything is asked of the switch: that a leg is about to be dialled,
 * that others are let go. Stored in the commit of the facts that it follows from.
 */
export type NextRecords = (call: LiveCall) => readonly Fact[];

/** A fact about a call, none of its legs. */
export type WholeFact = Pick<Fact, 'kind' | 'key' | 'at' | 'source' | 'data'>;

/** A caller whose number is no line, or whose tenant is gone: nothing is recorded, the dial plan takes the call. */
export type Unrouted = { readonly nodeId: string; readonly leg: string };

/**
 * The only writer of call records. What sources tell is queued; one commit runs at a time and takes all that came
 * meanwhile. Facts, the folded calls, their events and deliveries are stored together, then subscribers are told.
 */
export class CallLedger {
  readonly #queue: Told[] = [];
  /** What the commit that runs stores. */
  #storing: readonly Told[] = [];
  readonly #calls = new Map<string, LiveCall>();
  /** Calls that are over and still in memory: since when, oldest first. */
  readonly #over = new Map<string, number>();
  readonly #callOfLeg = new Map<string, string>();
  readonly #legsOfCall = new Map<string, string[]>();
  /** A conference leads to the call of its members, as a leg does; also while that is not in memory. */
  readonly #callOfConference = new Map<string, string>();
  /** Calls that cannot be written, by id. Their neighbours go on. */
  readonly #parked = new Set<string>();
  readonly #early = new EarlyFacts();
  /** Observed calls that became part of others in the commit that runs. */
  #merges: Merge[] = [];
  #subscribers: readonly AfterCommit[] = [];
  #onUnrouted: (unrouted: Unrouted) => void = () => undefined;
  #nextRecords: NextRecords = () => [];
  #listener: LedgerListener | null = null;
  #running: Promise<void> | null = null;
  readonly #busy: BusyWatch;
  /** When the last two commits began, by `performance.now()`. */
  #began: readonly [number, number] = [-Infinity, -Infinity];
  #failing = false;
  /** When calls were last taken out of memory because a commit failed. */
  #forgotAt = -Infinity;
  #stopped = false;
  #idle: (() => void)[] = [];
  /** Whether it waits for more, as nobody waits for what is queued. */
  #gathers = false;
  /** Ends a pause. */
  #hurry: () => void = () => undefined;

  constructor(
    private readonly store: CallStore,
    private readonly routing: Routing,
    private readonly metrics: LedgerMetrics,
    private readonly clock: Clock,
    private readonly log: Log,
    /** Names the call of a caller who came in; a replay gives the name that was given then. */
    private readonly newCallId: (callerLeg: string) => string = newId,
  ) {
    this.#busy = new BusyWatch(clock);
  }

  /** Whom to ask for what is stored along, and whom to tell after each commit, in this order. */
  subscribe(
    subscribers: readonly AfterCommit[],
    onUnrouted: (unrouted: Unrouted) => void,
    nextRecords: NextRecords = () => [],
  ): void {
    this.#subscribers = subscribers;
    this.#onUnrouted = onUnrouted;
    this.#nextRecords = nextRecords;
  }

  /** Who hears of all that is told, as it is told. */
  listen(listener: LedgerListener): void {
    this.#listener = listener;
  }

  /** Takes what a source told. Returns at once; it is acted on only after its commit. */
  tell(told: Told): void {
    if (this.#stopped) return;
    this.#listener?.onTold(told);
    this.#queue.push(told);
    if (this.#gathers && isUrgent(told)) this.#hurry();
    this.#run();
  }

  /** Takes what somebody tells of a whole call. Returns at once; it is acted on only after its commit. */
  tellOf({ identity, boot }: LiveCall, facts: readonly WholeFact[]): void {
    const { id, tenantId, pbxNodeId: nodeId } = identity;
    const told = facts.map((fact) => ({ ...fact, leg: id }) as Fact);
    this.tell({ nodeId, boot, leg: id, facts: told, receivedAt: null, call: { id, tenantId } });
  }

  /** A call in memory, or read from the store; null when there is none. */
  async find(callId: string): Promise<LiveCall | null> {
    const known = this.#calls.get(callId);
    if (known !== undefined) return known;
    const [loaded] = await this.store.load([callId]);
    return loaded ?? null;
  }

  /** A call that is in memory, where commits have put it. */
  peek(callId: string): LiveCall | null {
    return this.#calls.get(callId) ?? null;
  }

  /** Brings a node's open calls into memory: what follows about their legs needs no look-up. */
  async loadOpen(nodeId: string): Promise<readonly LiveCall[]> {
    for (const call of await this.store.loadOpen(nodeId)) if (!this.#calls.has(call.identity.id)) this.#remember(call);
    return this.openCallsOf(nodeId);
  }

  /** Calls of a node in memory that are not over. */
  openCallsOf(nodeId: string): readonly LiveCall[] {
    return [...this.#calls.values()].filter((call) => call.identity.pbxNodeId === nodeId && !call.isOver);
  }

  /** The call a leg belongs to, if it is in memory. */
  callOfLeg(node: { nodeId: string; boot: string }, leg: string): LiveCall | null {
    const id = this.#callOfLeg.get(legKey(node, leg));
    return id === undefined ? null : this.peek(id);
  }

  /** Why new calls should not be taken now, or null. */
  trouble(): string | null {
    if (this.#failing) return 'call records cannot be stored';
    if (this.#busy.ms > COMMIT_DEADLINE_MS) return 'storing call records takes too long';
    return null;
  }

  /** Ids of calls of which something was told by their id, as of one that is placed, and is not stored yet. */
  unstoredCalls(): string[] {
    return [...this.#storing, ...this.#queue].flatMap(({ call }) => call?.id ?? []);
  }

  parkedCalls(): number {
    return this.#parked.size;
  }

  /** Resolves when all that was told before is stored. */
  async settled(): Promise<void> {
    if (this.#running === null) return;
    const stored = new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#hurry();
    await stored;
  }

  /** Stores what is queued, then takes nothing more. Gives up after `limitMs`: what is lost is found by reconcile. */
  async stop(limitMs: number): Promise<void> {
    await Promise.race([this.settled(), sleep(limitMs, undefined, { ref: false })]);
    this.#stopped = true;
  }

  #run(): void {
    this.#running ??= this.#drain().finally(() => {
      this.#running = null;
      if (this.#queue.length > 0 && !this.#stopped) this.#run();
      else for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  /**
   * What one turn of the event loop brings belongs together. Where nobody waits for any of it, a little more is waited for:
   * the end of a leg is told in four or five frames, a few ms apart. Who waits until all is stored is not held up.
   */
  async #gather(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#gathers = !this.#queue.some(isUrgent);
    if (this.#gathers) await this.#pause(GATHER_MS);
    this.#gathers = false;
    const early = this.#began[0] + 2 * PACE_MS - performance.now();
    if (early > 0) await this.#pause(early);
  }

  async #pause(ms: number): Promise<void> {
    if (this.#idle.length > 0) return;
    await new Promise<void>((resolve) => {
      this.#hurry = resolve;
      setTimeout(resolve, ms);
    });
  }

  async #drain(): Promise<void> {
    let delay = FIRST_RETRY_MS;
    let failures = 0;
    while (this.#queue.length > 0 && !this.#stopped) {
      await this.#gather();
      this.#began = [this.#began[1], performance.now()];
      const batch = takeBatch(this.#queue);
      this.#storing = batch;
      this.#busy.begin();
      const { stalls } = this.#busy;
      try {
        await this.#commit(batch);
        this.#busy.end();
        this.#failing = false;
        failures = 0;
        delay = FIRST_RETRY_MS;
      } catch (error) {
        this.#forget(batch);
        if (isDatabaseLost(error)) {
          // One connection may be cut without anything being wrong with the database, and a stall of ours lets our deadlines
          // pass: the next try tells.
          if (stalls === this.#busy.stalls && failures++ === 1)
            this.log.error({ scope: 'ledger', error }, 'call records cannot be stored; trying on');
          this.#failing = failures > 1;
          this.#queue.unshift(...batch);
          await sleep(delay, undefined, { ref: false });
          delay = Math.min(delay * 2, LONGEST_RETRY_MS);
        } else {
          await this.#apart(batch);
          this.#busy.end();
        }
      }
      this.#storing = [];
    }
    this.#evict();
  }

  /**
   * Something in a batch cannot be written: each of it is tried apart, what fails is set aside with its call, and the
   * neighbours go on. When the database is lost on the way, the rest goes back to the queue.
   */
  async #apart(batch: readonly Told[]): Promise<void> {
    for (const [i, told] of batch.entries()) {
      try {
        await this.#commit([told]);
      } catch (error) {
        const callId = told.call?.id ?? this.#callOfLeg.get(legKey(told, told.leg));
        this.#forget([told]);
        if (isDatabaseLost(error)) {
          this.#queue.unshift(...batch.slice(i));
          return;
        }
        if (callId !== undefined) this.#parked.add(callId);
        this.metrics.parked.inc();
        this.log.error(
          { scope: 'ledger', error, callId, leg: told.leg },
          'a call record cannot be written; its call is set aside',
        );
      }
    }
  }

  async #commit(batch: readonly Told[]): Promise<void> {
    const startedAt = this.clock.now();
    this.#merges = [];
    const found = await this.#lookUp(batch);
    const facts = new Map<string, { nodeId: string; boot: string; fact: Fact; tenantId: string; callId: string }>();
    const touched = new Map<string, Touched>();
    const apply = (call: LiveCall, node: NodeBoot, told: readonly Fact[], receivedAt: number | null): void => {
      const { id: callId, tenantId } = call.identity;
      const { news, changes } = call.apply(told.filter((fact) => isOfTenant(fact, tenantId)));
      if (news.length === 0) return;
      for (const fact of news)
        facts.set(`${node.boot}\n${factId(fact)}`, { nodeId: node.nodeId, boot: node.boot, fact, tenantId, callId });
      const touch = touched.get(callId) ?? { call, node, events: [], receivedAt };
      touched.set(callId, touch);
      for (const change of changes) touch.events.push(this.#toEvent(tenantId, change));
    };
    for (const told of batch) {
      const { nodeId, boot, sighting } = told;
      // Together with what is told, so that they make one change.
      const gained = new Map<LiveCall, Fact[]>();
      if (sighting !== undefined) {
        for (const { into, from, merged } of this.#unite(told, sighting)) {
          const { id: callId, tenantId } = from.identity;
          const theirs = from.facts.filter(({ leg }) => leg !== callId);
          gained.set(into, [...(gained.get(into) ?? []), ...theirs]);
          facts.set(`${boot}\n${factId(merged)}`, { nodeId, boot, fact: merged, tenantId, callId });
          const touch = touched.get(callId) ?? { call: from, node: { nodeId, boot }, events: [], receivedAt: null };
          touched.set(callId, touch);
          for (const change of from.mergeInto(merged)) touch.events.push(this.#toEvent(tenantId, change));
        }
      }
      const known = this.#callFor(told, found);
      if (known !== null && !(told.onlyWhileOpen === true && known.call.isOver)) {
        apply(known.call, { nodeId, boot }, [...(gained.get(known.call) ?? []), ...known.facts], told.receivedAt);
        gained.delete(known.call);
      }
      for (const [call, theirs] of gained) apply(call, { nodeId, boot }, theirs, null);
    }
    for (const { call, node } of touched.values()) {
      const records = call.isOver ? [] : this.#recordsOf(call);
      if (records.length === 0) continue;
      const { id, tenantId } = call.identity;
      this.#listener?.onTold({ ...node, leg: id, facts: records, receivedAt: null, call: { id, tenantId } });
      apply(call, node, [...records, ...this.#pointLegs(node, records, id)], null);
    }
    if (facts.size === 0) return;
    await this.store.commit({
      merges: this.#merges,
      facts: [...facts.values()],
      calls: [...touched.values()].flatMap(({ call, events }) =>
        events.length === 0 || call.document === null ? [] : [call.document],
      ),
      events: [...touched.values()].flatMap(({ events }) => events.map(toOutbox)),
    });
    const committedAt = this.clock.now();
    this.metrics.commitSeconds.observe((committedAt - startedAt) / 1000);
    this.metrics.commitFacts.observe(facts.size);
    for (const { fact } of facts.values()) if (fact.kind === 'gap') this.metrics.gaps.inc({ kind: fact.data.what });
    this.#tellSubscribers([...touched.values()], committedAt);
  }

  /**
   * Finds out what is not in memory: the calls of unknown legs, the lines that new callers dialled, and whose observed legs
   * are.
   */
  async #lookUp(batch: readonly Told[]): Promise<Found> {
    const unknown = batch.filter((told) => told.call === undefined && !this.#callOfLeg.has(legKey(told, told.leg)));
    // What begins just now is in no store: what came before is in memory for longer than events are late, unless a commit that
    // failed took it out of there.
    const justCame = (told: Told): boolean => {
      const at = told.arrival?.at ?? told.sighting?.at;
      if (at === undefined || told.receivedAt === null || this.clock.now() - this.#forgotAt < KEEP_ENDED_MS)
        return false;
      return (
        told.receivedAt - at < KEEP_ENDED_MS / 2 &&
        rootOf(told).every((root) => this.#callOfLeg.has(legKey(root, root.leg)))
      );
    };
    const late = unknown.filter((told) => !justCame(told));
    const owners = await this.store.callsOfLegs([...late, ...late.flatMap(rootOf)]);
    const conferences = batch.flatMap((told) => conferencesIn(told.facts).map((room) => legKey(told, room)));
    const wanted = new Set([
      ...[...owners.values()].map(({ callId }) => callId),
      ...conferences.flatMap((key) => this.#callOfConference.get(key) ?? []),
      ...batch.flatMap(({ call }) => (call === undefined ? [] : [call.id])),
    ]);
    for (const call of await this.store.load([...wanted].filter((id) => !this.#calls.has(id)))) this.#remember(call);
    for (const [key, { callId }] of owners) this.#pointLeg(key, callId);

    // A caller who was only observed so far comes under our control.
    const arrivals = batch.filter((told) => told.arrival !== undefined && this.#knownCall(told)?.state == null);
    const sightings = batch.flatMap((told) => {
      if (told.sighting === undefined) return [];
      const call = this.#knownCall(told);
      return call === null || isBetterSight(told, call) ? [{ told, sighting: told.sighting }] : [];
    });
    const [routes, known] = await Promise.all([
      this.routing.routes(arrivals.map((told) => ({ nodeId: told.nodeId, ...(told.arrival as Arrival) }))),
      this.routing.known(
        sightings.map(({ told, sighting: { endpoint, entered, called, shown } }) => ({
          nodeId: told.nodeId,
          endpoint,
          dialled: entered?.dialled ?? null,
          called,
          shown,
        })),
      ),
    ]);
    return {
      routes: new Map(arrivals.map((told, i) => [told, routes[i] ?? null])),
      known: new Map(sightings.map(({ told }, i) => [told, known[i] ?? null])),
    };
  }

  #knownCall(told: Told): LiveCall | null {
    const id = told.call?.id ?? this.#callOfLeg.get(legKey(told, told.leg));
    return id === undefined ? null : this.peek(id);
  }

  /**
   * Observed conversations that have become one, as the switch counts a leg to another one than before, or it came into a
   * conference. The oldest one stays.
   */
  #unite(told: Told, { linkedId, at }: Sighting): readonly Union[] {
    const legs = [told.leg, linkedId, ...this.#earlyLegs(told, linkedId)];
    const met = new Set([...this.#observedOf(told, legs), ...this.#observedIn(told, conferencesIn(told.facts))]);
    const [into, ...others] = [...met].toSorted(
      (a, b) => a.observed.at - b.observed.at || (a.identity.id < b.identity.id ? -1 : 1),
    );
    if (into === undefined) return [];
    return others
      .filter(({ identity }) => identity.tenantId === into.identity.tenantId)
      .map((from) => this.#uniteTwo(told, at, into, from));
  }

  /** Legs that are known to be counted to one of which nothing else is known yet. */
  #earlyLegs(node: NodeBoot, linkedId: string): readonly string[] {
    return this.#early.of(legKey(node, linkedId)).map(({ leg }) => leg);
  }

  #observedOf(node: NodeBoot, legs: readonly string[]): readonly ObservedCall[] {
    const calls = new Set(legs.map((leg) => this.callOfLeg(node, leg)));
    return [...calls].filter(isObserved);
  }

  /** The calls of conferences. */
  #observedIn(node: NodeBoot, conferences: readonly string[]): readonly ObservedCall[] {
    return conferences.flatMap((room) => {
      const call = this.peek(this.#callOfConference.get(legKey(node, room)) ?? '');
      return isObserved(call) ? [call] : [];
    });
  }

  #uniteTwo(told: Told, at: number, into: LiveCall, from: LiveCall): Union {
    for (const [key, callId] of this.#callOfConference)
      if (callId === from.identity.id) this.#callOfConference.set(key, into.identity.id);
    for (const key of this.#legsOfCall.get(from.identity.id) ?? []) {
      if (key !== legKey(told, from.identity.id)) this.#pointLeg(key, into.identity.id);
    }
    this.#legsOfCall.set(from.identity.id, [legKey(told, from.identity.id)]);
    this.#merges.push({ tenantId: from.identity.tenantId, from: from.identity.id, into: into.identity.id });
    const { id } = from.identity;
    const lastAt = Math.max(at, ...told.facts.map((fact) => fact.at));
    const data = { into: into.identity.id };
    return { into, from, merged: { leg: id, kind: 'merged', key: '', at: lastAt, source: 'ringline', data } };
  }

  /** The observed call of a leg, new where it begins one. What begins none waits for one that it belongs to. */
  #observedCall(told: Told, sighting: Sighting, known: Known | null): CallAndFacts | null {
    if (known === null) return null;
    const rootKey = legKey(told, sighting.linkedId);
    const rootId = this.#callOfLeg.get(rootKey);
    const root = rootId === undefined ? null : this.peek(rootId);
    // What the dial plan does for a caller who was given back to it is no part of what Ringline did.
    if (root?.state != null) return null;
    // A default tenant is the last resort: whoever dialled says more.
    const mine = known.line !== null || known.device !== null ? ownerOf(known) : null;
    const held = this.#early.ownerOf(rootKey);
    const owner = [mine, held].find((one) => one?.line != null) ?? mine ?? held ?? ownerOf(known);
    const party = partyFacts(told, sighting, known, root?.identity.tenantId ?? owner?.tenantId ?? null);
    const own = bestEntered(told.leg, told.facts);
    const began = own === null || owner === null ? [] : [beganFact(owner.region, known.line, own)];
    const facts = [...told.facts, ...party, ...began];
    if (root !== null) return this.#join(told, root, facts, sighting);
    const entered = bestEntered(sighting.linkedId, [...this.#early.of(rootKey), ...told.facts]);
    // Its other legs may have come before it, as those of a conversation that became part of it.
    const conferences = conferencesIn(told.facts);
    const isTheirs = (tenantId: string | undefined): boolean =>
      owner === null || tenantId === undefined || tenantId === owner.tenantId;
    const [joined] = [
      ...this.#observedOf(told, this.#earlyLegs(told, sighting.linkedId)),
      ...this.#observedIn(told, conferences).filter(({ identity }) => isTheirs(identity.tenantId)),
    ];
    if (joined !== undefined) {
      this.#pointLeg(rootKey, joined.identity.id);
      const anew = this.#seenAnew(told, joined, known);
      return this.#join(told, joined, [...this.#early.of(rootKey), ...told.facts, ...anew], sighting);
    }
    if (owner === null) this.metrics.unassigned.inc();
    // Who is alone in a conference has no conversation; a second one makes it one.
    const rooms = conferences
      .map((room) => legKey(told, room))
      .filter((key) => isTheirs(this.#early.ownerOf(key)?.tenantId));
    const soFar = [...this.#early.of(rootKey), ...rooms.flatMap((key) => this.#early.of(key)), ...facts];
    if (owner === null || entered === null || !isConversation(soFar, sighting.linkedId)) {
      this.#early.hold(rootKey, facts, this.clock.now(), { owner: mine, called: calledBy(told.leg, sighting) });
      for (const key of rooms) this.#early.hold(key, soFar, this.clock.now(), { owner, called: null });
      return null;
    }
    const { tenantId, region, line } = owner;
    const id = this.newCallId(sighting.linkedId);
    const call = new LiveCall({ id, tenantId, pbxNodeId: told.nodeId }, told.boot, [], null);
    this.#remember(call);
    this.#pointLeg(legKey(told, id), id);
    this.#pointLeg(rootKey, id);
    const called = this.#early.calledOf(rootKey).map((one) => calledFact(one, region));
    const begun = [observedFact(id, region, line, entered), ...this.#missedBeginning(id, told, entered.at)];
    return this.#join(told, call, [...begun, ...soFar, ...called], sighting);
  }

  /** Of a call that began without a word of events: its PBX was not heard then. */
  #missedBeginning(callId: string, told: Told, at: number): Fact[] {
    const isLate = told.facts.some(({ source }) => source === 'cel' || source === 'reconcile');
    return isLate ? [gapFact(callId, 'beginning-missed', at, this.clock.now())] : [];
  }

  /** What a leg of a known call is, and between whom the call is, as somebody tells who saw it first or better. */
  #seenAnew(told: Told, call: LiveCall, known: Known | null): readonly Fact[] {
    if (told.sighting === undefined || known === null || call.observed === null || !isBetterSight(told, call))
      return [];
    const { id, tenantId } = call.identity;
    const party = partyFacts(told, told.sighting, known, tenantId);
    const { region } = call.observed;
    const line = known.line?.tenantId === tenantId ? known.line : null;
    const [own, entered] = [bestEntered(told.leg, told.facts), betterEntered(told, call)];
    return [
      ...party,
      ...(own === null ? [] : [beganFact(region, line, own)]),
      ...(entered === null ? [] : [observedFact(id, region, line, entered)]),
    ];
  }

  #join(told: Told, call: LiveCall, facts: readonly Fact[], sighting: Sighting): CallAndFacts {
    const { id } = call.identity;
    const region = call.observed?.region ?? facts.find((fact) => fact.kind === 'observed')?.data.region;
    const called = calledBy(told.leg, sighting);
    const all = called === null || region === undefined ? facts : [...facts, calledFact(called, region)];
    return { call, facts: [...all, ...this.#pointLegs(told, all, id)] };
  }

  /** The call that is told about, new where a caller came to a line or a click-to-call was accepted. */
  #callFor(told: Told, { routes, known: seen }: Found): CallAndFacts | null {
    const knownId = told.call?.id ?? this.#callOfLeg.get(legKey(told, told.leg));
    if (knownId !== undefined) {
      if (this.#parked.has(knownId)) return null;
      const known = this.peek(knownId);
      if (known !== null) {
        const taken = this.#takeOver(told, known, routes.get(told));
        if (taken === null && told.sighting !== undefined) {
          const anew = this.#seenAnew(told, known, seen.get(told) ?? null);
          const rootKey = legKey(told, told.sighting.linkedId);
          if (!this.#callOfLeg.has(rootKey)) this.#early.hold(rootKey, told.facts, this.clock.now());
          return this.#join(told, known, [...told.facts, ...anew], told.sighting);
        }
        const facts = [...(taken ?? []), ...told.facts];
        return { call: known, facts: [...facts, ...this.#pointLegs(told, facts, knownId)] };
      }
    }
    if (told.call !== undefined && told.facts.some(({ kind }) => kind === 'placed')) {
      const call = new LiveCall(
        { id: told.call.id, tenantId: told.call.tenantId, pbxNodeId: told.nodeId },
        told.boot,
        [],
        null,
      );
      this.#remember(call);
      return { call, facts: [...told.facts, ...this.#pointLegs(told, told.facts, told.call.id)] };
    }
    const rung = this.#rungFor(told);
    if (rung !== null) return rung;
    const route = routes.get(told);
    // The log tells of callers whose number is no line of ours too.
    if (told.sighting !== undefined && route == null)
      return this.#observedCall(told, told.sighting, seen.get(told) ?? null);
    if (told.arrival === undefined || route === undefined) {
      this.metrics.unassigned.inc();
      if (told.call === undefined) this.#early.hold(legKey(told, told.leg), told.facts, this.clock.now());
      return null;
    }
    const { nodeId, boot, leg } = told;
    if (route === null) {
      // Who is only in the log was given back long ago, or will be told of by an event.
      if (isLogged(told)) return null;
      this.metrics.unrouted.inc();
      this.#listener?.onRouted({ nodeId, boot, leg, did: told.arrival.did, callId: null, route });
      this.#onUnrouted({ nodeId, leg });
      return null;
    }
    const id = this.newCallId(leg);
    this.#listener?.onRouted({ nodeId, boot, leg, did: told.arrival.did, callId: id, route });
    const call = new LiveCall({ id, tenantId: route.tenantId, pbxNodeId: nodeId }, boot, [], null);
    this.#remember(call);
    this.#pointLeg(legKey(told, id), id);
    // Who is only in the log has left, mostly: whether phones ring for him is decided when he was asked for.
    const legs = isLogged(told) ? [] : plannedLegsOf(id, route, told.arrival.at);
    // Together with the facts of its frame, so that they make one change.
    const begun = [incoming(id, leg, told.arrival, route), ...this.#missedBeginning(id, told, told.arrival.at)];
    const facts = [...begun, ...legs, ...told.facts];
    return { call, facts: [...facts, ...this.#pointLegs(told, facts, id)] };
  }

  /**
   * The call of the caller for whom a leg of ours rang, where only the log tells of it: the record that it was made for is lost,
   * and one was made anew for its caller.
   */
  #rungFor(told: Told): CallAndFacts | null {
    const lost = isAgentLegId(told.leg) && isLogged(told) ? callOfOurId(told.leg) : null;
    const created = told.facts.find((fact) => fact.kind === 'created');
    if (lost === null || created === undefined) return null;
    // The room that both were to meet in has the name of the lost one.
    const call = [...this.#calls.values()].find(
      ({ boot, legs, identity }) =>
        boot === told.boot &&
        identity.pbxNodeId === told.nodeId &&
        legs.some(({ stays }) => stays.some(({ room }) => room === roomOf(lost))),
    );
    const plan = call?.state?.placed.plan;
    if (call === undefined || plan?.kind !== 'ring-line') return null;
    const rung = [...rungByLog(plan.phones, created), ...outsideByLog(plan.outside ?? [], created)];
    const facts = [...rung, ...told.facts];
    return { call, facts: [...facts, ...this.#pointLegs(told, facts, call.identity.id)] };
  }

  /** What makes an observed call one that Ringline drives, when its caller comes to a line. */
  #takeOver(told: Told, call: LiveCall, route: Route | null | undefined): readonly Fact[] | null {
    if (told.arrival === undefined || call.state !== null || route === undefined) return null;
    const { nodeId, leg } = told;
    const { id, tenantId } = call.identity;
    if (route === null || route.tenantId !== tenantId) {
      if (!isLogged(told)) this.#onUnrouted({ nodeId, leg });
      return null;
    }
    // Who is only in the log has left, mostly.
    const legs = isLogged(told) ? [] : plannedLegsOf(id, route, told.arrival.at);
    return [incoming(id, leg, told.arrival, route), ...legs];
  }

  /** A plan that fails must not keep from being stored what the switch told. */
  #recordsOf(call: LiveCall): readonly Fact[] {
    try {
      return this.#nextRecords(call);
    } catch (error) {
      this.log.error({ scope: 'ledger', error, callId: call.identity.id }, 'a plan failed');
      return [];
    }
  }

  #toEvent(tenantId: string, { type, call }: Change): StoredEvent {
    const event: CallEvent = {
      id: newId(),
      type,
      timestamp: instant(this.clock.now()),
      tenantId,
      sequence: call.version,
      data: { call },
    };
    return { event, text: JSON.stringify(event) };
  }

  #tellSubscribers(touched: readonly Touched[], committedAt: number): void {
    const changes = touched.flatMap(({ call, events, receivedAt }): CommittedChange[] =>
      call.document === null
        ? []
        : [
            {
              tenantId: call.identity.tenantId,
              callId: call.identity.id,
              nodeId: call.identity.pbxNodeId,
              call: call.document,
              events,
              receivedAt,
              committedAt,
            },
          ],
    );
    for (const { call } of touched) {
      if (call.isOver && !this.#over.has(call.identity.id)) this.#over.set(call.identity.id, committedAt);
    }
    for (const subscriber of this.#subscribers) {
      const before = this.clock.now();
      try {
        subscriber.onCommit(changes);
      } catch (error) {
        this.log.error({ scope: 'ledger', error, subscriber: subscriber.name }, 'an after-commit subscriber failed');
      }
      const took = this.clock.now() - before;
      if (took > SUBSCRIBER_DEADLINE_MS)
        this.log.warn(
          { scope: 'ledger', subscriber: subscriber.name, tookMs: took },
          'an after-commit subscriber is slow',
        );
    }
  }

  #remember(call: LiveCall): void {
    this.#calls.set(call.identity.id, call);
    if (call.isOver) this.#over.set(call.identity.id, this.clock.now());
    const node = { nodeId: call.identity.pbxNodeId, boot: call.boot };
    for (const leg of call.legs) this.#pointLeg(legKey(node, leg.id), call.identity.id);
    for (const room of conferencesIn(call.facts)) {
      const key = legKey(node, room);
      if (!this.#callOfConference.has(key)) this.#callOfConference.set(key, call.identity.id);
    }
  }

  /**
   * Points the legs that are told about to their call, and the conferences they come into: one leads to its call as a leg does.
   * Gives what was told of new ones before they had one.
   */
  #pointLegs(node: NodeBoot, told: readonly Fact[], callId: string): Fact[] {
    const tenantId = this.peek(callId)?.identity.tenantId;
    const ofLegs = told.flatMap(({ leg }) => {
      const key = legKey(node, leg);
      return this.#pointLeg(key, callId) ? this.#early.of(key) : [];
    });
    const ofConferences = conferencesIn(told).flatMap((room) => {
      const key = legKey(node, room);
      // Two tenants may meet in one: it leads to the call of the first.
      if (this.#callOfConference.has(key)) return [];
      this.#callOfConference.set(key, callId);
      return [tenantId, undefined].includes(this.#early.ownerOf(key)?.tenantId) ? this.#early.of(key) : [];
    });
    const early = [...ofLegs, ...ofConferences];
    return early.length === 0 ? early : [...early, ...this.#pointLegs(node, early, callId)];
  }

  /** True when that is news. */
  #pointLeg(key: string, callId: string): boolean {
    if (this.#callOfLeg.get(key) === callId) return false;
    this.#callOfLeg.set(key, callId);
    const legs = this.#legsOfCall.get(callId);
    if (legs === undefined) this.#legsOfCall.set(callId, [key]);
    else legs.push(key);
    return true;
  }

  #drop(callId: string): void {
    this.#calls.delete(callId);
    this.#over.delete(callId);
    for (const key of this.#legsOfCall.get(callId) ?? []) this.#callOfLeg.delete(key);
    this.#legsOfCall.delete(callId);
  }

  /** What a failed commit did to calls in memory is not stored: they are read again. */
  #forget(batch: readonly Told[]): void {
    this.#forgotAt = this.clock.now();
    for (const { from, into } of this.#merges.splice(0)) {
      this.#drop(from);
      this.#drop(into);
    }
    for (const told of batch) {
      const id = told.call?.id ?? this.#callOfLeg.get(legKey(told, told.leg));
      if (id !== undefined) this.#drop(id);
    }
  }

  #evict(): void {
    const before = this.clock.now() - KEEP_ENDED_MS;
    for (const [id, since] of this.#over) {
      if (since >= before && this.#over.size <= MOST_ENDED) return;
      this.#drop(id);
      for (const [key, callId] of this.#callOfConference) if (callId === id) this.#callOfConference.delete(key);
    }
  }
}

type ObservedCall = LiveCall & { readonly observed: ObservedState };

function isObserved(call: LiveCall | null): call is ObservedCall {
  return call !== null && call.observed !== null;
}

/** Of two observed calls one became part of the other. */
type Union = { readonly into: LiveCall; readonly from: LiveCall; readonly merged: Extract<Fact, { kind: 'merged' }> };

type CallAndFacts = { readonly call: LiveCall; readonly facts: readonly Fact[] };

/** What was looked up for a batch. */
type Found = {
  /** Of callers who came to us: null where the number is no line. */
  readonly routes: ReadonlyMap<Told, Route | null>;
  /** Of observed legs that were in no call. */
  readonly known: ReadonlyMap<Told, Known | null>;
};

/** The leg with which an observed leg's conversation began. */
function rootOf({ nodeId, boot, leg, sighting }: Told): { nodeId: string; boot: string; leg: string }[] {
  return sighting === undefined || sighting.linkedId === leg ? [] : [{ nodeId, boot, leg: sighting.linkedId }];
}

type StoredEvent = { readonly event: CallEvent; readonly text: string };

/** What one commit does to one call. */
type Touched = {
  readonly call: LiveCall;
  readonly node: NodeBoot;
  readonly events: StoredEvent[];
  readonly receivedAt: number | null;
};

/** Facts that no phone and nobody on it waits for. */
const unhurried: ReadonlySet<Fact['kind']> = new Set([
  'dialling',
  'ringing',
  'progress',
  'joined',
  'parted',
  'hangup-asked',
  'cause',
  'left-control',
  'ended',
  'recording-started',
  'recording-finished',
]);

/** Nothing follows from the answer of the outside party: it is joined before, or by the command that it answers to. */
function isUnhurried({ kind, leg }: Fact): boolean {
  return unhurried.has(kind) || (kind === 'answered' && !isAgentLegId(leg));
}

function isUrgent(told: Told): boolean {
  // Nothing follows for whom Ringline only watches.
  if (told.sighting !== undefined) return false;
  return told.arrival !== undefined || told.receivedAt === null || !told.facts.every(isUnhurried);
}

/** Told by the switch's log, which tells of the past. */
function isLogged({ facts }: Told): boolean {
  return facts.some(({ source }) => source === 'cel');
}

function takeBatch(queue: Told[]): Told[] {
  let facts = 0;
  let taken = 0;
  while (taken < queue.length && (taken === 0 || facts + (queue[taken] as Told).facts.length <= BATCH)) {
    facts += (queue[taken] as Told).facts.length;
    taken++;
  }
  return queue.splice(0, taken);
}

function incoming(callId: string, callerLeg: string, arrival: Arrival, route: Route): Fact {
  return {
    leg: callId,
    kind: 'placed',
    key: '',
    at: arrival.at,
    source: 'ringline',
    data: {
      direction: 'inbound',
      from: route.from,
      to: { raw: arrival.did, e164: route.line.number, name: null },
      line: route.line,
      plan: {
        kind: 'ring-line',
        callerLeg,
        phones: route.phones,
        ...(route.outside !== undefined && { outside: route.outside }),
        ...(route.first !== undefined && { first: route.first }),
        ringSeconds: route.ringSeconds,
        limitSeconds: route.limitSeconds,
        ...(route.blockedBy !== null && { blockedBy: route.blockedBy }),
        record: route.record,
      },
    },
  };
}

function toOutbox({ event, text }: StoredEvent): OutboxEvent {
  return {
    tenantId: event.tenantId,
    id: event.id,
    callId: event.data.call.id,
    type: event.type,
    sequence: event.sequence,
    createdAt: new Date(event.timestamp),
    document: text,
  };
}
