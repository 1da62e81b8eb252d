import type { AfterCommit, CommittedChange } from '../calls/after-commit.js';
import { recordingName } from '../calls/control/recording-ids.js';
import type { CallRecording } from '../calls/domain/call.js';
import type { Fact } from '../calls/domain/fact.js';
import type { CallLedger } from '../calls/ledger/call-ledger.js';
import { newId } from '../common/ids.js';
import { maskNumbers, type Log } from '../common/logger.js';
import { within } from '../common/within.js';
import type { Database } from '../database/database.js';
import type { PartHealth } from '../health/health-parts.js';
import { NudgedLoop } from '../outbox/nudged-loop.js';
import { TransferBroken, paced } from './paced.js';
import type { RecordedFiles } from './recorded-files.js';
import type { RecordingMetrics } from './recording-metrics.js';
import { LOOK_EVERY_SECONDS } from './recording-rows.js';
import type { ReceivedRecording, RecordingStorage } from './recording-storage.js';
import type { ClaimedRecording, Move, RecordingStore, Waiting } from './recording-store.js';
import { checkWav, type WavVerdict } from './wav.js';

export type TakeOverLimits = {
  /** Recordings worked on side by side. */
  readonly concurrency: number;
  /** Of one file: a PBX has calls to carry besides. */
  readonly bytesPerSecond: number;
  /** How late a recording may be whose wake-up was lost, ms. */
  readonly sweepMs: number;
  /** A claim whose process died is taken by another after this. */
  readonly claimSeconds: number;
  readonly renewMs: number;
  /** Pause after a try that failed for no fault of the recording: the PBX is away, the disk is full. */
  readonly troubleMs: number;
  /** How long the news of a recording's end may be behind that of its call's end, ms. */
  readonly lateMs: number;
  /** How long a stop waits for what is being done, ms. */
  readonly stopMs: number;
};

export const takeOverLimits: TakeOverLimits = {
  concurrency: 4,
  bytesPerSecond: 10_000_000,
  sweepMs: 5_000,
  claimSeconds: 15,
  renewMs: 5_000,
  troubleMs: 30_000,
  lateMs: 3_000,
  stopMs: 10_000,
};

/** The longest call that a tenant may have is a day, at 16,000 bytes a second; with room for a header. */
const MOST_BYTES = 86_460 * 16_000 + 65_536;
/** The switch counts whole seconds, and its clock is not that of the sound. */
const LENGTH_TOLERANCE_MS = 2_000;
/** Times that a recording is looked for which the switch does not know, before it counts as never made. */
const LOOKS = 3;
/** When recordings pile up: so many, or one for so long. */
const PILE = 100;
const PILE_SECONDS = 600;

const ABSENT = 'The PBX knows of no such recording: it was never begun, or its file was removed there.';

/**
 * Takes recordings over from the switches. PostgreSQL says which, and how far each has come; every step may be repeated, so
 * that a killed process costs a little time and nothing else. A file leaves the switch only after it can be heard here.
 */
export class TakeOver implements AfterCommit {
  readonly name = 'recordings';
  readonly #loop: NudgedLoop;
  readonly #held = new Map<ClaimedRecording, Promise<void>>();
  readonly #stopping = new AbortController();
  #renewing: NodeJS.Timeout | undefined;
  #waiting: Waiting = { count: 0, oldestSeconds: 0 };
  /** Why nothing can be stored, as of the last try. */
  #storageFault: string | null = null;

  constructor(
    private readonly database: Database,
    private readonly store: RecordingStore,
    private readonly files: RecordedFiles,
    private readonly storage: RecordingStorage,
    private readonly ledger: CallLedger,
    private readonly retrySeconds: readonly number[],
    private readonly metrics: RecordingMetrics,
    private readonly log: Log,
    private readonly limits: TakeOverLimits = takeOverLimits,
  ) {
    this.#loop = new NudgedLoop((swept) => this.#round(swept), limits.sweepMs, 50);
  }

  start(): void {
    this.#loop.start();
    this.#renewing = setInterval(() => {
      this.store
        .renew([...this.#held.keys()])
        .catch((error: unknown) => this.log.warn({ scope: 'recordings', error }, 'claims could not be renewed'));
    }, this.limits.renewMs);
    this.#renewing.unref();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop.stop();
    clearInterval(this.#renewing);
    await within(this.limits.stopMs, Promise.all(this.#held.values()), []);
  }

  onCommit(changes: readonly CommittedChange[]): void {
    if (changes.some(({ call }) => call.recordings.some(({ state }) => state === 'finished'))) this.#loop.nudge();
    for (const { tenantId, call, events } of changes) {
      const isLeft = ({ state }: CallRecording): boolean => state === 'recording' || state === 'paused';
      if (call.endedAt === null || events.length === 0 || !call.recordings.some(isLeft)) continue;
      // Mostly the news of its end is a moment behind. After a restart it was lost with the old connection.
      setTimeout(() => {
        this.store.hasten(tenantId, call.id).then(
          () => this.#loop.nudge(),
          () => undefined,
        );
      }, this.limits.lateMs).unref();
    }
  }

  health(): PartHealth {
    const { count, oldestSeconds } = this.#waiting;
    const warnings: { code: string; detail: string }[] = [];
    if (this.#storageFault !== null)
      warnings.push({
        code: 'recordings-not-stored',
        detail: `Recordings cannot be stored: ${this.#storageFault}. See DATA_DIR.`,
      });
    if (count >= PILE || oldestSeconds >= PILE_SECONDS)
      warnings.push({
        code: 'recordings-pile-up',
        detail: `${count} recordings wait in the PBX, the oldest for ${Math.round(oldestSeconds / 60)} min. Check the PBX nodes and the disk.`,
      });
    return { name: 'recordings', status: warnings.length > 0 ? 'degraded' : 'up', warnings };
  }

  async #round(swept: boolean): Promise<boolean> {
    if (this.#stopping.signal.aborted) return false;
    this.database.assertReady();
    try {
      const free = this.limits.concurrency - this.#held.size;
      const claimed = free > 0 ? await this.store.claim(newId(), free) : [];
      for (const recording of claimed) this.#hold(recording);
      if (swept) {
        this.#waiting = await this.store.waiting();
        this.metrics.waiting.set(this.#waiting.count);
        if (this.#waiting.count === 0) this.#storageFault = null;
      }
      return false;
    } catch (error) {
      this.log.warn({ scope: 'recordings', error }, 'recordings wait for the database');
      throw error;
    }
  }

  #hold(recording: ClaimedRecording): void {
    const work = this.#work(recording)
      .catch((error: unknown) => {
        // The claim runs out, and the step is done again.
        this.log.warn({ scope: 'recordings', error, recordingId: recording.id }, 'a recording could not be moved on');
      })
      .finally(() => {
        this.#held.delete(recording);
        // There may be room for another, and this one may have a next step.
        this.#loop.nudge();
      });
    this.#held.set(recording, work);
  }

  async #work(recording: ClaimedRecording): Promise<void> {
    switch (recording.state) {
      case 'recording':
        return this.#look(recording);
      case 'fetching':
        return this.#fetch(recording);
      case 'stored':
        return this.#publish(recording);
      case 'erasing':
        return this.#erase(recording);
    }
  }

  /** One whose end was not told: the news may have been lost. */
  async #look(recording: ClaimedRecording): Promise<void> {
    const { nodeId } = recording;
    const name = nameOf(recording);
    const later: Move = { state: 'recording', attempts: recording.attempts, waitMs: LOOK_EVERY_SECONDS * 1000 };
    switch (await this.files.presenceOf(nodeId, name)) {
      case 'live':
        if (recording.isCallOver) await this.files.stop(nodeId, name);
        await this.store.move(recording, { ...later, attempts: 0 });
        return;
      case 'stored':
        // Its commit moves the row. If not even its start was told, that was when it was planned.
        await this.#tell(
          recording,
          { kind: 'recording-started', source: 'estimate', at: recording.plannedAt.getTime(), data: {} },
          { kind: 'recording-finished', source: 'reconcile', data: { seconds: null } },
        );
        return;
      case 'absent': {
        const attempts = recording.attempts + 1;
        if (attempts < LOOKS) await this.store.move(recording, { ...later, attempts });
        else await this.#tell(recording, { kind: 'recording-failed', source: 'ringline', data: { reason: ABSENT } });
        return;
      }
      case 'unknown':
        await this.store.move(recording, later);
    }
  }

  async #fetch(recording: ClaimedRecording): Promise<void> {
    const opened = await this.files.open(recording.nodeId, nameOf(recording), this.#stopping.signal);
    if (opened.kind === 'missing') return this.#again(recording, 'The PBX does not have the file.');
    if (opened.kind === 'unreachable') return this.#waitOut(recording, opened.text);
    let received: ReceivedRecording;
    try {
      const content = paced(opened.content, this.limits.bytesPerSecond, MOST_BYTES);
      received = await this.storage.receive(placeOf(recording), content);
    } catch (error) {
      if (error instanceof TransferBroken) return await this.#waitOut(recording, error.message);
      return await this.#storageFailed(recording, error);
    } finally {
      opened.content.destroy();
    }
    const verdict = checkLength(checkWav(received.head, received.bytes), recording.toldSeconds);
    if (!verdict.ok) {
      await received.discard();
      return this.#again(recording, verdict.fault);
    }
    try {
      await received.keep();
    } catch (error) {
      return this.#storageFailed(recording, error);
    }
    this.#storageFault = null;
    const { bytes, digest } = received;
    const file = { bytes, digest, durationMs: verdict.durationMs };
    // Erased meanwhile: whoever did so could not know of this file.
    if (!(await this.store.move(recording, { state: 'stored', file }))) {
      if (!(await this.store.wanted([recording.id])).has(recording.id)) await this.storage.remove(placeOf(recording));
      return;
    }
    this.metrics.tries.inc({ result: 'stored' });
    this.metrics.bytes.inc(bytes);
  }

  /** It can be heard: this is told, and then the switch needs it no more. */
  async #publish(recording: ClaimedRecording): Promise<void> {
    const shown = await this.#tell(recording, {
      kind: 'recording-stored',
      source: 'ringline',
      data: { ms: recording.durationMs ?? 0 },
    });
    const isTold = shown === 'ready';
    if (isTold && recording.attempts === 0 && recording.finishedAt !== null)
      this.metrics.readySeconds.observe(Math.max(0, Date.now() - recording.finishedAt.getTime()) / 1000);
    const isRemoved = isTold && (await this.files.remove(recording.nodeId, nameOf(recording)));
    const later: Move = { state: 'stored', attempts: recording.attempts + 1, waitMs: this.limits.troubleMs };
    await this.store.move(recording, isRemoved ? { state: 'removed' } : later);
  }

  /** Whoever had it erased has the file removed; this makes sure, and removes it from the switch. */
  async #erase(recording: ClaimedRecording): Promise<void> {
    const shown = await this.#tell(recording, { kind: 'recording-erased', source: 'ringline', data: {} });
    const isTold = shown === 'erased';
    await this.storage.remove(placeOf(recording));
    const isRemoved = isTold && (await this.files.remove(recording.nodeId, nameOf(recording)));
    await this.store.move(
      recording,
      isRemoved ? { state: 'erased' } : { state: 'erasing', waitMs: this.limits.troubleMs },
    );
  }

  /** Something is wrong with the recording: it is tried again, and in the end reported. */
  async #again(recording: ClaimedRecording, fault: string): Promise<void> {
    const attempts = recording.attempts + 1;
    const seconds = this.retrySeconds[attempts];
    if (seconds !== undefined) {
      this.metrics.tries.inc({ result: 'retried' });
      await this.store.move(recording, { state: 'finished', attempts, waitMs: seconds * 1000, failure: fault });
      return;
    }
    this.metrics.tries.inc({ result: 'failed' });
    this.log.error({ scope: 'recordings', recordingId: recording.id, fault }, 'a recording could not be taken over');
    // First told, then stored: a row that is at its end is not looked at again.
    await this.#tell(recording, { kind: 'recording-failed', source: 'ringline', data: { reason: fault } });
    await this.store.move(recording, { state: 'failed', attempts, failure: fault });
  }

  /** Nothing is wrong with the recording. */
  async #waitOut(recording: ClaimedRecording, reason: string): Promise<void> {
    this.metrics.tries.inc({ result: 'unreachable' });
    const { attempts } = recording;
    const failure = `The PBX cannot be reached: ${reason}.`;
    // When we stop ourselves, the next process goes on at once.
    const waitMs = this.#stopping.signal.aborted ? 0 : this.limits.troubleMs;
    await this.store.move(recording, { state: 'finished', attempts, waitMs, failure });
  }

  async #storageFailed(recording: ClaimedRecording, error: unknown): Promise<void> {
    this.metrics.tries.inc({ result: 'not-stored' });
    this.#storageFault = maskNumbers(error instanceof Error ? error.message : String(error));
    this.log.error({ scope: 'recordings', error, recordingId: recording.id }, 'a recording could not be stored');
    const failure = 'It could not be stored.';
    const { attempts } = recording;
    await this.store.move(recording, { state: 'finished', attempts, waitMs: this.limits.troubleMs, failure });
  }

  /**
   * Puts something before the ledger and waits for its commit.
   * @returns how the call's record shows the recording then; undefined when it does not.
   */
  async #tell(
    recording: ClaimedRecording,
    ...facts: readonly (Pick<Fact, 'kind' | 'source' | 'data'> & { readonly at?: number })[]
  ): Promise<CallRecording['state'] | undefined> {
    const { callId, id } = recording;
    const call = await this.ledger.find(callId);
    if (call === null) return undefined;
    this.ledger.tellOf(
      call,
      facts.map((fact) => ({ at: Date.now(), ...fact, key: id })),
    );
    await this.ledger.settled();
    // A ledger that is stopping takes nothing more: only what the record shows is told.
    const record = (await this.ledger.find(callId))?.document;
    return record?.recordings.find((shown) => shown.id === id)?.state;
  }
}

function nameOf({ callId, id }: ClaimedRecording): string {
  return recordingName(callId, id);
}

function placeOf({ tenantId, id, plannedAt }: ClaimedRecording) {
  return { tenantId, id, plannedAt };
}

function checkLength(verdict: WavVerdict, toldSeconds: number | null): WavVerdict {
  if (!verdict.ok || toldSeconds === null) return verdict;
  if (Math.abs(verdict.durationMs - toldSeconds * 1000) <= LENGTH_TOLERANCE_MS) return verdict;
  const seconds = (verdict.durationMs / 1000).toFixed(1);
  return { ok: false, fault: `The file lasts ${seconds} s, and the PBX told of ${toldSeconds} s.` };
}
