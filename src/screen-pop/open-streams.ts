import { Injectable } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Problem } from '../common/problems.js';
import { Metrics } from '../metrics/metrics.js';
import type { AgentStream } from './agent-stream.js';
import type { CutReason } from './stream-connection.js';
import { StreamLimits } from './stream-limits.js';

const keyOf = (tenantId: string, agentId: string): string => `${tenantId} ${agentId}`;

/** The streams that this process serves, by agent. */
@Injectable()
export class OpenStreams {
  readonly #byAgent = new Map<string, Set<AgentStream>>();
  readonly #open: Gauge;
  readonly #cuts: Counter<'reason'>;
  #count = 0;
  #stopping = false;

  constructor(
    private readonly limits: StreamLimits,
    metrics: Metrics,
  ) {
    this.#open = new Gauge({
      name: 'ringline_streams_open',
      help: 'Browsers’ streams that are open.',
      registers: [metrics.registry],
    });
    this.#cuts = new Counter({
      name: 'ringline_streams_cut_total',
      help: 'Streams that Ringline ended, by reason.',
      labelNames: ['reason'],
      registers: [metrics.registry],
    });
  }

  /** @throws {Problem} `too-many-streams`, or `shutting-down` */
  add(stream: AgentStream): void {
    if (this.#stopping) {
      throw new Problem('shutting-down', { detail: 'This process is stopping.', retryAfterSeconds: 2 });
    }
    const key = keyOf(stream.grant.tenantId, stream.grant.agentId);
    const streams = this.#byAgent.get(key) ?? new Set();
    if (streams.size >= this.limits.perAgent) {
      throw new Problem('too-many-streams', {
        detail: `The agent has ${streams.size} streams open, which is the most.`,
        retryAfterSeconds: 10,
      });
    }
    if (this.#count >= this.limits.perProcess) {
      throw new Problem('too-many-streams', {
        detail: `This process serves ${this.#count} streams, which is the most.`,
        retryAfterSeconds: 10,
      });
    }
    this.#byAgent.set(key, streams.add(stream));
    this.#open.set(++this.#count);
  }

  /** Forgets a stream whose connection is closed. */
  remove(stream: AgentStream): void {
    const key = keyOf(stream.grant.tenantId, stream.grant.agentId);
    const streams = this.#byAgent.get(key);
    if (!streams?.delete(stream)) return;
    if (streams.size === 0) this.#byAgent.delete(key);
    this.#open.set(--this.#count);
    if (stream.connection.cutFor !== null) this.#cuts.inc({ reason: stream.connection.cutFor });
  }

  of(tenantId: string, agentId: string): Iterable<AgentStream> {
    return this.#byAgent.get(keyOf(tenantId, agentId)) ?? [];
  }

  all(): readonly AgentStream[] {
    return [...this.#byAgent.values()].flatMap((streams) => [...streams]);
  }

  cutAgent(tenantId: string, agentId: string, reason: CutReason): void {
    for (const stream of this.of(tenantId, agentId)) stream.connection.cut(reason);
  }

  /** Ends all streams and takes no more. */
  stop(): void {
    this.#stopping = true;
    for (const stream of this.all()) stream.connection.cut('stopping');
  }
}
