import type { CrmCall, CrmNumber, CrmRecording } from '../../../../src/crm/port/crm-objects.js';
import { randomUUID } from 'node:crypto';

export const caller: CrmNumber = {
  raw: '030 90182055',
  e164: '+493090182055',
  national: '030 90182055',
  digits: '493090182055',
};
export const anonymous: CrmNumber = { raw: '', e164: null, national: null, digits: '' };

/** Long enough that seconds, minutes and milliseconds cannot be mistaken for one another. */
export function sampleCall(changes: Partial<CrmCall> = {}): CrmCall {
  return {
    id: randomUUID(),
    direction: 'inbound',
    status: 'ended',
    outcome: 'answered',
    number: caller,
    line: { number: '+442079460000', name: 'Sales' },
    startedAt: new Date('2026-03-10T09:15:20Z'),
    answeredAt: new Date('2026-03-10T09:15:45Z'),
    endedAt: new Date('2026-03-10T09:17:50Z'),
    waitSeconds: 25,
    talkSeconds: 125,
    durationSeconds: 150,
    userId: null,
    people: [],
    contact: null,
    subject: 'Incoming call',
    summary: 'Answered after 25 s, talked for 2 min 5 s.',
    note: null,
    disposition: null,
    tags: [],
    fields: {},
    cost: null,
    recordingUrl: null,
    ...changes,
  };
}

export function ringing(call: CrmCall): CrmCall {
  const open = { answeredAt: null, endedAt: null, waitSeconds: 0, talkSeconds: 0, durationSeconds: 0 } as const;
  return { ...call, ...open, status: 'ringing', outcome: null };
}

export function missed(changes: Partial<CrmCall> = {}): CrmCall {
  const never = { outcome: 'missed', answeredAt: null, talkSeconds: 0, waitSeconds: 150 } as const;
  return sampleCall({ ...never, summary: 'Nobody answered.', ...changes });
}

export const sound = new TextEncoder().encode('RIFF....WAVEfmt and what was said');

export function recording(): CrmRecording {
  return {
    id: randomUUID(),
    fileName: 'call.wav',
    contentType: 'audio/wav',
    durationSeconds: 125,
    url: 'https://ringline.example/recordings/abc',
    read: () => Promise.resolve(sound),
  };
}

export function isCaller(number: string): boolean {
  return number.replace(/\D/g, '').endsWith('90182055');
}
