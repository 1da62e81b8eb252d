import type { Call } from '../calls/domain/call.js';
import { soughtAgents, type Pop } from './pop.js';
import { eventFrame, retryFrame } from './sse-frame.js';
import type { StreamConnection } from './stream-connection.js';
import type { Grant } from './stream-tokens.js';

/** What an open stream shows. */
export type Snapshot = { readonly calls: readonly Call[]; readonly pops: readonly Pop[] };

export type CallFrame = { readonly sequence: number; readonly frame: Buffer };

/**
 * One agent's stream in one browser tab: knows what that tab has been shown. Until its snapshot has been read from the
 * database, what happens meanwhile is held back, so that nothing falls between the snapshot and the live events.
 */
export class AgentStream {
  #held: (() => void)[] | null = [];
  /** Newest version told, by open call. */
  readonly #versions = new Map<string, number>();
  /** Open calls whose pop has been shown. */
  readonly #popped = new Set<string>();

  constructor(
    readonly connection: StreamConnection,
    /** The newest token this stream was given: what lets it live. */
    public grant: Grant,
  ) {}

  open({ calls, pops }: Snapshot, retryMs: number): void {
    this.connection.open();
    this.connection.write(
      Buffer.concat([retryFrame(retryMs), eventFrame('snapshot', JSON.stringify({ calls, pops }))]),
    );
    for (const call of calls) this.#versions.set(call.id, call.version);
    for (const pop of pops) this.#popped.add(pop.callId);
    const held = this.#held ?? [];
    this.#held = null;
    for (const show of held) show();
  }

  /** Whether the tab has been shown this pop, or the call as it is now, from a snapshot that was read later. */
  knows(pop: Pop): boolean {
    return this.#popped.has(pop.callId) || (this.#versions.get(pop.callId) ?? 0) >= pop.call.version;
  }

  /** Shows a pop, at most once. */
  showPop(pop: Pop, frame: Buffer, onFlushed: (atMs: number) => void): void {
    if (this.#held) return void this.#held.push(() => this.showPop(pop, frame, onFlushed));
    if (this.knows(pop)) return;
    this.#popped.add(pop.callId);
    this.connection.write(frame, onFlushed);
  }

  /** Shows who it may be whose pop is shown. */
  showMatches(callId: string, frame: Buffer): void {
    if (this.#held) return void this.#held.push(() => this.showMatches(callId, frame));
    if (this.#popped.has(callId)) this.connection.write(frame);
  }

  /** Shows the events of one commit that this tab does not know yet. */
  showCall(call: Call, frames: readonly CallFrame[]): void {
    if (this.#held) return void this.#held.push(() => this.showCall(call, frames));
    const known = this.#versions.get(call.id) ?? 0;
    for (const { sequence, frame } of frames) if (sequence > known) this.connection.write(frame);
    if (call.endedAt === null) {
      this.#versions.set(call.id, Math.max(known, call.version));
      // A call that was taken may be transferred to an agent who was rung for it before.
      if (call.answeredAt !== null && !soughtAgents(call).has(this.grant.agentId)) this.#popped.delete(call.id);
    } else {
      this.#versions.delete(call.id);
      this.#popped.delete(call.id);
    }
  }

  renew(grant: Grant, token: string): void {
    this.grant = grant;
    if (this.#held) return void this.#held.push(() => this.renew(grant, token));
    this.connection.write(
      eventFrame('token', JSON.stringify({ token, expiresAt: new Date(grant.expiresAtMs).toISOString() })),
    );
  }
}
