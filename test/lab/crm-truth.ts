import { expect } from 'vitest';
import type { SimulatedCall } from '../../lab/crm/crm-simulator.js';
import type { ToldCall } from '../../lab/crm/told-call.js';
import type { SipCall } from '../../lab/sip-trace.js';
import type { Desk, Office } from './crm-scene.js';

// What a CRM has, against what the phones saw.

/** What a CRM is expected to do, written down apart from what its adapter declares. */
export type Expected = {
  /** Click-to-call, and how it learns what became of a click: by our answer alone, or told besides. */
  readonly click: 'answered' | 'told' | null;
  readonly pops: boolean;
  /** Whether its users have an extension, by which agents are known; else they are by e-mail. */
  readonly extensions: boolean;
  /** What is made of unknown callers. */
  readonly makes: readonly ('lead' | 'contact' | 'unsorted')[];
  readonly tasks: boolean;
  readonly recording: 'url' | 'bytes';
  /** `minutes`: the whole, in minutes that have begun. */
  readonly length: 'talk' | 'whole' | 'minutes';
  /** Whether a transfer is told in words; else by whose the call is alone. */
  readonly words: boolean;
  /** Whether a call has a field for the number; else its words tell it. */
  readonly number: boolean;
};

export const isOf =
  (number: string) =>
  ({ numbers }: { readonly numbers: readonly string[] }): boolean =>
    numbers.some((one) => one.replace(/\D/g, '').endsWith(number.slice(-9)));

/** What is there is what was, and this call. */
export function expectOneMore({ crm }: Office, before: readonly SimulatedCall[], { there }: ToldCall): void {
  const known = new Set(before.map(({ id }) => id));
  expect(known.has(there.id)).toBe(false);
  expect(
    crm
      .calls()
      .map(({ id }) => id)
      .filter((id) => !known.has(id)),
  ).toEqual([there.id]);
}

type Truth = {
  readonly number: string;
  readonly direction: 'inbound' | 'outbound';
  /** At the customer's phone; left out where its length is no measure. */
  readonly seen?: SipCall;
  readonly owner: Desk;
};

/** An answered call in the CRM, against what the phones saw. */
export async function expectTrue(
  office: Office,
  expected: Expected,
  told: ToldCall,
  { number, direction, seen, owner }: Truth,
): Promise<void> {
  const { there } = told;
  expect(there).toMatchObject({ direction, isOpen: false, wasAnswered: true, ownerId: owner.userId });
  if (expected.number) expect(there.number?.replace(/\D/g, '')).toBe(number.slice(1));
  else expect(there.text).toContain(number);
  await expectRecording(office, expected, told);
  if (seen !== undefined) expectSeconds(told, seen.talkMs ?? Number.NaN, beyondTalkMs[expected.length]);
}

/** The link opens without logging in, the bytes are all of it: a WAV as long as the talk. */
async function expectRecording(office: Office, expected: Expected, { call, there }: ToldCall): Promise<void> {
  const { recording } = there;
  expect(Object.keys(recording ?? {})).toEqual([expected.recording]);
  if (recording === null) return;
  const bytes = 'url' in recording ? await heard(office.toRingline(recording.url)) : recording.bytes;
  expect(Math.abs(bytes / BYTES_A_SECOND - call.talkSeconds)).toBeLessThanOrEqual(1.5);
}

/** 8 kHz, 16 bit, one channel: what Asterisk records. */
const BYTES_A_SECOND = 16_000;

async function heard(url: string): Promise<number> {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(bytes.subarray(0, 4).toString('latin1')).toBe('RIFF');
  return bytes.length;
}

/** What a length may have besides the talk, ms: what was waited before, and the rest of a minute. */
export const beyondTalkMs = { talk: 0, whole: 2_000, minutes: 62_000 } as const;

/** Within a second, and what it has besides. */
export function expectSeconds({ there }: ToldCall, ms: number, besidesMs: number): void {
  const seconds = there.seconds ?? Number.NaN;
  expect(seconds * 1000).toBeGreaterThanOrEqual(ms - 1_000);
  expect(seconds * 1000).toBeLessThanOrEqual(ms + besidesMs + 1_000);
}

export function expectPop({ crm }: Office, { pops }: Expected, number: string, desk: Desk, rung: SipCall): void {
  const mine = crm.pops().filter((pop) => isOf(number)({ numbers: [pop.number] }) && pop.userIds.includes(desk.userId));
  if (!pops) return expect(crm.pops()).toEqual([]);
  expect(mine[0]?.at).toBeLessThan(rung.answeredAt ?? 0);
}
