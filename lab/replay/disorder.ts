import { Registry } from 'prom-client';
import { LedgerMetrics } from '../../src/calls/ledger/ledger-metrics.js';
import { parseFrame } from '../../src/asterisk/ari-frame.js';
import { writeAriTime } from '../../src/asterisk/ari-time.js';
import { changesBetween } from '../../src/calls/domain/changes.js';
import { FactSet, gatherState } from '../../src/calls/domain/call-state.js';
import { factId, type Fact } from '../../src/calls/domain/fact.js';
import { foldCall } from '../../src/calls/domain/fold.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { translate } from '../../src/asterisk/translate.js';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';
import { Chance } from './chance.js';
import { compare } from './differences.js';
import { MemoryStore } from './memory-store.js';
import { replay, ReplayLedger, type ReplayedEvent } from './replay.js';

// One for all runs: to make one takes as long as a tenth of a run.
export const unread = new LedgerMetrics({ registry: new Registry() });

/** A stream that can be told in any order: what was told in it, each of which left its facts in the record. */
export type Tellable = {
  readonly entries: readonly StreamEntry[];
  readonly told: readonly Told[];
  /** What the stream folds to in its own order. */
  readonly records: ReadonlyMap<string, Call>;
  /** Ends of legs that come long after all is over, and say otherwise. */
  readonly lateEnds: readonly Told[];
};

export async function makeTellable(entries: readonly StreamEntry[]): Promise<Tellable> {
  const store = new MemoryStore();
  const { told, calls } = await replay(entries, store);
  const records = new Map(calls.map(({ record }) => [record.id, record]));
  const kept = new Set([...records.keys()].flatMap((id) => store.factsOf(id).map(factId)));
  return {
    entries,
    records,
    // A plan that was overtaken by the end of its call was dropped then, and is in another order too.
    told: told
      .filter(({ onlyWhileOpen, facts }) => onlyWhileOpen !== true || facts.some((fact) => kept.has(factId(fact))))
      .map((one) => ({ ...one, onlyWhileOpen: false })),
    lateEnds: lateEndsOf(entries, records, endsTold(told)),
  };
}

/** Legs of which the switch itself told the end: it may know better than who only looked for them. */
function endsTold(told: readonly Told[]): ReadonlySet<string> {
  const facts = told.flatMap((one) => one.facts);
  return new Set(facts.filter(({ kind, source }) => kind === 'ended' && source === 'switch').map(({ leg }) => leg));
}

/** Half a minute after a leg ended: it was never answered; and, from a look at the switch, that it ended some time. */
function lateEndsOf(
  entries: readonly StreamEntry[],
  records: ReadonlyMap<string, Call>,
  ends: ReadonlySet<string>,
): Told[] {
  const [{ node: nodeId, boot } = { node: '', boot: '' }] = entries;
  return [...records.values()].flatMap(({ legs }) =>
    legs.flatMap(({ id, endedAt }) => {
      if (endedAt === null || !ends.has(id)) return [];
      const late = writeAriTime(Date.parse(endedAt) + 30_000);
      const end = { type: 'ChannelDestroyed', timestamp: late, cause: 19, tech_cause: 480, channel: { id } };
      const frame = parseFrame(JSON.stringify(end));
      const translation = frame && translate(frame, 0);
      if (translation === null) throw new Error('the end of a leg tells nothing');
      const guess = { ...(translation.facts[0] as Fact), source: 'estimate' } as Fact;
      return [translation, { leg: id, facts: [guess] }].map((told) => ({ nodeId, boot, receivedAt: null, ...told }));
    }),
  );
}

/**
 * Tells a stream in another order, with repetitions; every second time first with gaps and then whole; every third time
 * with late ends. Whatever the order, what we did is told by ourselves, and so never before the call is there.
 * @returns what did not hold, in sentences.
 */
export async function tellInDisorder(stream: Tellable, seed: number): Promise<string[]> {
  const chance = new Chance(seed);
  const order: Told[] = [];
  if (seed % 2 === 0) {
    const losing = chance.next();
    order.push(
      ...disordered(
        stream.told.filter(({ call }) => call !== undefined || !chance.isBelow(losing)),
        chance,
      ),
    );
  }
  order.push(...disordered(stream.told, chance));
  if (seed % 3 === 0) order.push(...chance.shuffled(stream.lateEnds));

  const store = new MemoryStore();
  const target = new ReplayLedger(stream.entries, store, unread);
  const at = stream.entries.at(-1)?.at ?? 0;
  for (const told of order) target.tell(told, at);
  await target.ledger.settled();

  const found: string[] = [];
  for (const [id, expected] of stream.records) {
    const call = target.calls.get(id);
    if (call === undefined) {
      found.push(`there is no record of call ${id}`);
      continue;
    }
    const folded = foldOf(expected, store.factsOf(id));
    for (const { field, one, other } of compare(expected, folded, ''))
      if (field !== 'version')
        found.push(`${field} of the folded call is ${JSON.stringify(other)} and not ${JSON.stringify(one)}`);
    if (changesBetween(expected, call.record).length > 0)
      found.push(`the record told last is another: ${JSON.stringify(compare(expected, call.record, ''))}`);
    found.push(...brokenSequence(call.events));
  }
  for (const id of target.calls.keys()) if (!stream.records.has(id)) found.push(`there is another call: ${id}`);
  return found;
}

/** All of it, some more than once, in any order; what we told ourselves of a call after what made the call. */
export function disordered(told: readonly Told[], chance: Chance): Told[] {
  const repeated = told.flatMap((one) => (chance.isBelow(0.3) ? [one, one] : [one]));
  const order = chance.shuffled(repeated);
  const makes = (one: Told): boolean =>
    one.arrival !== undefined || (one.call !== undefined && one.facts.some(({ kind }) => kind === 'placed'));
  const first = order.findIndex(makes);
  const isEarly = (one: Told, i: number): boolean => i < first && one.call !== undefined;
  return [
    ...order.filter((one, i) => i <= first && !isEarly(one, i)),
    ...order.filter(isEarly),
    ...order.slice(first + 1),
  ];
}

/** The record of exactly these facts, as if they had come at once. */
export function foldOf({ id, tenantId, pbxNodeId }: Call, facts: readonly Fact[]): Call | null {
  const state = gatherState(id, new FactSet(facts).values());
  return state === null ? null : foldCall({ id, tenantId, pbxNodeId }, state, 1);
}

/** What consumers rely on, whatever comes. */
function brokenSequence(events: readonly ReplayedEvent[]): string[] {
  const found = brokenCount(events);
  let before: ReplayedEvent | undefined;
  for (const event of events) {
    const { sequence, call } = event;
    if (before !== undefined && before.call.answeredAt !== null && call.answeredAt === null)
      found.push(`event ${sequence} takes the answer back`);
    if (before?.call.outcome === 'answered' && call.outcome !== 'answered')
      found.push(`event ${sequence} makes ${call.outcome} of answered`);
    if (before?.call.endedAt != null && call.endedAt === null) found.push(`event ${sequence} opens the call again`);
    before = event;
  }
  return found;
}

/** Events of a call are counted by one, and each has the record as of it. */
export function brokenCount(events: readonly Pick<ReplayedEvent, 'sequence' | 'call'>[]): string[] {
  return events.flatMap(({ sequence, call }, i) =>
    sequence === i + 1 && call.version === i + 1
      ? []
      : [`event ${i + 1} has sequence ${sequence} and version ${call.version}`],
  );
}
