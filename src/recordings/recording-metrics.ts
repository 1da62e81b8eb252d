import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../metrics/metrics.js';

/** What the take-over counts. */
export class RecordingMetrics {
  readonly waiting: Gauge;
  readonly tries: Counter<'result'>;
  readonly readySeconds: Histogram;
  readonly bytes: Counter;

  constructor({ registry }: Pick<Metrics, 'registry'>) {
    const registers = [registry];
    this.waiting = new Gauge({
      name: 'ringline_recordings_waiting',
      help: 'Recordings that are over and still only in the PBX.',
      registers,
    });
    this.tries = new Counter({
      name: 'ringline_recording_fetches_total',
      help: 'Tries to take a recording over.',
      labelNames: ['result'],
      registers,
    });
    this.readySeconds = new Histogram({
      name: 'ringline_recording_ready_seconds',
      help: 'From the end of a recording to the moment it can be heard.',
      buckets: [0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800],
      registers,
    });
    this.bytes = new Counter({
      name: 'ringline_recording_bytes_total',
      help: 'Bytes of recordings that were stored.',
      registers,
    });
  }
}
