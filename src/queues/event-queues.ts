import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RedisLink } from './redis-link.js';
import { CALL_EVENTS, QUEUE_PREFIX, WAITING_CAP, callEventJobOptions } from './queues.js';

export type EventJob = { readonly id: string; readonly type: string; readonly document: string };

/** Holds the run id of the server whose queues are complete. Gone or different: jobs may have been lost. */
const MARKER_KEY = `${QUEUE_PREFIX}:${CALL_EVENTS}:ringline-complete`;

/** The published queues: `call-events` and those of `EVENT_QUEUES`. */
export class EventQueues {
  readonly names: readonly string[];
  #queues: readonly Queue[] = [];
  /** Jobs waiting in each queue, as last seen. */
  readonly #waiting = new Map<string, number>();

  constructor(
    private readonly link: RedisLink,
    extra: readonly string[],
    private readonly cap: number = WAITING_CAP,
  ) {
    this.names = [...new Set([CALL_EVENTS, ...extra])];
  }

  get waiting(): ReadonlyMap<string, number> {
    return this.#waiting;
  }

  /** Whether Redis may have lost jobs since `markComplete`: it was flushed, restarted or replaced. */
  async mayHaveLostJobs(): Promise<boolean> {
    const { state } = this.link;
    return state.status === 'ready' && (await this.#redis.get(MARKER_KEY)) !== state.runId;
  }

  async markComplete(): Promise<void> {
    const { state } = this.link;
    if (state.status === 'ready') await this.#redis.set(MARKER_KEY, state.runId);
  }

  /**
   * Adds a job for each event to each queue, in order. A job that a queue still keeps is not added again. A queue with
   * too many waiting jobs is passed over and health says so.
   * @throws when Redis cannot be used; some jobs may have been added.
   */
  async add(events: readonly EventJob[]): Promise<void> {
    const jobs = events.map(({ id, type, document }) => ({
      name: type,
      data: JSON.parse(document) as unknown,
      opts: { jobId: id, ...callEventJobOptions },
    }));
    const open = await this.#openQueues();
    for (const queue of open) {
      await queue.addBulk(jobs);
      this.#waiting.set(queue.name, (this.#waiting.get(queue.name) ?? 0) + jobs.length);
    }
  }

  async #openQueues(): Promise<readonly Queue[]> {
    if (this.#queues.length === 0) {
      this.#queues = this.names.map((name) => {
        const queue = new Queue(name, {
          connection: this.#redis,
          prefix: QUEUE_PREFIX,
          skipWaitingForReady: true,
          // Nobody reads the stream of queue events; its default of 10,000 entries would only fill memory.
          streams: { events: { maxLen: 100 } },
        });
        // A lost connection is told by the link.
        queue.on('error', () => undefined);
        return queue;
      });
    }
    const open: Queue[] = [];
    for (const queue of this.#queues) {
      const waiting = await this.#redis.llen(queue.toKey('wait'));
      this.#waiting.set(queue.name, waiting);
      const full = waiting >= this.cap;
      this.link.warn(
        `queue-full:${queue.name}`,
        full
          ? `Queue ${queue.name} holds ${waiting} events that nobody took; new events are not added to it.`
          : undefined,
      );
      if (!full) open.push(queue);
    }
    return open;
  }

  get #redis(): Redis {
    return this.link.client;
  }
}
