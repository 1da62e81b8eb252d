import { Injectable } from '@nestjs/common';
import { Histogram } from 'prom-client';
import { Clock } from '../common/clock.js';
import { Metrics } from '../metrics/metrics.js';
import type { Pop } from './pop.js';

type PopStage = 'committed' | 'sent' | 'painted';

/** How long after its pop has expired a late `painted` is still taken as a repeat, ms. */
const KEPT_AFTER_EXPIRY_MS = 60_000;

type Measured = { readonly receivedAt: number | null; readonly forgetAtMs: number; painted: boolean };

/** How long pops take, from the switch's event to the agent's screen. Kept in memory: only a measurement is lost. */
@Injectable()
export class PopLatency {
  readonly #histogram: Histogram<'stage'>;
  readonly #pops = new Map<string, Measured>();

  constructor(
    metrics: Metrics,
    private readonly clock: Clock,
  ) {
    this.#histogram = new Histogram({
      name: 'ringline_pop_latency_seconds',
      help: 'From the arrival of the switch’s event to the pop: committed, sent to the socket, painted by the browser.',
      labelNames: ['stage'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [metrics.registry],
    });
  }

  /** The pop was committed and is about to be sent. Repeats count nothing. */
  committed(pop: Pop, receivedAt: number | null, committedAt: number): void {
    if (this.#pops.has(pop.id)) return;
    const forgetAtMs = Date.parse(pop.expiresAt) + KEPT_AFTER_EXPIRY_MS;
    this.#pops.set(pop.id, { receivedAt, forgetAtMs, painted: false });
    this.#observe('committed', receivedAt, committedAt);
  }

  /** A browser's socket took the bytes. Counts for each stream that shows the pop. */
  sent(pop: Pop, atMs: number): void {
    this.#observe('sent', this.#pops.get(pop.id)?.receivedAt ?? null, atMs);
  }

  /** The first browser has painted it. */
  painted(popId: string): void {
    const measured = this.#pops.get(popId);
    if (measured === undefined || measured.painted) return;
    measured.painted = true;
    this.#observe('painted', measured.receivedAt, this.clock.now());
  }

  forgetOld(): void {
    const now = this.clock.now();
    for (const [id, { forgetAtMs }] of this.#pops) if (forgetAtMs <= now) this.#pops.delete(id);
  }

  #observe(stage: PopStage, receivedAt: number | null, atMs: number): void {
    if (receivedAt !== null) this.#histogram.observe({ stage }, Math.max(0, atMs - receivedAt) / 1000);
  }
}
