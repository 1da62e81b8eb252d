import type { Log } from '../common/logger.js';
import { uuidPattern } from '../common/ids.js';
import { within } from '../common/within.js';
import type { Database } from '../database/database.js';
import { NudgedLoop } from '../outbox/nudged-loop.js';
import type { Failure } from '../crm/port/verdict.js';
import type { ContactSource, ContactSources } from './contact-sources.js';
import type { ClaimedSync, ContactSyncStore } from './contact-sync-store.js';

export type SyncLimits = {
  /** From one complete reading to the next. */
  readonly everySeconds: number;
  /** How late what is due may be noticed, ms. */
  readonly sweepMs: number;
  /** Connections that are read at a time. */
  readonly concurrency: number;
  /** Pages in a row of one, before others have their turn. */
  readonly pagesInARow: number;
  /** How long a stop waits for pages that are being read. */
  readonly stopMs: number;
};

export const syncLimits: SyncLimits = {
  everySeconds: 300,
  sweepMs: 5_000,
  concurrency: 4,
  pagesInARow: 20,
  stopMs: 20_000,
};

/** More than one page may take: an adapter asks several times, 15 s each. */
export const CLAIM_SECONDS = 90;
/** Between rounds: a CRM that tells of each change alone is not asked for each alone. */
const GAP_MS = 1_000;
/** After a failure, doubled with each one. */
const FIRST_RETRY_SECONDS = 5;
/** For what a person has to put right. */
const REFUSED_SECONDS = 900;

/** Keeps the index as the CRMs are that tell what has changed: page by page, each connection by one process at a time. */
export class ContactSync {
  readonly #loop: NudgedLoop;
  readonly #reading = new Map<string, Promise<void>>();
  #stopping = false;

  constructor(
    private readonly database: Pick<Database, 'state' | 'assertReady'>,
    private readonly sources: ContactSources,
    private readonly store: ContactSyncStore,
    private readonly log: Log,
    private readonly limits: SyncLimits = syncLimits,
  ) {
    this.#loop = new NudgedLoop(() => this.#round(), limits.sweepMs, Math.min(GAP_MS, limits.sweepMs));
  }

  start(): void {
    this.#loop.start();
  }

  /** A CRM's contacts have changed. @param connectionId as a notification gave it */
  async changed(connectionId: string): Promise<void> {
    if (this.database.state.status !== 'ready' || !uuidPattern.test(connectionId)) return;
    try {
      await this.store.nudge(connectionId);
      this.#loop.nudge();
    } catch (error) {
      this.log.debug({ scope: 'contacts', connectionId, error }, 'changed contacts wait for the next round');
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#loop.stop();
    await within(this.limits.stopMs, Promise.all(this.#reading.values()), []);
  }

  /** Begins to read what is due, and does not wait for it: one slow CRM holds up no other. */
  async #round(): Promise<boolean> {
    const room = this.limits.concurrency - this.#reading.size;
    if (this.#stopping || room <= 0) return false;
    this.database.assertReady();
    const connections = await this.sources.listing();
    if (connections.length === 0) return false;
    await this.store.ensure(connections);
    const free = connections.filter(({ id }) => !this.#reading.has(id));
    for (const claimed of await this.store.claim(free, room)) {
      const reading = this.#read(claimed).finally(() => {
        this.#reading.delete(claimed.id);
        this.#loop.nudge();
      });
      this.#reading.set(claimed.id, reading);
    }
    return false;
  }

  /** Never rejects: what it could not even note is read again when its claim has run out. */
  async #read(claimed: ClaimedSync): Promise<void> {
    try {
      const source = await this.sources.one(claimed);
      if (source?.listContacts == null) return await this.store.release(claimed, { inSeconds: 0, failure: null });
      await this.#readPages(claimed, source.listContacts);
    } catch (error) {
      this.log.warn({ scope: 'contacts', connectionId: claimed.id, error }, 'contacts could not be read');
      await this.store
        .release(claimed, { inSeconds: backOff(claimed.attempts), failure: 'Ringline failed; see its log.' })
        .catch(() => undefined);
    }
  }

  async #readPages(claimed: ClaimedSync, list: NonNullable<ContactSource['listContacts']>): Promise<void> {
    let { cursor } = claimed;
    for (let page = 0; page < this.limits.pagesInARow && !this.#stopping; page++) {
      const verdict = await list(cursor);
      if (verdict.verdict !== 'done') return this.#fail(claimed, verdict);
      const { value } = verdict;
      if (!value.isLast && value.cursor === cursor) {
        const why = 'The CRM gives the same page for ever.';
        return this.#fail(claimed, { verdict: 'rejected', why });
      }
      if (!(await this.store.storePage(claimed, value, this.limits.everySeconds)) || value.isLast) return;
      ({ cursor } = value);
    }
    await this.store.release(claimed, { inSeconds: 0, failure: null });
  }

  #fail(claimed: ClaimedSync, failure: Failure): Promise<void> {
    const { why } = failure;
    this.log.info({ scope: 'contacts', connectionId: claimed.id, verdict: failure.verdict, why }, 'contacts not read');
    switch (failure.verdict) {
      case 'retry':
        return this.store.release(claimed, { inSeconds: backOff(claimed.attempts), failure: why });
      case 'rate-limited': {
        const inSeconds = Math.max(1, (failure.afterMs ?? 30_000) / 1000);
        return this.store.release(claimed, { inSeconds, failure: why });
      }
      case 'gone':
      case 'rejected':
        // Perhaps a cursor that the CRM takes no more. Not sooner than usual: all is read anew.
        return this.store.release(claimed, { inSeconds: this.limits.everySeconds, failure: why, from: null });
      case 'credentials-refused':
        return this.store.release(claimed, { inSeconds: REFUSED_SECONDS, failure: why });
    }
  }
}

/** Seconds; at most as long as between two readings that went well. */
function backOff(attempts: number): number {
  return Math.min(300, FIRST_RETRY_SECONDS * 2 ** Math.min(attempts, 10));
}
