import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { AsteriskVersion } from '../../lab/asterisk-configuration.js';
import type { DeskPhone } from '../../lab/baresip.js';
import { celTalks, type CelRow, type CelTalk } from '../../lab/cel.js';
import { startRingline, type LabRingline } from '../../lab/ringline.js';
import type { Phone, PhoneOptions } from '../../lab/sipp.js';
import { startLab, type Lab } from '../../lab/start-lab.js';
import { waitFor } from '../../lab/wait-for.js';
import { observedTypes } from '../../src/asterisk/observer/translate-observed.js';
import type { Call, CallLine } from '../../src/calls/domain/call.js';
import { foundObservedCompany, logRead, type ObservedCompany } from '../../lab/observed-company.js';

export const CUSTOMER = '+491713920001';
export const MOBILE = '01713920042';

/** What CEL and a record may differ by where they tell one moment, ms. */
const SAME_MOMENT_MS = 300;

/**
 * A record in three lines, as in src/calls/domain/observed.test.ts: `direction from>to outcome/reason (who hung up)`, or
 * `direction from>to merged`; who took part; the events.
 */
export type Summary = readonly [call: string, who: string, events: string];

/** An ordinary PBX whose calls are observed, with its phones; and what became of the calls of the scenario that runs. */
export interface ObservedOffice {
  readonly lab: Lab;
  readonly ringline: LabRingline;
  readonly company: ObservedCompany;
  readonly customer: DeskPhone;
  readonly anna: DeskPhone;
  readonly ben: DeskPhone;
  readonly clara: DeskPhone;
  /** Another one's phone: started when it is first asked for, and kept. */
  phone(extension: string): Promise<DeskPhone>;
  /** The carrier, from now on. It answers unless told otherwise. */
  carrier(manner?: PhoneOptions): Promise<Phone>;
  /** Settles when two have been talking for so long. */
  untilTalking(one: string, other: string, forMs?: number): Promise<void>;
  /** Settles when there is a row of CEL like this, of this application if one is named. */
  untilLogged(event: string, app?: string): Promise<void>;
  /** Sets a global variable of the dial plan for the rest of the scenario. */
  setGlobal(name: string, value: string): Promise<void>;
  /** Settles when all channels of an endpoint are over. */
  untilLeft(party: string): Promise<void>;
  /** Settles when nobody has been talking any more since the last who did. */
  untilSilent(): Promise<void>;
  /**
   * Waits until every call is over, and compares all records that there are of them, oldest first: what is told of each, and
   * its times, with Asterisk's own log. Gives them.
   */
  expectRecords(...expected: readonly Summary[]): Promise<readonly Call[]>;
}

/** Sets it up before the tests of a `describe`, and takes it down after them. */
export function observedOffice(asterisk: AsteriskVersion): ObservedOffice {
  let lab: Lab;
  let ringline: LabRingline;
  let company: ObservedCompany;
  let carrier: Phone | null = null;
  let customer: DeskPhone;
  let recording: Recording | null = null;
  const phones = new Map<string, DeskPhone>();
  /** How many rows of CEL, and which records, were there before this scenario. */
  let before = 0;
  const known = new Set<string>();

  const theirs = (extension: string): DeskPhone => {
    const phone = phones.get(extension);
    if (phone === undefined) throw new Error(`${extension} has no phone yet`);
    return phone;
  };
  const rowsSoFar = async (): Promise<CelRow[]> => (await lab.asterisk.cel()).slice(before);
  const office: ObservedOffice = {
    get lab() {
      return lab;
    },
    get ringline() {
      return ringline;
    },
    get company() {
      return company;
    },
    get customer() {
      return customer;
    },
    get anna() {
      return theirs('1001');
    },
    get ben() {
      return theirs('1002');
    },
    get clara() {
      return theirs('1003');
    },
    async phone(extension) {
      const phone = phones.get(extension) ?? (await lab.baresip.phone(extension));
      phones.set(extension, phone);
      return phone;
    },
    async carrier(manner = {}) {
      await carrier?.stop();
      carrier = await lab.sipp.phone({ name: 'carrier', port: lab.ports.trunk, ringMs: 100, ...manner });
      return carrier;
    },
    async untilTalking(one, other, forMs = 0) {
      const parties = [one, other].sort().join();
      await waitFor(
        async () =>
          celTalks(await rowsSoFar()).some(
            (talk) => isOpen(talk) && talk.parties.join() === parties && Date.now() - talk.from >= forMs,
          ),
        { what: `${one} and ${other} to talk`, timeoutMs: 20_000 },
      );
    },
    async untilLogged(event, app) {
      await waitFor(
        async () => (await rowsSoFar()).some((row) => row.event === event && (app === undefined || row.app === app)),
        { what: `${event} ${app ?? ''}` },
      );
    },
    async setGlobal(name, value) {
      const globals = await lab.asterisk.cli('dialplan show globals');
      const [, usual] = new RegExp(`^ *${name}=(.*)$`, 'm').exec(globals) ?? [];
      if (usual === undefined) throw new Error(`the dial plan has no ${name}`);
      await lab.asterisk.cli(`dialplan set global ${name} ${value}`);
      onTestFinished(async () => {
        await lab.asterisk.cli(`dialplan set global ${name} ${usual}`);
      });
    },
    async untilLeft(party) {
      const count = (rows: readonly CelRow[], event: string): number =>
        rows.filter((row) => row.event === event && row.channel.startsWith(`${party}-`)).length;
      await waitFor(
        async () => {
          const rows = await rowsSoFar();
          return count(rows, 'CHAN_START') === count(rows, 'CHAN_END');
        },
        { what: `${party} to be gone` },
      );
    },
    async untilSilent() {
      await waitFor(
        async () => {
          const talks = celTalks(await rowsSoFar());
          return talks.length > 0 && !talks.some(isOpen);
        },
        { what: 'nobody to talk' },
      );
    },
    async expectRecords(...expected) {
      const rows = await waitFor(
        async () => {
          const soFar = await rowsSoFar();
          const count = (event: string): number => soFar.filter((row) => row.event === event).length;
          const channels = await lab.asterisk.cli('core show channels count');
          return channels.includes('0 active channels') && count('CHAN_START') === count('CHAN_END') && soFar;
        },
        { what: 'every call to be over', timeoutMs: 40_000 },
      );
      const records = await waitFor(
        async () => {
          const mine = (await company.calls()).filter(({ id }) => !known.has(id)).toReversed();
          return mine.length >= expected.length && mine.every(({ endedAt }) => endedAt !== null) && mine;
        },
        { what: 'the records to be closed' },
      );
      for (const { id } of records) known.add(id);
      const told = await Promise.all(records.map(async (one) => summary(one, await company.eventsOf(one.id), company)));
      expect(told).toEqual(expected);
      const [kept] = records;
      const lines = (await company.call('GET', '/v1/lines')).body.items as CallLine[];
      for (const record of records) {
        if (record.mergedInto === null) expectTimes(record, rows, company);
        else expect(record.mergedInto).toBe(kept?.id);
        expect(record).toMatchObject({
          control: 'observed',
          status: 'ended',
          estimated: false,
          remote: record.direction === 'inbound' ? record.from : record.to,
          line: lineOf(record, lines),
        });
      }
      return records;
    },
  };

  beforeAll(async () => {
    lab = await startLab({ asterisk, pbx: 'ordinary' });
    ringline = await startRingline(lab);
    company = await foundObservedCompany(lab, ringline);
    await office.carrier();
    customer = await lab.baresip.customer(CUSTOMER);
    for (const extension of ['1001', '1002', '1003']) await office.phone(extension);
  });
  afterAll(async () => {
    await ringline?.stop();
    await lab?.stop();
  });
  beforeEach(async ({ task }) => {
    before = (await lab.asterisk.cel()).length;
    for (const { id } of await company.calls()) known.add(id);
    const folder = process.env['LAB_RECORD_OBSERVED'];
    if (folder !== undefined)
      recording = await keepStream(lab, join(folder, `${slug(`${task.suite?.name} ${task.name}`)}.${asterisk}`));
  });
  // What a scenario that failed left behind is not the next one's.
  afterEach(async () => {
    recording?.stop();
    await lab.asterisk.cli('channel request hangup all');
  });
  return office;
}

function summary(call: Call, events: readonly string[], company: ObservedCompany): Summary {
  const end = call.mergedInto === null ? `${call.outcome}/${call.outcomeReason} (${call.hangup?.by})` : 'merged';
  const who = call.participants.map(({ agentId, number, device, role }) => {
    const extension = company.extensionOf(agentId);
    const name = extension !== null && number !== null ? `${extension} at ${number.raw}` : extension;
    return `${name ?? number?.raw ?? device} ${role}`;
  });
  return [
    `${call.direction} ${call.from.raw}>${call.to.raw} ${end}`,
    who.sort().join(', '),
    events.map((type) => type.replace('call.', '')).join(' '),
  ];
}

/** The line that was called, or left by: by what an extension shows outside, where several go out there. */
function lineOf({ direction, from, to }: Call, lines: readonly CallLine[]): Partial<CallLine> | null {
  const shown = `+4930231250${from.raw.slice(2)}`;
  const isIts = ({ number }: CallLine): boolean =>
    direction === 'outbound' ? lines.length === 1 || number === shown : number === to.e164;
  const line = direction === 'internal' ? undefined : lines.find(isIts);
  return line === undefined ? null : { id: line.id, number: line.number, name: line.name };
}

/** Compares the times of a record with what Asterisk's log tells of the same channels. */
function expectTimes(record: Call, rows: readonly CelRow[], company: ObservedCompany): void {
  const customer = customersChannel(record, rows);
  const at = (event: string, ids: readonly (string | null)[]): number[] =>
    rows.filter((row) => row.event === event && ids.includes(row.uniqueId)).map((row) => row.at);
  const idsOf = (legs: Call['legs']): string[] => legs.map(({ id }) => id);
  const expectMoment = (recorded: string | null, logged: number, what: string): void =>
    expect(Math.abs(Date.parse(recorded ?? '') - logged), what).toBeLessThan(SAME_MOMENT_MS);
  // What it began with may be no phone.
  expectMoment(record.startedAt, Math.min(...at('CHAN_START', [record.linkedId, ...idsOf(record.legs)])), 'the start');
  for (const { id, endedAt } of record.legs) expectMoment(endedAt, Math.max(...at('HANGUP', [id])), `the end of ${id}`);
  const talks = celTalks(rows).filter(({ uniqueIds }) => uniqueIds.includes(customer));
  expectNear(record.talkSeconds, secondsOf(talks), 'the seconds of the call');
  const [first] = talks;
  if (first === undefined) expect(record.answeredAt).toBeNull();
  else expectMoment(record.answeredAt, first.from, 'the answer');
  const end = rows.find(({ event, uniqueId }) => event === 'HANGUP' && uniqueId === customer);
  expectMoment(record.endedAt, end?.at ?? NaN, 'the end');
  // Its own, or where conversations became one that of the older.
  const began = rows.find(
    ({ event, uniqueId }) => event === 'CHAN_START' && record.legs.some(({ id }) => id === uniqueId),
  );
  expect(record.linkedId).toBe(rows.findLast(({ uniqueId }) => uniqueId === began?.uniqueId)?.linkedId);
  for (const { agentId, number, device, leftAt, talkSeconds } of record.participants) {
    const extension = company.extensionOf(agentId);
    if (extension === null) continue;
    const own = record.legs.filter((leg) => leg.agentId === agentId && leg.device === device);
    expectMoment(leftAt, Math.max(...at('HANGUP', idsOf(own))), `when ${extension} left`);
    // Outside, the name of a channel tells nobody.
    const outside = record.legs.filter((leg) => number !== null && leg.device === device).map(({ id }) => id);
    const theirs = talks.filter(({ parties, uniqueIds }) =>
      number === null ? parties.includes(`PJSIP/${extension}`) : uniqueIds.some((id) => outside.includes(id)),
    );
    expectNear(talkSeconds, secondsOf(theirs), `the seconds of ${extension}`);
  }
  // Inside, both sides are agents of the same talk; in a conference several talk at once.
  if (record.direction === 'internal' || rows.some(({ app }) => app === 'ConfBridge')) return;
  const sum = record.participants.reduce((total, one) => total + one.talkSeconds, 0);
  expectNear(sum, record.talkSeconds, 'the seconds of all agents');
}

/** Whose conversation it is, as Asterisk's log has it: who came in; of an outbound call who was reached, or called at last. */
function customersChannel(record: Call, rows: readonly CelRow[]): string {
  const mine = new Set(record.legs.map(({ id }) => id));
  const started = rows.filter(({ event, uniqueId }) => event === 'CHAN_START' && mine.has(uniqueId));
  const origins = started.filter(({ uniqueId, linkedId }) => uniqueId === linkedId);
  // Where Asterisk itself made the call, who was rung first.
  const origin = origins.find(({ channel }) => channel.startsWith('PJSIP/trunk-')) ?? origins[0] ?? started[0];
  const outside = started.filter(({ channel }) => channel.startsWith('PJSIP/trunk-'));
  const found = record.direction === 'outbound' ? outside[0] : origin;
  if (found === undefined) throw new Error(`Asterisk's log has no customer of the ${record.direction} call`);
  return found.uniqueId;
}

function expectNear(actual: number, wanted: number, what: string): void {
  expect(Math.abs(actual - wanted), `${what}: ${actual}, by CEL ${wanted}`).toBeLessThanOrEqual(1);
}

/** How long any of these talks was going on. */
function secondsOf(talks: readonly CelTalk[]): number {
  let total = 0;
  let reached = -Infinity;
  for (const { from, until = Infinity } of talks) {
    total += Math.max(0, until - Math.max(from, reached));
    reached = Math.max(reached, until);
  }
  return total / 1000;
}

function isOpen({ until }: CelTalk): boolean {
  return until === undefined;
}

type Recording = { readonly stop: () => void };

/**
 * Writes down what an observer is told, and what Asterisk's log tells of the same calls, as `<path>.jsonl` and `<path>.csv`:
 * fixtures of test/fixtures/observed.
 */
async function keepStream(lab: Lab, path: string): Promise<Recording> {
  mkdirSync(dirname(path), { recursive: true });
  const { ariUrl, username, password } = lab.asterisk;
  const key = `${username}:${password}`;
  const socket = new WebSocket(`${ariUrl.replace('http', 'ws')}/events?app=recorder&subscribeAll=true&api_key=${key}`);
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  await fetch(`${ariUrl}/applications/recorder/eventFilter`, {
    method: 'PUT',
    headers: { authorization: `Basic ${Buffer.from(key).toString('base64')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ allowed: observedTypes.map((type) => ({ type })) }),
  });
  socket.on('message', (frame: Buffer) =>
    appendFileSync(`${path}.jsonl`, `${JSON.stringify(JSON.parse(String(frame)))}\n`),
  );
  // Asterisk makes it with the first call.
  const log = (): string => (existsSync(logRead(lab)) ? readFileSync(logRead(lab), 'utf8') : '');
  const before = log().length;
  return {
    stop: () => {
      socket.close();
      writeFileSync(`${path}.csv`, log().slice(before));
    },
  };
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}
