import { newId } from '../../common/ids.js';
import type { Gate } from '../client/bounded-client.js';
import type { Purpose } from '../client/purpose.js';
import type { Limit } from '../port/limit.js';
import { boundsOf } from './bounds.js';
import { GateQueue } from './gate-queue.js';
import type { SharedLimits } from './shared-limits.js';

/** Gates of connections: requests of all purposes wait in one queue, and go as the vendor's limits allow. */
export class RateGates {
  readonly #queues = new Map<string, GateQueue>();

  constructor(private readonly limits: Pick<SharedLimits, 'take' | 'leave' | 'close'>) {}

  readonly gateOf = (connectionId: string, limits: readonly Limit[], purpose: Purpose): Gate => ({
    enter: (cost, lane) => {
      const bounds = boundsOf(limits, lane, purpose);
      const hasPlaces = bounds.some(({ kind }) => kind === 'concurrent');
      const isToldOfAnswers = hasPlaces || bounds.some((bound) => bound.kind === 'window' && bound.countsFromAnswer);
      const queue = this.#queueOf(connectionId);
      return queue.enter(purpose, lane, async () => {
        const lease = newId();
        const taken = await this.limits.take(connectionId, bounds, cost, lease);
        const leave = (): void => {
          if (!isToldOfAnswers) return;
          this.limits.leave(connectionId, bounds, cost, lease, taken);
          if (hasPlaces) queue.pump();
        };
        return { ...taken, leave };
      });
    },
    close: (ms) => this.limits.close(connectionId, ms),
  });

  #queueOf(connectionId: string): GateQueue {
    const known = this.#queues.get(connectionId) ?? new GateQueue();
    this.#queues.set(connectionId, known);
    return known;
  }
}
