import { setTimeout as sleep } from 'node:timers/promises';

import type { Call } from '../../src/calls/domain/call.js';
import { celTalks } from '../cel.js';
import { foundObservedCompany, type ObservedCompany } from '../observed-company.js';
import { startRingline } from '../ringline.js';
import { startLab, type Lab } from '../start-lab.js';
import { waitFor } from '../wait-for.js';

export type BlindFigures = {
  /** Calls that ran while Ringline was down, and how many of them are in the history as they were. */
  readonly calls: number;
  readonly complete: number;
  readonly estimated: number;
  /** From Ringline's start until the last of them was there, seconds. */
  readonly settledSeconds: number;
  /** Calls that were up when Asterisk was killed, their records, and how many of these are marked as estimated. */
  readonly upAtKill: number;
  readonly closedAfterKill: number;
  readonly markedAfterKill: number;
  /** From Asterisk's return until the last of them was closed, seconds. */
  readonly closedSeconds: number;
  /** What disagrees, in words. */
  readonly wrong: readonly string[];
};

const CALLS_PER_SECOND = 5;
const EXTENSIONS = ['1001', '1002', '1003', '1004', '1005', '1006'];
const TALK_MS = 2_000;
const SAME_MS = 5;
const MOST_WRONG = 20;

/**
 * An observed PBX while Ringline is down for so many seconds, and a PBX that is killed with so many calls up.
 * The oracle is Asterisk's own log, read by the lab.
 */
export async function proveBlind(options: {
  readonly seconds: number;
  readonly up: number;
  readonly report: (line: string) => void;
}): Promise<BlindFigures> {
  const { seconds, up, report } = options;
  const lab = await startLab({ pbx: 'ordinary' });
  try {
    const ringline = await startRingline(lab, { env: { LOG_LEVEL: 'warn' } });
    const company = await foundObservedCompany(lab, ringline, { readsCel: true });
    const phones = await lab.sipp.phone({ register: EXTENSIONS, ringMs: 100, media: 'none' });

    await ringline.kill();
    const calls = seconds * CALLS_PER_SECOND;
    report(`Ringline is down; ${calls} calls come`);
    const load = await lab.sipp.caller({ ...toEverybody(calls), talkMs: TALK_MS, media: 'none' });
    await load.done;
    await noChannels(lab);
    const startedAt = Date.now();
    await ringline.start();
    await ringline.ready();
    const records = await waitForRecords(company, calls);
    const settledSeconds = (Date.now() - startedAt) / 1000;
    const wrong = await disagreements(lab, records);
    const complete = records.filter(({ outcome, estimated }) => outcome === 'answered' && !estimated).length;
    report(`${records.length} records, ${complete} complete, ${settledSeconds.toFixed(1)} s after the start`);

    const held = await lab.sipp.caller({ ...toEverybody(up), rate: 10, media: 'none' });
    const open = (): Promise<number> => countOf(company, ({ status }) => status === 'answered');
    await waitFor(async () => (await open()) === up, { what: `${up} calls to be up`, timeoutMs: 60_000 });
    await lab.asterisk.kill('SIGKILL');
    held.signal('SIGKILL');
    await sleep(1_000);
    await lab.asterisk.restart();
    const backAt = Date.now();
    const isClosed = async (): Promise<boolean> => (await countOf(company, ({ endedAt }) => endedAt === null)) === 0;
    await waitFor(isClosed, { what: 'the records to be closed', timeoutMs: 60_000, everyMs: 200 }).catch(
      () => undefined,
    );
    const closedSeconds = (Date.now() - backAt) / 1000;
    const after = (await company.calls()).slice(0, up);
    await phones.stop();
    await ringline.stop();
    return {
      calls,
      complete,
      estimated: records.filter(({ estimated }) => estimated).length,
      settledSeconds,
      upAtKill: up,
      closedAfterKill: after.filter(({ endedAt }) => endedAt !== null).length,
      markedAfterKill: after.filter(({ estimated, hangup }) => estimated && hangup?.by !== 'agent').length,
      closedSeconds,
      wrong,
    };
  } finally {
    await lab.stop();
  }
}

function toEverybody(count: number): { calls: { from: string; to: string }[]; count: number; rate: number } {
  const to = (i: number): string => `+4930231250${(EXTENSIONS[i % EXTENSIONS.length] ?? '').slice(2)}`;
  const calls = Array.from({ length: count }, (_, i) => ({ from: `+4917139${String(30_000 + i)}`, to: to(i) }));
  return { calls, count, rate: CALLS_PER_SECOND };
}

async function waitForRecords(company: ObservedCompany, count: number): Promise<readonly Call[]> {
  const isThere = async (): Promise<boolean> => (await countOf(company, ({ endedAt }) => endedAt !== null)) >= count;
  await waitFor(isThere, { what: 'the records', timeoutMs: 90_000, everyMs: 500 }).catch(() => undefined);
  return company.calls();
}

async function countOf(company: ObservedCompany, counts: (call: Call) => boolean): Promise<number> {
  return (await company.calls()).filter(counts).length;
}

/** Each caller once, and each talk when the log has it. */
async function disagreements(lab: Lab, records: readonly Call[]): Promise<string[]> {
  const wrong: string[] = [];
  const talks = celTalks(await lab.asterisk.cel());
  for (const talk of talks) {
    const found = records.filter(({ legs }) => legs.some(({ id }) => talk.uniqueIds.includes(id)));
    const [record] = found;
    if (record === undefined || found.length > 1)
      wrong.push(`${talk.uniqueIds.join(' and ')}: ${found.length} records`);
    else if (Math.abs(Date.parse(record.answeredAt ?? '') - talk.from) > SAME_MS)
      wrong.push(
        `${record.id} was answered at ${record.answeredAt}, by the log at ${new Date(talk.from).toISOString()}`,
      );
  }
  if (talks.length !== records.length) wrong.push(`${talks.length} talks in the log, ${records.length} records`);
  return wrong.slice(0, MOST_WRONG);
}

async function noChannels(lab: Lab): Promise<void> {
  await waitFor(async () => (await lab.asterisk.cli('core show channels count')).includes('0 active channels'), {
    what: 'every call to be over',
    timeoutMs: 30_000,
  });
}
