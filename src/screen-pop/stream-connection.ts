import type { ServerResponse } from 'node:http';
import type { Clock } from '../common/clock.js';
import type { StreamLimits } from './stream-limits.js';
import { heartbeatFrame } from './sse-frame.js';

export type CutReason = 'slow-reader' | 'revoked' | 'stopping' | 'failed';

/** The bytes of one stream to one browser. A reader that does not keep up is cut, never buffered for. */
export class StreamConnection {
  #unflushed = 0;
  /** Who wants to know when what was written since the last flush has been taken. */
  readonly #awaited: (() => void)[] = [];
  #takenAt: number;
  #beatAt: number;
  #cutFor: CutReason | null = null;

  constructor(
    private readonly response: ServerResponse,
    private readonly limits: Pick<StreamLimits, 'backlogBytes' | 'unreadMs' | 'heartbeatEveryMs'>,
    private readonly clock: Clock,
  ) {
    this.#takenAt = this.#beatAt = clock.now();
  }

  /** Why this side ended it; null while it is open, or when the browser left. */
  get cutFor(): CutReason | null {
    return this.#cutFor;
  }

  open(): void {
    this.response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      // nginx would collect events before it passes them on.
      'X-Accel-Buffering': 'no',
    });
    this.response.socket?.setNoDelay(true).setKeepAlive(true, 30_000).setTimeout(0);
  }

  /** Sends a frame, at the latest in the next tick. `onFlushed` is told when the operating system has taken it, ms. */
  write(frame: Buffer, onFlushed?: (atMs: number) => void): void {
    const { response } = this;
    if (response.destroyed || response.writableEnded) return;
    // What waits from before counts, not this frame: one large record alone must not cut a reader that keeps up.
    if (response.writableLength > this.limits.backlogBytes) this.flush();
    if (response.writableLength > this.limits.backlogBytes) return this.cut('slow-reader');
    if (this.#unflushed++ === 0) this.#takenAt = this.clock.now();
    let told = false;
    const flushed = (): void => {
      if (told) return;
      told = true;
      onFlushed?.(this.clock.now());
    };
    response.write(frame, (error) => {
      this.#unflushed -= 1;
      if (error) return;
      this.#takenAt = this.clock.now();
      flushed();
    });
    if (onFlushed !== undefined) this.#awaited.push(flushed);
  }

  /**
   * Hands what was written to the operating system before it returns, all in one. node:http corks the socket until the next
   * tick; the phones may be rung in this one.
   */
  flush(): void {
    this.response.socket?.uncork();
    const awaited = this.#awaited.splice(0);
    if (this.response.writableLength === 0) for (const flushed of awaited) flushed();
  }

  /** Called now and then: keeps an idle connection alive, cuts one that takes nothing. */
  tick(): void {
    const now = this.clock.now();
    if (this.#unflushed > 0 && now - this.#takenAt >= this.limits.unreadMs) return this.cut('slow-reader');
    if (now - this.#beatAt < this.limits.heartbeatEveryMs) return;
    this.#beatAt = now;
    this.write(heartbeatFrame);
  }

  cut(reason: CutReason): void {
    if (this.#cutFor !== null || this.response.destroyed) return;
    this.#cutFor = reason;
    // Not open yet: whoever opens it finds `cutFor` and answers with a problem instead.
    if (!this.response.headersSent) return;
    // Who has not taken what was written would not take the end of the stream either.
    if (this.response.writableLength > 0) this.response.destroy();
    else this.response.end();
  }
}
