import type { Told } from '../../src/calls/ledger/told.js';
import { parseAriTime, writeAriTime } from '../../src/asterisk/ari-time.js';
import type { StreamEntry } from '../../src/asterisk/raw-stream/stream-entry.js';

/** A frame with other times in its fields of these names. */
export function retimed(text: string, names: string, time: (at: number, name: string) => number): string {
  return text.replace(new RegExp(`"(${names})":\\s*"([^"]+)"`, 'g'), (all, name: string, told: string) => {
    const at = parseAriTime(told);
    return at === null ? all : `"${name}":"${writeAriTime(time(at, name))}"`;
  });
}

/** An entry of that much later: channels that are there keep the time at which they were made. */
export function moved(entry: StreamEntry, byMs: number): StreamEntry {
  if (entry.kind === 'frame')
    return { ...entry, at: entry.at + byMs, text: retimed(entry.text, 'timestamp', (at) => at + byMs) };
  if (entry.kind === 'told') {
    const facts = entry.told.facts.map((fact) => ({ ...fact, at: fact.at + byMs }));
    return { ...entry, at: entry.at + byMs, told: { ...entry.told, facts } };
  }
  if (entry.kind === 'snapshot')
    return { ...entry, at: entry.at + byMs, takenAt: entry.takenAt + byMs, aliveAt: entry.aliveAt + byMs };
  return { ...entry, at: entry.at + byMs };
}

/** What was told, so much later. */
export function toldLater(told: Told, ms: number): Told {
  const { sighting, receivedAt, facts } = told;
  return {
    ...told,
    facts: facts.map((fact) => ({ ...fact, at: fact.at + ms })),
    receivedAt: (receivedAt ?? NaN) + ms,
    ...(sighting !== undefined && { sighting: { ...sighting, at: sighting.at + ms } }),
  };
}
