import type { Notifications } from '../database/notifications.js';
import { REQUEST_DECIDED } from './ledger/ledger-store.js';

/** How often is looked without being woken, ms. */
const POLL_MS = 500;

/** Who waits for the decision on a click-to-call, by call. */
export class RequestDecisions {
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(private readonly notifications: Notifications) {}

  async start(): Promise<void> {
    await this.notifications.on(REQUEST_DECIDED, (callId) => {
      // After a reconnect nobody knows what was decided meanwhile: everybody looks.
      const woken = callId === '' ? [...this.#waiting.values()] : [this.#waiting.get(callId)];
      for (const waiters of woken) for (const wake of waiters ?? []) wake();
    });
  }

  /**
   * Looks until there is something to see: at once, whenever the call may have been decided on, and at the end.
   * @param look Answers null while it is too early.
   */
  async until<T>(callId: string, deadlineMs: number, look: () => Promise<T | null>): Promise<T | null> {
    const deadline = Date.now() + deadlineMs;
    for (;;) {
      // Waiting begins before the look: a decision that falls between the two wakes us all the same.
      const woken = this.#next(callId, Math.min(POLL_MS, Math.max(1, deadline - Date.now())));
      const seen = await look();
      if (seen !== null || Date.now() >= deadline) {
        woken.cancel();
        return seen;
      }
      await woken.promise;
    }
  }

  #next(callId: string, waitMs: number): { readonly promise: Promise<void>; readonly cancel: () => void } {
    const waiters = this.#waiting.get(callId) ?? new Set();
    this.#waiting.set(callId, waiters);
    let cancel!: () => void;
    const promise = new Promise<void>((resolve) => {
      cancel = (): void => {
        clearTimeout(timer);
        waiters.delete(cancel);
        if (waiters.size === 0) this.#waiting.delete(callId);
        resolve();
      };
      const timer = setTimeout(cancel, waitMs);
      waiters.add(cancel);
    });
    return { promise, cancel };
  }
}
