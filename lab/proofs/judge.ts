import type { Call } from '../../src/calls/domain/call.js';
import { celChannels, type CelChannel, type CelRow } from '../cel.js';
import { grouped } from '../grouped.js';
import type { SipCall } from '../sip-trace.js';

export type Judgement = {
  readonly calls: number;
  /** By their records. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Records with a time or an outcome that was inferred. */
  readonly estimated: number;
  /** Calls that never came into our app. */
  readonly neverInApp: number;
  /** Calls that came in the moment of a kill, before it could be written down, and were over when Ringline was back. */
  readonly diedWithKill: number;
  /**
   * Slowest answer of the fall-back to a call that had not been with an agent, ms after its INVITE; of who met a kill, after the
   * last: until then Ringline rang for him, and renewed the time that the dial plan gives it.
   */
  readonly slowestFallbackMs: number;
  /** Those that took too long, in words. */
  readonly slowFallbacks: readonly string[];
  /** Longest time a party was left alone after the other hung up, ms. */
  readonly longestAloneMs: number;
  /** Callers who still waited when Ringline was asked to stop: slowest answer by the fall-back after that, ms. */
  readonly slowestAfterStopMs: number;
  /** Disagreements of records with the switch's own log, in words. */
  readonly wrong: readonly string[];
};

const TOLERANCE_MS = 1_000;
/** The fall-back has a caller by then. */
export const FALLBACK_WITHIN_MS = 10_000;
/** A call that stays in Stasis for less was refused there: our app was not registered. */
const REFUSED_WITHIN_MS = 60;

/** So long before a kill a caller may have come of whom nothing is stored, and so long after the order to kill it is done, ms. */
const KILLED_WITHIN_MS = { before: 250, after: 100 };

/** What was done to Ringline, ms since 1970. */
export type Endured = {
  readonly stops: readonly number[];
  /** When it was killed, and when it was connected again. */
  readonly kills: readonly { readonly at: number; readonly backAt: number }[];
  /** It reads the switch's log, which tells who was there meanwhile. */
  readonly hasLog: boolean;
};

/** Compares what callers saw and what the switch logged with the records. */
export function judge(
  sipCalls: readonly SipCall[],
  records: readonly Call[],
  cel: readonly CelRow[],
  { stops, kills, hasLog }: Endured,
): Judgement {
  const wrong: string[] = [];
  const outcomes: Record<string, number> = {};
  const channels = new Map(celChannels(cel).map((channel) => [channel.uniqueId, channel]));
  const callers = callersOf(channels.values());
  // Thousands of calls: to look through the whole log for each would hold up for half a minute what else this process does.
  const log = grouped(cel, ({ uniqueId }) => uniqueId);
  const bySipCall = new Map<string, Call[]>();
  const byLeg = new Map<string, Call>();
  for (const record of records) {
    const known = bySipCall.get(record.sipCallIds[0] ?? '') ?? [];
    bySipCall.set(record.sipCallIds[0] ?? '', [...known, record]);
    for (const { id } of record.legs) byLeg.set(id, record);
    outcomes[record.outcome ?? 'open'] = (outcomes[record.outcome ?? 'open'] ?? 0) + 1;
  }
  const slowFallbacks: string[] = [];
  let slowestFallbackMs = 0;
  const tookFallback = ({ callId, inviteAt }: SipCall, answeredAt: number): void => {
    const met = kills.filter(({ at }) => at > inviteAt && at < answeredAt);
    const ms = answeredAt - Math.max(inviteAt, ...met.map(({ at }) => at));
    slowestFallbackMs = Math.max(slowestFallbackMs, ms);
    if (ms <= FALLBACK_WITHIN_MS) return;
    const outages = met.map(
      ({ at, backAt }) => `, a kill ${secondsFrom(inviteAt, at)} (back ${secondsFrom(inviteAt, backAt)})`,
    );
    slowFallbacks.push(
      `${callId}: INVITE ${new Date(inviteAt).toISOString()}${outages.join('')}, answer ${secondsFrom(inviteAt, answeredAt)}`,
    );
  };
  let neverInApp = 0;
  let diedWithKill = 0;
  let longestAloneMs = 0;
  let slowestAfterStopMs = 0;
  const seen = new Set<string>();
  for (const call of sipCalls) {
    const found = bySipCall.get(call.callId) ?? [];
    if (found.length > 1) wrong.push(`${call.callId} has ${found.length} records`);
    const row = callers.get(call.fromUser);
    // A record that the log alone told of knows its channel, and no SIP Call-ID.
    const record = found[0] ?? byLeg.get(row?.uniqueId ?? '');
    if (record === undefined) {
      const stay = row === undefined ? null : stayInApp(log.get(row.uniqueId) ?? []);
      if (stay === null || stay.ms <= REFUSED_WITHIN_MS) neverInApp++;
      else if (!hasLog && kills.some((kill) => isWithin(stay, kill))) diedWithKill++;
      else
        wrong.push(
          `${call.callId} was in our app for ${stay.ms} ms from ${new Date(stay.from).toISOString()} on and has no record`,
        );
      // Who gave up before was not kept waiting for ever: nobody could have answered.
      if (call.answeredAt !== undefined) tookFallback(call, call.answeredAt);
      else if ((call.cancelAt ?? Infinity) - call.inviteAt > FALLBACK_WITHIN_MS)
        wrong.push(`${call.callId} was answered by nobody in 10 s`);
      continue;
    }
    seen.add(record.id);
    const caller = channels.get(record.legs.find(({ side }) => side === 'remote')?.id ?? '');
    if (caller === undefined) {
      wrong.push(`the caller of ${record.id} is not in the switch's log`);
      continue;
    }
    const agents = record.legs.filter(({ side }) => side === 'agent').flatMap(({ id }) => channels.get(id) ?? []);
    const talk = talkOf(record, log);
    const said = compare(record, caller, talk);
    wrong.push(...said.map((line) => `${record.id}: ${line}`));
    if (talk !== null) {
      const ends = [caller, ...agents.filter(({ bridgedAt }) => bridgedAt !== undefined)].map(
        ({ endedAt }) => endedAt ?? Infinity,
      );
      longestAloneMs = Math.max(longestAloneMs, Math.max(...ends) - Math.min(...ends));
    } else if (call.answeredAt !== undefined) tookFallback(call, call.answeredAt);
    const stop = stops.find((at) => call.inviteAt < at && (call.answeredAt ?? call.cancelAt ?? 0) > at);
    if (stop !== undefined && call.answeredAt !== undefined)
      slowestAfterStopMs = Math.max(slowestAfterStopMs, call.answeredAt - stop);
  }
  for (const record of records) if (!seen.has(record.id)) wrong.push(`${record.id} is a record of no caller`);
  return {
    calls: sipCalls.length,
    outcomes,
    estimated: records.filter(({ estimated }) => estimated).length,
    neverInApp,
    diedWithKill,
    slowestFallbackMs: Math.round(slowestFallbackMs),
    slowFallbacks,
    longestAloneMs: Math.round(longestAloneMs),
    slowestAfterStopMs: Math.round(slowestAfterStopMs),
    wrong,
  };
}

function secondsFrom(from: number, at: number): string {
  return `${((at - from) / 1000).toFixed(1)} s later`;
}

type Span = { readonly from: number; readonly until: number | undefined };

/** When the caller was in a room with one of the call's agents, by the switch's log. */
function talkOf(record: Call, log: ReadonlyMap<string, readonly CelRow[]>): Span | null {
  const rows = record.legs.flatMap(({ id }) => log.get(id) ?? []).toSorted((a, b) => a.at - b.at);
  const sides = new Map(record.legs.map(({ id, side }) => [id, side]));
  const inside = new Map<string, Set<string>>();
  let from: number | undefined;
  for (const row of rows) {
    const room = row.extra['bridge_id'];
    if (typeof room !== 'string') continue;
    const members = inside.get(room) ?? new Set();
    inside.set(room, members);
    if (row.event === 'BRIDGE_ENTER') members.add(row.uniqueId);
    const kinds = new Set([...members].map((id) => sides.get(id)));
    if (row.event === 'BRIDGE_ENTER' && kinds.size === 2) from ??= row.at;
    if (row.event === 'BRIDGE_EXIT' && from !== undefined) return { from, until: row.at };
  }
  return from === undefined ? null : { from, until: undefined };
}

function compare(record: Call, caller: CelChannel, talk: Span | null): string[] {
  const said: string[] = [];
  if (record.status !== 'ended') said.push(`is ${record.status}`);
  const expected = talk === null ? 'missed' : 'answered';
  if (record.outcome !== expected) said.push(`is ${record.outcome}, the log says ${expected}`);
  if (record.estimated) return said;
  const near = (what: string, recorded: string | null, logged: number | undefined): void => {
    const away = recorded === null || logged === undefined ? Infinity : Math.abs(Date.parse(recorded) - logged);
    if (away > TOLERANCE_MS)
      said.push(
        `${what} ${recorded}, the log says ${logged === undefined ? 'nothing' : new Date(logged).toISOString()}`,
      );
  };
  near('started', record.startedAt, caller.startedAt);
  near('ended', record.endedAt, caller.endedAt);
  if (talk !== null) {
    near('answered', record.answeredAt, talk.from);
    const seconds = ((talk.until ?? 0) - talk.from) / 1000;
    if (Math.abs(record.talkSeconds - seconds) > 1.5)
      said.push(`talked ${record.talkSeconds} s, the log says ${seconds.toFixed(1)} s`);
  }
  return said;
}

/** The channels of callers, of whom there may be no record by their Call-ID. Each has a number of its own. */
function callersOf(channels: Iterable<CelChannel>): ReadonlyMap<string, CelChannel> {
  const fromTrunk = [...channels].filter(({ name }) => name.startsWith('PJSIP/trunk'));
  return new Map(fromTrunk.toReversed().map((channel) => [channel.callerNumber, channel]));
}

/** When a channel came into Stasis, ms since 1970, and for how long, ms. */
type Stay = { readonly from: number; readonly ms: number };

function isWithin({ from, ms }: Stay, { at, backAt }: Endured['kills'][number]): boolean {
  return from > at - KILLED_WITHIN_MS.before && from < at + KILLED_WITHIN_MS.after && from + ms < backAt;
}

function stayInApp(ofChannel: readonly CelRow[]): Stay | null {
  const rows = ofChannel.filter(({ app }) => app === 'Stasis');
  const from = rows.find(({ event }) => event === 'APP_START')?.at;
  const until = rows.find(({ event }) => event === 'APP_END')?.at;
  return from === undefined || until === undefined ? null : { from, ms: until - from };
}
