import { changesBetween } from '../../src/calls/domain/changes.js';
import type { Call } from '../../src/calls/domain/call.js';
import type { Told } from '../../src/calls/ledger/told.js';
import { Chance } from './chance.js';
import { compare } from './differences.js';
import { brokenCount } from './disorder.js';
import { observedTold, play, type Outcome } from './observed-stream.js';

/** What an observer was told of calls that a dial plan made, and their records in its own order. */
export type ObservedTellable = { readonly told: readonly Told[]; readonly records: ReadonlyMap<string, Call> };

export async function makeObservedTellable(name: string): Promise<ObservedTellable> {
  const told = observedTold(name);
  return { told, records: stayed(await play(told)) };
}

/**
 * Tells it in another order, with repetitions; every second time first with gaps and then whole; every third time with ends of
 * legs that come long after all is over and say otherwise. Conversations that became one are one from the beginning where that
 * is told first, so of them the one that stays is compared.
 * @returns what did not hold, in sentences.
 */
export async function tellObservedInDisorder({ told, records }: ObservedTellable, seed: number): Promise<string[]> {
  const chance = new Chance(seed);
  const order: Told[] = [];
  if (seed % 2 === 0) {
    const losing = chance.next();
    order.push(
      ...repeated(
        told.filter(() => !chance.isBelow(losing)),
        chance,
      ),
    );
  }
  order.push(...repeated(told, chance));
  if (seed % 3 === 0) order.push(...chance.shuffled(told.flatMap(lateEnd)));
  const now = Math.max(...told.map(({ receivedAt }) => receivedAt ?? 0));
  const outcome = await play(
    order.map((one) => ({ ...one, receivedAt: now })),
    undefined,
    seed % 5 === 0 ? 0 : Infinity,
  );
  return brokenBy(outcome, records);
}

function brokenBy(outcome: Outcome, records: ReadonlyMap<string, Call>): string[] {
  const { calls, events, parked } = outcome;
  const found = parked === 0 ? [] : [`${parked} calls could not be written`];
  const made = stayed(outcome);
  for (const [key, expected] of records) {
    const record = made.get(key);
    const published = calls.find(({ id }) => id === record?.id);
    if (record === undefined || published === undefined) {
      found.push(`there is no record of ${key}`);
      continue;
    }
    for (const { field, one, other } of compare(expected, { ...record, id: expected.id }, ''))
      found.push(`${field} of the folded call is ${JSON.stringify(other)} and not ${JSON.stringify(one)}`);
    if (changesBetween(record, published).length > 0) found.push(`the record of ${key} told last is another`);
  }
  for (const key of made.keys()) if (!records.has(key)) found.push(`there is another call: ${key}`);
  for (const told of events.values())
    found.push(...brokenCount(told.map(({ sequence, data: { call } }) => ({ sequence, call }))));
  return found;
}

/** The records that did not become part of another one, by what does not depend on who was heard of first. */
export function stayed({ calls, folded }: Outcome): Map<string, Call> {
  const merged = new Set(calls.flatMap(({ id, mergedInto }) => (mergedInto === null ? [] : [id])));
  const own = folded.filter(({ id }) => !merged.has(id));
  return new Map(own.map((call) => [`${call.linkedId} of ${call.startedAt}`, call]));
}

export function repeated(told: readonly Told[], chance: Chance): Told[] {
  return chance.shuffled(told.flatMap((one) => (chance.isBelow(0.3) ? [one, one] : [one])));
}

/** Half a minute after a leg ended: that it was never answered, as an event and as a guess. */
export function lateEnd(told: Told): Told[] {
  return told.facts.flatMap((fact) =>
    fact.kind !== 'ended'
      ? []
      : (['switch', 'estimate'] as const).map((source) => ({
          ...told,
          facts: [{ ...fact, source, at: fact.at + 30_000, data: { q850: 19, sip: 480, text: null } }],
        })),
  );
}
