import { Queue } from 'bullmq';
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

  /**
   * Looks at the queues: how full they are, which health is told, and whether Redis may have lost jobs since
   * `markComplete` because it was flushed, restarted or replaced.
   * @throws when Redis cannot be used.
   */
  async inspect(): Promise<{ readonly mayHaveLostJobs: boolean }> {
    const [marker, ...lengths] = await Promise.all([
      this.link.client.get(MARKER_KEY),
      ...this.names.map((name) => this.link.client.llen(`${QUEUE_PREFIX}:${name}:wait`)),
    ]);
    for (const [index, name] of this.names.entries()) {
      const waiting = lengths[index] ?? 0;
      this.#waiting.set(name, waiting);
      const full = `Queue ${name} holds ${waiting} events that nobody took; new events are not added to it.`;
      this.link.warn(`queue-full:${name}`, waiting >= this.cap ? full : undefined);
    }
    return { mayHaveLostJobs: this.link.state.status === 'ready' && marker !== this.link.state.runId };
  }

  async markComplete(): Promise<void> {
    if (this.link.state.status === 'ready') await this.link.client.set(MARKER_KEY, this.link.state.runId);
  }

  /**
   * Adds a job for each event to each queue that is not full, in order. A job that a queue still keeps is not added
   * again.
   * @throws when Redis cannot be used; some jobs may have been added.
   */
  async add(events: readonly EventJob[]): Promise<void> {
    if (events.length === 0) return;
    const jobs = events.map(jobOf);
    await this.#using(async (queues) => {
      for (const queue of queues) if (this.#hasRoom(queue.name)) await this.#addTo(queue, jobs);
    });
  }

  /**
   * Adds events to one queue again, also those whose jobs it keeps: these are taken out first, but for one that a worker has
   * in its hands.
   * @returns false when the queue has no room
   * @throws when Redis cannot be used; some jobs may have been added.
   */
  addAgain(name: string, events: readonly EventJob[]): Promise<boolean> {
    return this.#using(async (queues) => {
      const queue = queues.find((one) => one.name === name);
      if (!queue || !this.#hasRoom(name)) return false;
      await Promise.all(events.map(({ id }) => queue.remove(id)));
      if (events.length > 0) await this.#addTo(queue, events.map(jobOf));
      return true;
    });
  }

  #hasRoom(name: string): boolean {
    return (this.#waiting.get(name) ?? 0) < this.cap;
  }

  async #addTo(queue: Queue, jobs: readonly EventJobOptions[]): Promise<void> {
    await queue.addBulk([...jobs]);
    this.#waiting.set(queue.name, (this.#waiting.get(queue.name) ?? 0) + jobs.length);
  }

  async #using<T>(work: (queues: readonly Queue[]) => Promise<T>): Promise<T> {
    if (this.#queues.length === 0) this.#queues = this.names.map((name) => this.#open(name));
    try {
      return await work(this.#queues);
    } catch (error) {
      // A queue whose set-up was cut off never recovers.
      for (const queue of this.#queues) void queue.close().catch(() => undefined);
      this.#queues = [];
      throw error;
    }
  }

  #open(name: string): Queue {
    const queue = new Queue(name, {
      connection: this.link.client,
      prefix: QUEUE_PREFIX,
      skipWaitingForReady: true,
      // Nobody reads the stream of queue events; its default of 10,000 entries would only fill memory.
      streams: { events: { maxLen: 100 } },
    });
    // A lost connection is told by the link.
    queue.on('error', () => undefined);
    return queue;
  }
}

type EventJobOptions = ReturnType<typeof jobOf>;

function jobOf({ id, type, document }: EventJob) {
  return { name: type, data: JSON.parse(document) as unknown, opts: { jobId: id, ...callEventJobOptions } };
}
