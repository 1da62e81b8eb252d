import { Counter, Histogram } from 'prom-client';
import type { Metrics } from '../../metrics/metrics.js';

/** What the ledger counts. */
export class LedgerMetrics {
  readonly commitSeconds: Histogram;
  readonly commitFacts: Histogram;
  readonly unrouted: Counter;
  readonly unassigned: Counter;
  readonly parked: Counter;
  readonly gaps: Counter<'kind'>;

  constructor({ registry }: Metrics) {
    const registers = [registry];
    this.commitSeconds = new Histogram({
      name: 'ringline_ledger_commit_seconds',
      help: 'Time of one commit of call facts, look-ups included.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5],
      registers,
    });
    this.commitFacts = new Histogram({
      name: 'ringline_ledger_commit_facts',
      help: 'Facts in one commit.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200],
      registers,
    });
    this.unrouted = new Counter({
      name: 'ringline_calls_unrouted_total',
      help: 'Callers whose number is no line: handed back to the dial plan, not recorded.',
      registers,
    });
    this.unassigned = new Counter({
      name: 'ringline_facts_unassigned_total',
      help: 'Things told about legs that belong to no call.',
      registers,
    });
    this.parked = new Counter({
      name: 'ringline_calls_parked_total',
      help: 'Calls whose record could not be written and was set aside.',
      registers,
    });
    this.gaps = new Counter({
      name: 'ringline_gaps_total',
      help: 'What Ringline did not hear of calls when it happened.',
      labelNames: ['kind'],
      registers,
    });
  }
}
