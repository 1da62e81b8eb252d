import { Injectable } from '@nestjs/common';
import type { Call } from '../calls/domain/call.js';
import type { AfterCommit, CommittedChange } from '../calls/after-commit.js';
import { Clock } from '../common/clock.js';
import { Log } from '../common/logger.js';
import type { AgentStream, CallFrame } from './agent-stream.js';
import { OpenStreams } from './open-streams.js';
import { PopMatches } from './pop-matches.js';
import { PopLatency } from './pop-latency.js';
import { popIdOf } from './pop-id.js';
import { agentsOf, validPops, type Pop } from './pop.js';
import { eventFrame } from './sse-frame.js';

/**
 * Shows what was committed to the agents it concerns. The bytes of a pop are with the socket when `onCommit` returns, so
 * before any subscriber after it lets a phone ring.
 */
@Injectable()
export class ScreenPop implements AfterCommit {
  readonly name = 'screen-pop';

  constructor(
    private readonly streams: OpenStreams,
    private readonly latency: PopLatency,
    private readonly matches: PopMatches,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  onCommit(changes: readonly CommittedChange[]): void {
    const now = this.clock.now();
    // Where nothing visible changed, the pops are those that were shown before.
    const news = changes.filter(({ events }) => events.length > 0);
    const shown = new Set<AgentStream>();
    // All pops of the batch first: they are what somebody waits for.
    const popped = news.map((change) => ({
      call: change.call,
      agentIds: validPops(change.call, now).flatMap((pop) => (this.#showPop(pop, change, shown) ? [pop.agentId] : [])),
    }));
    for (const change of news) this.#showCall(change, shown);
    for (const stream of shown) this.#attempt(stream, () => stream.connection.flush());
    for (const { call, agentIds } of popped) if (agentIds.length > 0) void this.#showMatches(call, agentIds);
  }

  /** @returns whether a stream shows it that has not shown it before */
  #showPop(pop: Pop, { tenantId, receivedAt, committedAt }: CommittedChange, shown: Set<AgentStream>): boolean {
    let frame: Buffer | undefined;
    for (const stream of this.streams.of(tenantId, pop.agentId)) {
      this.#attempt(stream, () => {
        if (stream.knows(pop)) return;
        shown.add(stream);
        frame ??= eventFrame('pop', JSON.stringify(pop));
        this.latency.committed(pop, receivedAt, committedAt);
        stream.showPop(pop, frame, (sentAtMs) => {
          this.latency.sent(pop, sentAtMs);
          const { id: popId, callId, agentId } = pop;
          this.log.debug({ scope: 'screen-pop', popId, callId, agentId, sentAtMs }, 'pop sent');
        });
      });
    }
    return frame !== undefined;
  }

  /** Looked up when the pops are with their sockets: neither they nor a phone wait for it. */
  async #showMatches(call: Call, agentIds: readonly string[]): Promise<void> {
    const { id: callId, tenantId } = call;
    for (const { agentId, matches } of await this.matches.find(call, agentIds)) {
      const frame = eventFrame('matches', JSON.stringify({ id: popIdOf(callId, agentId), callId, agentId, matches }));
      for (const stream of this.streams.of(tenantId, agentId)) {
        this.#attempt(stream, () => stream.showMatches(callId, frame));
      }
    }
  }

  #showCall({ tenantId, call, events }: CommittedChange, shown: Set<AgentStream>): void {
    let frames: readonly CallFrame[] | undefined;
    for (const agentId of agentsOf(call)) {
      for (const stream of this.streams.of(tenantId, agentId)) {
        frames ??= events.map(({ event, text }) => ({ sequence: event.sequence, frame: eventFrame('call', text) }));
        const news = frames;
        shown.add(stream);
        this.#attempt(stream, () => stream.showCall(call, news));
      }
    }
  }

  /** One broken stream must not keep the others, or the call, waiting. */
  #attempt(stream: AgentStream, show: () => void): void {
    try {
      show();
    } catch (error) {
      this.log.error({ scope: 'screen-pop', agentId: stream.grant.agentId, error }, 'stream failed and is cut');
      stream.connection.cut('failed');
    }
  }
}
