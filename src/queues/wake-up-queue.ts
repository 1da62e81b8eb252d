import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Log } from '../common/logger.js';
import type { RedisLink } from './redis-link.js';
import { QUEUE_PREFIX, WEBHOOK_WAKE_UPS, wakeUpJobOptions, webhookWakeUpSchema, type WebhookWakeUp } from './queues.js';

/** Delayed wake-ups for endpoints. Only a help to be on time: without Redis the sweep finds what is due. */
export class WakeUpQueue {
  #queue: Queue | undefined;
  #worker: Worker | undefined;
  #connection: Redis | undefined;

  constructor(
    private readonly link: RedisLink,
    private readonly log: Log,
  ) {}

  /** Wakes the endpoint's sender, in whatever process it runs, in `delayMs`. Failing to is no failure. */
  async wakeAfter(delayMs: number, wakeUps: readonly WebhookWakeUp[]): Promise<void> {
    if (wakeUps.length === 0 || this.link.state.status !== 'ready') return;
    try {
      this.#queue ??= this.#open();
      // One wake-up per endpoint and second, however many deliveries wait for it.
      const second = Math.ceil((Date.now() + delayMs) / 1000);
      await this.#queue.addBulk(
        wakeUps.map((wakeUp) => ({
          name: 'due',
          data: wakeUp,
          opts: { ...wakeUpJobOptions, jobId: `${wakeUp.endpointId}-${second}`, delay: delayMs },
        })),
      );
    } catch (error) {
      this.log.debug({ scope: 'webhooks', error }, 'wake-up not queued');
      // A queue whose set-up was cut off never recovers.
      void this.#queue?.close().catch(() => undefined);
      this.#queue = undefined;
    }
  }

  /** Starts to listen as soon as Redis can be used. */
  listen(onWakeUp: (wakeUp: WebhookWakeUp) => void): void {
    this.link.onReady(() => {
      if (this.#worker) return;
      this.#connection = this.link.forWorker();
      this.#worker = new Worker(
        WEBHOOK_WAKE_UPS,
        (job) => {
          const wakeUp = webhookWakeUpSchema.safeParse(job.data);
          if (wakeUp.success) onWakeUp(wakeUp.data);
          return Promise.resolve();
        },
        { connection: this.#connection, prefix: QUEUE_PREFIX, concurrency: 16 },
      );
      this.#worker.on('error', (error) => this.log.debug({ scope: 'webhooks', error }, 'wake-up worker'));
    });
  }

  async stop(): Promise<void> {
    // By force: a wake-up that is cut off is swept up by the next process.
    await this.#worker?.close(true).catch(() => undefined);
    this.#connection?.disconnect();
  }

  #open(): Queue {
    const queue = new Queue(WEBHOOK_WAKE_UPS, {
      connection: this.link.client,
      prefix: QUEUE_PREFIX,
      skipWaitingForReady: true,
      streams: { events: { maxLen: 100 } },
    });
    queue.on('error', () => undefined);
    return queue;
  }
}
