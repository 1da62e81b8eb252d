import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { recordingName } from '../../src/calls/control/recording-ids.js';
import type { Call } from '../../src/calls/domain/call.js';
import { CallLedger } from '../../src/calls/ledger/call-ledger.js';
import { LedgerMetrics } from '../../src/calls/ledger/ledger-metrics.js';
import { LedgerStore } from '../../src/calls/ledger/ledger-store.js';
import { systemClock } from '../../src/common/clock.js';
import { newId } from '../../src/common/ids.js';
import { DiskStorage } from '../../src/recordings/disk-storage.js';
import { RecordedFiles, type OpenedRecording, type RecordingPresence } from '../../src/recordings/recorded-files.js';
import { RecordingMetrics } from '../../src/recordings/recording-metrics.js';
import { RecordingStore } from '../../src/recordings/recording-store.js';
import { TakeOver, takeOverLimits, type TakeOverLimits } from '../../src/recordings/take-over.js';
import { startDatabaseServer } from '../support/database.js';
import { DeliveryWorld } from '../support/delivery-world.js';
import { noLog } from '../support/no-log.js';
import { NoRouting } from '../support/no-routing.js';
import { addRecordedCall, wavFile, type RecordedCall } from '../support/recorded-call.js';

/** A switch that does as it is told, for what a real one cannot be made to do. */
class ScriptedFiles extends RecordedFiles {
  readonly opened: string[] = [];
  readonly stopped: string[] = [];
  readonly removed: string[] = [];
  atOnce = 0;
  mostAtOnce = 0;
  presence: RecordingPresence = 'unknown';
  /** How the file is answered, by how often it was asked for before. */
  answer: (turn: number) => OpenedRecording | Promise<OpenedRecording> = () => sent(wavFile(2));
  canRemove: (turn: number) => boolean = () => true;

  presenceOf(): Promise<RecordingPresence> {
    return Promise.resolve(this.presence);
  }

  stop(_: string, recording: string): Promise<void> {
    this.stopped.push(recording);
    return Promise.resolve();
  }

  async open(_: string, recording: string): Promise<OpenedRecording> {
    const turn = this.opened.filter((name) => name === recording).length;
    this.opened.push(recording);
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    const answer = await this.answer(turn);
    if (answer.kind === 'opened') answer.content.once('close', () => (this.atOnce -= 1));
    else this.atOnce -= 1;
    return answer;
  }

  remove(_: string, recording: string): Promise<boolean> {
    const isRemoved = this.canRemove(this.removed.length);
    this.removed.push(recording);
    return Promise.resolve(isRemoved);
  }
}

const sent = (file: Buffer): OpenedRecording => ({
  kind: 'opened',
  bytes: file.length,
  content: Readable.from([file.subarray(0, 1_000), file.subarray(1_000)]),
});
const away: OpenedRecording = { kind: 'unreachable', text: 'ECONNREFUSED' };

let lab: Lab;
let world: DeliveryWorld;
let dataDir: string;
let tenantId: string;
let nodeId: string;
let files: ScriptedFiles;
const running: TakeOver[] = [];

beforeAll(async () => {
  lab = await startDatabaseServer();
  world = await DeliveryWorld.start(await lab.postgres.createDatabase());
  const [node] = await world.query<{ id: string }[]>('select id from pbx_node');
  nodeId = node!.id;
});
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'ringline-take-over-'));
  tenantId = await world.addTenant();
  files = new ScriptedFiles();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.stop()));
  await world.query('delete from recording');
  rmSync(dataDir, { recursive: true, force: true });
});
afterAll(async () => {
  await world?.stop();
  await lab?.stop();
});

const quick = { sweepMs: 30, troubleMs: 40, claimSeconds: 1, renewMs: 200, lateMs: 50 };

function takeOver(limits: Partial<TakeOverLimits> = {}, retries: readonly number[] = [0, 0.05, 0.05]): TakeOver {
  const { source } = world.database;
  const ledger = new CallLedger(
    new LedgerStore(source),
    new NoRouting(),
    new LedgerMetrics({ registry: new Registry() }),
    systemClock,
    noLog,
  );
  const all = { ...takeOverLimits, ...quick, ...limits };
  const made = new TakeOver(
    world.database,
    new RecordingStore(source, all.claimSeconds),
    files,
    new DiskStorage(join(dataDir, 'recordings')),
    ledger,
    retries,
    new RecordingMetrics({ registry: new Registry() }),
    noLog,
    all,
  );
  running.push(made);
  made.start();
  return made;
}

const add = (state: NonNullable<Parameters<typeof addRecordedCall>[2]['state']> = 'finished', seconds = 2) =>
  addRecordedCall(world.database.source, dataDir, { tenantId, nodeId, state, seconds });
/** Its time has come. */
const hurry = (one: RecordedCall) =>
  world.query(`update recording set next_attempt_at = now() where id = $1`, [one.recordingId]);

async function stateOf(one: RecordedCall): Promise<string> {
  const [row] = await world.query<{ state: string }[]>('select state from recording where id = $1', [one.recordingId]);
  return row!.state;
}
const reach = (one: RecordedCall, state: string) =>
  waitFor(async () => (await stateOf(one)) === state, { what: `the recording to be ${state}`, timeoutMs: 15_000 });

async function shown(one: RecordedCall): Promise<Call['recordings'][number]> {
  const [row] = await world.query<{ document: Call }[]>('select document from call where id = $1', [one.callId]);
  return row!.document.recordings[0]!;
}
async function timesReady(one: RecordedCall): Promise<number> {
  const rows = await world.query<unknown[]>(
    `select 1 from call_event where call_id = $1 and type = 'call.recording.ready'`,
    [one.callId],
  );
  return rows.length;
}
const filesLeft = (): string[] =>
  readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

describe('recordings that are over', () => {
  it('are taken over once each by two processes side by side, so many at a time', async () => {
    const all = await Promise.all(Array.from({ length: 25 }, () => add()));
    takeOver({ concurrency: 3 });
    takeOver({ concurrency: 3 });
    for (const one of all) await reach(one, 'removed');
    expect(files.opened.toSorted()).toEqual(
      all.map(({ callId, recordingId }) => recordingName(callId, recordingId)).toSorted(),
    );
    expect(files.mostAtOnce).toBeLessThanOrEqual(6);
    for (const one of all) {
      expect(await timesReady(one)).toBe(1);
      expect(await shown(one)).toMatchObject({ state: 'ready', durationSeconds: 2, failure: null });
      expect(existsSync(one.path)).toBe(true);
    }
    expect(filesLeft()).toHaveLength(25);
  });

  it.each<[string, (good: Buffer) => Buffer]>([
    ['cut off', (good) => good.subarray(0, 9_000)],
    ['empty', () => Buffer.alloc(0)],
    ['no sound', () => Buffer.from('<html>sorry</html>')],
    ['much shorter than the PBX said', () => wavFile(9)],
  ])('and come %s are tried again, and taken when they are whole', async (_, spoil) => {
    const one = await add();
    files.answer = (turn) => sent(turn < 2 ? spoil(wavFile(2)) : wavFile(2));
    takeOver();
    await reach(one, 'removed');
    expect(files.opened).toHaveLength(3);
    expect(await shown(one)).toMatchObject({ state: 'ready', durationSeconds: 2 });
    expect(filesLeft()).toEqual([`${one.recordingId}.wav`]);
  });

  it('and come late, as they are not there at first or were renamed for a while, are taken when they are', async () => {
    const one = await add();
    files.answer = (turn) => (turn < 2 ? { kind: 'missing' } : sent(wavFile(2)));
    takeOver();
    await reach(one, 'removed');
    expect(files.opened).toHaveLength(3);
    expect(await shown(one)).toMatchObject({ state: 'ready', durationSeconds: 2, failure: null });
    expect(await timesReady(one)).toBe(1);
  });

  it.each<[what: string, answer: () => OpenedRecording, failure: string]>([
    ['stay empty', () => sent(Buffer.alloc(0)), 'The file is empty.'],
    ['are missing', () => ({ kind: 'missing' }), 'The PBX does not have the file.'],
  ])(
    'and %s are reported in words after the last try, and left in the PBX if they are there',
    async (_, answer, failure) => {
      const one = await add();
      files.answer = answer;
      takeOver();
      await reach(one, 'failed');
      expect(files.opened).toHaveLength(3);
      expect(await shown(one)).toMatchObject({ state: 'failed', durationSeconds: null, failure });
      expect(files.removed).toEqual([]);
      expect(filesLeft()).toEqual([]);
      expect(await timesReady(one)).toBe(0);
    },
  );

  it('in a PBX that is away, or breaks off, wait for it however long that lasts', async () => {
    const one = await add();
    files.answer = (turn) => {
      if (turn < 8) return away;
      const broken = new Readable({ read: () => undefined });
      broken.on('error', () => undefined);
      broken.push(wavFile(2).subarray(0, 500));
      if (turn < 10) setTimeout(() => broken.destroy(new Error('other side closed')), 5);
      return turn < 10 ? { kind: 'opened', bytes: null, content: broken } : sent(wavFile(2));
    };
    takeOver();
    await reach(one, 'removed');
    expect(files.opened).toHaveLength(11);
    expect(filesLeft()).toEqual([`${one.recordingId}.wav`]);
  });

  it('and cannot be stored wait too, and health says why', async () => {
    const one = await add();
    writeFileSync(join(dataDir, 'recordings'), 'in the way');
    const worker = takeOver();
    await waitFor(() => worker.health().status === 'degraded', { what: 'health to tell' });
    expect(worker.health().warnings).toMatchObject([{ code: 'recordings-not-stored' }]);
    rmSync(join(dataDir, 'recordings'));
    await reach(one, 'removed');
    await waitFor(() => worker.health().status === 'up', { what: 'health to be well' });
  });

  it('that pile up are told by health', async () => {
    const one = await add();
    await world.query(`update recording set finished_at = now() - interval '1 hour' where id = $1`, [one.recordingId]);
    files.answer = () => away;
    const worker = takeOver();
    await waitFor(() => worker.health().warnings?.some(({ code }) => code === 'recordings-pile-up'), {
      what: 'health to tell',
    });
    files.answer = () => sent(wavFile(2));
    await reach(one, 'removed');
    await waitFor(() => worker.health().status === 'up', { what: 'health to be well' });
  });

  it('are told as ready once, and removed from the PBX as soon as it lets them be removed', async () => {
    const one = await add();
    files.canRemove = (turn) => turn >= 3;
    takeOver();
    await reach(one, 'removed');
    expect(files.removed).toHaveLength(4);
    expect(files.opened).toHaveLength(1);
    expect(await timesReady(one)).toBe(1);
  });

  it('and were claimed by a process that died are taken by another', async () => {
    const one = await add();
    await world.query(
      `update recording set state = 'fetching', claimed_by = $2, claim_until = now() + interval '1 s' where id = $1`,
      [one.recordingId, newId()],
    );
    takeOver();
    await reach(one, 'removed');
    expect(await timesReady(one)).toBe(1);
  });

  it('are kept by their process for as long as it works on them', async () => {
    const one = await add();
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    files.answer = async () => {
      await released;
      return sent(wavFile(2));
    };
    takeOver();
    await waitFor(() => files.opened.length === 1, { what: 'the first to fetch' });
    takeOver();
    const heldSince = Date.now();
    // Far longer than a claim lasts that is not renewed.
    await waitFor(() => Date.now() - heldSince > 2_500, { what: 'some time to pass' });
    expect(files.opened).toHaveLength(1);
    release();
    await reach(one, 'removed');
  });
});

describe('a recording that is erased while it is fetched', () => {
  it('leaves no file, neither here nor in the PBX', async () => {
    const one = await add();
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    files.answer = async () => {
      await released;
      return sent(wavFile(2));
    };
    takeOver();
    await waitFor(() => files.opened.length === 1, { what: 'it to be fetched' });
    await world.query(
      `update recording set state = 'erasing', claimed_by = null, claim_until = null, next_attempt_at = now() where id = $1`,
      [one.recordingId],
    );
    await reach(one, 'erased');
    release();
    await waitFor(() => files.atOnce === 0, { what: 'the fetch to end' });
    await waitFor(() => filesLeft().length === 0, { what: 'the file to be gone' });
    expect(files.removed).toContain(recordingName(one.callId, one.recordingId));
    expect(await shown(one)).toMatchObject({ state: 'erased' });
    expect(await timesReady(one)).toBe(0);
  });
});

describe('a recording whose end was not told', () => {
  it('is found in the PBX, and taken over', async () => {
    const one = await add('recording');
    files.presence = 'stored';
    await hurry(one);
    takeOver();
    await reach(one, 'removed');
    expect(await shown(one)).toMatchObject({ state: 'ready', durationSeconds: 2 });
    expect(await timesReady(one)).toBe(1);
  });

  it('is stopped when it goes on without its call', async () => {
    const one = await add('recording');
    files.presence = 'live';
    await hurry(one);
    takeOver();
    await waitFor(() => files.stopped.length > 0, { what: 'it to be stopped' });
    expect(files.stopped[0]).toBe(recordingName(one.callId, one.recordingId));
    expect(await stateOf(one)).toBe('recording');
  });

  it('is given up when the PBX knows nothing of it, three times over', async () => {
    const one = await add('recording');
    files.presence = 'absent';
    takeOver();
    for (let look = 0; look < 3; look++) {
      await hurry(one);
      await waitFor(
        async () => {
          const [row] = await world.query<{ attempts: number; state: string }[]>(
            'select attempts, state from recording where id = $1',
            [one.recordingId],
          );
          return row!.attempts > look || row!.state === 'failed';
        },
        { what: 'the look' },
      );
    }
    await reach(one, 'failed');
    expect(await shown(one)).toMatchObject({ state: 'failed', failure: expect.stringContaining('knows of no such') });
  });

  it('is waited for while the PBX says nothing', async () => {
    const one = await add('recording');
    files.presence = 'unknown';
    await hurry(one);
    takeOver();
    await waitFor(
      async () =>
        (
          await world.query<unknown[]>(`select 1 from recording where id = $1 and next_attempt_at > now()`, [
            one.recordingId,
          ])
        ).length > 0,
      { what: 'the next look to be set' },
    );
    expect(await stateOf(one)).toBe('recording');
  });
});
