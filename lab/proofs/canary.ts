import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { foundCompany } from '../company.js';
import type { FaultProxy } from '../fault-proxy.js';
import { startRingline, type LabRingline } from '../ringline.js';
import { startLab, type Lab } from '../start-lab.js';
import { waitFor } from '../wait-for.js';
import { askAri, leftovers, settled } from './aftermath.js';

export type CanaryFigures = {
  readonly asterisk: string;
  readonly disconnects: number;
  /** Sockets for events that were cut: that of the session, mostly with that of the observer. */
  readonly socketsCut: number;
  /** Whether the process that was Asterisk is the one that began, and the same of Ringline. */
  readonly asteriskLives: boolean;
  readonly ringlineLives: boolean;
  /** Questions to ARI by a client of its own, those without an answer within 3 s, and the slowest answer, ms. */
  readonly asked: number;
  readonly unanswered: number;
  readonly slowestAnswerMs: number;
  /** Calls placed, and those that somebody answered: an agent, or the fall-back. */
  readonly calls: number;
  readonly answered: number;
  /** When all was over: what is left of ours, and descriptors and memory of both processes before and after. */
  readonly openRecords: number;
  readonly channelsLeft: number;
  readonly bridgesLeft: number;
  readonly appsLeft: readonly string[];
  readonly descriptors: Readonly<Record<'asterisk' | 'ringline', readonly [number, number]>>;
  readonly residentMb: Readonly<Record<'asterisk' | 'ringline', readonly [number, number]>>;
};

const CALLS_PER_SECOND = 3;
const ASK_EVERY_MS = 250;
const STAY_AFTER_CUT_MS = 200;
/** Ringline waits longer and longer before it connects again; it must not be cut while it still does. */
const CONNECT_WITHIN_MS = 20_000;

/** In turn: a reset, an end said by one side while the other goes on, and both at once. */
const waysToCut: readonly ((ari: FaultProxy) => Promise<void>)[] = [
  (ari) => Promise.resolve(ari.reset()),
  async (ari) => {
    ari.halfClose('target');
    await sleep(STAY_AFTER_CUT_MS);
    ari.reset();
  },
  async (ari) => {
    ari.halfClose('client');
    await sleep(STAY_AFTER_CUT_MS);
    ari.reset();
  },
  async (ari) => {
    // Asterisk writes on, and nobody reads.
    ari.set({ blackHole: 'down' });
    await sleep(STAY_AFTER_CUT_MS);
    ari.reset();
    ari.set();
  },
];

/** Ringline with its observer, cut off from Asterisk time and again while calls run: does Asterisk mind? */
export async function proveCanary(options: {
  readonly disconnects: number;
  readonly limitMs: number;
  readonly report: (line: string) => void;
}): Promise<CanaryFigures> {
  const lab = await startLab();
  try {
    const ari = await lab.proxy(lab.asterisk.ariUrl);
    const ringline = await startRingline(lab, { env: { LOG_LEVEL: 'warn' } });
    const company = await foundCompany(lab, ringline, { ariUrl: ari.url, observe: true, readsCel: true });
    const phone = await lab.sipp.phone({ register: ['agent1'], ringMs: 300, media: 'none' });
    await bothConnected(lab);
    const pids = { asterisk: lab.asterisk.pid, ringline: ringline.pid };
    const before = await sizes(pids);

    const until = performance.now() + options.limitMs;
    const seconds = Math.ceil(options.limitMs / 1000);
    const caller = await lab.sipp.caller({
      calls: [{ from: '+49301112', to: company.did }],
      count: CALLS_PER_SECOND * seconds,
      rate: CALLS_PER_SECOND,
      talkMs: 1_500,
      media: 'none',
    });
    const questions = askOn(lab);
    let disconnects = 0;
    let socketsCut = 0;
    while (disconnects < options.disconnects && performance.now() < until) {
      socketsCut += (await bothConnected(lab)).length;
      await (waysToCut[disconnects % waysToCut.length] as (typeof waysToCut)[number])(ari);
      disconnects++;
      if (disconnects % 20 === 0) options.report(`${disconnects} disconnects`);
    }
    await caller.done;
    const asked = await questions.stop();
    await bothConnected(lab);
    const openRecords = await settled(company);
    const left = await leftovers(lab);
    const sipCalls = await caller.calls();
    await phone.stop();
    const figures: CanaryFigures = {
      asterisk: lab.asterisk.version,
      disconnects,
      socketsCut,
      asteriskLives: lab.asterisk.pid === pids.asterisk && (await lab.asterisk.cli('core show uptime')).includes('up'),
      ringlineLives: await isAlive(ringline, pids.ringline),
      ...asked,
      calls: sipCalls.length,
      answered: sipCalls.filter(({ answeredAt }) => answeredAt !== undefined).length,
      openRecords,
      ...left,
      appsLeft: await apps(lab),
      ...compared(before, await sizes(pids)),
    };
    await ringline.stop();
    return figures;
  } finally {
    await lab.stop();
  }
}

/** Asterisk lives and answers, callers are served, and nothing of ours stays behind. */
export function canaryHeld(figures: CanaryFigures): boolean {
  const { asterisk, ringline } = figures.descriptors;
  return (
    figures.asteriskLives &&
    figures.ringlineLives &&
    figures.unanswered === 0 &&
    figures.answered === figures.calls &&
    figures.openRecords + figures.channelsLeft + figures.bridgesLeft === 0 &&
    figures.appsLeft.length === 2 &&
    [asterisk, ringline].every(([before, after]) => after <= before + DESCRIPTORS_MARGIN)
  );
}

/** What comes and goes by itself: connections that are kept open for the next request. */
const DESCRIPTORS_MARGIN = 24;

/** The names under which Ringline listens, as soon as it does so under both. */
async function bothConnected(lab: Lab): Promise<string[]> {
  return waitFor(async () => (await apps(lab)).length === 2 && (await apps(lab)), {
    what: 'session and observer to be connected',
    timeoutMs: CONNECT_WITHIN_MS,
    everyMs: 50,
  });
}

/** None when Asterisk gives no list: it answers 500 when one of the apps goes while it puts the list together. */
async function apps(lab: Lab): Promise<string[]> {
  const answer = await askAri(lab, '/applications');
  if (!answer.ok) return [];
  return ((await answer.json()) as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => name.startsWith('ringline'));
}

/** Asks ARI time and again, as a client that has nothing to do with Ringline would. */
function askOn(lab: Lab): {
  stop(): Promise<Pick<CanaryFigures, 'asked' | 'unanswered' | 'slowestAnswerMs'>>;
} {
  const over = new AbortController();
  let asked = 0;
  let unanswered = 0;
  let slowest = 0;
  const asking = (async () => {
    while (!over.signal.aborted) {
      const startedAt = performance.now();
      const isAnswered = await askAri(lab, '/channels').then(
        async (answer) => (await answer.text()) !== '' && answer.ok,
        () => false,
      );
      asked++;
      if (!isAnswered) unanswered++;
      slowest = Math.max(slowest, performance.now() - startedAt);
      await sleep(ASK_EVERY_MS);
    }
  })();
  return {
    stop: async () => {
      over.abort();
      await asking;
      return { asked, unanswered, slowestAnswerMs: Math.round(slowest) };
    },
  };
}

type Sizes = Readonly<Record<'asterisk' | 'ringline', { readonly descriptors: number; readonly residentMb: number }>>;

async function sizes(pids: Readonly<Record<'asterisk' | 'ringline', number>>): Promise<Sizes> {
  return { asterisk: await sizeOf(pids.asterisk), ringline: await sizeOf(pids.ringline) };
}

async function sizeOf(pid: number): Promise<Sizes['asterisk']> {
  const descriptors = (await readdir(`/proc/${pid}/fd`)).length;
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return { descriptors, residentMb: Math.round(Number(kb) / 1024) };
}

function compared(before: Sizes, after: Sizes): Pick<CanaryFigures, 'descriptors' | 'residentMb'> {
  const pair = (what: keyof Sizes['asterisk'], who: keyof Sizes): readonly [number, number] => [
    before[who][what],
    after[who][what],
  ];
  return {
    descriptors: { asterisk: pair('descriptors', 'asterisk'), ringline: pair('descriptors', 'ringline') },
    residentMb: { asterisk: pair('residentMb', 'asterisk'), ringline: pair('residentMb', 'ringline') },
  };
}

async function isAlive(ringline: LabRingline, pid: number): Promise<boolean> {
  return ringline.pid === pid && (await ringline.call('GET', '/health/live')).status === 200;
}
