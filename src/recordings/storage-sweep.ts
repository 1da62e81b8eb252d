import type { Log } from '../common/logger.js';
import type { Database } from '../database/database.js';
import { NudgedLoop } from '../outbox/nudged-loop.js';
import type { RecordingStorage } from './recording-storage.js';
import type { RecordingStore } from './recording-store.js';

const EVERY_MS = 3_600_000;
/** What is younger may still be on its way to its row. */
const OLD_MS = 3_600_000;

/** Removes, once an hour, files that no row wants: of tenants that were removed, and what killed processes left. */
export class StorageSweep {
  readonly #loop = new NudgedLoop(() => this.#sweep(), EVERY_MS, 0);

  constructor(
    private readonly database: Database,
    private readonly store: Pick<RecordingStore, 'wanted'>,
    private readonly storage: RecordingStorage,
    private readonly log: Log,
  ) {}

  start(): void {
    void this.database.ready.then(() => this.#loop.start());
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #sweep(): Promise<boolean> {
    try {
      const removed = await this.storage.sweep(new Date(Date.now() - OLD_MS), (ids) => this.store.wanted(ids));
      if (removed > 0) this.log.info({ scope: 'recordings', removed }, 'removed files that no recording wants');
    } catch (error) {
      this.log.warn({ scope: 'recordings', error }, 'the folder of recordings could not be swept');
    }
    return false;
  }
}
