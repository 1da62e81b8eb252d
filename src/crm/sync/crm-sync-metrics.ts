import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../../metrics/metrics.js';

export class CrmSyncMetrics {
  readonly steps: Counter<'adapter' | 'step' | 'verdict'>;
  readonly stepSeconds: Histogram<'adapter' | 'step'>;
  readonly failed: Counter<'adapter'>;
  readonly disabled: Counter<'adapter'>;
  readonly open: Gauge;

  constructor({ registry }: Pick<Metrics, 'registry'>) {
    const registers = [registry];
    this.steps = new Counter({
      name: 'ringline_crm_steps_total',
      help: 'Steps given to CRMs, by what became of them; `threw` is a defect of an adapter.',
      labelNames: ['adapter', 'step', 'verdict'],
      registers,
    });
    this.stepSeconds = new Histogram({
      name: 'ringline_crm_step_seconds',
      help: 'How long a step took, with what it waited for the vendor’s limits.',
      labelNames: ['adapter', 'step'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60],
      registers,
    });
    this.failed = new Counter({
      name: 'ringline_crm_failed_calls_total',
      help: 'Calls that a CRM did not take, and that wait for somebody to change something.',
      labelNames: ['adapter'],
      registers,
    });
    this.disabled = new Counter({
      name: 'ringline_crm_disabled_connections_total',
      help: 'Connections that were disabled because the CRM refused their credentials.',
      labelNames: ['adapter'],
      registers,
    });
    this.open = new Gauge({
      name: 'ringline_crm_open_syncs',
      help: 'Calls that are being told to CRMs now.',
      registers,
    });
  }
}
