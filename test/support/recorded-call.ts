import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DataSource } from 'typeorm';
import { recordingIdOf } from '../../src/calls/control/recording-ids.js';
import type { Fact } from '../../src/calls/domain/fact.js';
import { LedgerStore } from '../../src/calls/ledger/ledger-store.js';
import { LiveCall } from '../../src/calls/ledger/live-call.js';
import { newId } from '../../src/common/ids.js';
import type { RecordingRowState } from '../../src/recordings/recording.entity.js';
import { wavHeader } from '../../lab/wav-header.js';

export type RecordedCall = {
  readonly callId: string;
  readonly recordingId: string;
  /** Where its file lies, or would. */
  readonly path: string;
  readonly file: Buffer;
};

/** Sound as Asterisk writes it: a ramp, so that every part of it differs. */
export function wavFile(seconds: number): Buffer {
  const sound = Buffer.alloc(seconds * 16_000);
  for (let i = 0; i < sound.length; i += 2) sound.writeInt16LE((i / 2) % 32_767, i);
  return Buffer.concat([wavHeader(sound.length), sound]);
}

/**
 * A call that has ended and was recorded, as its facts, stored as the ledger stores them.
 * @param dataDir For the file; none is written unless the recording is ready.
 * @param state How far its recording has come. `failed` with a reason.
 */
export async function addRecordedCall(
  source: DataSource,
  dataDir: string,
  {
    tenantId,
    nodeId,
    state = 'removed',
    seconds = 2,
  }: {
    readonly tenantId: string;
    readonly nodeId: string;
    readonly state?: RecordingRowState;
    readonly seconds?: number;
  },
): Promise<RecordedCall> {
  const callId = newId();
  const recordingId = recordingIdOf(callId, 0);
  const at = Date.now() - 60_000;
  const isReady = state === 'removed' || state === 'stored';
  const facts = [
    fact(callId, 'placed', at, {
      direction: 'inbound',
      from: { raw: '+4930111222', e164: '+4930111222', name: null },
      to: { raw: '4930901820', e164: '+4930901820', name: null },
      line: { id: newId(), number: '+4930901820', name: 'Sales' },
      plan: {
        kind: 'ring-line',
        callerLeg: `${callId}-c`,
        phones: [],
        ringSeconds: 25,
        limitSeconds: 7200,
        record: true,
      },
    }),
    fact(`${callId}-c`, 'created', at, { side: 'remote', linkedId: null, sipCallId: null, name: null }),
    fact(callId, 'recording-planned', at, {}, recordingId),
    fact(callId, 'recording-started', at, {}, recordingId),
    fact(`${callId}-c`, 'ended', at + seconds * 1000, { q850: 16, sip: null, text: null }),
    ...(state === 'recording'
      ? []
      : [fact(callId, 'recording-finished', at + seconds * 1000, { seconds }, recordingId)]),
    ...(isReady ? [fact(callId, 'recording-stored', at, { ms: seconds * 1000 }, recordingId)] : []),
    ...(state === 'failed' ? [fact(callId, 'recording-failed', at, { reason: 'It is lost.' }, recordingId)] : []),
  ];
  const call = new LiveCall({ id: callId, tenantId, pbxNodeId: nodeId }, 'boot', [], null);
  call.apply(facts);
  const record = call.document!;
  const event = {
    id: newId(),
    tenantId,
    callId,
    type: 'call.updated',
    sequence: record.version,
    createdAt: new Date(at),
  };
  await new LedgerStore(source).commit({
    merges: [],
    calls: [record],
    facts: facts.map((told) => ({ fact: told, nodeId, boot: 'boot', tenantId, callId })),
    events: [{ ...event, document: JSON.stringify({ data: { call: record } }) }],
  });
  const file = wavFile(seconds);
  const [year = '', month = ''] = new Date(at).toISOString().split('-');
  const path = join(dataDir, 'recordings', tenantId, year, month, `${recordingId}.wav`);
  if (isReady) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file);
  }
  if (state !== 'finished') {
    // Whatever claimed it since the commit above loses the claim, as when somebody has it erased.
    await source.query(
      `update recording set state = $3, bytes = $4, duration_ms = $5, digest = $6, failure = $7, claimed_by = null,
         claim_until = null
       where tenant_id = $1 and id = $2`,
      [
        tenantId,
        recordingId,
        state,
        isReady ? file.length : null,
        isReady ? seconds * 1000 : null,
        isReady ? createHash('sha256').update(file).digest() : null,
        state === 'failed' ? 'It is lost.' : null,
      ],
    );
  }
  return { callId, recordingId, path, file };
}

function fact(leg: string, kind: Fact['kind'], at: number, data: unknown, key = ''): Fact {
  return { leg, kind, key, at, source: 'switch', data } as Fact;
}
