import { SecretBox } from '../src/common/secret-box.js';
import { createDataSource } from '../src/database/data-source.js';
import { EVENTS_COMMITTED, OutboxWakeUp } from '../src/outbox/outbox-wake-up.js';
import type { OutboxEvent } from '../src/outbox/outbox.js';
import { EventWriter } from './event-writer.js';
import { startRingline, type LabRingline, type RinglineOptions } from './ringline.js';
import { startLab, type Lab } from './start-lab.js';

const SECRET_KEY = '5e'.repeat(32);

/** A database into which events are written, and the real worker process that sends them: no Asterisk, no API. */
export class DeliveryLab {
  readonly #wakeUp: OutboxWakeUp;

  private constructor(
    readonly lab: Lab,
    readonly databaseUrl: string,
    readonly writer: EventWriter,
    readonly secretBox: SecretBox,
  ) {
    this.#wakeUp = new OutboxWakeUp((tenantIds) => {
      this.source.query('select pg_notify($1, $2)', [EVENTS_COMMITTED, tenantIds]).catch(() => undefined);
    });
  }

  static async start(): Promise<DeliveryLab> {
    const lab = await startLab({ asterisk: false });
    try {
      const databaseUrl = await lab.postgres.createDatabase();
      const source = await createDataSource(databaseUrl).initialize();
      await source.runMigrations();
      const secretBox = new SecretBox(SECRET_KEY);
      return new DeliveryLab(lab, databaseUrl, await EventWriter.open(source, secretBox), secretBox);
    } catch (error) {
      await lab.stop();
      throw error;
    }
  }

  /** Of every process on this database. */
  get secretKey(): string {
    return SECRET_KEY;
  }

  get source(): EventWriter['source'] {
    return this.writer.source;
  }

  /** `ROLE=worker`. */
  worker({ env, ...options }: RinglineOptions = {}): Promise<LabRingline> {
    const { lab, databaseUrl } = this;
    const own = { LOG_LEVEL: 'warn', ROLE: 'worker', SECRET_KEY, ...env };
    return startRingline(lab, { name: 'worker', databaseUrl, env: own, ...options });
  }

  /** Commits events as the ledger does, and tells the worker. Gives the moment after the commit, ms since the epoch. */
  async commit(events: readonly OutboxEvent[]): Promise<number> {
    await this.writer.commit(events);
    const at = Date.now();
    this.wake(new Set(events.map(({ tenantId }) => tenantId)));
    return at;
  }

  /** Tells the worker that something of these tenants was committed. */
  wake(tenantIds: ReadonlySet<string>): void {
    this.#wakeUp.wakeEverywhere(tenantIds);
  }

  /** A tenant of its own with one endpoint. */
  async addEndpoint(url: string): Promise<{ readonly tenantId: string; readonly id: string; readonly secret: string }> {
    const tenantId = await this.writer.addTenant();
    return { tenantId, ...(await this.writer.addEndpoint(tenantId, url)) };
  }

  async stop(): Promise<void> {
    if (this.source.isInitialized) await this.source.destroy();
    await this.lab.stop();
  }
}
