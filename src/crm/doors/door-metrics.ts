import { Counter } from 'prom-client';
import type { Metrics } from '../../metrics/metrics.js';

export type DoorOutcome =
  | 'placed'
  | 'done'
  | 'refused'
  | 'replayed'
  | 'ignored'
  | 'forged'
  | 'malformed'
  | 'unknown'
  | 'source'
  | 'too-many'
  | 'failed';

export class DoorMetrics {
  readonly requests: Counter<'outcome'>;
  readonly told: Counter<'outcome'>;

  constructor({ registry }: Pick<Metrics, 'registry'>) {
    this.requests = new Counter({
      name: 'ringline_crm_door_requests_total',
      help: 'Requests to the doors of CRM connections, by what became of them.',
      labelNames: ['outcome'],
      registers: [registry],
    });
    this.told = new Counter({
      name: 'ringline_crm_dials_told_total',
      help: 'Tries to tell a CRM what became of its click-to-call.',
      labelNames: ['outcome'],
      registers: [registry],
    });
  }
}
