import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../metrics/metrics.js';

export class WebhookMetrics {
  readonly attempts: Counter<'result'>;
  readonly superseded: Counter;
  readonly lag: Histogram;
  readonly paused: Gauge;

  constructor({ registry }: Pick<Metrics, 'registry'>) {
    this.attempts = new Counter({
      name: 'ringline_webhook_attempts_total',
      help: 'Tries to deliver an event to a webhook endpoint, by what became of them.',
      labelNames: ['result'],
      registers: [registry],
    });
    this.superseded = new Counter({
      name: 'ringline_webhook_superseded_total',
      help: 'Deliveries that gave way to a later event of their call.',
      registers: [registry],
    });
    this.paused = new Gauge({
      name: 'ringline_webhook_paused_endpoints',
      help: 'Webhook endpoints that get one try now and then because they took nothing of late.',
      registers: [registry],
    });
    this.lag = new Histogram({
      name: 'ringline_webhook_lag_seconds',
      help: 'From the commit of an event to the first byte of its first try.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60],
      registers: [registry],
    });
  }
}
