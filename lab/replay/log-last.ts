import type { Call } from '../../src/calls/domain/call.js';
import { changesBetween } from '../../src/calls/domain/changes.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { Chance } from './chance.js';
import { compare } from './differences.js';
import { disordered, foldOf, unread, type Tellable } from './disorder.js';
import { MemoryStore } from './memory-store.js';
import { repeated, stayed } from './observed-disorder.js';
import { observedLog, observedTold, play } from './observed-stream.js';
import { ReplayLedger } from './replay.js';
import { tellLog, withLosses } from './told-log.js';

/**
 * What of a record may be another where a frame was lost for good of which the rest stands in Asterisk's log: the SIP status and
 * the text of an end, its Q.850 cause (the log may say 0, or another one), and the SIP Call-ID of a beginning.
 */
const onlyInEvents: readonly RegExp[] = [/^legs\.\d+\.(sip|q850)$/, /^hangup\.(sip|text|q850)$/, /^sipCallIds(\.|$)/];
/** What the SIP status of a lost end may have told, where that was a refusal. */
const bySip: readonly RegExp[] = [/^outcome$/, /^outcomeReason$/];

/** A stream, the log of the same calls, and the records that both make where nothing is lost, by a name that stays. */
export type LoggedStream = {
  readonly told: readonly Told[];
  readonly records: ReadonlyMap<string, Call>;
  /** Plays it and has the log told last. */
  readonly play: (told: readonly Told[], log: readonly string[]) => Promise<ReadonlyMap<string, LoggedRecord>>;
  readonly log: readonly string[];
  /** Told in another order, with repetitions. */
  readonly disorder: (told: readonly Told[], chance: Chance) => Told[];
};
/** The record that all facts fold to, and as it was published last. */
type LoggedRecord = { readonly folded: Call; readonly published: Call };

export async function makeLogged(stream: Tellable, log: readonly string[]): Promise<LoggedStream> {
  const [first] = stream.entries;
  if (first === undefined) throw new Error('an empty stream has no calls');
  const node = { id: first.node, boot: first.boot, app: first.app, observe: false };
  const at = stream.entries.at(-1)?.at ?? 0;
  const playDriven: LoggedStream['play'] = async (told, lines) => {
    const store = new MemoryStore();
    const target = new ReplayLedger(stream.entries, store, unread);
    for (const one of told) target.tell(one, at);
    await target.ledger.settled();
    await tellLog(target.ledger, node, lines);
    return new Map(
      [...target.calls].flatMap(([id, { record }]) => {
        const folded = foldOf(record, store.factsOf(id));
        return folded === null ? [] : [[id, { folded, published: record }] as const];
      }),
    );
  };
  return finish({ told: stream.told, log, play: playDriven, disorder: disordered });
}

export async function makeObservedLogged(name: string): Promise<LoggedStream> {
  const told = observedTold(name);
  const log = observedLog(name);
  const now = Math.max(...told.map(({ receivedAt }) => receivedAt ?? 0));
  const playObserved: LoggedStream['play'] = async (some, lines) => {
    const outcome = await play(
      some.map((one) => ({ ...one, receivedAt: now })),
      undefined,
      Infinity,
      lines,
    );
    return new Map(
      [...stayed(outcome).values()].flatMap((folded) => {
        const published = outcome.calls.find(({ id }) => id === folded.id);
        return published === undefined ? [] : [[folded.linkedId ?? folded.id, { folded, published }] as const];
      }),
    );
  };
  return finish({ told, log, play: playObserved, disorder: repeated });
}

async function finish(stream: Omit<LoggedStream, 'records'>): Promise<LoggedStream> {
  const whole = await stream.play(stream.told, stream.log);
  return { ...stream, records: new Map([...whole].map(([key, { folded }]) => [key, folded])) };
}

/**
 * Tells what is left of a stream after losses for good, in another order and with repetitions, and then the log.
 * @returns what did not hold, in sentences.
 */
export async function tellWithLogLast(stream: LoggedStream, seed: number): Promise<string[]> {
  const chance = new Chance(seed);
  const kept = withLosses(stream.told, chance);
  const lost = stream.told.filter((one) => !kept.includes(one));
  const made = await stream.play(stream.disorder(kept, chance), stream.log);
  const found: string[] = [];
  const mayDiffer = [...(lost.length === 0 ? [] : onlyInEvents), ...(lost.some(tellsRefusal) ? bySip : [])];
  for (const [key, expected] of stream.records) {
    const record = made.get(key);
    if (record === undefined) {
      found.push(`there is no record of ${key}`);
      continue;
    }
    for (const { field, one, other } of compare(expected, { ...record.folded, id: expected.id }, ''))
      if (!mayDiffer.some((pattern) => pattern.test(field)) && !isSameMoment(field, one, other))
        found.push(`${field} of the folded call is ${JSON.stringify(other)} and not ${JSON.stringify(one)}`);
    if (changesBetween(record.folded, record.published).length > 0)
      found.push(`the record of ${key} told last is another`);
  }
  for (const key of made.keys()) if (!stream.records.has(key)) found.push(`there is another call: ${key}`);
  return found;
}

/** An end whose SIP status says how the far end refused. */
function tellsRefusal({ facts }: Told): boolean {
  return facts.some((fact) => fact.kind === 'ended' && (fact.data.sip ?? 0) >= 400);
}

/** Two sources of one moment are some ms apart; a few ms may turn the rounding of seconds. */
function isSameMoment(field: string, one: unknown, other: unknown): boolean {
  if (field.endsWith('Seconds')) return Math.abs(Number(one) - Number(other)) <= 1;
  if (!field.endsWith('At') || typeof one !== 'string' || typeof other !== 'string') return false;
  return Math.abs(Date.parse(one) - Date.parse(other)) < 1_000;
}
