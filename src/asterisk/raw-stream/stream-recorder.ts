import { accessSync, constants, mkdirSync } from 'node:fs';
import type { Log } from '../../common/logger.js';
import type { LedgerListener, Routed } from '../../calls/ledger/ledger-listener.js';
import type { Told } from '../../calls/ledger/told.js';
import type { AsteriskMetrics } from '../asterisk-metrics.js';
import { LineFile, type LineFileLimits } from './line-file.js';
import type { StreamContent, StreamEntry } from './stream-entry.js';

/** Half a gigabyte a node: at 40 calls a second some three hours, in an office some weeks. */
const limits: LineFileLimits = { fileBytes: 64 * 1024 * 1024, files: 8, waitingBytes: 8 * 1024 * 1024 };
const DROPPED_LOG_EVERY_MS = 10_000;
/** How long a stop may wait for the disk, ms. */
const CLOSE_MS = 1_000;

/** Where an entry belongs. */
export type StreamPlace = Pick<StreamEntry, 'node' | 'boot' | 'app'>;

/**
 * Writes down what each node sends and all else that records are made of, for `npm run replay`. It holds numbers, names
 * and addresses: it is off unless `RECORD_ARI` names a folder.
 */
export class StreamRecorder implements LedgerListener {
  readonly #files = new Map<string, LineFile>();
  readonly #missed = new Map<string, number>();
  readonly #apps = new Map<string, string>();
  #toldOfDropsAt = 0;

  /** @throws {Error} when the folder cannot be made or written. */
  constructor(
    private readonly folder: string,
    private readonly metrics: Pick<AsteriskMetrics, 'recordingDropped'>,
    private readonly log: Log,
    private readonly bounds: LineFileLimits = limits,
  ) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      accessSync(folder, constants.W_OK);
    } catch (error) {
      throw new Error(`RECORD_ARI: nothing can be written to ${folder}: ${(error as Error).message}`, { cause: error });
    }
    log.warn(
      { scope: 'asterisk', folder },
      'all that the PBX nodes send is recorded, with numbers and names; unset RECORD_ARI to end that',
    );
  }

  record(place: StreamPlace, content: StreamContent): void {
    const { node, boot, app } = place;
    this.#apps.set(node, app);
    const file = this.#fileOf(node);
    const write = (what: StreamContent): boolean =>
      file.write(JSON.stringify({ at: Date.now(), node, boot, app, ...what } satisfies StreamEntry));
    const lines = this.#missed.get(node) ?? 0;
    if (lines > 0 && write({ kind: 'missed', lines })) this.#missed.delete(node);
    // Behind a gap that is not told of nothing may stand.
    if (this.#missed.has(node) || !write(content)) this.#onDropped(node, 1, 'the disk is too slow');
  }

  /** What a frame or a snapshot told follows from that; the rest is ours, and only here. */
  onTold({ nodeId, boot, receivedAt, ...told }: Told): void {
    if (receivedAt !== null) return;
    if (told.call === undefined && told.facts.every(({ source }) => source === 'reconcile' || source === 'estimate'))
      return;
    this.record({ node: nodeId, boot, app: this.#apps.get(nodeId) ?? '' }, { kind: 'told', told });
  }

  onRouted({ nodeId, boot, leg, did, callId, route }: Routed): void {
    this.record({ node: nodeId, boot, app: this.#apps.get(nodeId) ?? '' }, { kind: 'routed', leg, did, callId, route });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.close(CLOSE_MS)));
  }

  #fileOf(node: string): LineFile {
    const known = this.#files.get(node);
    if (known !== undefined) return known;
    const file = new LineFile(this.folder, node, this.bounds, (lines, reason) => this.#onDropped(node, lines, reason));
    this.#files.set(node, file);
    return file;
  }

  #onDropped(node: string, lines: number, reason: string): void {
    this.#missed.set(node, (this.#missed.get(node) ?? 0) + lines);
    this.metrics.recordingDropped.inc(lines);
    if (Date.now() - this.#toldOfDropsAt < DROPPED_LOG_EVERY_MS) return;
    this.#toldOfDropsAt = Date.now();
    this.log.warn(
      { scope: 'asterisk', folder: this.folder, reason },
      'lines of a recorded stream were dropped; see that the folder has room and its disk is fast, or unset RECORD_ARI',
    );
  }
}
