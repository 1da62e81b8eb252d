import { Counter, Gauge } from 'prom-client';
import type { Metrics } from '../metrics/metrics.js';

export class AsteriskMetrics {
  readonly frames: Counter;
  readonly badFrames: Counter;
  readonly recordingDropped: Counter;
  readonly connects: Counter;
  readonly connected: Gauge;
  readonly reconciles: Counter;
  readonly repaired: Counter;
  readonly swept: Counter;
  readonly clockOffset: Gauge;
  readonly celLines: Counter;
  readonly celUnreadable: Counter;
  readonly celFacts: Counter;

  /**
   * @param celLagSeconds How long ago the log that is furthest behind was read to its end.
   * @param commandSeconds How long the node that is slowest takes to answer a command.
   */
  constructor({ registry }: Metrics, celLagSeconds: () => number, commandSeconds: () => number) {
    const registers = [registry];
    this.frames = new Counter({
      name: 'ringline_ari_events_total',
      help: 'Events received from PBX nodes.',
      registers,
    });
    this.badFrames = new Counter({
      name: 'ringline_ari_bad_frames_total',
      help: 'Frames from PBX nodes that are no events.',
      registers,
    });
    this.recordingDropped = new Counter({
      name: 'ringline_ari_record_dropped_total',
      help: 'Lines of recorded streams that could not be written.',
      registers,
    });
    this.connects = new Counter({
      name: 'ringline_ari_connects_total',
      help: 'Sessions opened to PBX nodes.',
      registers,
    });
    this.connected = new Gauge({
      name: 'ringline_ari_connected_nodes',
      help: 'PBX nodes whose events come.',
      registers,
    });
    this.reconciles = new Counter({
      name: 'ringline_reconciles_total',
      help: 'Comparisons of the records with a switch.',
      registers,
    });
    this.repaired = new Counter({
      name: 'ringline_reconcile_facts_total',
      help: 'Facts learned by comparison, not from events.',
      registers,
    });
    this.swept = new Counter({
      name: 'ringline_orphans_swept_total',
      help: 'Channels and bridges of ours without a live call that were removed.',
      registers,
    });
    this.clockOffset = new Gauge({
      name: 'ringline_node_clock_offset_seconds',
      help: 'Clock of the PBX less ours, largest of all nodes.',
      registers,
    });
    this.celLines = new Counter({
      name: 'ringline_cel_lines_total',
      help: 'Lines of Asterisk’s channel event log that were read or sent.',
      registers,
    });
    this.celUnreadable = new Counter({
      name: 'ringline_cel_unreadable_lines_total',
      help: 'Lines of the log that are no records.',
      registers,
    });
    this.celFacts = new Counter({
      name: 'ringline_cel_facts_total',
      help: 'Facts about calls that lines of the log told.',
      registers,
    });
    // Registered by their construction; their values are asked for.
    new Gauge({
      name: 'ringline_ari_command_delay_seconds',
      help: 'How long commands take to be answered of late, on the node that is slowest.',
      registers,
      collect() {
        this.set(commandSeconds());
      },
    });
    new Gauge({
      name: 'ringline_cel_lag_seconds',
      help: 'How long ago the log that is furthest behind was read to its end.',
      registers,
      collect() {
        this.set(celLagSeconds());
      },
    });
  }
}
