import type { Clock } from '../common/clock.js';
import type { Log } from '../common/logger.js';
import type { SecretBox } from '../common/secret-box.js';
import { within } from '../common/within.js';
import type { Database } from '../database/database.js';
import type { GuardedClient, Outcome } from '../egress/guarded-client.js';
import { NudgedLoop } from '../outbox/nudged-loop.js';
import type { WakeUpQueue } from '../queues/wake-up-queue.js';
import { Breaker } from './breaker.js';
import type { ClaimedDelivery, CompletedAttempt, DeliveryStore } from './delivery-store.js';
import { MOST_LOST } from './delivery-sql.js';
import { openKey } from './endpoint-secret.js';
import type { EndpointWatch } from './endpoint-watch.js';
import { retryDelayMs } from './retry-schedule.js';
import type { WebhookMetrics } from './webhook-metrics.js';
import { tryOf, webhookRequest } from './webhook-request.js';

export type SenderLimits = {
  /** Requests open to one endpoint at a time, and to one that takes them quickly. */
  readonly concurrency: number;
  readonly quickConcurrency: number;
  /** Requests beyond `concurrency` in all: where many endpoints are sent to, more connections are work and no gain. */
  readonly extra: number;
  /**
   * Deliveries claimed for one endpoint that takes them quickly: what it takes in a quarter of a second, between these. A slow
   * one gets no more than it is sent at once.
   */
  readonly ahead: { readonly least: number; readonly most: number };
  /** Requests open and claims held in all. */
  readonly total: number;
  /** Of them for one tenant, however many endpoints it has. */
  readonly perTenant: number;
  /** An answer within this time counts as quick. */
  readonly quickMs: number;
  /** How late a delivery may be whose wake-up was lost. */
  readonly sweepMs: number;
  /** How long a claim holds: longer than any request, so that what is being sent is not sent by another too. */
  readonly claimSeconds: number;
  /** How long a stop waits for requests that are open. */
  readonly stopMs: number;
};

export const senderLimits: SenderLimits = {
  concurrency: 4,
  quickConcurrency: 16,
  extra: 200,
  ahead: { least: 64, most: 1_024 },
  total: 4_000,
  perTenant: 1_200,
  quickMs: 250,
  sweepMs: 5_000,
  claimSeconds: 45,
  stopMs: 20_000,
};

/** Between rounds under load; a lone event is not held up by it. */
const GAP_MS = 100;
/** A claim of so many is one of a backlog: the next is made when half of them are done, so that nothing waits for it. */
const BACKLOG = 128;
/** How far ahead deliveries are claimed, and how long an endpoint is watched for what it takes meanwhile, ms. */
const AHEAD_MS = 250;
const WATCHED_MS = 50;
/** An event this young when it is claimed goes before those of a backlog, ms. */
const FRESH_MS = 5_000;
/** A little more than the time by which the claim moves what gives way. */
const GAVE_WAY_MS = 300;
/** A claim with less time left is given back instead of used: a request may take 15 s. */
const CLAIM_RESERVE_MS = 20_000;
const OPENED_KEYS = 10_000;
/** A lane that is not used is forgotten, so that the list of them stays short; one that pauses, later. */
const FORGET_LANE_MS = 60_000;
const FORGET_PAUSED_LANE_MS = 600_000;

type Held = { readonly delivery: ClaimedDelivery; readonly claimedAt: number };

/** One endpoint as this process sees it now. */
type Lane = {
  readonly tenantId: string;
  /** What may go now: what is new first, though a backlog of hours waits beside it. */
  readonly fresh: Held[];
  readonly held: Held[];
  /** What waits for an earlier event of its call, in order. A call that is being sent or held for it is here, with or without. */
  readonly behind: Map<string, Held[]>;
  readonly breaker: Breaker;
  inFlight: number;
  quick: boolean;
  /** Deliveries it took since then, and how many are claimed ahead by what it took before. */
  taken: number;
  takenSince: number;
  ahead: number;
  touchedAt: number;
};

/**
 * Sends due deliveries. PostgreSQL says what is due and who may send it; this only keeps what is being sent. A call's
 * events go to an endpoint one after the other, calls and endpoints beside each other.
 */
export class WebhookSender {
  readonly #loop: NudgedLoop;
  readonly #lanes = new Map<string, Lane>();
  #wanted = new Set<string>();
  #completed: { readonly attempt: CompletedAttempt; readonly delivery: ClaimedDelivery }[] = [];
  #unused: ClaimedDelivery[] = [];
  readonly #open = new Set<Promise<void>>();
  /** Requests that were begun beyond an endpoint’s `concurrency`. */
  #extra = 0;
  /** By sealed text, which differs for each secret and row. */
  readonly #keys = new Map<string, Buffer>();
  /** What the last claim of a backlog gave: after so many more are done, or at this time, it is claimed again. */
  #supply: { after: number; readonly until: number; readonly tenantIds: ReadonlySet<string> } | null = null;
  #stopping = false;
  #told: string | undefined;

  constructor(
    private readonly database: Database,
    private readonly store: DeliveryStore,
    private readonly watch: EndpointWatch,
    private readonly client: Pick<GuardedClient, 'send'>,
    private readonly secretBox: SecretBox,
    private readonly wakeUps: Pick<WakeUpQueue, 'wakeAfter' | 'listen' | 'stop'>,
    private readonly schedule: readonly number[],
    private readonly metrics: WebhookMetrics,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly limits: SenderLimits = senderLimits,
  ) {
    this.#loop = new NudgedLoop((swept) => this.#round(swept), limits.sweepMs, GAP_MS);
  }

  start(): void {
    this.wakeUps.listen(({ tenantId }) => this.nudge([tenantId]));
    this.#loop.start();
  }

  /** There may be something due for these tenants. */
  nudge(tenantIds: Iterable<string>): void {
    for (const tenantId of tenantIds) this.#wanted.add(tenantId);
    this.#loop.nudge();
  }

  /** Claims nothing more, waits for the requests that are open and stores what became of them. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.wakeUps.stop();
    await this.#loop.stop();
    for (const lane of this.#lanes.values()) this.#giveBack(lane);
    await within(this.limits.stopMs, Promise.all(this.#open), []);
    // What cannot be stored now is sent again when its claim runs out: at least once.
    await this.#settle().catch((error: unknown) => this.log.warn({ scope: 'webhooks', error }, 'tries not stored'));
  }

  async #round(swept: boolean): Promise<boolean> {
    this.database.assertReady();
    const wanted = this.#wanted;
    this.#wanted = new Set();
    try {
      await this.#settle();
      if (this.#stopping) return false;
      if (swept) this.#forgetIdleLanes();
      if (!swept && wanted.size === 0) return false;
      // There is enough to do: a claim now would read the same rows again.
      if (!swept && this.#supply !== null && performance.now() < this.#supply.until) {
        for (const tenantId of wanted) this.#wanted.add(tenantId);
        return true;
      }
      this.#supply = null;
      const again = await this.#claim(swept ? null : wanted);
      if (this.#told !== undefined) this.log.info({ scope: 'webhooks' }, 'deliveries go on');
      this.#told = undefined;
      return again;
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      if (words !== this.#told) this.log.warn({ scope: 'webhooks', error }, 'deliveries wait for the database');
      this.#told = words;
      throw error;
    }
  }

  async #claim(tenantIds: ReadonlySet<string> | null): Promise<boolean> {
    let busy = 0;
    const room = new Map<string, number>();
    const tenantRoom = new Map<string, number>();
    const now = performance.now();
    for (const [endpointId, lane] of this.#lanes) {
      const has = hasOf(lane);
      busy += has;
      room.set(endpointId, Math.max(0, lane.breaker.room(now, this.#mostFor(lane, now)) - has));
      tenantRoom.set(lane.tenantId, Math.max(0, (tenantRoom.get(lane.tenantId) ?? this.limits.perTenant) - has));
    }
    const limit = this.limits.total - busy;
    // Every end of a request makes another round.
    if (limit <= 0) return false;
    const claimedAt = performance.now();
    const { deliveries, superseded, goOn } = await this.store.claim({
      tenantIds: tenantIds === null ? null : [...tenantIds],
      room,
      otherRoom: this.limits.concurrency,
      tenantRoom,
      otherTenantRoom: this.limits.perTenant,
      limit,
    });
    for (const delivery of deliveries.toSorted((a, b) => a.sequence - b.sequence)) {
      hold(this.#lane(delivery), { delivery, claimedAt });
    }
    for (const endpointId of new Set(deliveries.map((delivery) => delivery.endpointId))) {
      this.#fill(this.#lanes.get(endpointId) as Lane);
    }
    if (deliveries.length >= BACKLOG) {
      const backlogged = new Set(deliveries.map(({ tenantId }) => tenantId));
      this.#supply = { after: deliveries.length / 2, until: performance.now() + GAP_MS, tenantIds: backlogged };
    }
    this.metrics.superseded.inc(superseded);
    for (const tenantId of goOn) this.#wanted.add(tenantId);
    // What had to give way to the heads of a crowd is due again soon; nothing else would look for it then.
    if (goOn.length > 0) setTimeout(() => this.nudge(goOn), GAVE_WAY_MS).unref();
    return goOn.length > 0;
  }

  #mostFor(lane: Lane, now: number): number {
    const { ahead, concurrency } = this.limits;
    if (!lane.quick) return concurrency;
    const watchedMs = now - lane.takenSince;
    if (watchedMs >= WATCHED_MS) {
      lane.ahead = Math.min(ahead.most, Math.max(ahead.least, (lane.taken / watchedMs) * AHEAD_MS));
      lane.taken = 0;
      lane.takenSince = now;
    }
    return Math.floor(lane.ahead);
  }

  #lane({ endpointId, tenantId }: ClaimedDelivery): Lane {
    const known = this.#lanes.get(endpointId);
    if (known) return known;
    const now = performance.now();
    const { least } = this.limits.ahead;
    const state = { inFlight: 0, quick: false, taken: 0, takenSince: now, ahead: least, touchedAt: 0 };
    const lane: Lane = { tenantId, fresh: [], held: [], behind: new Map(), breaker: new Breaker(), ...state };
    this.#lanes.set(endpointId, lane);
    return lane;
  }

  /** Starts as many of the lane's deliveries as may be open at a time. */
  #fill(lane: Lane): void {
    const usable = this.limits.claimSeconds * 1000 - Math.min(CLAIM_RESERVE_MS, this.limits.claimSeconds * 500);
    const { concurrency, quickConcurrency, extra } = this.limits;
    const most = lane.quick ? quickConcurrency : concurrency;
    while (lane.inFlight < lane.breaker.room(performance.now(), most)) {
      const isExtra = lane.inFlight >= concurrency;
      // It has others open, and each end of one brings it here again.
      if (isExtra && this.#extra >= extra) return;
      const next = lane.fresh.shift() ?? lane.held.shift();
      if (!next) return;
      if (this.#stopping || performance.now() - next.claimedAt > usable) {
        this.#unused.push(next.delivery, ...endOf(lane, next.delivery.callId));
        this.#loop.nudge();
        continue;
      }
      lane.inFlight += 1;
      if (isExtra) this.#extra += 1;
      const sending = this.#send(next).then(({ taken, quick }) => {
        lane.inFlight -= 1;
        if (isExtra) this.#extra -= 1;
        lane.quick = quick;
        if (taken) lane.taken += 1;
        this.#claimAhead();
        lane.touchedAt = performance.now();
        this.#goOn(lane, next.delivery.callId, taken);
        this.#noteFor(lane, taken);
        this.#open.delete(sending);
        // Who is slow or refuses holds no claims that others could use.
        if (!quick) this.#giveBack(lane);
        this.#fill(lane);
      });
      this.#open.add(sending);
    }
  }

  /** What comes after an event goes when that was taken. */
  #goOn(lane: Lane, callId: string, taken: boolean): void {
    const following = taken ? lane.behind.get(callId)?.shift() : undefined;
    if (following !== undefined) queueOf(lane, following).push(following);
    else this.#unused.push(...endOf(lane, callId));
  }

  /** In the middle of a backlog the next claim is made while what is held is sent. */
  #claimAhead(): void {
    if (this.#supply === null || --this.#supply.after > 0) return;
    for (const tenantId of this.#supply.tenantIds) this.#wanted.add(tenantId);
    this.#supply = null;
    this.#loop.hurry();
  }

  #noteFor({ breaker, tenantId, touchedAt }: Lane, taken: boolean): void {
    const { openUntil: before, isClosed } = breaker;
    breaker.note(taken, touchedAt);
    if (breaker.isClosed !== isClosed) this.#countPaused();
    if (breaker.openUntil > before) {
      setTimeout(() => this.nudge([tenantId]), breaker.openUntil - touchedAt).unref();
    }
  }

  #countPaused(): void {
    this.metrics.paused.set([...this.#lanes.values()].filter(({ breaker }) => !breaker.isClosed).length);
  }

  #giveBack(lane: Lane): void {
    for (const { delivery } of [...lane.fresh.splice(0), ...lane.held.splice(0)])
      this.#unused.push(delivery, ...endOf(lane, delivery.callId));
    for (const behind of lane.behind.values()) this.#unused.push(...behind.splice(0).map(({ delivery }) => delivery));
  }

  /** Whether the endpoint took it, and quickly. Never rejects. */
  async #send({ delivery, claimedAt }: Held): Promise<{ readonly taken: boolean; readonly quick: boolean }> {
    const startedAt = new Date(this.clock.now());
    const { tenantId, id, attempt } = delivery;
    const outcome = await this.#try(delivery, claimedAt);
    const tried = tryOf(outcome);
    const taken = tried.error === null;
    const retryInMs = taken ? null : this.#retryInMs(delivery, outcome);
    const result = taken ? 'delivered' : retryInMs === null ? 'dead' : 'pending';
    this.metrics.attempts.inc({ result: result === 'pending' ? 'failed' : result });
    this.#completed.push({
      delivery,
      attempt: {
        tenantId,
        deliveryId: id,
        number: attempt,
        startedAt,
        ...tried,
        result,
        retryInMs,
      },
    });
    this.nudge([tenantId]);
    return { taken, quick: taken && outcome.durationMs <= this.limits.quickMs };
  }

  #try(delivery: ClaimedDelivery, claimedAt: number): Promise<Outcome> {
    const { eventId, url, document, attempt, turn, lost, ageMs, isReplay } = delivery;
    const failed = (error: string): Promise<Outcome> =>
      Promise.resolve({ kind: 'failed', error, wasSent: false, durationMs: 0 });
    // A claim counts as a try before it is one, so that a delivery which kills its worker does not do so for ever.
    if (turn > this.schedule.length) return failed('Ringline was stopped during the last attempt.');
    if (lost >= MOST_LOST) return failed(`Ringline was stopped ${MOST_LOST} times while it sent this.`);
    const keys = this.#keysOf(delivery);
    if (!keys) return failed('The endpoint’s secret cannot be opened.');
    return this.client.send({
      ...webhookRequest(url, keys, { id: eventId, document, isReplay }, this.clock.now()),
      onFirstByte: () => {
        if (attempt === 1) this.metrics.lag.observe((ageMs + performance.now() - claimedAt) / 1000);
      },
    });
  }

  #retryInMs({ turn }: ClaimedDelivery, outcome: Outcome): number | null {
    const slowDown = outcome.kind === 'answered' && (outcome.status === 429 || outcome.status === 503);
    const asked = slowDown ? outcome.retryAfterSeconds : undefined;
    return retryDelayMs(this.schedule, turn, asked, Math.random());
  }

  /** The newest first. */
  #keysOf(delivery: ClaimedDelivery): readonly Buffer[] | undefined {
    const { tenantId, endpointId, secretSealed, previousSecretSealed } = delivery;
    try {
      const key = this.#key(secretSealed, tenantId, endpointId);
      return previousSecretSealed === null ? [key] : [key, this.#key(previousSecretSealed, tenantId, endpointId)];
    } catch (error) {
      this.log.error({ scope: 'webhooks', endpointId, error }, 'secret of a webhook endpoint cannot be opened');
      return undefined;
    }
  }

  #key(sealed: string, tenantId: string, endpointId: string): Buffer {
    const known = this.#keys.get(sealed);
    if (known) return known;
    const key = openKey(this.secretBox, sealed, tenantId, endpointId);
    if (this.#keys.size >= OPENED_KEYS) this.#keys.clear();
    this.#keys.set(sealed, key);
    return key;
  }

  /** Stores what became of tries, and gives back claims that were not used. */
  async #settle(): Promise<void> {
    const completed = this.#completed;
    const unused = this.#unused;
    this.#completed = [];
    this.#unused = [];
    try {
      await this.store.complete(completed.map(({ attempt }) => attempt));
    } catch (error) {
      this.#completed.unshift(...completed);
      this.#unused.unshift(...unused);
      throw error;
    }
    // A claim that is not given back runs out.
    await this.store.giveBack(unused);
    for (const { attempt, delivery } of completed) this.#wakeForNext(attempt, delivery);
    const signs = completed.map(({ attempt, delivery }) => ({
      tenantId: delivery.tenantId,
      endpointId: delivery.endpointId,
      wasTaken: attempt.result === 'delivered',
      isGone: attempt.status === 410,
      wasFailing: delivery.wasFailing,
    }));
    // What it cannot note now is noted with the next try.
    const telling = await this.watch.note(signs);
    if (telling.length > 0) this.nudge(telling);
  }

  #wakeForNext({ retryInMs, status }: CompletedAttempt, { tenantId, endpointId }: ClaimedDelivery): void {
    if (retryInMs === null || status === 410) return;
    // Not awaited: a slow Redis holds no delivery up.
    void this.wakeUps.wakeAfter(retryInMs + GAP_MS, [{ tenantId, endpointId }]);
  }

  #forgetIdleLanes(): void {
    const now = performance.now();
    for (const [endpointId, lane] of this.#lanes) {
      const after = lane.breaker.isClosed ? FORGET_LANE_MS : FORGET_PAUSED_LANE_MS;
      if (hasOf(lane) === 0 && now - lane.touchedAt > after) this.#lanes.delete(endpointId);
    }
    this.#countPaused();
  }
}

/** What is claimed and not done for this endpoint. */
function hasOf({ inFlight, fresh, held, behind }: Lane): number {
  let has = inFlight + fresh.length + held.length;
  for (const waiting of behind.values()) has += waiting.length;
  return has;
}

function hold(lane: Lane, one: Held): void {
  const { callId } = one.delivery;
  const before = lane.behind.get(callId);
  if (before !== undefined) before.push(one);
  else {
    lane.behind.set(callId, []);
    queueOf(lane, one).push(one);
  }
}

function queueOf({ fresh, held }: Lane, { delivery }: Held): Held[] {
  return delivery.ageMs < FRESH_MS ? fresh : held;
}

/** Nothing of this call is sent or held for the lane any more. Gives what still waited behind it. */
function endOf({ behind }: Lane, callId: string): readonly ClaimedDelivery[] {
  const waiting = behind.get(callId) ?? [];
  behind.delete(callId);
  return waiting.map(({ delivery }) => delivery);
}
