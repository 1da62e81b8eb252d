import { EgressRules } from '../../egress/egress-rules.js';
import { egressLimits, GuardedClient } from '../../egress/guarded-client.js';
import { openGate } from '../client/bounded-client.js';
import { connect } from '../client/crm-clients.js';
import type { StoredToken, TokenStore } from '../client/tokens.js';
import type { CrmAdapter, CrmSession } from '../port/crm-adapter.js';
import type { CrmCall, CrmNumber, CrmRecording } from '../port/crm-objects.js';
import type { DoorRequest } from '../port/door.js';
import type { Verdict } from '../port/verdict.js';

/** A session with a simulator over the way that production takes, tokens in memory, nothing held back. */
export function sessionWith(
  adapter: CrmAdapter,
  settings: Readonly<Record<string, unknown>>,
): {
  readonly session: Required<CrmSession>;
  readonly token: () => StoredToken | null;
  readonly close: () => Promise<void>;
} {
  let token: StoredToken | null = null;
  const store: TokenStore = {
    read: () => Promise.resolve(token),
    change: async (make) => (token = await make(token)),
  };
  const limits = { ...egressLimits, readBytes: 4 * 2 ** 20, keepBytes: 4 * 2 ** 20 };
  const http = new GuardedClient(new EgressRules(['127.0.0.1']), limits);
  const read = adapter.settings.parse(settings);
  return {
    session: connect(adapter, read, http, store, openGate, new Map()) as Required<CrmSession>,
    token: () => token,
    close: () => http.close(),
  };
}

export function numberOf(e164: string, national = e164): CrmNumber {
  return { raw: e164, e164, national, digits: e164.replace(/\D/g, '') };
}

let calls = 0;

/** An incoming call that rings, unless told otherwise. */
export function aCall(changes: Partial<CrmCall> = {}): CrmCall {
  const startedAt = new Date('2026-03-07T10:20:30.250Z');
  return {
    id: `0193f0aa-0000-7000-8000-${String(++calls).padStart(12, '0')}`,
    direction: 'inbound',
    status: 'ringing',
    outcome: null,
    number: numberOf('+79062195047', '8 (906) 219-50-47'),
    line: { number: '+74951234567', name: 'Main line' },
    startedAt,
    answeredAt: null,
    endedAt: null,
    waitSeconds: 0,
    talkSeconds: 0,
    durationSeconds: 0,
    userId: null,
    people: [],
    contact: null,
    subject: 'Call from +7 906 219-50-47',
    summary: 'Rang 5 s, talked 95 s.',
    note: null,
    disposition: null,
    tags: [],
    fields: {},
    cost: null,
    recordingUrl: null,
    ...changes,
  };
}

/** What it became: 95 s of talk after 5 s of ringing. */
export function answeredBy(userId: string, call: CrmCall): CrmCall {
  return {
    ...call,
    status: 'ended',
    outcome: 'answered',
    answeredAt: new Date(call.startedAt.getTime() + 5000),
    endedAt: new Date(call.startedAt.getTime() + 100_000),
    waitSeconds: 5,
    talkSeconds: 95,
    durationSeconds: 100,
    userId,
    people: [{ userId, name: 'Anna', part: 'answered', talkSeconds: 95 }],
  };
}

export function missed(call: CrmCall): CrmCall {
  return { ...call, status: 'ended', outcome: 'missed', endedAt: call.startedAt, waitSeconds: 20, durationSeconds: 20 };
}

export function aRecording(changes: Partial<CrmRecording> = {}): CrmRecording {
  return {
    id: '0193f0aa-1111-7000-8000-000000000001',
    fileName: 'call-0193f0aa.wav',
    contentType: 'audio/wav',
    durationSeconds: 95,
    url: 'https://ringline.example/v1/media/abc.wav',
    read: () => Promise.resolve(new Uint8Array([82, 73, 70, 70])),
    ...changes,
  };
}

export function aPost(body: string, headers: Readonly<Record<string, string>> = {}): DoorRequest {
  return { method: 'POST', headers, query: {}, body: new TextEncoder().encode(body) };
}

/** @throws {Error} telling what came instead */
export function valueOf<Value>(verdict: Verdict<Value>): Value {
  if (verdict.verdict === 'done') return verdict.value;
  throw new Error(`${verdict.verdict}: ${verdict.why}`);
}
