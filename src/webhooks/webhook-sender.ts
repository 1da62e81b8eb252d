import type { Clock } from '../common/clock.js';
import { newId } from '../common/ids.js';
import type { Log } from '../common/logger.js';
import type { SecretBox } from '../common/secret-box.js';
import type { Database } from '../database/database.js';
import type { GuardedClient, Outcome } from '../egress/guarded-client.js';
import { NudgedLoop } from '../outbox/nudged-loop.js';
import type { WakeUpQueue } from '../queues/wake-up-queue.js';
import type { ClaimedDelivery, CompletedAttempt, DeliveryStore } from './delivery-store.js';
import { openKey } from './endpoint-secret.js';
import { retryDelayMs } from './retry-schedule.js';
import type { WebhookMetrics } from './webhook-metrics.js';
import { GONE, tryOf, webhookRequest } from './webhook-request.js';

export type SenderLimits = {
  /** Requests open to one endpoint at a time. */
  readonly concurrency: number;
  /** Deliveries claimed for one endpoint that takes them quickly; a slow one gets no more than it is sent at once. */
  readonly ahead: number;
  /** Requests open and claims held in all. */
  readonly total: number;
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
  ahead: 32,
  total: 1_000,
  quickMs: 250,
  sweepMs: 5_000,
  claimSeconds: 45,
  stopMs: 20_000,
};

/** Between rounds under load; a lone event is not held up by it. */
const GAP_MS = 100;
/** A little more than the second by which the claim moves what gives way. */
const GAVE_WAY_MS = 1_050;
/** A claim with less time left is given back instead of used: a request may take 15 s. */
const CLAIM_RESERVE_MS = 20_000;
const OPENED_KEYS = 10_000;

type Held = { readonly delivery: ClaimedDelivery; readonly claimedAt: number };

/** One endpoint as this process sees it now. */
type Lane = { readonly held: Held[]; inFlight: number; quick: boolean; touchedAt: number };

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
  /** By sealed text, which differs for each secret and row. */
  readonly #keys = new Map<string, Buffer>();
  #stopping = false;
  #told: string | undefined;

  constructor(
    private readonly database: Database,
    private readonly store: DeliveryStore,
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
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.limits.stopMs)));
    await Promise.race([Promise.all(this.#open), timeUp]);
    clearTimeout(timer);
    // What cannot be stored now is sent again when its claim runs out: at least once.
    await this.#settle().catch((error: unknown) => this.log.warn({ scope: 'webhooks', error }, 'tries not stored'));
  }

  async #round(swept: boolean): Promise<boolean> {
    if (this.database.state.status !== 'ready') return false;
    const wanted = this.#wanted;
    this.#wanted = new Set();
    try {
      await this.#settle();
      if (this.#stopping) return false;
      if (swept) this.#forgetIdleLanes();
      if (!swept && wanted.size === 0) return false;
      const again = await this.#claim(swept ? null : [...wanted]);
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

  async #claim(tenantIds: readonly string[] | null): Promise<boolean> {
    let busy = 0;
    const room = new Map<string, number>();
    for (const [endpointId, lane] of this.#lanes) {
      const taken = lane.inFlight + lane.held.length;
      busy += taken;
      room.set(endpointId, Math.max(0, (lane.quick ? this.limits.ahead : this.limits.concurrency) - taken));
    }
    const limit = this.limits.total - busy;
    // Every end of a request makes another round.
    if (limit <= 0) return false;
    const claimedAt = performance.now();
    const { deliveries, superseded, goOn } = await this.store.claim({
      tenantIds,
      room,
      otherRoom: this.limits.concurrency,
      limit,
    });
    for (const delivery of deliveries) {
      const lane = this.#lane(delivery.endpointId);
      lane.held.push({ delivery, claimedAt });
      this.#fill(lane);
    }
    this.metrics.superseded.inc(superseded);
    for (const tenantId of goOn) this.#wanted.add(tenantId);
    // What had to give way to the heads of a crowd is due again in a second; nothing else would look for it then.
    if (goOn.length > 0) setTimeout(() => this.nudge(goOn), GAVE_WAY_MS).unref();
    return goOn.length > 0;
  }

  #lane(endpointId: string): Lane {
    const known = this.#lanes.get(endpointId);
    if (known) return known;
    const lane: Lane = { held: [], inFlight: 0, quick: false, touchedAt: 0 };
    this.#lanes.set(endpointId, lane);
    return lane;
  }

  /** Starts as many of the lane's deliveries as may be open at a time. */
  #fill(lane: Lane): void {
    const usable = this.limits.claimSeconds * 1000 - Math.min(CLAIM_RESERVE_MS, this.limits.claimSeconds * 500);
    while (lane.inFlight < this.limits.concurrency) {
      const next = lane.held.shift();
      if (!next) return;
      if (this.#stopping || performance.now() - next.claimedAt > usable) {
        this.#unused.push(next.delivery);
        this.#loop.nudge();
        continue;
      }
      lane.inFlight += 1;
      const sending = this.#send(next).then((quick) => {
        lane.inFlight -= 1;
        lane.quick = quick;
        lane.touchedAt = performance.now();
        this.#open.delete(sending);
        // Who is slow or refuses holds no claims that others could use.
        if (!quick) this.#giveBack(lane);
        this.#fill(lane);
      });
      this.#open.add(sending);
    }
  }

  #giveBack(lane: Lane): void {
    this.#unused.push(...lane.held.splice(0).map(({ delivery }) => delivery));
  }

  /** Whether the endpoint took it, and quickly. Never rejects. */
  async #send({ delivery, claimedAt }: Held): Promise<boolean> {
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
    return taken && outcome.durationMs <= this.limits.quickMs;
  }

  #try(delivery: ClaimedDelivery, claimedAt: number): Promise<Outcome> {
    const { eventId, url, document, attempt, ageMs, isReplay } = delivery;
    const failed = (error: string): Promise<Outcome> => Promise.resolve({ kind: 'failed', error, durationMs: 0 });
    // A claim counts as a try before it is one, so that a delivery which kills its worker does not do so for ever.
    if (attempt > this.schedule.length) return failed('Ringline was stopped during the last attempt.');
    const keys = this.#keysOf(delivery);
    if (!keys) return failed('The endpoint’s secret cannot be opened.');
    return this.client.send({
      ...webhookRequest(url, keys, { id: eventId, document, isReplay }, this.clock.now()),
      onFirstByte: () => {
        if (attempt === 1) this.metrics.lag.observe((ageMs + performance.now() - claimedAt) / 1000);
      },
    });
  }

  #retryInMs({ attempt }: ClaimedDelivery, outcome: Outcome): number | null {
    const slowDown = outcome.kind === 'answered' && (outcome.status === 429 || outcome.status === 503);
    const asked = slowDown ? outcome.retryAfterSeconds : undefined;
    return retryDelayMs(this.schedule, attempt, asked, Math.random());
  }

  /** The newest first. */
  #keysOf({ tenantId, endpointId, secretsSealed }: ClaimedDelivery): readonly Buffer[] | undefined {
    try {
      return secretsSealed.map((sealed) => this.#key(sealed, tenantId, endpointId));
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
    for (const { attempt, delivery } of completed) await this.#afterwards(attempt, delivery);
  }

  async #afterwards(attempt: CompletedAttempt, { tenantId, endpointId }: ClaimedDelivery): Promise<void> {
    if (attempt.result === 'delivered') return;
    if (attempt.status === 410) {
      await this.store.disable(tenantId, endpointId, newId(), GONE);
      this.log.warn({ scope: 'webhooks', endpointId }, 'webhook endpoint disabled: it answered 410');
    } else if (attempt.retryInMs !== null) {
      // Not awaited: a slow Redis holds no delivery up.
      void this.wakeUps.wakeAfter(attempt.retryInMs + GAP_MS, [{ tenantId, endpointId }]);
    }
  }

  #forgetIdleLanes(): void {
    const before = performance.now() - 60_000;
    for (const [endpointId, lane] of this.#lanes) {
      if (lane.inFlight === 0 && lane.held.length === 0 && lane.touchedAt < before) this.#lanes.delete(endpointId);
    }
  }
}
